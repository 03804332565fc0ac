"""Many accounts and Regions, as they are told to people: counted, and the first of them or all of them named."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..model import Result
from . import words

FEW = 3  # of many are named
MORE = "--unfold names them"
WIDTH = 76  # of a list, beside its indent
_BREAK = re.compile(r"(?<=[,:]) | (?=and [0-9,]+ more)")


@dataclass(frozen=True)
class Places:
    """Where something is so: *regions* by account, both in order. *regional*: it could be so in each Region by itself."""

    regions: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str]
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
            whose = who(next(iter(self.regions)), self.names)
        if len(regions) == 1:
            where = f"{' in' if accounts > 1 else ''} {regions[0]}"
            return whose + (where if regions[0] and (accounts == 1 or self.regional) else "")
        places = sum(map(len, self.regions.values()))
        uneven = f" ({places:,} places)" if places != accounts * len(regions) else ""
        return f"{whose}, {words.plural(len(regions), 'Region')}{uneven}"

    def lines(self, *, unfold: bool, width: int = WIDTH) -> list[str]:
        """What the heading does not say, in lines of *width*: the first accounts and Regions, or all of them."""
        regions = self.all_regions
        if not self.several_accounts and len(regions) == 1:
            return []
        if unfold:
            return [line for each in self._all() for line in wrapped(each, width)]
        accounts = [who(each, self.names) for each in self.regions]
        named = wrapped(few(accounts), width) if self.several_accounts else []
        return named + (wrapped(f"in {few(regions)}", width) if len(regions) > 1 else [])

    def _all(self) -> Iterator[str]:
        """Every place, the accounts with the same Regions together."""
        together: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for account, regions in self.regions.items():
            together[regions].append(who(account, self.names))
        for regions, accounts in sorted(together.items(), key=lambda each: (-len(each[1]), each[0])):
            where = f"in {', '.join(regions)}"
            yield f"{where}: {', '.join(accounts)}" if self.several_accounts else where


def places(results: Iterable[Result], names: Mapping[str, str], *, regional: bool) -> Places:
    """Where the results are from."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in results:
        found[each.target.account].add(words.clean(each.target.region))
    return Places(
        {account: tuple(sorted(found[account])) for account in sorted(found)}, names, regional=regional
    )


def who(account: str, names: Mapping[str, str]) -> str:
    """The account with its name, if it has one."""
    name = names.get(account, "")
    return words.clean(f"{account} ({name})" if name else account).replace("\n", "\\x0a")


def few(items: list[str]) -> str:
    """The first three, how many more, and how to see them; four are all named."""
    if len(items) <= FEW + 1:
        return ", ".join(items)
    return f"{', '.join(items[:FEW])} and {len(items) - FEW:,} more ({MORE})"


def wrapped(text: str, width: int = WIDTH) -> list[str]:
    """A list in lines of *width*, those after the first indented; what has no comma in it is not broken."""
    found: list[str] = []
    for part in _BREAK.split(text):
        if found and len(found[-1]) + 1 + len(part) <= width:
            found[-1] += f" {part}"
        else:
            found.append(f"  {part}" if found else part)
    return found
