"""Run one step in one target. diff, apply, verify and repair all come through here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from ..aws import Aws, Interrupted, OutcomeUnknown, describe
from ..aws.check import holds_pending
from ..aws.errors import EXPIRED, THROTTLED, ClientError, code_of
from ..baseline import Baseline
from ..model import Call, Change, Changes, Exists, Failure, Note, Part, Result, Step
from .before_sending import check_known, check_planned, check_uses, is_withheld
from .controls import DEFAULT, Controls
from .plan import same_request

RESTARTS = 6  # of one step in a row, after writes whose outcome is unknown, without a change made in between
OnChange = Callable[[Result, Change], None]


def run_step(
    step: Step,
    aws: Aws,
    baseline: Baseline,
    *,
    apply: bool,
    planned: Result | None = None,
    allowed: Collection[str] = (),
    failed_needs: Mapping[str, str] = MappingProxyType({}),
    on_change: OnChange = lambda result, change: None,
    controls: Controls = DEFAULT,
) -> Result:
    """Find what *step* would change; if *apply*, change it. Nothing else knows which.

    With *planned*, nothing is sent that is not in it, and nothing that needs a consent which *allowed* does not name.
    *controls* say which differences are only told. A change that fails stops only the changes that need it.
    *failed_needs* is what the steps that it needs failed to do: see Result.failed_needs. A write whose outcome is unknown starts the step again
    from fresh reads, so that it is repeated only where AWS shows that it is missing. What AWS refuses is no failure where
    a fresh read shows that others have done it, or that the setting is owned from above now.
    """
    perform = aws.send if apply else aws.rehearse
    run = _StepRun(step, aws, baseline, perform, planned, allowed, failed_needs, on_change, controls)
    try:
        run.to_the_end()
    except Interrupted as error:
        run.result.failures.append(describe("interrupted", error))
    except Exception as error:
        run.result.failures.append(describe(run.doing, error))
    run.name_untried()
    return run.result


def prove(step: Step, aws: Aws, baseline: Baseline, result: Result, controls: Controls = DEFAULT) -> Result:
    """Add to *result* what the step's proof finds. A proof that cannot be made is a failure, and hides no other."""
    if step.verify is not None:
        try:
            found = step.verify(aws, baseline)
            result.findings.extend(x for x in found if not controls.ignores(baseline, step, x.resource))
        except Exception as error:
            result.failures.append(describe("verifying", error))
    return result


class _StepRun:
    """One step under way, and what it has done so far, restarts included."""

    def __init__(
        self,
        step: Step,
        aws: Aws,
        baseline: Baseline,
        perform: Callable[[Call], Any],
        planned: Result | None,
        allowed: Collection[str],
        failed_needs: Mapping[str, str],
        on_change: OnChange,
        controls: Controls,
    ):
        self.step, self.aws, self.baseline = step, aws, baseline
        self.perform, self.planned, self.allowed, self.on_change = perform, planned, allowed, on_change
        self.failed_needs, self.controls = failed_needs, controls
        self.impatient = not failed_needs.keys().isdisjoint(step.needs)
        self.impatient_parts: set[str] = set()  # those in which a change failed that enables others
        self.part = ""
        self.result = Result(step.name, aws.target)
        self.doing = "reading"
        self.in_flight: Change | None = None
        self.unknown: Change | None = None  # sent, with an unknown outcome
        self.repeated = False  # a change with an unknown outcome was asked for again
        self.gave_up = False  # on a change whose outcome stays unknown
        self.failed: list[tuple[Change, Failure]] = []
        self.untried: list[tuple[Change, Change]] = []  # each with the failed change that it needs

    def to_the_end(self) -> None:
        """Drive the step until it has nothing left to change; start again after each unknown outcome."""
        attempt = looks = 0
        while True:
            made = len(self.result.changes)
            try:
                self._drive()
                looks += 1
                if looks > RESTARTS or not self._is_out_of_date():
                    return
            except OutcomeUnknown as error:
                # Unless others are known to have made the change, nobody knows whether it was made.
                self.unknown = None if error.already_exists and not self.repeated else self.in_flight
                if self.unknown is not None and self.unknown.action == "create":
                    self.aws.created.add(self.unknown.resource)
                attempt = 1 if len(self.result.changes) > made else attempt + 1
                if attempt >= RESTARTS:
                    if self.in_flight is None or self.gave_up:  # a second such change: AWS is away
                        raise
                    self.gave_up = True
                    self._fail(self.in_flight, error)
                    self.unknown, attempt = None, 0
                self.aws.pause(0.5 * 2.0 ** max(attempt - 1, 0))
                self.aws.forget()

    def _is_out_of_date(self) -> bool:
        """Whether a fresh read shows that something which AWS refused is not needed any more, or can be read now.

        Others have just done it, or own the setting since; the step then goes on without that failure.
        """
        refused = [each for each in self.result.failures if each.code and each.code not in THROTTLED]
        if self.planned is None or not refused:
            return False
        self.aws.forget()
        now = run_step(self.step, self.aws, self.baseline, apply=False, controls=self.controls)
        needed = [x for x in self.failed if x[1].code and any(same_request(x[0], y) for y in now.changes)]
        if not now.ok or all(each in [failure for _, failure in needed] for each in refused):
            return False
        self.failed = needed
        self.impatient_parts.clear()
        return True

    def _drive(self) -> None:
        """Take the step's generator, and those of its parts, to their ends, once."""
        result = self.result
        for each in (result.notes, result.seen, result.withheld):
            each.clear()
        result.failures[:] = [failure for _, failure in self.failed]
        self.untried.clear()
        parts = [Part("", self.step.ensure(self.aws, self.baseline))]
        answer: Any = None
        while parts:
            self.part = parts[-1].resource
            self.doing = f"reading {self.part}".rstrip()
            try:
                item = _resume(parts[-1].changes, answer)
            except StopIteration:
                self._end_part(parts)
                answer = None
                continue
            except Interrupted:
                raise
            except Exception as error:
                part = parts.pop()
                if not part.resource or code_of(error) in EXPIRED:
                    raise
                failure = replace(describe(self.doing, error), resource=part.resource, stops="use")
                result.failures.append(failure)
                answer = None
                continue
            answer = None
            if isinstance(item, Note):
                result.notes.append(item)
            elif isinstance(item, Exists):
                result.seen.append(item.resource)
            elif isinstance(item, Part):
                parts.append(item)
            else:
                change = self._judge(item)
                answer = self.aws.rehearse(item.call) if change is None else self._change(change)
        self._settle(None)

    def _end_part(self, parts: list[Part]) -> None:
        """Go on with the part around the last one, which then does not wait for what failed in that."""
        ended = parts.pop().resource
        if parts and ended in self.impatient_parts:
            self.impatient_parts.add(parts[-1].resource)

    def _change(self, change: Change) -> Any:
        """Make the change, or whatever *perform* does; the answer, of pending values if it was not made."""
        self._settle(change)
        if any(same_request(change, each) for each, _ in self.failed):
            return self.aws.pending(change.call)
        needed = self._needs_failed(change)
        if needed is not None:
            self.untried.append((change, needed))
            return self.aws.pending(change.call)
        self.doing, self.in_flight = change.resource, change
        try:
            check_uses(self.step, change.call, self.result, self.failed_needs)
            check_planned(change, self.planned, self.aws)
            if is_withheld(change, self.planned, self.allowed):
                self.result.withheld.append(change)
                return self.aws.rehearse(change.call)
            if self.impatient or self.part in self.impatient_parts:
                change = replace(change, call=replace(change.call, waits=()))
            check_known(change.call, self.planned)
            answer = self.perform(change.call)
        except (OutcomeUnknown, Interrupted):
            raise
        except Exception as error:
            if code_of(error) in EXPIRED:
                raise
            if code_of(error) in change.handles:
                return error
            self._fail(change, error)
            return self.aws.pending(change.call)
        self._made(change, answer)
        return answer

    def _named(self, call: Call) -> Call:
        return replace(call, name=self.aws.operation_name(call))

    def _judge(self, change: Change) -> Change | None:
        """The change, or what is left of it; None where it is not to be made, which the result then says."""
        change = replace(change, call=self._named(change.call), undo=change.undo and self._named(change.undo))
        verdict = self.controls.judge(self.baseline, self.step, self.aws.target, change)
        self.result.notes.extend(verdict.notes)
        held = verdict.held
        if verdict.change is not None:  # it may need something that is not made
            pending = holds_pending(dict(change.call.params))
            needs = (
                x
                for x in self.result.held
                if x.action == "create" and (pending or self._is_needed(x, change))
            )
            held = next((each.held for each in needs), "")
        if held:
            self.result.withheld.append(replace(change, held=held))
        return None if held else verdict.change

    def _needs_failed(self, change: Change) -> Change | None:
        """The failed change that *change* cannot do without; None if there is none."""
        for each, _ in self.failed:
            if each.action == "create" and self._is_needed(each, change):
                return each
        return self.failed[-1][0] if self.failed and holds_pending(dict(change.call.params)) else None

    def _is_needed(self, one: Change, change: Change) -> bool:
        """*change* is one of the resource that *one* makes, or names it among those that it uses."""
        return one.resource == change.resource or f"{self.step.name}/{one.resource}" in change.call.uses

    def _made(self, change: Change, answer: Any) -> None:
        self.result.changes.append(change)
        if change.action == "create":
            self.aws.created.add(change.resource)
        meta = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
        self.result.request_ids.append(str(meta.get("RequestId", "")))
        self.on_change(self.result, change)

    def _fail(self, change: Change, error: Exception) -> None:
        stops: Literal["nothing", "waiting", "use"] = "waiting" if change.enables else "nothing"
        if change.action == "create" or change.completes:
            stops = "use"
        if stops != "nothing":
            self.impatient_parts.add(self.part)
        failure = replace(describe(change.resource, error), resource=change.resource, stops=stops)
        self.failed.append((change, failure))
        self.result.failures.append(failure)

    def _settle(self, change: Change | None) -> None:
        """A change whose outcome was unknown, and that is not asked for again, had taken effect."""
        unknown, self.unknown = self.unknown, None
        self.repeated = False
        if unknown is None:
            return
        self.repeated = change is not None and same_request(change, unknown)
        if not self.repeated:
            self._made(unknown, None)

    def name_untried(self) -> None:
        """Each failure names the operations that were not tried because of it."""
        for change, failure in self.failed:
            names = tuple(each.call.name for each, needed in self.untried if needed is change)
            if names and failure in self.result.failures:
                at = self.result.failures.index(failure)
                self.result.failures[at] = replace(failure, untried=names)


def _resume(changes: Changes, answer: Any) -> Any:
    """What the step yields next, given AWS's answer to its last change, or the error that this change handles."""
    return changes.throw(answer) if isinstance(answer, ClientError) else changes.send(answer)
