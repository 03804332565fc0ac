"""Who caused the differences of a journal: what later runs found is in records of their own. Pure: makes no call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .records import Actor, Address, Attributed, Drift, Record


def with_actors(records: Iterable[Record]) -> list[Record]:
    """The records, each drift with who caused it, as far as its own run or a later one has found that."""
    records = list(records)
    known: dict[tuple[str, Address, tuple[str, ...]], Actor] = {
        (each.drift_run, each.address, tuple(each.fields)): each.who
        for each in records
        if isinstance(each, Attributed)
    }
    return [
        _with_actor(each, known) if isinstance(each, Drift) and not each.who else each for each in records
    ]


def _with_actor(drift: Drift, known: Mapping[tuple[str, Address, tuple[str, ...]], Actor]) -> Drift:
    for fields in (tuple(drift.fields), ()):
        if who := known.get((drift.run, drift.address, fields)):
            return replace(drift, who=who, who_pending=False)
    return drift
