"""Where something is so: accounts and Regions, counted and named, and what is equal in the same places together."""

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

FEW: Final = 3  # of many are named
MORE: Final = "--unfold names them"
WIDTH: Final = 76  # of a list, beside its indent
_BREAK: Final = re.compile(r"(?<=[,:]) | (?=and [0-9,]+ more)")
_ENTRY: Final = (False, -1)  # getting into the account, before all steps


@dataclass(frozen=True)
class View:
    """How places are shown: the accounts' *names* by id, and whether all of many are named (*unfold*)."""

    names: Mapping[str, str] = field(default_factory=dict)
    unfold: bool = False

    def account(self, account: str) -> str:
        """The account with its name, if it has one."""
        name = self.names.get(account, "")
        return words.clean(f"{account} ({name})" if name else account).replace("\n", "\\x0a")

    def few(self, items: Sequence[str], most: int = FEW + 1) -> str:
        """The first three, how many more, and how to see them; all where there are not more than *most*, or unfolded."""
        if len(items) <= most or self.unfold:
            return ", ".join(items)
        return f"{', '.join(items[:FEW])} and {len(items) - FEW:,} more ({MORE})"


@dataclass(frozen=True)
class Places:
    """Where something is so: *regions* by account, both in order. *regional*: it could be so in each Region by itself."""

    regions: Mapping[str, tuple[str, ...]]
    view: View
    regional: bool = True

    @property
    def several_accounts(self) -> bool:
        """More than one."""
        return len(self.regions) > 1

    @property
    def all_regions(self) -> list[str]:
        """Each once, in order."""
        return sorted({region for regions in self.regions.values() for region in regions})

    @property
    def heading(self) -> str:
        """`412 accounts`, `12 accounts, 4 Regions (36 places)`; one place by its names."""
        regions, accounts = self.all_regions, len(self.regions)
        whose = words.plural(accounts, "account")
        if accounts == 1:
            whose = self.view.account(next(iter(self.regions)))
        if len(regions) == 1:
            where = f"{' in' if accounts > 1 else ''} {regions[0]}"
            return whose + (where if regions[0] and (accounts == 1 or self.regional) else "")
        places = sum(map(len, self.regions.values()))
        uneven = f" ({places:,} places)" if places != accounts * len(regions) else ""
        return f"{whose}, {words.plural(len(regions), 'Region')}{uneven}"

    def lines(self) -> list[str]:
        """What the heading does not say: the first accounts and Regions, or all of them."""
        regions = self.all_regions
        if not self.several_accounts and len(regions) == 1:
            return []
        if self.view.unfold:
            return [line for each in self._all() for line in wrapped(each)]
        accounts = [self.view.account(each) for each in self.regions]
        named = wrapped(self.view.few(accounts)) if self.several_accounts else []
        return named + (wrapped(f"in {self.view.few(regions)}") if len(regions) > 1 else [])

    def _all(self) -> Iterator[str]:
        """Every place, the accounts with the same Regions together."""
        together: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for account, regions in self.regions.items():
            together[regions].append(self.view.account(account))
        for regions, accounts in sorted(together.items(), key=lambda each: (-len(each[1]), each[0])):
            where = f"in {', '.join(regions)}"
            yield f"{where}: {', '.join(accounts)}" if self.several_accounts else where


def wrapped(text: str, width: int = WIDTH) -> list[str]:
    """A list in lines of *width*, those after the first indented; what has no comma in it is not broken."""
    found: list[str] = []
    for part in _BREAK.split(text):
        if found and len(found[-1]) + 1 + len(part) <= width:
            found[-1] += f" {part}"
        else:
            found.append(f"  {part}" if found else part)
    return found


@dataclass(frozen=True)
class Together(Generic[T]):
    """Groups that are in the same places, at least one, to be told under one heading."""

    groups: Sequence[Group[T]]
    where: Places

    @property
    def one(self) -> T:
        """The first of them."""
        return self.groups[0].one

    @property
    def steps(self) -> list[str]:
        """The steps that they are of."""
        return list(dict.fromkeys(each.step for each in self.groups))

    @property
    def results(self) -> Sequence[Result]:
        """Those of the first of them, one for each place."""
        return self.groups[0].results

    def heading(self) -> Iterator[Text]:
        """The step and the number of places, and below it the first of these or all."""
        yield Text.assemble((", ".join(self.steps), "bold"), f"  {self.where.heading}")
        yield from self.places()

    def places(self) -> Iterator[Text]:
        """What the heading does not say of the places."""
        for line in self.where.lines():
            yield Text(f"    {line}", "dim")

    def template(self, value: Any) -> Any:
        """A value of theirs, with placeholders for the account and the Region where there are several of them."""
        several = len(self.where.all_regions) > 1
        target = self.groups[0].first.target
        return to_template(value, target, account=self.where.several_accounts, region=several)


def by_place(
    found: Iterable[tuple[Result, Sequence[T]]],
    identity: Callable[[T], Any],
    view: View,
    together: Callable[[Group[T]], Hashable] | None = None,
) -> Iterator[Together[T]]:
    """All the things, each once: by step in the order of a plan, and those in more places first.

    Groups in the same places for which *together* says the same are told under one heading.
    """
    groups = sorted(group(found, identity), key=_order)
    for several in _joined(groups, together) if together else ([each] for each in groups):
        step = all_steps().get(several[0].step)
        regional = step is not None and step.regional
        yield Together(several, _places(several[0].results, view, regional=regional))


def _joined(
    groups: Iterable[Group[T]], together: Callable[[Group[T]], Hashable]
) -> Iterable[Sequence[Group[T]]]:
    found: dict[Hashable, list[Group[T]]] = defaultdict(list)
    for each in groups:
        where = tuple(sorted((r.target.account, r.target.region) for r in each.results))
        found[together(each), where].append(each)
    return found.values()


def _places(results: Iterable[Result], view: View, *, regional: bool) -> Places:
    found: dict[str, set[str]] = defaultdict(set)
    for each in results:
        found[each.target.account].add(words.clean(each.target.region))
    regions = {account: tuple(sorted(found[account])) for account in sorted(found)}
    return Places(regions, view, regional=regional)


@cache
def _step_order() -> Mapping[str, tuple[bool, int]]:
    """As they are carried out: what exists once in the organization first, then each account by itself."""
    return {name: (step.scope is not Scope.ONCE, at) for at, (name, step) in enumerate(all_steps().items())}


def _order(group: Group[Any]) -> tuple[Any, ...]:
    target = group.first.target
    step = _step_order().get(group.step, _ENTRY)
    return (*step, -len(group.results), target.account, target.region, group.at)
