"""What earlier runs of `repair` found, from the journal: since when something differs, and how often it was repaired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from .actors import with_actors
from .notice_history import time_of
from .records import Actor, Address, Drift, Record, RunEnded, RunReport, RunStarted
from .unread import Unread

CONTESTED: Final = 3  # repairs of one resource in a day
DAY: Final = timedelta(days=1)
LOOKED_FOR: Final = timedelta(hours=2)  # the time in which an actor is looked for again
REMEMBERED: Final = timedelta(days=8)  # what is older says nothing about a run of now


@dataclass(frozen=True)
class EarlierRun:
    """A run that ended, its drifts by the text of their address, and what it did not look at."""

    time: str
    drifts: Mapping[str, Sequence[Drift]]
    unread: Unread

    def found_in_sync(self, address: str) -> bool:
        """Whether it found or left the address in sync. A run of other steps, or one that failed there, says nothing."""
        if before := self.drifts.get(address):
            return all(each.state == "repaired" for each in before)
        return self.unread.was_read(Address(*address.split("/", 3)))


@dataclass(frozen=True)
class Earlier:
    """The runs that ended, the oldest first.

    *repairs* are the runs that repaired a field of an address in the last day, and *actors* who last changed the address.
    """

    runs: list[EarlierRun] = field(default_factory=list)
    repairs: Mapping[tuple[str, str], set[str]] = field(default_factory=dict)
    actors: Mapping[str, Actor] = field(default_factory=dict)
    paused_since: str = ""  # when a run first found repairs paused that are since then

    def since(self, address: str, now: str) -> str:
        """When a run first found the difference that is there now, without a run in between that did not."""
        first = now
        for run in reversed(self.runs):
            if run.found_in_sync(address):
                return first
            if before := run.drifts.get(address):
                first = min(each.since or each.time for each in before)
        return first

    def in_sync(self, address: str, before: str = "") -> str:
        """When a run last found or left the address in sync, *before* a time if it is given; empty if none did."""
        runs = (run for run in reversed(self.runs) if not before or run.time < before)
        return next((run.time for run in runs if run.found_in_sync(address)), "")

    def pending(self, now: datetime) -> list[Drift]:
        """The drifts of the last hours of which it is not known yet who caused them."""
        every = (drift for run in self.runs for drifts in run.drifts.values() for drift in drifts)
        return [each for each in every if each.who_pending and now - time_of(each.time) < LOOKED_FOR]

    def creations(self, drifts: Iterable[Drift]) -> list[Drift]:
        """What the runs of these drifts made, beside them."""
        drifts = list(drifts)
        runs = {each.run for each in drifts}
        every = (drift for run in self.runs for found in run.drifts.values() for drift in found)
        return [x for x in every if x.run in runs and x.action == "create" and x not in drifts]

    def repaired(self, address: str, fields: Iterable[str]) -> int:
        """How many runs of the last day repaired one of these fields."""
        return max((len(self.repairs.get((address, each), ())) for each in fields), default=0)

    def last_reached(self, account: str) -> int:
        """The number of the last run that looked at the account, for the order of the next one; -1 if none did."""
        reached = (index for index, run in enumerate(self.runs) if run.unread.has_reached(account))
        return max(reached, default=-1)

    def contested(self) -> dict[tuple[str, str, str, str, str], str]:
        """Why each field is contested that was repaired too often in the last day, for `Controls`."""
        found = {}
        for (text, name), times in self.repairs.items():
            if len(times) < CONTESTED:
                continue
            account, region, step, resource = text.split("/", 3)
            who = self.actors.get(text)
            by = f", and {who.name} changes it back" if who else ""
            found[account, region, step, resource, name] = (
                f"contested: repaired {len(times)} times in a day{by}, and the file says `when_contested: stop`"
            )
        return found


def read_earlier(records: Iterable[Record], file: str, now: datetime) -> Earlier:
    """What earlier runs of this file found."""
    ours: dict[str, RunStarted] = {}
    drifts: dict[str, dict[str, list[Drift]]] = defaultdict(lambda: defaultdict(list))
    runs: list[EarlierRun] = []
    repairs: dict[tuple[str, str], set[str]] = defaultdict(set)
    actors: dict[str, Actor] = {}
    paused_since = ""
    for each in with_actors(records):
        if isinstance(each, RunStarted) and each.command == "repair" and each.file == file:
            ours[each.run] = each
        elif isinstance(each, Drift) and each.run in ours:
            address = str(each.address)
            drifts[each.run][address].append(each)
            if each.state in {"repaired", "not_seen"} and now - time_of(each.time) < DAY:
                for name in each.fields:
                    repairs[address, name].add(each.run)
            if each.who is not None:
                actors[address] = each.who
        elif isinstance(each, RunEnded) and each.run in ours:
            unread = Unread.of(RunReport(ours[each.run], (), each))
            runs.append(EarlierRun(each.time, drifts.pop(each.run, {}), unread))
            paused_since = (each.paused_since or paused_since or each.time) if each.paused else ""
    return Earlier(runs, repairs, actors, paused_since)
