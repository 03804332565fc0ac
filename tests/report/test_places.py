"""Tests of places: how accounts and Regions are counted, and which of a long list are named."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.report.changes import changes
from provisioner.report.places import View

from .samples import EAST, UNFOLDED, VIEW, WEST, A, B, change, rendered, result
from .test_grouping import ACCOUNTS, REGIONS

SEVERAL = [
    ([(A, EAST)], "config_recorder", f"{A} (dev) {EAST}"),
    ([(A, "")], "a_step", f"{A} (dev)"),
    ([(A, EAST), (A, WEST)], "config_recorder", f"{A} (dev), 2 Regions"),
    ([(A, EAST), (B, EAST)], "config_recorder", f"2 accounts in {EAST}"),
    ([(A, EAST), (B, EAST)], "password_policy", "2 accounts"),  # runs once in an account
    ([(A, EAST), (B, EAST), (A, WEST), (B, WEST)], "config_recorder", "2 accounts, 2 Regions"),
    ([(A, EAST), (B, EAST), (A, WEST)], "config_recorder", "2 accounts, 2 Regions (3 places)"),
]


@pytest.mark.parametrize(("places", "step", "heading"), SEVERAL)
def test_heading_counts_places(places: list[tuple[str, str]], step: str, heading: str) -> None:
    found = rendered(changes([result(*each, change(), step=step) for each in places], VIEW))
    assert found.splitlines()[0] == f"{step}  {heading}"


@settings(max_examples=100)
@given(st.lists(st.tuples(ACCOUNTS, REGIONS), min_size=2, max_size=30, unique=True))
def test_unfolded_each_place_is_named_once(places: list[tuple[str, str]]) -> None:
    text = rendered(changes([result(*each, change()) for each in places], UNFOLDED))
    lines = text.split("\n  ~ thing")[0].splitlines()
    assert all(len(line) <= 80 for line in lines)
    named: list[tuple[str, str]] = []
    for line in re.sub(r"\n      ", " ", "\n".join(lines[1:])).splitlines():
        regions, _, accounts = line.strip().removeprefix("in ").partition(":")
        whose = [each.strip()[:12] for each in accounts.split(",")] if accounts else [lines[0].split()[1]]
        named += [(account.strip(","), region) for account in whose for region in regions.split(", ")]
    assert sorted(named) == sorted(places)


def test_long_list_names_three_accounts_and_the_flag() -> None:
    accounts = [f"{300000000000 + n}" for n in range(1412)]
    made = [result(each, EAST, change(want=f"b-{each}"), step="password_policy") for each in accounts]
    assert rendered(changes(made, View())) == (
        "password_policy  1,412 accounts\n"
        "    300000000000, 300000000001, 300000000002\n"
        "      and 1,409 more (--unfold names them)\n"
        "  ~ thing\n"
        "    ~ s3:PutX\n"
        "        field  (none) → b-${account_id}\n"
    )
