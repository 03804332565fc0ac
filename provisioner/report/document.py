"""The report for machines: one JSON document. `format_version` changes its first number when a reader must change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..engine.plan import Plan, count
from ..model import Change, Finding, Result
from .text import configuration

FORMAT = "1.0"


def plan_document(plan: Plan, digest: str) -> dict[str, Any]:
    """What would change, why nothing is known of some parts, and the counts."""
    counted = count(plan.results)
    return {
        "plan_digest": digest,
        "changes": changes(plan.results),
        "notes": notes(plan.results),
        "failures": failures(plan.results),
        "summary": {
            "add": counted.add,
            "change": counted.change,
            "destroy": 0,
            "in_sync": sum(r.ok and not r.changes for r in plan.results),
            "failed": len(plan.failed),
        },
    }


def applied_document(sent: Iterable[Result], unseen: Iterable[Result]) -> dict[str, Any]:
    """What was done, with AWS's request ids, and what AWS does not show yet."""
    sent = list(sent)
    counted = count(sent)
    return {
        "applied": applied(sent),
        "failures": failures(sent),
        "withheld": withheld(sent),
        "not_seen": not_seen(unseen),
        "summary": {"added": counted.add, "changed": counted.change, "destroyed": 0},
    }


def verified_document(results: Iterable[Result]) -> dict[str, Any]:
    """Every finding, as `pass`, `fail` or `pending`."""
    return {
        "findings": findings(results),
        "failures": failures(results),
    }


def changes(results: Iterable[Result]) -> list[dict[str, Any]]:
    """What would change."""
    return [_change(result, each) for result in results for each in result.changes]


def applied(results: Iterable[Result]) -> list[dict[str, Any]]:
    """What was changed, with AWS's request ids."""
    return [
        {**_change(result, each), "request_id": request_id}
        for result in results
        for each, request_id in zip(result.changes, result.request_ids, strict=False)
    ]


def withheld(results: Iterable[Result]) -> list[dict[str, Any]]:
    """What was not changed for want of a consent."""
    return [_change(result, each) for result in results for each in result.withheld]


def not_seen(results: Iterable[Result]) -> list[dict[str, Any]]:
    """What was changed, and AWS does not show yet."""
    return [{**_place(result), "resource": each.resource} for result in results for each in result.changes]


def notes(results: Iterable[Result]) -> list[dict[str, Any]]:
    """What should be known that is no change."""
    return [
        {**_place(result), "kind": note.kind.name.lower(), "resource": note.resource, "text": note.text}
        for result in results
        for note in result.notes
    ]


def findings(results: Iterable[Result]) -> list[dict[str, Any]]:
    """What was found of each step: whether it is configured, then its proofs."""
    return [
        {**_place(result), **_finding(each)}
        for result in results
        for each in (configuration(result), *result.findings)
    ]


def _finding(finding: Finding) -> dict[str, Any]:
    state = {True: "pass", False: "fail", None: "pending"}[finding.ok]
    return {"resource": finding.resource, "check": finding.check, "state": state, "detail": finding.detail}


def _place(result: Result) -> dict[str, str]:
    return {"step": result.step, "account": result.target.account, "region": result.target.region}


def _change(result: Result, change: Change) -> dict[str, Any]:
    return {
        **_place(result),
        "resource": change.resource,
        "action": change.action,
        "differences": [{"field": d.field, "have": d.have, "want": d.want} for d in change.differences],
        "call": {
            "service": change.call.service,
            "operation": change.call.name,
            "region": change.call.region or result.target.region,
            "params": dict(change.call.params),
        },
        **({"consent": change.consent, "loses": change.loses} if change.consent else {}),
    }


def failures(results: Iterable[Result]) -> list[dict[str, Any]]:
    """What could not be read or done, and what was not run for that."""
    found: list[dict[str, Any]] = []
    for result in results:
        if result.failure is not None:
            f = result.failure
            found.append(
                {
                    **_place(result),
                    "doing": f.doing,
                    "call": f"{f.service}:{f.operation}" if f.operation else None,
                    "code": f.code or None,
                    "message": f.message,
                    "request_id": f.request_id or None,
                    "hint": f.hint or None,
                }
            )
        elif result.blocked_by is not None:
            found.append({**_place(result), "doing": "not run", "message": f"{result.blocked_by} failed"})
    return found
