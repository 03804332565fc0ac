"""What a run would do, as one value: counted, and named by a digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ..model import Change, InSyncCounts, Kind, Note, Result

LIMIT: Final = re.compile("[0-9]+%?")  # a number of resources, or of a hundred that are there


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
    def resources(self) -> int:
        """How many resources of the file are there, those in sync included."""
        return len({(*_address(result), name) for result in self.results for name in result.seen}) + (
            self.in_sync.resources
        )

    @property
    def changed(self) -> int:
        """How many resources would be made or changed."""
        return len({(*_address(result), change.resource) for result, change in self.changes})

    def exceeds(self, limit: str) -> str:
        """Why the plan changes more than *limit* allows, which LIMIT matches; empty where it does not."""
        number = int(limit.removesuffix("%"))
        of_all = limit.endswith("%")
        if self.changed <= (number * self.resources / 100 if of_all else number):
            return ""
        there = f" of the {self.resources:,} that are there" if of_all else ""
        return (
            f"the plan makes or changes {self.changed:,} resources{there}, and no more than {limit} are allowed:"
            " look at it with `diff`, then allow more"
        )


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
