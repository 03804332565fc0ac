"""Tests of the totals: the states of accounts, and the line that counts them."""

from __future__ import annotations

import dataclasses

import pytest

from provisioner.engine.plan import Plan
from provisioner.fleet.results import reportable
from provisioner.model import Failure, InSyncCounts
from provisioner.report.json import counts_json
from provisioner.report.totals import Cost, Totals, state

from .samples import EAST, A, change, result


@pytest.mark.parametrize(
    ("totals", "cost", "expected"),
    [
        (
            Totals(in_sync=41, drifted=5, failed=2, skipped=1, regions={"a", "b", "c", "d"}),
            Cost(12.34, 1118, throttled=3),
            "41 accounts in sync, 5 drifted, 2 failed, 1 skipped (48 accounts, 4 Regions, 12.3 s, 1,118 calls, 3 throttled)",
        ),
        (
            Totals(changed=1, regions={"a"}),
            Cost(1, 1),
            "1 account changed (1 account, 1 Region, 1.0 s, 1 call)",
        ),
        (Totals(), Cost(1, 1), "0 accounts in sync (0 accounts, 1.0 s, 1 call)"),
        (
            Totals(in_sync=2, organization="drifted", regions={"a"}),
            Cost(1, 2, writes=1),
            "2 accounts in sync, the organization itself drifted (2 accounts, 1 Region, 1.0 s, 2 calls, 1 write)",
        ),
    ],
)
def test_line_counts_accounts_by_state(totals: Totals, cost: Cost, expected: str) -> None:
    assert totals.line(cost) == expected


def test_line_of_a_single_account_counts_steps() -> None:
    drifted = result(A, EAST, change(), seen=["thing", "other"])
    failed = result(A, EAST, step="b_step", failures=[Failure("reading", "no")])
    plan = Plan((drifted, failed, result(A, EAST, step="c_step", seen=["third"])), InSyncCounts(2, 5))
    found = Totals(failed=1, regions={EAST}).steps_line(plan, Cost(0.5, 27))
    assert (
        found
        == "3 of 5 steps in sync, 7 resources unchanged, 1 failed (1 account, 1 Region, 0.5 s, 27 calls)"
    )


@pytest.mark.parametrize("kept", [{"held": "the file says `mode: alert`"}, {"consent": "shorten"}])
@pytest.mark.parametrize("applied", [False, True])
def test_what_is_held_or_not_allowed_is_not_in_sync_in_any_count(
    kept: dict[str, str], *, applied: bool
) -> None:
    left = result(A, EAST, seen=["thing", "other"], withheld=[dataclasses.replace(change(), **kept)])
    results = [left, result(A, EAST, step="b_step", seen=["third"])]
    totals = Totals(changed=int(applied), drifted=int(not applied), regions={EAST})
    assert totals.steps_line(Plan(tuple(results)), Cost(0.5, 27)).startswith(
        "1 of 2 steps in sync, 2 resources unchanged ("
    )
    assert counts_json(results, InSyncCounts(), "diff").steps_in_sync == 1
    reported, counts = reportable(results)
    assert totals.steps_line(Plan(reported, counts), Cost(0.5, 27)).startswith(
        "1 of 2 steps in sync, 2 resources unchanged ("
    )


def test_state_of_an_account() -> None:
    drifted, failed = result(A, EAST, change()), result(A, EAST, failures=[Failure("reading", "no")])
    assert state([]) == "in_sync"
    assert state([drifted]) == "drifted"
    assert state([drifted], applied=True) == "changed"
    assert state([drifted, failed], applied=True) == "failed"
    assert state([drifted], unseen=[drifted], applied=True) == "failed"
