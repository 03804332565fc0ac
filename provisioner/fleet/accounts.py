"""Which accounts of the organization the file is for: found, sorted out, and those left out named with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ..aws import Aws
from ..baseline.general import Accounts, General, Some
from ..baseline.problem import Path, did_you_mean, dotted, listed, quoted
from ..model import Account, Refused, Skipped

_ACTIVE: Final = "ACTIVE"
_FEW: Final = 8  # units that are named where one is unknown


@dataclass(frozen=True)
class AccountFilter:
    """What the command line leaves of the file's accounts. Empty is all of them. By id or name."""

    accounts: tuple[str, ...] = ()
    not_accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.accounts or self.not_accounts or self.units)


@dataclass(frozen=True)
class SelectedAccounts:
    """The accounts of a run, in the order of their ids, and what was left out."""

    accounts: tuple[Account, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Questions:
    """What AWS is asked to find the accounts: their list, the tree of units with the accounts in each, their tags."""

    accounts: bool
    units: bool
    tags: bool


def questions(general: General, narrowed: AccountFilter | None = None) -> Questions:
    """No more than the file and the command line need: nothing at all where the file lists ids."""
    units = any(_units(general)) or bool(narrowed and narrowed.units)
    tags = _uses_tags(general)
    return Questions(units or tags or not (general.accounts and general.accounts.listed), units, tags)


class NotInOrganization(Refused):
    """The file names what the organization has not: *found* are the paths in the file, each with what is wrong there."""

    def __init__(self, found: Sequence[tuple[Path, str]]):
        self.found = tuple(found)
        super().__init__("; ".join(f"{dotted(path)}: {message}" for path, message in found))


def select_accounts(aws: Aws, general: General, narrowed: AccountFilter) -> SelectedAccounts:
    """The accounts that the file and the command line name.

    AWS is asked no more than that needs: nothing where the file lists ids, the list of accounts for `all`, the tree of
    units only for units. Raises Mistaken for a unit or account of the file that there is not, Refused for one of a flag.
    """
    want = general.accounts
    assert want is not None  # noqa: S101 - who asks for one account asks for no census
    asked = questions(general, narrowed)
    tree = _Tree(aws) if asked.units else None
    if not asked.accounts:
        found, gone = [Account(each) for each in dict.fromkeys(want.ids)], dict[str, tuple[Account, str]]()
        known, unknown = set(want.ids), "is not among `accounts.ids`"
    else:
        found, gone = _listed(aws)
        known, unknown = {each.id for each in found} | gone.keys(), "the organization has no such account"
    if tree is not None:
        found = [replace(each, units=tree.of(each.id)) for each in found]
        gone = {n: (replace(each, units=tree.of(n)), why) for n, (each, why) in gone.items()}
        tree.check(_units(general), narrowed.units)
    wrong = [(path, unknown) for path, each in _ids(general) if each not in known]
    if want.log_archive in gone:
        wrong.append((("accounts", "log_archive"), f"this account {gone[want.log_archive][1]}: name another"))
    if wrong:
        raise NotInOrganization(wrong)
    if asked.tags:
        found = _tagged(aws, found)
    chosen = [each for each in found if _wanted(each, want)]
    missed = [(each, why) for each, why in gone.values() if _wanted(each, want)]
    _check_flags(narrowed, chosen, [each for each, _ in missed])
    return _narrowed(chosen, missed, narrowed, general)


def _narrowed(
    chosen: Sequence[Account],
    missed: Sequence[tuple[Account, str]],
    narrowed: AccountFilter,
    general: General,
) -> SelectedAccounts:
    """Those that the command line leaves, and that the file allows to be touched."""
    kept, skipped = [], [_left_out(each, why) for each, why in missed if _remains(each, narrowed)]
    for each in chosen:
        if not _remains(each, narrowed):
            continue
        if general.allowed_account_ids is not None and each.id not in general.allowed_account_ids:
            skipped.append(_left_out(each, "is not among `allowed_account_ids`"))
        else:
            kept.append(replace(each, overrides=_overrides(each, general)))
    return SelectedAccounts(tuple(sorted(kept, key=lambda a: a.id)), tuple(skipped))


def _left_out(account: Account, why: str) -> Skipped:
    return Skipped(account.id, "", why, account.name)


def _selections(general: General) -> Iterator[tuple[Path, Some]]:
    """Everything in the file that selects accounts."""
    want = general.accounts or Accounts(all=True)
    yield ("accounts",), want
    yield ("accounts", "exclude"), want.exclude
    for index, each in enumerate(general.overrides):
        yield ("overrides", index), each


def _units(general: General) -> Iterator[tuple[Path, str]]:
    for path, some in _selections(general):
        for index, unit in enumerate(some.organizational_units):
            yield (*path, "organizational_units", index), unit


def _ids(general: General) -> Iterator[tuple[Path, str]]:
    for path, some in _selections(general):
        for index, each in enumerate(some.ids):
            yield (*path, "ids", index), each
    want = general.accounts
    if want and want.log_archive and not want.listed:
        yield ("accounts", "log_archive"), want.log_archive


def _uses_tags(general: General) -> bool:
    return any(some.tags for _, some in _selections(general))


def _listed(aws: Aws) -> tuple[list[Account], dict[str, tuple[Account, str]]]:
    """Every account of the organization; by their ids those that are not active, with the reason."""
    found: list[Account] = []
    gone: dict[str, tuple[Account, str]] = {}
    for each in aws.read("organizations").list_accounts().get("Accounts"):
        account = Account(each["Id"], each.get("Name", ""))
        state = each.get("State") or each.get("Status")
        if state == _ACTIVE:
            found.append(account)
        else:
            gone[account.id] = (account, f"is {str(state).lower().replace('_', ' ')}")
    return found, gone


def _tagged(aws: Aws, accounts: Iterable[Account]) -> list[Account]:
    """The accounts with their tags, all asked for at once."""
    read = aws.read("organizations")
    asked = [(each, read.list_tags_for_resource(ResourceId=each.id)) for each in accounts]
    return [
        replace(each, tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags")}) for each, answer in asked
    ]


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


def _check_flags(narrowed: AccountFilter, chosen: Sequence[Account], missed: Sequence[Account]) -> None:
    """Raises Refused for an account that the file is not for."""
    known = {word for each in (*chosen, *missed) for word in _words(each)}
    for flag, given in (("--accounts", narrowed.accounts), ("--not-accounts", narrowed.not_accounts)):
        if unknown := next((each for each in given if each not in known), None):
            hint = did_you_mean(unknown, known)
            count = f"{len(chosen)} account{'' if len(chosen) == 1 else 's'}"
            raise Refused(f"{flag} {unknown}: none of the {count} that the file is for{hint and f'; {hint}'}")


def _words(account: Account) -> set[str]:
    """What the account is called on the command line."""
    return {account.id, account.name} - {""}


def _remains(account: Account, narrowed: AccountFilter) -> bool:
    """The command line leaves the account."""
    words = _words(account)
    return not (
        (narrowed.accounts and words.isdisjoint(narrowed.accounts))
        or not words.isdisjoint(narrowed.not_accounts)
        or (narrowed.units and account.units.isdisjoint(narrowed.units))
    )


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

    def check(self, file: Iterable[tuple[Path, str]], flags: Iterable[str]) -> None:
        """Raises Mistaken or Refused for a unit that there is not."""
        if wrong := [(path, self._unknown(unit)) for path, unit in file if unit not in self.known]:
            raise NotInOrganization(wrong)
        if unknown := next((each for each in flags if each not in self.known), None):
            raise Refused(f"--ou {unknown}: {self._unknown(unknown)}")

    def _unknown(self, unit: str) -> str:
        """That there is no such unit, and which are meant perhaps."""
        names = sorted(each for each in self.known if not each.startswith(("ou-", "r-")))
        paths = [each for each in names if each.endswith(f"/{unit}")]  # a name that is not from the root
        hint = f"did you mean {quoted(paths[0])}?" if paths else did_you_mean(unit, names)
        more = [f"{len(names) - _FEW} more"] if len(names) > _FEW else []
        there = listed([*names[:_FEW], *more], "and") if names else "none"
        return f"the organization has no such unit; {hint or f'there are {there}'}"
