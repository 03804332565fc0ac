"""What a run would do, as one value: counted, named by a digest, and held against what must not happen unasked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..model import Change, InSyncCounts, Kind, Note, Result

GUARDED, SHARE = 10, 0.30


@dataclass(frozen=True)
class Plan:
    """The results of rehearsing every step in every target; of many accounts, what is *in_sync* is only counted."""

    results: tuple[Result, ...]
    in_sync: InSyncCounts = field(default_factory=InSyncCounts)

    @property
    def changes(self) -> list[tuple[Result, Change]]:
        """Every change, with the result it belongs to."""
        return [(result, change) for result in self.results for change in result.changes]

    @property
    def failed(self) -> list[Result]:
        """The results that did not come to an end, blocked ones included."""
        return [result for result in self.results if not result.ok]

    def notes(self, *kinds: Kind) -> Iterator[tuple[Result, Note]]:
        """The notes of these kinds; of every kind where none is named."""
        for result in self.results:
            for note in result.notes:
                if not kinds or note.kind in kinds:
                    yield result, note

    @cached_property
    def digest(self) -> str:
        """`sha256:` and 64 hex digits: equal for equal plans, whenever and wherever they are made."""
        lines = sorted(
            json.dumps([*_address(result), *_identity(change)], sort_keys=True, default=str)
            for result, change in self.changes
        )
        lines += sorted(json.dumps(["not read", *_address(result)]) for result in self.failed)
        return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def share(self) -> Share:
        """How many of the things that are there would be changed."""
        there = {(*_address(result), resource) for result in self.results for resource in result.seen}
        changed = {(*_address(result), change.resource) for result, change in self.changes}
        return Share(len(there & changed), len(there) + self.in_sync.resources)


@dataclass(frozen=True)
class Share:
    """*changed* of the *there* things that exist would be changed."""

    changed: int
    there: int

    def __str__(self) -> str:
        part = f"{self.changed} of the {self.there} things that are there"
        return f"the plan changes {part}, more than {100 * SHARE:.0f} %, and nothing was changed"

    @property
    def large(self) -> bool:
        """More than somebody should agree to in passing: 30 % of at least ten things (octoDNS's guard)."""
        return self.there >= GUARDED and self.changed > SHARE * self.there


@dataclass(frozen=True)
class Count:
    """Resources, not calls: one bucket that needs five calls is one."""

    add: int
    change: int


def count(results: Iterable[Result]) -> Count:
    """How many resources are made, and how many are changed."""
    made: dict[tuple[Any, ...], bool] = {}
    for result in results:
        for change in result.changes:
            key = (*_address(result), change.resource)
            made[key] = made.get(key, False) or change.action == "create"
    add = sum(made.values())
    return Count(add, len(made) - add)


def _address(result: Result) -> tuple[str, str, str]:
    return result.step, result.target.account, result.target.region


def _identity(change: Change) -> list[Any]:
    return [
        change.resource,
        change.action,
        [[d.field, d.have, d.want] for d in change.differences],
        change.call.service,
        change.call.operation,
        change.call.region,
        change.call.params,
    ]
