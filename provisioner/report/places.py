"""Accounts and Regions in the report for people: how they are counted and named, and which items share a heading."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Generic, TypeVar

from rich.text import Text

from ..model import Result, Scope
from ..steps.registry import all_steps
from . import words
from .grouping import Group, group, to_template

T = TypeVar("T")

INDENT: Final = "    "
FAILED: Final = ("! ", "bold red")
_SHOWN: Final = 3  # names of a longer list
_WIDTH: Final = 76  # characters of a line, without its indent
_BREAK: Final = re.compile(r"(?<=[,:]) | (?=and [0-9,]+ more)")
_ENTRY: Final = (False, -1)  # entering the account, which comes before all steps


@dataclass(frozen=True)
class View:
    """How places are shown: the accounts' *names* by id, and whether long lists are shown in full (*unfold*)."""

    names: Mapping[str, str] = field(default_factory=dict)
    unfold: bool = False

    def account(self, account: str) -> str:
        """The account id, with the account's name if it has one."""
        name = self.names.get(account, "")
        return words.clean(f"{account} ({name})" if name else account)

    def shortened(self, items: Sequence[str], most: int = _SHOWN + 1) -> str:
        """The items as one text: all if they are not more than *most*, or else the first three and how many more."""
        if len(items) <= most or self.unfold:
            return ", ".join(items)
        return f"{', '.join(items[:_SHOWN])} and {len(items) - _SHOWN:,} more (--unfold names them)"


def wrapped(text: str) -> list[str]:
    """A list, wrapped after its commas and colons; all lines after the first are indented."""
    lines: list[str] = []
    for part in _BREAK.split(text):
        if lines and len(lines[-1]) + 1 + len(part) <= _WIDTH:
            lines[-1] += f" {part}"
        else:
            lines.append(f"  {part}" if lines else part)
    return lines


@dataclass(frozen=True)
class Block(Generic[T]):
    """One or more groups in the same places, shown under one heading.

    *regions*: by account, both sorted. *regional* is false for a step that runs once in an account.
    """

    groups: Sequence[Group[T]]
    regions: Mapping[str, tuple[str, ...]]
    view: View
    regional: bool

    @property
    def sample(self) -> T:
        """The sample of the first group."""
        return self.groups[0].sample

    @property
    def steps(self) -> list[str]:
        """The steps of the groups, each once."""
        return list(dict.fromkeys(each.step for each in self.groups))

    @property
    def results(self) -> Sequence[Result]:
        """The results of the first group, one for each place."""
        return self.groups[0].results

    @property
    def where(self) -> str:
        """`412 accounts`, `12 accounts, 4 Regions (36 places)`; a single place by its names."""
        regions, accounts = self._all_regions, len(self.regions)
        whose = words.plural(accounts, "account")
        if accounts == 1:
            whose = self.view.account(next(iter(self.regions)))
        if len(regions) == 1:
            where = f"{' in' if accounts > 1 else ''} {regions[0]}"
            return whose + (where if regions[0] and (accounts == 1 or self.regional) else "")
        places = sum(map(len, self.regions.values()))
        uneven = f" ({places:,} places)" if places != accounts * len(regions) else ""
        return f"{whose}, {words.plural(len(regions), 'Region')}{uneven}"

    def heading(self) -> Iterator[Text]:
        """The steps and the number of places, followed by the lines of `places`."""
        yield Text.assemble((", ".join(self.steps), "bold"), f"  {self.where}")
        yield from self.places()

    def places(self) -> Iterator[Text]:
        """The accounts and Regions that *where* only counts: the first of them, or all if unfolded."""
        for each in self._every_place() if self.view.unfold else self._first_places():
            yield from (Text(f"{INDENT}{line}", "dim") for line in wrapped(each))

    def template(self, value: Any) -> Any:
        """*value* with placeholders for the account and the Region if the block has several of them."""
        target = self.groups[0].first.target
        return to_template(value, target, account=len(self.regions) > 1, region=len(self._all_regions) > 1)

    @property
    def _all_regions(self) -> list[str]:
        return sorted({region for regions in self.regions.values() for region in regions})

    def _first_places(self) -> Iterator[str]:
        if len(self.regions) > 1:
            yield self.view.shortened([self.view.account(each) for each in self.regions])
        if len(self._all_regions) > 1:
            yield f"in {self.view.shortened(self._all_regions)}"

    def _every_place(self) -> Iterator[str]:
        """Accounts with the same Regions are in one line. Nothing for a single place, which *where* names."""
        by_regions: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for account, regions in self.regions.items():
            by_regions[regions].append(self.view.account(account))
        for regions, accounts in sorted(by_regions.items(), key=lambda each: (-len(each[1]), each[0])):
            if len(self.regions) > 1:
                yield f"in {', '.join(regions)}: {', '.join(accounts)}"
            elif len(regions) > 1:
                yield f"in {', '.join(regions)}"


def blocks(
    found: Iterable[tuple[Result, Sequence[T]]],
    identity: Callable[[T], Any],
    view: View,
    together: Callable[[Group[T]], Hashable] | None = None,
) -> Iterator[Block[T]]:
    """Group the items of all results and order the groups: by step in the order of a plan, then the largest first.

    Groups in the same places for which *together* returns the same share a block; without it, each has its own.
    """
    groups = sorted(group(found, identity), key=_order)
    for several in _joined(groups, together) if together else ([each] for each in groups):
        step = all_steps().get(several[0].step)
        regional = step is not None and step.regional
        yield Block(several, _regions(several[0].results), view, regional)


def _joined(
    groups: Iterable[Group[T]], together: Callable[[Group[T]], Hashable]
) -> Iterable[Sequence[Group[T]]]:
    joined: dict[Hashable, list[Group[T]]] = defaultdict(list)
    for each in groups:
        where = tuple(sorted((r.target.account, r.target.region) for r in each.results))
        joined[together(each), where].append(each)
    return joined.values()


def _regions(results: Iterable[Result]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set)
    for each in results:
        found[each.target.account].add(words.clean(each.target.region))
    return {account: tuple(sorted(found[account])) for account in sorted(found)}


@cache
def _step_order() -> Mapping[str, tuple[bool, int]]:
    """The order in which steps run: those that run once for the organization come first."""
    return {name: (step.scope is not Scope.ONCE, at) for at, (name, step) in enumerate(all_steps().items())}


def _order(group: Group[Any]) -> tuple[Any, ...]:
    target = group.first.target
    step = _step_order().get(group.step, _ENTRY)
    return (*step, -len(group.results), target.account, target.region, group.index)
