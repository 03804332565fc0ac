"""Run the steps, in order, in every target. diff, apply and verify all come through here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from ..aws import Aws, Interrupted, OutcomeUnknown, describe
from ..baseline import Baseline
from ..model import Call, Change, Exists, Note, Result, Step

RESTARTS = 6  # of one step in a row, after writes whose outcome nobody knew, without a change made meanwhile


class _Progress:
    """What a step has done so far, across restarts."""

    def __init__(
        self,
        result: Result,
        allowed: Collection[str] | None,
        on_change: Callable[[Result, Change], None] | None,
    ):
        self.result = result
        self.on_change = on_change
        self.repeated = False  # a change in doubt was asked for again
        self.allowed = allowed  # None where nothing is held back
        self.doing = "reading"
        self.under_way: Change | None = None
        self.unsure: Change | None = None  # sent, and nobody knows what became of it

    def made(self, change: Change, answer: Any) -> None:
        self.result.changes.append(change)
        meta = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
        self.result.request_ids.append(str(meta.get("RequestId", "")))
        if self.on_change is not None:
            self.on_change(self.result, change)

    def doubt(self, unknown: OutcomeUnknown) -> None:
        """Nobody knows whether the change under way was made; unless others are known to have made it."""
        self.unsure = None if unknown.by_others and not self.repeated else self.under_way

    def holds_back(self, change: Change) -> bool:
        """The change loosens or replaces something, and nobody has allowed it."""
        return self.allowed is not None and change.consent is not None and change.consent not in self.allowed

    def settle(self, change: Change | None) -> None:
        """A change in doubt that is not asked for again had taken effect."""
        doubtful, self.unsure = self.unsure, None
        self.repeated = False
        if doubtful is None:
            return
        self.repeated = change is not None and _alike(change, doubtful)
        if not self.repeated:
            self.made(doubtful, None)


def run_step(
    step: Step,
    aws: Aws,
    baseline: Baseline,
    *,
    apply: bool,
    planned: Result | None = None,
    allowed: Collection[str] = (),
    on_change: Callable[[Result, Change], None] | None = None,
) -> Result:
    """Find what *step* would change; if *apply*, change it. Nothing else knows which.

    With *planned*, nothing is sent that is not in it, and nothing that needs a consent which *allowed* does not name. A write whose outcome is unknown starts the step again from fresh
    reads, so that it is repeated only where AWS shows that it is missing.
    """
    perform = aws.send if apply else aws.rehearse
    result = Result(step.name, aws.target)
    progress = _Progress(result, allowed if planned is not None else None, on_change)
    attempt = 0
    while True:
        made = len(result.changes)
        try:
            _drive(step, aws, baseline, perform, progress, planned)
            return result
        except OutcomeUnknown as unknown:
            progress.doubt(unknown)
            attempt = 1 if len(result.changes) > made else attempt + 1
            if attempt == RESTARTS:
                result.failures.append(describe(progress.doing, unknown))
                return result
            aws.pause(0.5 * 2.0 ** (attempt - 1))
            aws.forget()
        except Interrupted as error:
            result.failures.append(describe("interrupted", error))
            return result
        except Exception as error:
            result.failures.append(describe(progress.doing, error))
            return result


def prove(step: Step, aws: Aws, baseline: Baseline, result: Result) -> Result:
    """Add to *result* what the step's proof finds. A proof that cannot be made is a failure, and hides no other."""
    if step.verify is not None:
        try:
            result.findings.extend(step.verify(aws, baseline))
        except Exception as error:
            result.failures.append(describe("verifying", error))
    return result


def _drive(
    step: Step,
    aws: Aws,
    baseline: Baseline,
    perform: Callable[[Call], Any],
    progress: _Progress,
    planned: Result | None,
) -> None:
    """Take the step's generator to its end, once."""
    result = progress.result
    result.notes.clear()
    result.seen.clear()
    result.withheld.clear()
    changes = step.ensure(aws, baseline)
    answer: Any = None
    while True:
        progress.doing = "reading"
        try:
            said = changes.send(answer)
        except StopIteration:
            progress.settle(None)
            return
        if isinstance(said, Note | Exists):
            if isinstance(said, Note):
                result.notes.append(said)
            else:
                result.seen.append(said.resource)
            answer = None
            continue
        said = replace(said, call=replace(said.call, name=aws.operation_name(said.call)))
        progress.settle(said)
        if planned is not None and not any(_within_plan(said, each) for each in planned.changes):
            raise RuntimeError(
                f"AWS has changed since the plan was made: {said.resource} now needs {said.call.operation}; run again"
            )
        if progress.holds_back(said):
            result.withheld.append(said)
            answer = aws.rehearse(said.call)
            continue
        progress.doing, progress.under_way = said.resource, said
        answer = perform(said.call)
        progress.made(said, answer)


def _alike(a: Change, b: Change) -> bool:
    """The same request about the same thing, whatever the values that AWS has made since."""
    one, other = ((c.resource, c.call.service, c.call.operation, c.consent) for c in (a, b))
    return one == other


def _within_plan(change: Change, shown: Change) -> bool:
    """The change is one that was shown, or a part of it."""
    return _alike(change, shown) and {d.field for d in change.differences} <= {
        d.field for d in shown.differences
    }
