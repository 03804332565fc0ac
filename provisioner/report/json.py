"""The report for machines: one JSON document, or a line for each account as soon as it is done.

The lines are one of type `version`, one `organization` (what exists once), an `account` for each, and a `summary`. The
document, of type `report`, has the keys of the first and the last line, and the other lines under `organization` and
`accounts`. A command that cannot begin prints one object of type `error` instead. `message` is a text for people. New keys
may come with any version; `format_version` changes its first number when a reader must change. `json_objects.py` has
the types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import zip_longest
from json import dumps
from typing import Any, Final, Literal

from ..baseline.problem import Problem
from ..engine.plan import count
from ..model import Account, Change, InSyncCounts, Outcome, Result, Skipped
from . import words
from .checks import all_findings, checks
from .json_objects import (
    FORMAT,
    AccountJson,
    AccountsJson,
    CallJson,
    ChangeJson,
    Command,
    CountsJson,
    DocumentJson,
    ErrorJson,
    FailureJson,
    FindingJson,
    Level,
    Line,
    NoteJson,
    SummaryJson,
    Verdict,
    VersionJson,
    output_schema,
)
from .totals import Cost, State, Totals, state

__all__ = [
    "FORMAT",
    "AccountJson",
    "Command",
    "DocumentJson",
    "ErrorJson",
    "Line",
    "VersionJson",
    "account_json",
    "call_json",
    "counts_json",
    "document_json",
    "error_json",
    "organization_json",
    "output_schema",
    "summary_json",
    "to_text",
]

_LEVEL: Final[dict[State, Level]] = {
    "in_sync": "info",
    "drifted": "warn",
    "changed": "info",
    "failed": "error",
}
_VERDICT: Final[dict[bool | None, Verdict]] = {True: "pass", False: "fail", None: "pending"}


def account_json(outcome: Outcome, command: Command) -> AccountJson:
    """The object of one account."""
    return replace(
        _object("account", str(outcome.account), command, outcome),
        account=outcome.account.id,
        name=outcome.account.name,
        regions=list(outcome.regions),
        skipped=list(outcome.skipped),
        seconds=round(outcome.seconds, 3),
    )


def organization_json(
    results: Sequence[Result], command: Command, unseen: Sequence[Result] = (), *, applied: bool = False
) -> AccountJson:
    """The object of what exists once in the organization."""
    found = Outcome(Account(""), results=tuple(results), unseen=tuple(unseen), applied=applied)
    return _object("organization", "what exists once", command, found)


def document_json(
    version: VersionJson, once: AccountJson, accounts: list[AccountJson], summary: SummaryJson
) -> DocumentJson:
    """The lines of a run as one document."""
    both: dict[str, Any] = {**vars(version), **vars(summary), "type": "report"}
    return DocumentJson(organization=once, accounts=accounts, **both)


def summary_json(
    message: str,
    counts: CountsJson,
    totals: Totals,
    cost: Cost,
    *,
    digest: str,
    skipped: Iterable[Skipped],
) -> SummaryJson:
    """The last line. *skipped*: the accounts and Regions that the run skipped."""
    return SummaryJson(
        type="summary",
        level="info" if totals.complete else "error",
        message=words.clean(message),
        plan_digest=digest,
        counts=counts,
        accounts_by_state=AccountsJson(
            totals.in_sync, totals.drifted, totals.changed, totals.failed, totals.skipped
        ),
        organization_state=totals.organization,
        regions_seen=sorted(totals.regions),
        skipped=list(skipped),
        cost=replace(cost, seconds=round(cost.seconds, 3)),
    )


def counts_json(results: Sequence[Result], in_sync: InSyncCounts, command: Command) -> CountsJson:
    """The counts of a run or of an account. *in_sync*: the counts of results that were not kept."""
    counted = count(results)
    found = CountsJson(
        add=counted.add,
        change=counted.change,
        destroy=counted.destroy,
        steps_in_sync=in_sync.steps + sum(r.is_in_sync for r in results),
        steps_failed=sum(not r.ok for r in results),
    )
    if command != "verify":
        return found
    ended = checks(results, in_sync)
    return replace(
        found, checks_passed=ended.passed, checks_failed=ended.failed, checks_pending=ended.pending
    )


def call_json(result: Result, change: Change) -> CallJson:
    """The object of the request of a change."""
    call = change.call
    return CallJson(call.service, call.name, call.region or result.target.region, dict(call.params))


def error_json(command: str, message: str, problems: Iterable[Problem] = ()) -> ErrorJson:
    """The object of a command that could not begin."""
    return ErrorJson("error", "error", words.clean(message), FORMAT, command, list(problems))


def to_text(found: Line | DocumentJson, indent: int | None = None) -> str:
    """The JSON text of a line or of the document."""
    return dumps(found, default=_plain, indent=indent)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return str(value)


def _object(
    kind: Literal["account", "organization"], name: str, command: Command, found: Outcome
) -> AccountJson:
    results, unseen = found.results, found.unseen
    now = state(results, unseen, applied=found.applied)
    text = "; ".join(_sentence(command, found)) or "in sync"
    return AccountJson(
        type=kind,
        level=_LEVEL[now],
        message=words.clean(f"{name}: {text}"),
        state=now,
        applied=found.applied,
        account="",
        name="",
        regions=[],
        counts=counts_json(results, found.in_sync, command),
        changes=[each for result in results for each in _changes(result)],
        withheld=[_change(result, each) for result in results for each in result.withheld],
        not_seen=[_change(result, each) for result in unseen for each in result.changes],
        notes=[
            NoteJson(*_place(result), each.kind.name.lower(), each.resource, each.text)
            for result in results
            for each in result.notes
        ],
        failures=[each for result in (*results, *unseen) for each in _failures(result)],
        findings=[
            FindingJson(*_place(result), each.resource, each.check, _VERDICT[each.ok], each.detail)
            for result in results
            for each in (all_findings(result) if command == "verify" else ())
        ],
    )


def _sentence(command: Command, found: Outcome) -> Iterator[str]:
    results, unseen = found.results, found.unseen
    counted = count(results)
    if command == "verify":
        yield str(checks(results, found.in_sync))
    elif counted.total:
        add, change, destroy = (
            ("added", "changed", "destroyed") if found.applied else ("to add", "to change", "to destroy")
        )
        yield f"{counted.add} {add}, {counted.change} {change}" + (
            f", {counted.destroy} {destroy}" if counted.destroy else ""
        )
    if withheld := sum(len(each.without_consent) for each in results):
        yield f"{withheld} not allowed"
    if held := sum(len(each.held) for each in results):
        yield f"{held} only told"
    if missing := sum(len(each.changes) for each in unseen):
        yield f"{missing} not shown by AWS yet"
    if failed := [(each, failure) for each in (*results, *unseen) for failure in each.failures]:
        first, failure = failed[0]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        where = f" in {first.target.region}" if first.target.region else ""
        yield f"{first.step} failed{where}: {words.failure(failure)[0]}{more}"
    if blocked := sorted({each.step for each in results if each.blocked_by}):
        yield f"not run: {', '.join(blocked)}"


def _place(result: Result) -> tuple[str, str, str]:
    return result.step, result.target.account, result.target.region


def _changes(result: Result) -> Iterator[ChangeJson]:
    ids = result.request_ids[: len(result.changes)]  # none of what is only planned
    for change, request_id in zip_longest(result.changes, ids):
        yield _change(result, change, request_id)


def _change(result: Result, change: Change, request_id: str | None = None) -> ChangeJson:
    return ChangeJson(
        *_place(result),
        change.resource,
        change.action,
        list(change.differences),
        call_json(result, change),
        change.consent,
        change.loses or None,
        request_id or None,
        change.held or None,
    )


def _failures(result: Result) -> Iterator[FailureJson]:
    for f in result.failures:
        yield FailureJson(
            *_place(result),
            f.doing,
            f.message,
            call=words.failed_operation(f) or None,
            code=f.code or None,
            request_id=f.request_id or None,
            hint=f.hint or None,
            not_tried=f.untried,
        )
    if result.blocked_by is not None and not result.failures:
        message = f"{result.blocked_by} failed"
        yield FailureJson(*_place(result), "not run", message, blocked_by=result.blocked_by)
