"""JSON lines: what a reader may rely on in every line, and what each command says in them."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.engine.plan import Plan, count
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
from provisioner.report import document, lines
from provisioner.report.failing import Checks
from provisioner.report.totals import Cost, Totals

ID, EAST = "110000000011", "us-east-1"
DEV = Account(ID, "dev")
CHANGE = Change(
    "password policy",
    (Difference("MinimumPasswordLength", 8, 14),),
    Call("iam", "update_x", {"A": 1}, name="UpdateX"),
)
DENIED = Failure("reading", "no", "iam", "GetRole", "AccessDenied", "id-1", "ask")


def result(step: str = "password_policy", **given: Any) -> Result:
    return Result(step, Target(ID, EAST), **given)


def outcome(*results: Result, **given: Any) -> Outcome:
    return Outcome(DEV, (EAST,), results, seconds=1.23456, **given)


RESULTS = st.builds(
    result,
    changes=st.lists(st.just(CHANGE), max_size=2),
    notes=st.lists(st.just(Note(Kind.WARNING, "r", "t")), max_size=1),
    withheld=st.lists(st.just(CHANGE), max_size=1),
    findings=st.lists(
        st.builds(Finding, st.text(), st.text(), st.sampled_from([True, False, None]), st.text())
    ),
    request_ids=st.lists(st.text(), max_size=2),
    failure=st.none() | st.builds(Failure, st.text(), st.text(), st.text(), st.text(), st.text()),
    blocked_by=st.none() | st.just("config_role"),
)
OUTCOMES = st.builds(
    Outcome,
    st.builds(Account, st.just(ID), st.text()),
    st.tuples(st.just(EAST)),
    st.lists(RESULTS, max_size=3).map(tuple),
    st.lists(RESULTS, max_size=1).map(tuple),
    st.lists(st.builds(Skipped, st.just(ID), st.text(), st.text()), max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(OUTCOMES, st.sampled_from(["diff", "apply", "verify"]))
def test_every_line_is_one_line_of_json_with_a_message_for_people(found: Outcome, command: str) -> None:
    standing = Totals()
    standing.add(found)
    told = [
        lines.version({"command": command}),
        lines.account(found, command),
        lines.organization(found.results, command, found.unseen),
        lines.summary(command, count(found.results), standing, Cost(1, 2)),
    ]
    assert [each["type"] for each in told] == ["version", "account", "organization", "summary"]
    for each in told:
        text = json.dumps(each)
        assert "\n" not in text
        assert json.loads(text) == each
        assert each["@level"] in {"info", "warn", "error"}
        assert not any(unicodedata.category(c).startswith("C") for c in each["@message"])
    assert told[1]["in_sync"] == (told[1]["@level"] == "info")
    assert found.failed == (told[1]["@level"] == "error")


def test_the_first_line_says_which_format_it_is() -> None:
    told = lines.version({"command": "diff", "format_version": "0"})
    assert (told["type"], told["format_version"]) == ("version", document.FORMAT)


def test_a_line_of_diff_has_what_the_document_of_one_account_has() -> None:
    drifted = result(changes=[CHANGE], notes=[Note(Kind.WARNING, "r", "t")])
    failed = result("config_role", failure=DENIED)
    blocked = result("config_recorder", blocked_by="config_role")
    told = lines.account(
        outcome(drifted, failed, blocked, skipped=(Skipped(ID, "me-south-1", "is disabled"),)), "diff"
    )
    plan = Plan((drifted, failed, blocked))
    whole = document.plan_document(plan, plan.digest)
    assert {key: told[key] for key in ("changes", "notes", "failures")} == {
        key: whole[key] for key in ("changes", "notes", "failures")
    }
    del told["changes"], told["notes"], told["failures"]
    assert told == {
        "type": "account",
        "@level": "error",
        "@message": (
            f"{ID} (dev): 0 to add, 1 to change; config_role failed in us-east-1:"
            " reading: iam:GetRole: AccessDenied: no; not run: config_recorder"
        ),
        "in_sync": False,
        "account": ID,
        "name": "dev",
        "regions": [EAST],
        "summary": {"add": 0, "change": 1, "destroy": 0},
        "left_out": [{"region": "me-south-1", "why": "is disabled"}],
        "seconds": 1.235,
    }


def test_an_account_that_nobody_got_into_says_so_without_a_region() -> None:
    lost = Result("account", Target(ID, ""), failure=Failure("doing it elsewhere, 3 times", "gone"))
    told = lines.account(Outcome(DEV, results=(lost,)), "diff")
    assert told["@message"] == f"{ID} (dev): account failed: doing it elsewhere, 3 times: gone"


def test_a_line_of_apply_has_the_request_ids_and_what_was_not_done() -> None:
    sent = result(changes=[CHANGE], request_ids=["id-7"], withheld=[CHANGE])
    told = lines.account(outcome(sent, unseen=(result(changes=[CHANGE]),)), "apply")
    assert told["applied"][0]["request_id"] == "id-7"
    assert told["withheld"] == document.changes([result(changes=[CHANGE])])
    assert told["not_seen"][0]["resource"] == "password policy"
    assert told["@message"] == f"{ID} (dev): 0 added, 1 changed; 1 not allowed; 1 not shown by AWS yet"
    done = lines.account(outcome(result(changes=[CHANGE], request_ids=["id-7"])), "apply")
    assert (done["@level"], done["in_sync"], done["@message"]) == (
        "info",
        True,
        f"{ID} (dev): 0 added, 1 changed",
    )


@pytest.mark.parametrize(
    ("found", "in_sync", "message"),
    [
        ([], True, "8 checks held"),
        ([Finding("r", "c", ok=None, detail="d")], True, "9 checks held; 1 too early to tell"),
        ([Finding("r", "c", ok=False, detail="d")], False, "9 checks held, 1 did not"),
    ],
)
def test_a_line_of_verify_counts_the_checks(found: list[Finding], in_sync: bool, message: str) -> None:
    results = [result(findings=found)] if found else []
    told = lines.account(outcome(*results, in_sync=InSyncCounts(steps=2, resources=3, proofs=6)), "verify")
    assert (told["in_sync"], told["@message"]) == (in_sync, f"{ID} (dev): {message}")
    assert sum(told["summary"].values()) == 8 + (1 + len(found) if found else 0)


@pytest.mark.parametrize(
    ("command", "counted", "head", "counts"),
    [
        (
            "diff",
            count([result(changes=[CHANGE])]),
            "Plan: 0 to add, 1 to change, 0 to destroy.",
            {"add": 0, "change": 1, "destroy": 0},
        ),
        (
            "apply",
            count([result(changes=[CHANGE])]),
            "Apply incomplete. Resources: 0 added, 1 changed, 0 destroyed.",
            {"added": 0, "changed": 1, "destroyed": 0},
        ),
        ("verify", Checks(7, 1, 0), "7 checks held, 1 did not.", {"pass": 7, "fail": 1, "pending": 0}),
    ],
)
def test_the_last_line_counts(command: str, counted: Any, head: str, counts: dict[str, int]) -> None:
    standing = Totals(41, 5, 2, 1, regions={"b", "a"})
    passed = [Skipped("330000000033", "", "is suspended")]
    told = lines.summary(
        command, counted, standing, Cost(12.3456, 1118, 3, 1), digest="sha256:0", skipped=passed
    )
    word = "changed" if command == "apply" else "drifted"
    assert told == {
        "type": "summary",
        "@level": "error",
        "@message": (
            f"{head} 41 accounts in sync, 5 {word}, 2 failed, 1 left out"
            " (48 accounts, 2 Regions, 12.3 s, 1,118 calls, 3 writes, 1 throttled)"
        ),
        "plan_digest": "sha256:0",
        "summary": counts,
        "accounts": {"in_sync": 41, word: 5, "failed": 2, "left_out": 1},
        "organization": "in_sync",
        "regions": ["a", "b"],
        "left_out": [{"account": "330000000033", "region": None, "why": "is suspended"}],
        "cost": {"seconds": 12.346, "calls": 1118, "writes": 3, "throttled": 1, "longest_chain": 1},
    }
