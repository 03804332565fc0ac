"""What earlier runs of `repair` found, from the journal: since when something differs, and how often it was repaired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from .notice_history import time_of
from .records import Actor, Drift, Record, RunEnded, RunStarted

CONTESTED: Final = 3  # repairs of one resource in a day
DAY: Final = timedelta(days=1)
REMEMBERED: Final = timedelta(days=8)  # what is older says nothing about a run of now


@dataclass(frozen=True)
class Earlier:
    """The runs that ended, the oldest first, each with its time and its drifts by the text of their address.

    *repairs* are the runs that repaired a field of an address in the last day, and *actors* who last changed the address.
    """

    runs: list[tuple[str, Mapping[str, Drift]]] = field(default_factory=list)
    repairs: Mapping[tuple[str, str], set[str]] = field(default_factory=dict)
    actors: Mapping[str, Actor] = field(default_factory=dict)

    def since(self, address: str, now: str) -> str:
        """When a run first found the difference that is there now, without a run in between that did not."""
        first = now
        for _, drifts in reversed(self.runs):
            before = drifts.get(address)
            if before is None or before.state == "repaired":
                return first
            first = before.since or before.time
        return first

    def in_sync(self, address: str) -> str:
        """When a run last found or left the address in sync; empty if none did."""
        for time, drifts in reversed(self.runs):
            before = drifts.get(address)
            if before is None or before.state == "repaired":
                return time
        return ""

    def unfinished(self, address: str) -> Drift | None:
        """The last drift there, if who caused it is not known yet."""
        found = next((drifts[address] for _, drifts in reversed(self.runs) if address in drifts), None)
        return found if found is not None and found.who_pending else None

    def repaired(self, address: str, fields: Iterable[str]) -> int:
        """How many runs of the last day repaired one of these fields."""
        return max((len(self.repairs.get((address, each), ())) for each in fields), default=0)

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
    ours: set[str] = set()
    drifts: dict[str, dict[str, Drift]] = defaultdict(dict)
    runs: list[tuple[str, Mapping[str, Drift]]] = []
    repairs: dict[tuple[str, str], set[str]] = defaultdict(set)
    actors: dict[str, Actor] = {}
    for each in records:
        if isinstance(each, RunStarted) and each.command == "repair" and each.file == file:
            ours.add(each.run)
        elif isinstance(each, Drift) and each.run in ours:
            address = str(each.address)
            drifts[each.run][address] = each
            if each.state in {"repaired", "not_seen"} and now - time_of(each.time) < DAY:
                for name in each.fields:
                    repairs[address, name].add(each.run)
            if each.who is not None:
                actors[address] = each.who
        elif isinstance(each, RunEnded) and each.run in ours:
            runs.append((each.time, drifts.pop(each.run, {})))
    return Earlier(runs, repairs, actors)
