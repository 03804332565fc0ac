"""Tests of the report for machines: the schema of all objects, and the values of each command."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from provisioner.model import (
    Account,
    Call,
    Change,
    Difference,
    Failure,
    Finding,
    InSyncCounts,
    Kind,
    Note,
    Outcome,
    Result,
    Skipped,
    Target,
)
from provisioner.report import json as report
from provisioner.report.totals import Cost, Totals

ID, EAST = "110000000011", "us-east-1"
DEV = Account(ID, "dev")
CHANGE = Change(
    "password policy",
    (Difference("MinimumPasswordLength", 8, 14),),
    Call("iam", "update_x", {"A": 1}, name="UpdateX"),
)
DENIED = Failure("reading", "no", "iam", "GetRole", "AccessDenied", "id-1", "ask")
VALIDATOR = Draft202012Validator(report.output_schema())
CALLER = "arn:aws:iam::110000000011:user/x"


def result(step: str = "password_policy", **given: Any) -> Result:
    return Result(step, Target(ID, EAST), **given)


def outcome(*results: Result, **given: Any) -> Outcome:
    return Outcome(DEV, (EAST,), results, seconds=1.23456, **given)


def version(command: report.Command = "diff") -> report.VersionJson:
    return report.VersionJson(
        "version", "info", f"provision {command}", report.FORMAT, command, False, ID, "aws", CALLER, [EAST]
    )


def parsed(found: report.Line | report.DocumentJson) -> dict[str, Any]:
    """The object parsed from its text, which must be one line and match the schema."""
    text = report.to_text(found)
    assert "\n" not in text
    value: dict[str, Any] = json.loads(text)
    VALIDATOR.validate(value)
    assert not any(unicodedata.category(c).startswith("C") for c in value["message"])
    return value


RESULTS = st.builds(
    result,
    changes=st.lists(st.just(CHANGE), max_size=2),
    notes=st.lists(st.just(Note(Kind.WARNING, "r", "t")), max_size=1),
    withheld=st.lists(st.just(CHANGE), max_size=1),
    findings=st.lists(
        st.builds(Finding, st.text(), st.text(), st.sampled_from([True, False, None]), st.text())
    ),
    request_ids=st.lists(st.text(), max_size=2),
    failures=st.lists(st.builds(Failure, st.text(), st.text(), st.text(), st.text(), st.text()), max_size=2),
    blocked_by=st.none() | st.just("config_role"),
)
OUTCOMES = st.builds(
    Outcome,
    st.builds(Account, st.just(ID), st.text()),
    st.tuples(st.just(EAST)),
    st.lists(RESULTS, max_size=3).map(tuple),
    st.lists(RESULTS, max_size=1).map(tuple),
    st.lists(st.builds(Skipped, st.just(ID), st.text(), st.text()), max_size=2).map(tuple),
    applied=st.booleans(),
)


@settings(max_examples=150)
@given(OUTCOMES, st.sampled_from(["diff", "apply", "verify"]))
def test_every_object_matches_the_schema(found: Outcome, command: report.Command) -> None:
    totals = Totals()
    totals.add(found)
    counts = report.counts_json(found.results, found.in_sync, command)
    last = report.summary_json("done", counts, totals, Cost(1, 2), digest="sha256:0", skipped=())
    account = report.account_json(found, command)
    once = report.organization_json(found.results, command, found.unseen, applied=found.applied)
    for each in (version(command), account, once, last, report.error_json(command, "no\x1b")):
        parsed(each)
    parsed(report.document_json(version(command), once, [account], last))
    assert found.failed == (account.level == "error")
    assert (account.state == "changed") <= found.applied


def test_account_has_changes_notes_failures_and_skips() -> None:
    drifted = result(changes=[CHANGE], notes=[Note(Kind.WARNING, "r", "t")])
    failed = result("config_role", failures=[DENIED])
    blocked = result("config_recorder", blocked_by="config_role")
    skipped = (Skipped(ID, "me-south-1", "is disabled"),)
    found = parsed(report.account_json(outcome(drifted, failed, blocked, skipped=skipped), "diff"))
    place = {"step": "password_policy", "account": ID, "region": EAST}
    assert found == {
        "type": "account",
        "level": "error",
        "message": (
            f"{ID} (dev): 0 to add, 1 to change; config_role failed in us-east-1:"
            " reading: iam:GetRole: AccessDenied: no; not run: config_recorder"
        ),
        "state": "failed",
        "applied": False,
        "account": ID,
        "name": "dev",
        "regions": [EAST],
        "counts": {
            "add": 0,
            "change": 1,
            "destroy": 0,
            "checks_passed": 0,
            "checks_failed": 0,
            "checks_pending": 0,
            "steps_in_sync": 0,
            "steps_failed": 2,
        },
        "changes": [
            {
                **place,
                "resource": "password policy",
                "action": "update",
                "differences": [{"field": "MinimumPasswordLength", "have": 8, "want": 14}],
                "call": {"service": "iam", "operation": "UpdateX", "region": EAST, "params": {"A": 1}},
                "consent": None,
                "loses": None,
                "request_id": None,
                "held": None,
            }
        ],
        "withheld": [],
        "not_seen": [],
        "notes": [{**place, "kind": "warning", "resource": "r", "text": "t"}],
        "failures": [
            {
                **place,
                "step": "config_role",
                "doing": "reading",
                "message": "no",
                "call": "iam:GetRole",
                "code": "AccessDenied",
                "request_id": "id-1",
                "hint": "ask",
                "blocked_by": None,
                "not_tried": [],
            },
            {
                **place,
                "step": "config_recorder",
                "doing": "not run",
                "message": "config_role failed",
                "call": None,
                "code": None,
                "request_id": None,
                "hint": None,
                "blocked_by": "config_role",
                "not_tried": [],
            },
        ],
        "findings": [],
        "skipped": [{"account": ID, "region": "me-south-1", "why": "is disabled", "name": ""}],
        "seconds": 1.235,
        "cut_off": 0,
    }


def test_account_that_could_not_be_entered_has_no_region() -> None:
    lost = Result("account", Target(ID, ""), failures=[Failure("running it on a worker, 3 times", "gone")])
    found = report.account_json(Outcome(DEV, results=(lost,)), "diff")
    assert found.message == f"{ID} (dev): account failed: running it on a worker, 3 times: gone"


def test_applied_changes_have_request_ids() -> None:
    sent = result(changes=[CHANGE], request_ids=["id-7"], withheld=[CHANGE])
    missing = (result(changes=[CHANGE]),)
    found = report.account_json(outcome(sent, unseen=missing, applied=True), "apply")
    assert found.changes[0].request_id == "id-7"
    assert found.withheld[0].resource == found.not_seen[0].resource == "password policy"
    assert found.message == f"{ID} (dev): 0 added, 1 changed; 1 not allowed; 1 not shown by AWS yet"
    done = report.account_json(outcome(result(changes=[CHANGE], request_ids=["id-7"]), applied=True), "apply")
    assert (done.level, done.state, done.message) == ("info", "changed", f"{ID} (dev): 0 added, 1 changed")


def test_apply_that_changed_nothing_yet_is_drifted() -> None:
    found = report.account_json(outcome(result(changes=[CHANGE])), "apply")
    assert (found.state, found.applied, found.message) == (
        "drifted",
        False,
        f"{ID} (dev): 0 to add, 1 to change",
    )


@pytest.mark.parametrize(
    ("found", "state", "message"),
    [
        ([], "in_sync", "8 checks passed"),
        ([Finding("r", "c", ok=None, detail="d")], "in_sync", "9 checks passed; 1 too early to tell"),
        ([Finding("r", "c", ok=False, detail="d")], "drifted", "9 checks passed, 1 failed"),
    ],
)
def test_verify_counts_checks(found: list[Finding], state: str, message: str) -> None:
    results = [result(findings=found)] if found else []
    in_sync = InSyncCounts(steps=2, resources=3, proofs=6)
    account = report.account_json(outcome(*results, in_sync=in_sync), "verify")
    assert (account.state, account.message) == (state, f"{ID} (dev): {message}")
    counted = account.counts
    checked = counted.checks_passed + counted.checks_failed + counted.checks_pending
    assert checked == 8 + (1 + len(found) if found else 0)


def test_summary_counts_accounts_by_state() -> None:
    totals = Totals(in_sync=41, drifted=5, failed=2, skipped=1, regions={"b", "a"})
    counts = report.counts_json([result(changes=[CHANGE])], InSyncCounts(7), "diff")
    found = parsed(
        report.summary_json(
            "Plan",
            counts,
            totals,
            Cost(12.3456, 1118, 3, 1),
            digest="sha256:0",
            skipped=[Skipped("330000000033", "", "is suspended")],
        )
    )
    assert found == {
        "type": "summary",
        "level": "error",
        "message": "Plan",
        "plan_digest": "sha256:0",
        "counts": {
            "add": 0,
            "change": 1,
            "destroy": 0,
            "checks_passed": 0,
            "checks_failed": 0,
            "checks_pending": 0,
            "steps_in_sync": 7,
            "steps_failed": 0,
        },
        "accounts_by_state": {"in_sync": 41, "drifted": 5, "changed": 0, "failed": 2, "skipped": 1},
        "organization_state": "in_sync",
        "regions_seen": ["a", "b"],
        "skipped": [{"account": "330000000033", "region": "", "why": "is suspended", "name": ""}],
        "cost": {"seconds": 12.346, "calls": 1118, "writes": 3, "throttled": 1},
    }
