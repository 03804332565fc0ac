"""Which accounts of the organization the file is for: found, sorted out, and those left out named with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .aws import Aws
from .general import Accounts, General, Some
from .model import Refused
from .usable import LeftOut

_ACTIVE: Final = "ACTIVE"


@dataclass(frozen=True)
class Account:
    """One account. *units* are the organizational units it is in, from the root down, by id and by path."""

    id: str
    name: str = ""
    units: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[int, ...] = ()  # those that count for it, by their place in the file

    def __str__(self) -> str:
        return f"{self.id} ({self.name})" if self.name else self.id


@dataclass(frozen=True)
class Narrowed:
    """What the command line leaves of the file's accounts. Empty is all of them. By id or name."""

    accounts: tuple[str, ...] = ()
    not_accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.accounts or self.not_accounts or self.units)


@dataclass(frozen=True)
class Census:
    """The accounts of a run, in the order of their ids, and what was left out."""

    accounts: tuple[Account, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Questions:
    """What AWS is asked to find the accounts: their list, the tree of units with the accounts in each, their tags."""

    accounts: bool
    units: bool
    tags: bool


def questions(general: General, narrowed: Narrowed | None = None) -> Questions:
    """No more than the file and the command line need: nothing at all where the file lists ids."""
    units, tags = bool(_units(general) or (narrowed and narrowed.units)), _uses_tags(general)
    return Questions(units or tags or not (general.accounts and general.accounts.listed), units, tags)


def census(aws: Aws, general: General, narrowed: Narrowed) -> Census:
    """The accounts that the file and the command line name.

    AWS is asked no more than that needs: nothing where the file lists ids, the list of accounts for `all`, the tree of
    units only for units. Raises Refused for a unit or account that there is not.
    """
    want = general.accounts
    assert want is not None  # noqa: S101 - who asks for one account asks for no census
    asked = questions(general, narrowed)
    tree = _Tree(aws) if asked.units else None
    if not asked.accounts:
        found = [Account(each) for each in dict.fromkeys(want.ids)]
        left_out: list[LeftOut] = []
    else:
        found, left_out = _listed(aws)
    if tree is not None:
        found = [replace(each, units=tree.of(each.id)) for each in found]
        tree.check(_units(general), narrowed.units)
    if asked.tags:
        found = _tagged(aws, found)
    _must_exist(want.ids, found, left_out)
    chosen = [each for each in found if _wanted(each, want)]
    left_out = [
        each for each in left_out if want.all or each.account in want.ids or want.organizational_units
    ]
    kept = list(_narrowed(chosen, narrowed, general.allowed_account_ids, left_out))
    with_overrides = (replace(each, overrides=_overrides(each, general)) for each in kept)
    return Census(tuple(sorted(with_overrides, key=lambda a: a.id)), tuple(left_out))


def _units(general: General) -> list[str]:
    want = general.accounts or Accounts(all=True)
    named = [*want.organizational_units, *want.exclude.organizational_units]
    return [*named, *(unit for each in general.overrides for unit in each.organizational_units)]


def _uses_tags(general: General) -> bool:
    want = general.accounts or Accounts(all=True)
    return any(each.tags for each in (want, want.exclude, *general.overrides))


def _listed(aws: Aws) -> tuple[list[Account], list[LeftOut]]:
    """Every account of the organization; those that are not active are left out."""
    found: list[Account] = []
    left_out: list[LeftOut] = []
    for each in aws.read("organizations").list_accounts().get("Accounts"):
        state = each.get("State") or each.get("Status")
        if state == _ACTIVE:
            found.append(Account(each["Id"], each.get("Name", "")))
        else:
            why = f"is {str(state).lower().replace('_', ' ')}"
            left_out.append(LeftOut(each["Id"], "", why, each.get("Name", "")))
    return found, left_out


def _tagged(aws: Aws, accounts: Iterable[Account]) -> list[Account]:
    """The accounts with their tags, all asked for at once."""
    read = aws.read("organizations")
    asked = [(each, read.list_tags_for_resource(ResourceId=each.id)) for each in accounts]
    return [
        replace(each, tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags")}) for each, answer in asked
    ]


def _must_exist(ids: Collection[str], found: Iterable[Account], left_out: Iterable[LeftOut]) -> None:
    known = {each.id for each in found} | {each.account for each in left_out}
    if unknown := [each for each in ids if each not in known]:
        raise Refused(f"`accounts.ids`: the organization has no account {', '.join(unknown)}")


def _wanted(account: Account, want: Accounts) -> bool:
    return (want.all or _among(account, want)) and not _among(account, want.exclude)


def _among(account: Account, some: Some) -> bool:
    """The account is one of those: named, in one of the units, or with all of the tags."""
    return (
        account.id in some.ids
        or not account.units.isdisjoint(some.organizational_units)
        or (some.tags is not None and some.tags.items() <= account.tags.items())
    )


def _overrides(account: Account, general: General) -> tuple[int, ...]:
    return tuple(index for index, each in enumerate(general.overrides) if _among(account, each))


def _narrowed(
    chosen: Sequence[Account], narrowed: Narrowed, allowed: Collection[str] | None, left_out: list[LeftOut]
) -> Iterator[Account]:
    """Those that the command line leaves, and that the file allows to be touched."""
    names = {each.id for each in chosen} | {each.name for each in chosen if each.name}
    for flag, given in (("--accounts", narrowed.accounts), ("--not-accounts", narrowed.not_accounts)):
        if unknown := [each for each in given if each not in names]:
            raise Refused(
                f"{flag}: {', '.join(unknown)}: none of the {len(chosen)} accounts that the file is for"
            )
    for each in chosen:
        known_as = {each.id, each.name} - {""}
        if narrowed.accounts and known_as.isdisjoint(narrowed.accounts):
            continue
        if not known_as.isdisjoint(narrowed.not_accounts):
            continue
        if narrowed.units and each.units.isdisjoint(narrowed.units):
            continue
        if allowed is not None and each.id not in allowed:
            left_out.append(LeftOut(each.id, "", "is not among `allowed_account_ids`", each.name))
            continue
        yield each


class _Tree:
    """The organizational units, level by level, and the accounts in them."""

    def __init__(self, aws: Aws) -> None:
        self._units: dict[str, frozenset[str]] = {}  # account → its units
        read = aws.read("organizations")
        level = [(root["Id"], "", frozenset({root["Id"]})) for root in read.list_roots().get("Roots")]
        self.known: set[str] = {each[0] for each in level}
        while level:
            asked = [
                (
                    above,
                    path,
                    read.list_organizational_units_for_parent(ParentId=parent),
                    read.list_accounts_for_parent(ParentId=parent),
                )
                for parent, path, above in level
            ]
            level = [found for each in asked for found in self._below(*each)]

    def _below(
        self, above: frozenset[str], path: str, units: Any, accounts: Any
    ) -> Iterator[tuple[str, str, frozenset[str]]]:
        for account in accounts.get("Accounts"):
            self._units[account["Id"]] = above
        for unit in units.get("OrganizationalUnits"):
            name = f"{path}/{unit['Name']}" if path else unit["Name"]
            self.known |= {unit["Id"], name}
            yield unit["Id"], name, above | {unit["Id"], name}

    def of(self, account: str) -> frozenset[str]:
        """The units that the account is in."""
        return self._units.get(account, frozenset())

    def check(self, file: Iterable[str], flags: Iterable[str]) -> None:
        """Raises Refused for a unit that there is not."""
        for where, given in (("the file's `organizational_units`", file), ("--ou", flags)):
            if unknown := sorted(set(given) - self.known):
                names = ", ".join(sorted(each for each in self.known if not each.startswith(("ou-", "r-"))))
                raise Refused(
                    f"{where}: the organization has no unit {', '.join(unknown)}; there are {names or 'none'}"
                )
