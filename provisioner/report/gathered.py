"""What is the same in many places, in the order in which it is told, with the places it is in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from rich.text import Text

from ..model import Result, Scope
from ..steps.registry import all_steps
from .alike import Group, alike, general
from .places import Places, places

T = TypeVar("T")
Names = Mapping[str, str]  # of accounts, by their ids

# As they are carried out: what exists once in the organization first, then each account by itself.
_ORDER: Final = {
    name: (step.scope is not Scope.ONCE, at) for at, (name, step) in enumerate(all_steps().items())
}
_UNKNOWN: Final = (False, -1)  # getting into the account, before all steps


@dataclass(frozen=True)
class Gathered(Generic[T]):
    """Things that are the same in the same places, at least one."""

    groups: Sequence[Group[T]]
    where: Places

    @property
    def one(self) -> T:
        """The first of them."""
        return self.groups[0].one

    @property
    def steps(self) -> list[str]:
        """The steps that they are of."""
        return list(dict.fromkeys(group.step for group in self.groups))

    @property
    def results(self) -> Sequence[Result]:
        """Those of the first of them, one for each place."""
        return self.groups[0].results

    @property
    def many(self) -> bool:
        """They are in more than one place."""
        return len(self.results) > 1

    def lines(self, *, unfold: bool, head: bool = False) -> Iterator[Text]:
        """Where they are: under *head*, the step and the number of places, the first of them or all."""
        if head:
            yield Text.assemble((", ".join(self.steps), "bold"), f"  {self.where.heading}")
        for line in self.where.lines(unfold=unfold):
            yield Text(f"    {line}", "dim")

    def said(self, value: Any) -> Any:
        """A value of theirs, with placeholders for the account and the Region where there are several of them."""
        several = len(self.where.all_regions) > 1
        return general(
            value, self.groups[0].first.target, account=self.where.several_accounts, region=several
        )


def gathered(
    found: Iterable[tuple[Result, Sequence[T]]],
    identity: Callable[[T], Any],
    names: Names,
    together: Callable[[Group[T]], Hashable] | None = None,
) -> Iterator[Gathered[T]]:
    """All the things, each once: by step, and those that are in more places before the others.

    Those that are in the same places and for which *together* says the same are one.
    """
    groups = sorted(alike(found, identity), key=_place)
    merged: Iterable[Sequence[Group[T]]] = [[each] for each in groups]
    for several in _merged(groups, together) if together else merged:
        step = all_steps().get(several[0].step)
        regional = step is not None and step.scope is Scope.REGION
        yield Gathered(several, places(several[0].results, names, regional=regional))


def _merged(
    groups: Iterable[Group[T]], together: Callable[[Group[T]], Hashable]
) -> Iterable[Sequence[Group[T]]]:
    found: dict[Hashable, list[Group[T]]] = defaultdict(list)
    for each in groups:
        where = tuple(sorted((r.target.account, r.target.region) for r in each.results))
        found[together(each), where].append(each)
    return found.values()


def _place(group: Group[Any]) -> tuple[Any, ...]:
    target = group.first.target
    return (*_ORDER.get(group.step, _UNKNOWN), -len(group.results), target.account, target.region, group.at)
