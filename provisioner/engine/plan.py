"""The plan of a run: its changes, their number, a digest that identifies it, and whether a change is part of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ..model import Action, Change, InSyncCounts, Kind, Note, Result

LIMIT: Final = re.compile("[0-9]+|(100|[0-9]{1,2})%")  # resources, or percent of those that exist


@dataclass(frozen=True)
class Plan:
    """The results of every step in every target of a dry run; of many accounts, what is *in_sync* is only counted."""

    results: tuple[Result, ...]
    in_sync: InSyncCounts = field(default_factory=InSyncCounts)

    @property
    def changes(self) -> list[tuple[Result, Change]]:
        """Every change, with the result it belongs to."""
        return [(result, change) for result in self.results for change in result.changes]

    @property
    def failed(self) -> list[Result]:
        """The results with a failure, and those that did not run because of one."""
        return [result for result in self.results if not result.ok]

    def notes(self, *kinds: Kind) -> Iterator[tuple[Result, Note]]:
        """The notes of these kinds, or all notes."""
        for result in self.results:
            for note in result.notes:
                if not kinds or note.kind in kinds:
                    yield result, note

    @cached_property
    def digest(self) -> str:
        """`sha256:` and 64 hex digits, equal for equal plans on every machine and at any time."""
        lines = sorted(
            json.dumps([*_address(result), *_identity(change)], sort_keys=True, default=str)
            for result, change in self.changes
        )
        lines += sorted(json.dumps(["not read", *_address(result)]) for result in self.failed)
        return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def resources(self) -> int:
        """The number of resources of the file that exist."""
        return len({(*_address(result), name) for result in self.results for name in result.seen}) + (
            self.in_sync.resources
        )

    @property
    def changed(self) -> int:
        """The number of resources to create or change."""
        return len({(*_address(result), change.resource) for result, change in self.changes})

    def exceeds(self, limit: str) -> str:
        """A message if the plan changes more resources than *limit* allows, else empty. LIMIT is the syntax."""
        number = int(limit.removesuffix("%"))
        of_all = limit.endswith("%")
        if self.changed <= (number * self.resources / 100 if of_all else number):
            return ""
        there = f" of the {self.resources:,} that exist" if of_all else ""
        return (
            f"the plan creates or changes {self.changed:,} resources{there}, and no more than {limit} are allowed:"
            " review it with `diff`, then allow more"
        )


@dataclass(frozen=True)
class Count:
    """Numbers of resources: one bucket that needs five calls is one."""

    add: int
    change: int
    destroy: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.add + self.change + self.destroy


def count(results: Iterable[Result]) -> Count:
    """Count the resources that are created, those that are changed, and those that are deleted."""
    made: dict[tuple[Any, ...], Action] = {}
    for result in results:
        for change in result.changes:
            key = (*_address(result), change.resource)
            if change.action != "update" or key not in made:
                made[key] = change.action
    counted = Counter(made.values())
    return Count(counted["create"], counted["update"], counted["delete"])


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


def same_request(a: Change, b: Change) -> bool:
    """The same request about the same thing, whatever the values that AWS has made since.

    Requests with no field in common are others: of many accounts, each request is about some.
    """
    one, other = ((c.resource, c.call.service, c.call.operation, c.consent) for c in (a, b))
    fields, others = ({each.field for each in c.differences} for c in (a, b))
    return one == other and (not fields or not others or not fields.isdisjoint(others))


def within_plan(change: Change, shown: Change) -> bool:
    """The change is one that was shown, or a part of it.

    A part of a creation it is, too, if somebody has made the resource meanwhile, as AWS itself does with some.
    """
    made_meanwhile = shown.action == "create" and change.consent is None
    if made_meanwhile and change.resource in shown.contains:
        return True
    same = same_request(change, shown) or (made_meanwhile and change.resource == shown.resource)
    return same and {d.field for d in change.differences} <= {d.field for d in shown.differences}
