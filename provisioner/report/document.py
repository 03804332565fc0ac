"""The report for machines: one JSON document. `format_version` changes its first number when a reader must change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..model import Change, Finding, Result
from ..plan import Plan, count
from .text import configuration

FORMAT = "1.0"


def plan_document(plan: Plan, digest: str) -> dict[str, Any]:
    """What would change, why nothing is known of some parts, and the counts."""
    counted = count(plan.results)
    return {
        "plan_digest": digest,
        "changes": [_change(result, change) for result, change in plan.changes],
        "notes": [
            {**_place(result), "kind": note.kind.name.lower(), "resource": note.resource, "text": note.text}
            for result, note in plan.notes()
        ],
        "failures": _failures(plan.results),
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
        "applied": [
            {**_change(result, change), "request_id": request_id}
            for result in sent
            for change, request_id in zip(result.changes, result.request_ids, strict=False)
        ],
        "failures": _failures(sent),
        "withheld": [_change(result, change) for result in sent for change in result.withheld],
        "not_seen": [
            {**_place(result), "resource": change.resource} for result in unseen for change in result.changes
        ],
        "summary": {"added": counted.add, "changed": counted.change, "destroyed": 0},
    }


def verified_document(results: Iterable[Result]) -> dict[str, Any]:
    """Every finding, as `pass`, `fail` or `pending`."""
    return {
        "findings": [
            {**_place(result), **_finding(finding)}
            for result in results
            for finding in (configuration(result), *result.findings)
        ],
        "failures": _failures(results),
    }


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


def _failures(results: Iterable[Result]) -> list[dict[str, Any]]:
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
