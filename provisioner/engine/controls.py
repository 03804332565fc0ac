"""What the file and the run say about drift: which differences are repaired, and which are only told. Makes no call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from ..baseline import Baseline, Control
from ..baseline.control import DriftException, Mode
from ..model import Change, Kind, Note, Step, Target

if TYPE_CHECKING:
    from ..baseline.control import WhenContested


@dataclass(frozen=True)
class Verdict:
    """What to do with a change: make *change*, which may be a part of it, or do nothing.

    *held* is why a difference is told and not repaired. *notes* say what is accepted.
    """

    change: Change | None
    held: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Controls:
    """Decides about each change. The same in every step of a run, so that what is shown is what is made.

    *today*: exceptions that expired before it do not count. *paused*: why steps are paused, by step, `""` for all but
    what AWS needs to record. *contested*: why a field is contested, by account, Region, step, resource and field.
    """

    today: date = field(default_factory=date.today)
    paused: Mapping[str, str] = field(default_factory=dict)
    contested: Mapping[tuple[str, str, str, str, str], str] = field(default_factory=dict)

    def judge(self, baseline: Baseline, step: Step, target: Target, change: Change) -> Verdict:
        """What to do with a change of *step* in *target*."""
        mode, when_contested = _control_of(baseline, step, change.resource)
        if mode == "ignore":
            return Verdict(None, notes=(_accepted(change, "the file says `mode: ignore`"),))
        notes: list[Note] = []
        left: Change | None = change
        for each in baseline.general.exceptions:
            if left and each.counts(self.today) and each.covers(target.account, step.name, change.resource):
                left = _without(each, left, notes)
        if left is None:
            return Verdict(None, notes=tuple(notes))
        held = next(self._held(mode, when_contested, step, target, left), "")
        return Verdict(None if held else left, held, tuple(notes))

    def ignores(self, baseline: Baseline, step: Step, resource: str) -> bool:
        """Whether the file asks not to look at a resource."""
        return _control_of(baseline, step, resource)[0] == "ignore"

    def _held(
        self, mode: Mode, when_contested: WhenContested, step: Step, target: Target, change: Change
    ) -> Iterator[str]:
        if mode == "alert":
            yield "the file says `mode: alert`"
        if step.name in self.paused:
            yield self.paused[step.name]
        elif "" in self.paused and not change.is_vital:
            yield self.paused[""]
        if when_contested == "stop":
            place = target.account, target.region, step.name, change.resource
            found = (self.contested.get((*place, each.field)) for each in change.differences)
            yield from (why for why in found if why)


DEFAULT: Final = Controls()


def _control_of(baseline: Baseline, step: Step, resource: str) -> tuple[Mode, WhenContested]:
    section: object = None
    if step.section in baseline:
        section = baseline[step.section]
    return section.control_of(resource) if isinstance(section, Control) else ("enforce", "repair")


def _without(exception: DriftException, change: Change, notes: list[Note]) -> Change | None:
    """What is left of the change without the fields that the exception accepts, which *notes* then name."""
    accepted = [each for each in change.differences if exception.covers_field(each.field)]
    if not accepted:
        return change
    why = f"accepted until {exception.expires} by {exception.owner}: {exception.reason}"
    others = tuple(each for each in change.differences if each not in accepted)
    if not others:
        notes.append(_accepted(change, why))
        return None
    narrower = change.without({each.field for each in accepted}) if change.without else None
    if narrower is None:
        text = f"{', '.join(each.field for each in accepted)}: {why}; but AWS takes it only together with"
        text += f" {', '.join(each.field for each in others)}, so that both are repaired: accept both"
        notes.append(Note(Kind.WARNING, change.resource, text))
        return change
    notes.append(_accepted(replace(change, differences=tuple(accepted)), why))
    return replace(narrower, call=replace(narrower.call, name=change.call.name))


def _accepted(change: Change, why: str) -> Note:
    fields = ", ".join(each.field for each in change.differences)
    return Note(Kind.ACCEPTED, change.resource, f"{fields}: {why}")
