"""Documents and journal lines for the tests of report files."""

from __future__ import annotations

from typing import Any

from provisioner.model import (
    Account,
    Call,
    Change,
    Difference,
    Failure,
    Finding,
    Kind,
    Note,
    Outcome,
    Result,
    Scope,
    Skipped,
    Step,
    Target,
)
from provisioner.report import json as report
from provisioner.report.json import DocumentJson
from provisioner.report.totals import Cost, Totals

A, B, C, CENTRAL = "111111111111", "222222222222", "333333333333", "999999999999"
EAST, WEST = "us-east-1", "eu-west-1"
ROLE, RECORDER, RULES, TRAIL, POLICY = "a_role", "b_recorder", "c_rules", "d_trail", "e_policy"
HAVE = {"Version": "2012-10-17", "Statement": [{"Sid": "Old", "Effect": "Allow", "Principal": "*"}]}
WANT = {"Version": "2012-10-17", "Statement": [{"Sid": "New", "Effect": "Deny", "Principal": "*"}]}
DENIED = Failure("reading", "no", "iam", "GetRole", "AccessDenied", "id-1", "ask")


def _step(name: str, scope: Scope, *needs: str) -> Step:
    return Step(name, scope, needs, object, ensure=lambda *_: iter(()))  # type: ignore[arg-type, return-value]


STEPS = [
    _step(ROLE, Scope.ACCOUNT),
    _step(RECORDER, Scope.REGION, ROLE),
    _step(RULES, Scope.REGION, RECORDER),
    _step(TRAIL, Scope.ONCE),
    _step(POLICY, Scope.ACCOUNT),
]


def change(resource: str = "thing", have: Any = 8, want: Any = 14, **more: Any) -> Change:
    call = Call("iam", "update_thing", {"A": 1}, name="UpdateThing")
    return Change(resource, (Difference("Length", have, want),), call, **more)


def result(step: str, account: str = A, region: str = EAST, **given: Any) -> Result:
    return Result(step, Target(account, region), **given)


def document(
    outcomes: list[Outcome],
    once: list[Result] | None = None,
    command: report.Command = "diff",
    skipped: tuple[Skipped, ...] = (),
    message: str = "Plan: 1 to add.",
) -> DocumentJson:
    """The document of a run with these outcomes."""
    totals = Totals(skipped=len({each.account for each in skipped if not each.region}))
    for each in outcomes:
        totals.add(each)
    results = [each for outcome in outcomes for each in outcome.results]
    caller = f"arn:aws:iam::{CENTRAL}:user/x"
    version = report.VersionJson(
        "version", "info", "provision", report.FORMAT, command, False, CENTRAL, "aws", caller, [EAST, WEST]
    )
    counts = report.counts_json(results, outcomes[0].in_sync, command)
    last = report.summary_json(message, counts, totals, Cost(1.5, 2), digest="sha256:0", skipped=skipped)
    accounts = [report.account_json(each, command) for each in outcomes]
    return report.document_json(version, report.organization_json(once or [], command), accounts, last)


def everything(command: report.Command = "verify") -> DocumentJson:
    """A document with an entry of each kind but what only an apply has."""
    recorder = [
        result(RECORDER, each, region, changes=[change("recorder", "DAILY", f"{each} in {region}")])
        for each in (A, B)
        for region in (EAST, WEST)
    ]
    danger = change("role", HAVE, WANT, consent="remove-foreign-statements", loses="everybody may assume it")
    shorter = change("retention", 3000, 2557, consent="shorten", loses="old items")
    findings = [
        Finding("recorder", "records", True, "now"),
        Finding("recorder", "delivers", False, "no file"),
    ]
    findings += [Finding("recorder", "first file", None, "too early")]
    first = (
        result(ROLE, withheld=[danger]),
        recorder[0],
        recorder[1],
        result(POLICY, changes=[change("policy", None, HAVE)], notes=[Note(Kind.WARNING, "policy", "costs")]),
    )
    second = (
        recorder[2],
        recorder[3],
        result(ROLE, B, failures=[DENIED]),
        result(RULES, B, WEST, blocked_by=ROLE, withheld=[shorter], findings=findings),
    )
    closed = (Skipped(C, "", "is suspended", "old"), Skipped(A, "me-south-1", "is disabled"))
    outcomes = [
        Outcome(Account(A, "dev"), (EAST, WEST), first, seconds=1.25),
        Outcome(Account(B, "prod <b>"), (EAST, WEST), second),
        Outcome(Account("444444444444", "quiet"), (EAST, WEST)),
    ]
    once = [result(TRAIL, CENTRAL, changes=[change("trail", False, True)])]
    return document(outcomes, once, command, closed)


def drift(account: str, run: str = "run-1", **more: Any) -> dict[str, Any]:
    """A line of the journal on the recorder of an account."""
    where = {"account": account, "region": EAST, "step": RECORDER, "resource": "recorder"}
    who = {"name": f"arn:aws:iam::{account}:user/eve", "time": "2026-11-29T01:00:00Z", "event": "StopThing"}
    return {
        "type": "drift",
        "run": run,
        "time": "2026-11-29T02:00:00Z",
        "address": where,
        "differences": [{"field": "Length", "have": 1, "want": 2}],
        "state": "repaired",
        "since": "2026-11-29T02:00:00Z",
        "repairs": 3,
        "contested": True,
        "who": who,
        **more,
    }


RUN = [
    {
        "type": "run_started",
        "run": "run-1",
        "time": "2026-11-29T01:59:00Z",
        "command": "repair",
        "caller": "x",
    },
    {"type": "call", "run": "run-1"},
    drift(A),
    drift(B),
    drift("555555555555", who=None, who_pending=True, contested=False),
    {"type": "run_ended", "run": "run-1", "time": "2026-11-29T02:01:00Z", "exit_code": 0, "message": "done"},
]
OWN = [drift(A), drift(B)]  # what the run that is reported found itself
