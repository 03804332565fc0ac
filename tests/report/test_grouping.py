"""Tests of grouping: each change is in exactly one group, groups are equal in all their places, and order does not matter."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.model import Change, Result, Target
from provisioner.report.changes import by_resource, changes, identity
from provisioner.report.grouping import escaped, fill, group, template_of, to_template

from .samples import EAST, UNFOLDED, VIEW, WEST, A, B, C, D, change, rendered, result

# Account ids and Regions that overlap each other.
ACCOUNTS = st.sampled_from([A, B, C, "123456789012", "234567890123", "000000000000"])
REGIONS = st.sampled_from([EAST, WEST, "us-east-2", "us-gov-east-1", "ap-east-1"])
WORDS = st.sampled_from(
    ["{a}", "{r}", "x", "-", "1", "$", "${account_id}", "${region}", "$$", "a", "/", A, EAST, "123456789012"]
)
TEXTS = st.lists(WORDS, max_size=4).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def at(value: Any, target: Target) -> Any:
    """*value* with `{a}` and `{r}` replaced by the account and the Region of *target*."""
    if isinstance(value, str):
        return value.replace("{a}", target.account).replace("{r}", target.region)
    if isinstance(value, dict):
        return {at(k, target): at(v, target) for k, v in value.items()}
    return [at(each, target) for each in value] if isinstance(value, list) else value


@st.composite
def plans(draw: st.DrawFn) -> list[Result]:
    """Results of several accounts in any order, made from a few templates; some accounts are central."""
    templates = draw(st.lists(st.tuples(TEXTS, VALUES, VALUES), min_size=1, max_size=3))
    central, archive = draw(st.sampled_from([("", ""), (A, ""), (A, B)]))
    places = draw(st.lists(st.tuples(ACCOUNTS, REGIONS), min_size=1, max_size=6, unique=True))
    found = []
    for account, region in places:
        target = Target(account, region, central=central, archive=archive)
        chosen = draw(st.lists(st.sampled_from(templates), max_size=3))
        made = [change(*(at(each, target) for each in template)) for template in chosen]
        found.append(Result(draw(st.sampled_from(["a_step", "b_step"])), target, made))
    return found


def resources(each: Result) -> list[tuple[Change, ...]]:
    return by_resource(each.changes)


def text_of(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@settings(max_examples=300)
@given(plans())
def test_each_change_is_in_exactly_one_group_with_its_values(found: list[Result]) -> None:
    there = [(id(each), text_of(escaped(identity(unit)))) for each in found for unit in resources(each)]
    groups = group(((each, resources(each)) for each in found), identity)
    grouped = [
        (id(result), text_of(fill(template_of(each, identity), result.target)))
        for each in groups
        for result in each.results
    ]
    unescaped = [(n, text.replace("$$", "$")) for n, text in grouped]
    assert sorted(unescaped) == sorted((n, text.replace("$$", "$")) for n, text in there)
    assert all(result.step == each.step for each in groups for result in each.results)
    kept = {id(each) for result in found for each in result.changes}
    assert all(id(each) in kept for made in groups for each in made.sample), "a change was copied"


@settings(max_examples=100)
@given(
    st.lists(st.lists(st.sampled_from(["{a}", "{r}", "x"]), max_size=3).map("/".join), unique=True),
    st.lists(st.tuples(ACCOUNTS, REGIONS), min_size=1, max_size=6, unique=True),
)
def test_changes_that_differ_only_by_account_and_region_are_one_group(
    templates: list[str], places: list[tuple[str, str]]
) -> None:
    made = [result(*place, *(change(at(each, Target(*place))) for each in templates)) for place in places]
    found = group(((each, resources(each)) for each in made), identity)
    assert [len(each.results) for each in found] == [len(places)] * len(templates)


@settings(max_examples=100)
@given(plans(), st.randoms(use_true_random=False), st.booleans())
def test_order_of_accounts_does_not_matter(found: list[Result], chance: random.Random, unfold: bool) -> None:
    view = UNFOLDED if unfold else VIEW
    before = rendered(changes(found, view))
    chance.shuffle(found)
    assert rendered(changes(found, view)) == before


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (A, "${account_id}"),
        (f"bucket-{A}-logs", "bucket-${account_id}-logs"),
        (f"logs{A}", "logs${account_id}"),
        (f"1{A}", f"1{A}"),
        (f"{A}0", f"{A}0"),
        (f"arn:aws:iam::{A}:role/x-{EAST}", "arn:aws:iam::${account_id}:role/x-${region}"),
        (f"{EAST}a", f"{EAST}a"),
        ("us-east-11", "us-east-11"),
        (f"a{EAST}", f"a{EAST}"),
        (f"config.{EAST}.amazonaws.com", "config.${region}.amazonaws.com"),
        (B, B),
        (int(A), int(A)),
        ({A: [A, {"x": EAST}]}, {"${account_id}": ["${account_id}", {"x": "${region}"}]}),
        ((A, None, True), ["${account_id}", None, True]),
    ],
)
def test_only_whole_names_of_the_target_are_replaced(value: Any, expected: Any) -> None:
    assert to_template(value, Target(A, EAST), account=True, region=True) == expected


def test_dollar_sign_of_aws_is_no_placeholder() -> None:
    different = [result(A, EAST, change(want="${account_id}")), result(B, EAST, change(want=B))]
    assert len(group(((each, resources(each)) for each in different), identity)) == 2
    equal = [result(each, EAST, change(want="${aws:username}")) for each in (A, B)]
    assert "field  (none) → ${aws:username}" in rendered(changes(equal, VIEW))


DIFFERENT = {
    "resource": [change("other")],
    "value": [change(want=2)],
    "true is not 1": [change(want=True)],
    "operation": [change(operation="put_y")],
    "action": [change(action="create")],
    "consent": [change(consent="replace")],
    "what is lost": [change(consent="replace", loses="all")],
    "a second change": [change(), change(operation="put_y")],
}


@pytest.mark.parametrize("others", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_changes_that_differ_are_in_two_groups(others: list[Change]) -> None:
    mine = change(consent="replace" if others[0].loses else None)
    found = rendered(changes([result(A, EAST, mine), result(B, EAST, *others)], VIEW))
    assert f"a_step  {A} (dev) {EAST}" in found
    assert f"a_step  {B} (test) {EAST}" in found


def member(account: str, region: str, *made: Change, step: str = "config_recorder") -> Result:
    """A result of an organization with the central account D and the log archive A."""
    target = Target(account, region, home=region == EAST, central=D, archive=A)
    return Result(step, target, list(made))


def test_central_account_joins_the_group_that_names_it() -> None:
    """All accounts write to a bucket of the archive account, each with its own role."""

    def channel(account: str, bucket: str) -> Result:
        return member(account, EAST, change("channel", want=[bucket, f"arn:aws:iam::{account}:role/x"]))

    together = rendered(changes([channel(each, f"logs-{A}") for each in (A, B, C, D)], VIEW))
    assert "config_recorder  4 accounts" in together
    assert f'field  (none) → ["logs-{A}", "arn:aws:iam::${{account_id}}:role/x"]' in together
    of_its_own = rendered(
        changes([channel(A, f"logs-{A}"), channel(B, f"logs-{A}"), channel(C, f"logs-{C}")], VIEW)
    )
    assert "config_recorder  2 accounts" in of_its_own
    assert f"config_recorder  {C} (prod) {EAST}" in of_its_own
