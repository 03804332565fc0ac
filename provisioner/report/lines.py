"""The report for machines about many accounts: one JSON object a line, each as soon as it is known.

The first is of the type `version`, the last of the type `summary`; between them come `account`, one for each in the order
in which they end, and `organization`, for what exists once. `@message` says for people what the line says; who does not
know a type can show that. New keys and types may come with any version; `format_version` changes its first number when a
reader must change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..engine.plan import Count, count
from ..model import InSyncCounts, Result, Skipped
from . import document, words
from .failing import Checks, checks
from .totals import Cost, State, Totals, state

if TYPE_CHECKING:
    from ..model import Outcome

Line = dict[str, Any]

_LEVEL: Final[Mapping[State, str]] = {"in sync": "info", "drifted": "warn", "failed": "error"}


def version(header: Mapping[str, Any]) -> Line:
    """The first line. *header* says what the run is about: its command, its caller, its accounts."""
    said = f"provision {header.get('command', '')}".strip()
    return {
        "type": "version",
        "@level": "info",
        "@message": said,
        **header,
        "format_version": document.FORMAT,
    }


def account(outcome: Outcome, command: str) -> Line:
    """What became of one account, with everything that there is to tell of it."""
    who = str(outcome.account)
    return {
        **_head("account", who, command, outcome.results, outcome.unseen, outcome.in_sync),
        "account": outcome.account.id,
        "name": outcome.account.name,
        "regions": list(outcome.regions),
        **_found(command, outcome.results, outcome.unseen, outcome.in_sync),
        "left_out": [{"region": each.region, "why": each.why} for each in outcome.skipped],
        "seconds": round(outcome.seconds, 3),
    }


def organization(results: Sequence[Result], command: str, unseen: Sequence[Result] = ()) -> Line:
    """What became of what exists once in the organization, in the accounts that have it."""
    return {
        **_head("organization", "the organization", command, results, unseen, InSyncCounts()),
        **_found(command, results, unseen, InSyncCounts()),
    }


def summary(
    command: str,
    counted: Count | Checks,
    standing: Totals,
    cost: Cost,
    *,
    digest: str = "",
    skipped: Iterable[Skipped] = (),
) -> Line:
    """The last line: the counts, what the plan is called, the accounts that were passed over, and the cost."""
    made = command == "apply"
    if isinstance(counted, Checks):
        head = f"{counted}."
    else:
        head = words.applied(counted, complete=standing.complete) if made else words.planned(counted)
    return {
        "type": "summary",
        "@level": "info" if standing.complete else "error",
        "@message": f"{head} {standing.line(cost, 'changed' if made else 'drifted')}",
        **({"plan_digest": digest} if digest else {}),
        "summary": _counts(command, counted),
        "accounts": {
            "in_sync": standing.in_sync,
            "changed" if made else "drifted": standing.drifted,
            "failed": standing.failed,
            "left_out": standing.skipped,
        },
        "organization": standing.organization.replace(" ", "_"),
        "regions": sorted(standing.regions),
        "left_out": [
            {"account": each.account, "region": each.region or None, "why": each.why} for each in skipped
        ],
        "cost": {
            "seconds": round(cost.seconds, 3),
            "calls": cost.calls,
            "writes": cost.writes,
            "throttled": cost.throttled,
            "longest_chain": cost.longest_chain,
        },
    }


def _head(
    kind: str,
    who: str,
    command: str,
    results: Sequence[Result],
    unseen: Sequence[Result],
    others: InSyncCounts,
) -> Line:
    found, said = state(results, unseen), "; ".join(_said(command, results, unseen, others))
    made = command == "apply" and found == "drifted"  # and AWS shows it, or it had failed
    return {
        "type": kind,
        "@level": "info" if made else _LEVEL[found],
        "@message": words.clean(f"{who}: {said or 'in sync'}").replace("\n", " "),
        "in_sync": found == "in sync" or made,
    }


def _said(
    command: str, results: Sequence[Result], unseen: Sequence[Result], others: InSyncCounts
) -> Iterable[str]:
    counted = count(results)
    if command == "verify":
        yield str(checks(results, others))
    elif counted.add or counted.change:
        add, change = ("added", "changed") if command == "apply" else ("to add", "to change")
        yield f"{counted.add} {add}, {counted.change} {change}"
    if held_back := sum(len(each.withheld) for each in results):
        yield f"{held_back} not allowed"
    if missing := sum(len(each.changes) for each in unseen):
        yield f"{missing} not shown by AWS yet"
    failed = [(each, each.failure) for each in (*results, *unseen) if each.failure is not None]
    for each, failure in failed[:1]:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        where = f" in {each.target.region}" if each.target.region else ""
        yield f"{each.step} failed{where}: {words.failure(failure)[0]}{more}"
    if blocked := sorted({each.step for each in results if each.blocked_by}):
        yield f"not run: {', '.join(blocked)}"


def _found(command: str, results: Sequence[Result], unseen: Sequence[Result], others: InSyncCounts) -> Line:
    """What there is to tell, under the names that it has in the document of one account."""
    if command == "verify":
        return {
            "findings": document.findings(results),
            "failures": document.failures(results),
            "summary": _counts(command, checks(results, others)),
        }
    counts = _counts(command, count(results))
    if command == "apply":
        return {
            "applied": document.applied(results),
            "withheld": document.withheld(results),
            "not_seen": document.not_seen(unseen),
            "failures": document.failures((*results, *unseen)),
            "summary": counts,
        }
    return {
        "changes": document.changes(results),
        "notes": document.notes(results),
        "failures": document.failures(results),
        "summary": counts,
    }


def _counts(command: str, counted: Count | Checks) -> Line:
    if isinstance(counted, Checks):
        return {"pass": counted.held, "fail": counted.fell, "pending": counted.pending}
    if command == "apply":
        return {"added": counted.add, "changed": counted.change, "destroyed": 0}
    return {"add": counted.add, "change": counted.change, "destroy": 0}
