"""What a sink has not got: notices that could not be sent, and what a run found or did that was cut short before it told it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..baseline.notices import Trigger
from . import notice_texts as texts
from .notice import Notice, of_calls, of_drifts, remembered, triggers
from .notice_history import Found, History, Sent, time_of
from .records import CallMade, Drift, Planned, RunReport

Matter = tuple[str, Trigger]  # what a notice is about, and its trigger


@dataclass(frozen=True)
class Unsent:
    """What one run found or did at *time*, as a notice."""

    run: str
    time: str
    notice: Notice

    @property
    def matter(self) -> Matter:
        """What it is about, and its trigger."""
        return self.notice.about, self.notice.trigger


def find_unsent(
    history: History, sink: str, on: Collection[Trigger], report: RunReport
) -> dict[Matter, list[Unsent]]:
    """All that the sink has not got of earlier runs, the oldest first. *report* is of the run that is to tell it."""
    found: dict[Matter, dict[str, Unsent]] = defaultdict(dict)
    for each in _not_sent(history, sink):
        found[each.matter][each.run] = each
    for each in _cut_off(history, report):
        sent = history.sent.get((sink, *each.matter), Sent())
        if each.run not in sent.runs:
            found[each.matter].setdefault(each.run, each)
    return {
        matter: sorted(by_run.values(), key=lambda each: time_of(each.time))
        for matter, by_run in found.items()
        if matter[1] in on
    }


def with_earlier(notice: Notice, earlier: Sequence[Unsent]) -> Notice:
    """The notice, which also tells what *earlier* runs found or repaired there, in one sentence, however many they are."""
    if not earlier:
        return notice
    done = notice.done
    if notice.trigger == "repaired":
        done = texts.joined([done, texts.earlier([each.time for each in earlier])])
    return replace(notice, done=done, runs=(*(each.run for each in earlier), *notice.runs))


def _not_sent(history: History, sink: str) -> Iterator[Unsent]:
    for (name, about, trigger), sent in history.sent.items():
        for run, failed in sent.failed.items() if name == sink else ():
            if run not in sent.runs:
                drifts = history.drifts(about, run) or history.drifts(about)
                notice = remembered(drifts, about, trigger)
                notice = replace(notice, done=texts.late(notice.done, failed.time), runs=(run,))
                yield Unsent(run, failed.time, notice)


def _cut_off(history: History, report: RunReport) -> Iterator[Unsent]:
    """What runs that have not ended found, what they changed, and what they may have changed."""
    differs: dict[str, set[str]] = defaultdict(set)
    for each in report.drifts:
        differs[str(each.address)].update(each.fields)
    for about, by_run in history.found.items():
        for run in by_run.keys() - history.ended - history.under_way:
            yield from _of_run(run, by_run, differs[about])


def _of_run(run: str, by_run: Mapping[str, Sequence[Found]], differs: Collection[str]) -> Iterator[Unsent]:
    """What a run that was cut short says of one address. *differs* are the fields that differ there now."""
    drifts = [each for each in by_run[run] if isinstance(each, Drift)]
    by_trigger: dict[Trigger, list[Drift]] = defaultdict(list)
    for each in drifts:
        for trigger in triggers(each):
            by_trigger[trigger].append(each)
    for trigger, several in by_trigger.items():
        notice = of_drifts(several, trigger)
        text = "that run was cut short, and this one finds it no more"
        yield Unsent(
            run, several[0].time, replace(notice, done=texts.joined([notice.done, text]), runs=(run,))
        )
    if drifts:
        return
    calls: list[CallMade | Planned] = [each for each in by_run[run] if isinstance(each, CallMade)]
    made = {f"{each.call.service}:{each.call.operation}" for each in calls if isinstance(each, CallMade)}
    for planned in by_run[run]:
        if isinstance(planned, Planned) and planned.operation not in made:
            found_again = {*differs, *_found_after(planned, run, by_run)}
            if found_again.isdisjoint(planned.fields):  # else it was not made
                calls.append(planned)
    if calls:
        yield Unsent(run, calls[0].time, replace(of_calls(calls), runs=(run,)))


def _found_after(planned: Planned, run: str, by_run: Mapping[str, Sequence[Found]]) -> Iterable[str]:
    """The fields that other runs found to differ there afterwards."""
    since = time_of(planned.time)
    return {
        field
        for other, records in by_run.items()
        for each in (records if other != run else ())
        if time_of(each.time) >= since
        for field in _fields(each)
    }


def _fields(record: Found) -> Iterable[str]:
    return (each.field for each in record.differences) if isinstance(record, CallMade) else record.fields
