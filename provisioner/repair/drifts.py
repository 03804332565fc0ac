"""The differences that a run found, and what became of each. Pure: makes no call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..model import Change, Result
from ..report.json import call_json
from .earlier import CONTESTED, Earlier
from .records import Address, Drift, FailedCheck, State


def address_of(result: Result, change: Change) -> Address:
    """Where a change is."""
    return Address(result.target.account, result.target.region, result.step, change.resource)


def drifts_of(
    planned: Sequence[Result],
    done: Sequence[Result],
    unseen: Sequence[Result],
    earlier: Earlier,
    run: str,
    time: str,
) -> Iterator[Drift]:
    """Yield a Drift for each change that was *planned* or held, the state of which *done* and *unseen* tell.

    *done* are the results after the changes were made; the same as *planned* where nothing was tried.
    """
    tried = done is not planned
    made = {_key(r, c) for r in done for c in r.changes} if tried else set()
    withheld = {_key(r, c) for r in done for c in r.without_consent}
    open_still = {
        (r.target, r.step, c.resource, d.field) for r in unseen for c in r.changes for d in c.differences
    }
    failures = {(r.target, r.step): r for r in done if not r.ok}
    for result in planned:
        for change in (*result.changes, *result.held):
            key, state, why = _key(result, change), "drifted", ""
            if change.held:
                state, why = "held", change.held
            elif key in made:
                shown = not any(
                    (result.target, result.step, change.resource, d.field) in open_still
                    for d in change.differences
                )
                state = "repaired" if shown else "not_seen"
            elif key in withheld or (change.consent and not tried):
                state, why = "withheld", change.consent or ""
            elif failed := failures.get((result.target, result.step)):
                state, why = "failed", _why(failed, change)
            yield _drift(result, change, state, why, earlier, run, time)


def failed_checks(results: Iterable[Result]) -> Iterator[FailedCheck]:
    """Yield each check of `verify` that failed."""
    for result in results:
        for each in result.findings:
            if each.ok is False:
                at = Address(result.target.account, result.target.region, result.step, each.resource)
                yield FailedCheck(at, each.check, each.detail)


def _drift(
    result: Result, change: Change, state: str, why: str, earlier: Earlier, run: str, time: str
) -> Drift:
    address = address_of(result, change)
    text = str(address)
    fields = [each.field for each in change.differences]
    repairs = earlier.repaired(text, fields) + (state in {"repaired", "not_seen"})
    known: State = state  # type: ignore[assignment] # one of them
    return Drift(
        run,
        time,
        address,
        list(change.differences),
        change.action,
        known,
        why,
        since=earlier.since(text, time),
        repairs=repairs,
        contested=repairs >= CONTESTED,
        call=call_json(result, change),
    )


def _key(result: Result, change: Change) -> tuple[object, ...]:
    return (
        result.target,
        result.step,
        change.resource,
        change.call.service,
        change.call.operation,
        change.consent,
    )


def _why(result: Result, change: Change) -> str:
    """Why a change was not made: its own failure, else the first of its step, else the step that failed before."""
    own = next((each for each in result.failures if each.resource == change.resource), result.failure)
    if own is None:
        return f"not run, because {result.blocked_by} failed"
    return ": ".join(filter(None, (own.code, own.message)))
