"""What earlier runs told, from the journal: to whom, when, what could not be told, and what a run found that was cut short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from ..baseline.notices import Trigger
from .records import CallMade, Drift, Noticed, Phase, Planned, Record, RunEnded, RunStarted

WINDOW: Final = timedelta(days=8)  # of the journal, which is read for notices
CONTESTED: Final = timedelta(hours=24)  # for which a contest goes on after its last repair
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
PING: Final = "ping"  # what a `Noticed` is about that reports a ping that failed

# A run that has not ended by then, perhaps on another machine, was cut short.
UNDER_WAY: Final = timedelta(minutes=30)

Found = Drift | CallMade | Planned
Key = tuple[str, str, Trigger]  # name of the sink, what the notice is about, trigger


@dataclass
class Sent:
    """What one sink was told of one thing: the *phase* that it got last, and when.

    *runs* are those of which it knows what they found there, and *failed* are notices that it did not get, by such a run.
    """

    phase: Phase | None = None
    time: datetime = _NEVER
    runs: set[str] = field(default_factory=set)
    failed: dict[str, Noticed] = field(default_factory=dict)

    @property
    def is_going_on(self) -> bool:
        """Whether the sink knows of it, and not that it is gone."""
        return self.phase in {"new", "continuing"}


@dataclass
class History:
    """What the runs before this one told and found. *found* is by the text of the address and by run, the oldest first."""

    sent: dict[Key, Sent] = field(default_factory=dict)
    found: dict[str, dict[str, list[Found]]] = field(default_factory=dict)
    contested: set[str] = field(default_factory=set)  # addresses, of the last 24 hours
    ended: set[str] = field(default_factory=set)  # runs
    under_way: set[str] = field(default_factory=set)  # runs that may still be going on

    def drifts(self, about: str, run: str = "") -> list[Drift]:
        """The differences at an address in a run, or in the last one that found any."""
        by_run = self.found.get(about, {})
        for each in [run] if run else reversed(by_run):
            if found := [x for x in by_run.get(each, ()) if isinstance(x, Drift)]:
                return found
        return []


def read_history(records: Iterable[Record], started: RunStarted, now: datetime) -> History:
    """Read the records of runs of the same file by the same account, without those of the run *started* itself.

    What is older than 8 days does not count. A record whose run's first line is missing counts. Records may come in any
    order but for those of one notice: their phases.
    """
    history = History()
    records = list(records)
    other = {started.run, *(x.run for x in records if isinstance(x, RunStarted) and not _same(x, started))}
    silent: set[str] = set()  # young runs of which nothing is known but what they were about to do
    for record in records:
        if record.run in other or (time := time_of(record.time)) < now - WINDOW:
            continue
        if isinstance(record, Noticed):
            _add_told(history, record, time)
        elif isinstance(record, RunEnded):
            history.ended.add(record.run)
        elif isinstance(record, Found):
            by_run = history.found.setdefault(str(record.address), {})
            by_run.setdefault(record.run, []).append(record)
            if isinstance(record, Planned) and now - time <= UNDER_WAY:
                silent.add(record.run)
            if isinstance(record, Drift) and record.contested and now - time <= CONTESTED:
                history.contested.add(str(record.address))
    did = {x.run for x in records if isinstance(x, CallMade | Drift)}
    history.under_way = silent - did
    return history


def time_of(text: str) -> datetime:
    """The time that a record has, in UTC; the earliest one of all if it is damaged."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return _NEVER
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _same(record: RunStarted, started: RunStarted) -> bool:
    """Whether both runs are for the same accounts: else what one does not find may be there all the same."""
    return (record.file, record.account, record.sandbox) == (started.file, started.account, started.sandbox)


def _add_told(history: History, record: Noticed, time: datetime) -> None:
    if record.about == PING:
        return
    sent = history.sent.setdefault((record.sink, record.about, record.trigger), Sent())
    runs = record.runs or [record.run]
    if not record.error:
        sent.phase, sent.time = record.phase, time
        sent.runs.update(runs)
    else:
        sent.failed |= dict.fromkeys(runs, record)
