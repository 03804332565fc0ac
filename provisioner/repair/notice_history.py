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

UNDER_WAY: Final = timedelta(
    minutes=30
)  # a run that has not ended by then, perhaps on another machine, was cut short

Found = Drift | CallMade | Planned
Key = tuple[str, str, Trigger]  # name of the sink, what the notice is about, trigger


@dataclass
class Told:
    """What one sink was told of one thing: the *phase* that it got last, and the notice that it did not get since then."""

    phase: Phase | None = None
    time: datetime = _NEVER
    failed: Noticed | None = None


@dataclass
class History:
    """What the runs before this one told and found. *drifts* and *contested* are by the text of the address."""

    told: dict[Key, Told] = field(default_factory=dict)
    drifts: dict[str, Drift] = field(default_factory=dict)  # the last one of each
    contested: dict[str, Drift] = field(default_factory=dict)  # of the last 24 hours
    cut_off: list[Found] = field(default_factory=list)  # of runs that have not ended


def read_history(records: Iterable[Record], started: RunStarted, now: datetime) -> History:
    """Read the records of runs of the same file by the same account, without those of the run *started* itself.

    What is older than 8 days does not count. A record whose run's first line is missing counts.
    """
    history = History()
    other: set[str] = {started.run}
    found: dict[str, dict[str, Found]] = {}  # by run and address, until the run's end
    for record in records:
        if isinstance(record, RunStarted) and not _same(record, started):
            other.add(record.run)
        if record.run in other or (time := time_of(record.time)) < now - WINDOW:
            continue
        if isinstance(record, Noticed):
            _add_told(history, record, time)
        elif isinstance(record, RunEnded):
            found.pop(record.run, None)
        elif isinstance(record, Found):
            _add_found(found.setdefault(record.run, {}), record, now - time)
            if isinstance(record, Drift):
                _add_drift(history, record, now - time)
    history.cut_off = [each for by_address in found.values() for each in by_address.values()]
    return history


def _add_found(of_run: dict[str, Found], record: Found, age: timedelta) -> None:
    """Keep what says most of an address: a drift, else the first call, else what was planned."""
    address = str(record.address)
    before = of_run.get(address)
    if isinstance(record, Planned) and age <= UNDER_WAY:
        return
    if isinstance(record, Drift) or before is None or isinstance(before, Planned):
        of_run[address] = record


def _add_drift(history: History, record: Drift, age: timedelta) -> None:
    address = str(record.address)
    history.drifts[address] = record
    if record.contested and age <= CONTESTED:
        history.contested[address] = record


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
    told = history.told.setdefault((record.sink, record.about, record.trigger), Told())
    if record.error:
        told.failed = record
    else:
        told.phase, told.time, told.failed = record.phase, time, None
