"""What is kept of the results of an account, and what later steps must know of them. No call to AWS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..model import Failure, InSyncCounts, Result
from ..steps.registry import all_steps


def reportable(results: Iterable[Result]) -> tuple[tuple[Result, ...], InSyncCounts]:
    """The results with something to report, and the counts of the others, so that in-sync accounts take no memory."""
    kept: list[Result] = []
    steps = resources = proofs = 0
    for each in results:
        proofs += sum(f.ok is True for f in each.findings)
        findings = [f for f in each.findings if f.ok is not True]
        differs = each.changes or each.withheld
        resources += 0 if differs else len(each.unchanged)
        if each.changes or each.notes or each.withheld or not each.ok or findings:
            kept.append(without_bases(each, findings=findings, seen=each.seen if differs else []))
        else:
            steps += 1
    return tuple(kept), InSyncCounts(steps, resources, proofs)


def without_bases(result: Result, **changed: Any) -> Result:
    """The result without what was read for its calls: that takes memory, and another process cannot be sent it."""
    plain = [
        [
            replace(
                change,
                call=replace(change.call, bases=()),
                undo=change.undo and replace(change.undo, bases=()),
                without=None,
            )
            for change in changes
        ]
        for changes in (result.changes, result.withheld)
    ]
    return replace(result, changes=plain[0], withheld=plain[1], **changed)


def find_failed_needs(results: Iterable[Result]) -> dict[str, str]:
    """What the steps of the organization failed to do: see Result.failed_needs."""
    return {need: cause for each in results for need, cause in each.failed_needs.items()}


def changed_after_accounts(results: Iterable[Result]) -> list[Result]:
    """The results with changes that are made after those of the other accounts, such as rules of the organization."""
    return [each for each in results if all_steps()[each.step].after_accounts and each.changes]


def results_of(results: Iterable[Result], others: Iterable[Result]) -> list[Result]:
    """The results of those steps and targets that *others* have."""
    places = {(each.step, each.target) for each in others}
    return [each for each in results if (each.step, each.target) in places]


def not_begun(results: Iterable[Result], why: str) -> list[Result]:
    """The results of steps whose changes are not made any more."""
    failure = Failure("making changes", f"not begun: {why}")
    return [replace(each, changes=[], failures=[failure]) for each in results]
