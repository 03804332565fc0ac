"""The accounts of the organization that the file and the command line select, and those skipped with the reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ..aws import Aws
from ..aws.errors import BotoCoreError, ClientError
from ..baseline.accounts import Accounts, AccountSelector
from ..baseline.general import General
from ..baseline.problem import Path, did_you_mean, dotted, listed, quoted
from ..model import Account, Refused, Skipped
from ..report import words

_ACTIVE: Final = "ACTIVE"
# What looks like an account's id is never a name: else the id of an account that is gone could mean another one.
_ACCOUNT_ID: Final = re.compile(r"[0-9]{12}")
_FEW: Final = 8  # units named in the error for an unknown one
_Inactive = dict[str, tuple[Account, str]]  # accounts that cannot be used by id, each with the reason


@dataclass(frozen=True)
class AccountFilter:
    """The accounts of the file that the command line selects, by id or name. Empty: all of them."""

    accounts: tuple[str, ...] = ()
    not_accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.accounts or self.not_accounts or self.units)


@dataclass(frozen=True)
class SelectedAccounts:
    """The accounts of a run, in the order in which they are done, and those that are skipped."""

    accounts: tuple[Account, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Lookups:
    """What AWS must be asked to find the accounts: the list of accounts, the tree of units with their accounts, the tags."""

    accounts: bool
    units: bool
    tags: bool


def lookups(general: General, only: AccountFilter | None = None) -> Lookups:
    """What the file and the command line make necessary; nothing if the file lists ids."""
    units = any(_units(general)) or bool(only and only.units)
    tags = any(selection.tags for _, selection in _selections(general))
    return Lookups(units or tags or not (general.accounts and general.accounts.listed), units, tags)


class NotInOrganization(Refused):
    """The file names units or accounts that the organization does not have. *found*: each path in the file, and why."""

    def __init__(self, found: Sequence[tuple[Path, str]]):
        self.found = tuple(found)
        super().__init__("; ".join(f"{dotted(path)}: {message}" for path, message in found))


def select_accounts(aws: Aws, general: General, only: AccountFilter) -> SelectedAccounts:
    """The accounts that the file and the command line select. Reads no more from AWS than `lookups` says.

    Raises NotInOrganization for a unit or account of the file that does not exist, Refused for one of a flag.
    """
    want = general.accounts
    assert want is not None  # noqa: S101 - a file for one account selects none
    needs = lookups(general, only)
    tree = _Tree(aws) if needs.units else None
    active, inactive = [Account(each) for each in dict.fromkeys(want.ids)], _Inactive()
    if needs.accounts:
        active, inactive = _list_accounts(aws)
    if tree is not None:
        active = [replace(each, units=tree.of(each.id)) for each in active]
        inactive = {n: (replace(each, units=tree.of(n)), why) for n, (each, why) in inactive.items()}
        tree.check(_units(general), only.units)
    unknown = "the organization has no such account" if needs.accounts else "is not among `accounts.ids`"
    _check_ids(general, {each.id for each in active}, inactive, unknown)
    if needs.tags:
        active = _with_tags(aws, active)
    active = [each for each in active if _selected(each, want)]
    missed = [(each, why) for each, why in inactive.values() if _selected(each, want)]
    only = _with_ids(only, active, [each for each, _ in missed])
    return _filtered(active, missed, only, general)


def _check_ids(general: General, active: Collection[str], inactive: _Inactive, unknown: str) -> None:
    """Raise NotInOrganization for ids of the file that are neither, each with *unknown*, and for an inactive log archive."""
    wrong = [(path, unknown) for path, each in _ids(general) if each not in active and each not in inactive]
    if general.accounts and (archive := general.accounts.log_archive) in inactive:
        wrong.append((("accounts", "log_archive"), f"this account {inactive[archive][1]}: name another"))
    if wrong:
        raise NotInOrganization(wrong)


def _filtered(
    active: Sequence[Account],
    inactive: Sequence[tuple[Account, str]],
    only: AccountFilter,
    general: General,
) -> SelectedAccounts:
    """Apply the filter of the command line and `allowed_account_ids`, and number the overrides of each account."""
    kept, skipped = [], [_skipped(each, why) for each, why in inactive if _passes(each, only)]
    for each in active:
        if not _passes(each, only):
            continue
        if general.allowed_account_ids is not None and each.id not in general.allowed_account_ids:
            skipped.append(_skipped(each, "is not among `allowed_account_ids`"))
        else:
            overrides = (i for i, override in enumerate(general.overrides) if _matches(each, override))
            kept.append(replace(each, overrides=tuple(overrides)))
    return SelectedAccounts(tuple(sorted(kept, key=lambda a: a.id)), tuple(skipped))


def _skipped(account: Account, why: str) -> Skipped:
    return Skipped(account.id, "", why, account.name)


def _selections(general: General) -> Iterator[tuple[Path, AccountSelector]]:
    """Everything in the file that selects accounts, with its path."""
    want = general.accounts or Accounts(all=True)
    yield ("accounts",), want
    yield ("accounts", "exclude"), want.exclude
    for index, each in enumerate(general.overrides):
        yield ("overrides", index), each


def _units(general: General) -> Iterator[tuple[Path, str]]:
    for path, selection in _selections(general):
        for index, unit in enumerate(selection.organizational_units):
            yield (*path, "organizational_units", index), unit


def _ids(general: General) -> Iterator[tuple[Path, str]]:
    for path, selection in _selections(general):
        for index, each in enumerate(selection.ids):
            yield (*path, "ids", index), each
    want = general.accounts
    if want and want.log_archive and not want.listed:
        yield ("accounts", "log_archive"), want.log_archive


def _list_accounts(aws: Aws) -> tuple[list[Account], _Inactive]:
    """The active accounts of the organization, and the others.

    One that changes while the pages are read may be on two of them: it is done once, and not at all if it was closed.
    """
    active: dict[str, Account] = {}
    inactive = _Inactive()
    for each in aws.read("organizations").list_accounts().get("Accounts"):
        account = Account(each["Id"], each.get("Name", ""))
        if why := _why_inactive(each):
            inactive[account.id] = (account, why)
        else:
            active[account.id] = account
    return [each for each in active.values() if each.id not in inactive], inactive


def _with_tags(aws: Aws, accounts: Iterable[Account]) -> list[Account]:
    """The accounts with their tags, which are read in parallel."""
    read = aws.read("organizations")
    asked = [(each, read.list_tags_for_resource(ResourceId=each.id)) for each in accounts]
    return [
        replace(each, tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags")}) for each, answer in asked
    ]


def _selected(account: Account, want: Accounts) -> bool:
    return (want.all or _matches(account, want)) and not _matches(account, want.exclude)


def _matches(account: Account, selection: AccountSelector) -> bool:
    """Whether the account is named, is in one of the units, or has all of the tags."""
    return (
        account.id in selection.ids
        or not account.units.isdisjoint(selection.organizational_units)
        or (selection.tags is not None and selection.tags.items() <= account.tags.items())
    )


def _with_ids(only: AccountFilter, active: Sequence[Account], inactive: Sequence[Account]) -> AccountFilter:
    """Return the filter of the command line with ids in place of names.

    Raises Refused for an account that the file does not select, and for a name that several have.
    """
    every = (*active, *inactive)

    def find(flag: str, given: str) -> str:
        ids = [each.id for each in every if each.id == given]
        if not ids and not _ACCOUNT_ID.fullmatch(given):
            ids = [each.id for each in every if each.name == given]
        if not ids:
            hint = did_you_mean(given, {name for each in every for name in (each.id, each.name) if name})
            count = words.plural(len(active), "account")
            raise Refused(f"{flag} {given}: none of the {count} that the file is for{hint and f'; {hint}'}")
        if len(ids) > 1:
            raise Refused(f"{flag} {given}: {listed(sorted(ids), 'and')} have that name: give the id")
        return ids[0]

    return replace(
        only,
        accounts=tuple(find("--accounts", each) for each in only.accounts),
        not_accounts=tuple(find("--not-accounts", each) for each in only.not_accounts),
    )


def _passes(account: Account, only: AccountFilter) -> bool:
    """Whether the command line, with ids in place of names, selects the account."""
    return not (
        (only.accounts and account.id not in only.accounts)
        or account.id in only.not_accounts
        or (only.units and account.units.isdisjoint(only.units))
    )


def why_unusable(aws: Aws, account: str) -> str:
    """Why nothing can be done in an account of the organization: `is closed`; empty if that is not so, or not known."""
    try:
        return _why_inactive(aws.read("organizations").describe_account(AccountId=account).get("Account"))
    except (ClientError, BotoCoreError):
        return ""


def _why_inactive(account: Mapping[str, Any]) -> str:
    """Why an account of AWS's answer cannot be used, or empty. `State` is newer than `Status`."""
    state = str(account.get("State") or account.get("Status"))
    return "" if state == _ACTIVE else f"is {state.lower().replace('_', ' ')}"


class _Tree:
    """The organizational units and the accounts in them, read level by level.

    A unit is named by its id, or by the path of its names, unless that is the id of a unit.
    """

    def __init__(self, aws: Aws) -> None:
        self._units: dict[str, frozenset[str]] = {}  # the ids of the units of each account
        self._paths: dict[str, str] = {}  # by id; those of the roots are empty
        read = aws.read("organizations")
        level = [(root["Id"], "", frozenset({root["Id"]})) for root in read.list_roots().get("Roots")]
        self._paths.update({root: "" for root, _, _ in level})
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
        self._ids: dict[str, list[str]] = {}  # by path
        for each, path in self._paths.items():
            if path and path not in self._paths:
                self._ids.setdefault(path, []).append(each)

    def _below(
        self, above: frozenset[str], path: str, units: Any, accounts: Any
    ) -> Iterator[tuple[str, str, frozenset[str]]]:
        for account in accounts.get("Accounts"):
            self._units[account["Id"]] = above
        for unit in units.get("OrganizationalUnits"):
            name = f"{path}/{unit['Name']}" if path else unit["Name"]
            self._paths[unit["Id"]] = name
            yield unit["Id"], name, above | {unit["Id"]}

    def of(self, account: str) -> frozenset[str]:
        """The ids and paths of the units that the account is in."""
        ids = self._units.get(account, frozenset())
        return ids | ({self._paths[each] for each in ids} & self._ids.keys())

    def check(self, file: Iterable[tuple[Path, str]], flags: Iterable[str]) -> None:
        """Raises NotInOrganization for a wrong unit of the file, Refused for one of a flag."""
        if wrong := [(path, why) for path, unit in file if (why := self._wrong(unit))]:
            raise NotInOrganization(wrong)
        for unit in flags:
            if why := self._wrong(unit):
                raise Refused(f"--ou {unit}: {why}")

    def _wrong(self, unit: str) -> str:
        """Why no unit is meant by an id or path; empty if one is."""
        if unit in self._paths or len(self._ids.get(unit, ())) == 1:
            return ""
        if several := self._ids.get(unit):
            return f"{listed(sorted(several), 'and')} have that name: give the id"
        names = sorted(self._ids)
        paths = [each for each in names if each.endswith(f"/{unit}")]  # the path without its first parts
        hint = f"did you mean {quoted(paths[0])}?" if paths else did_you_mean(unit, names)
        more = [f"{len(names) - _FEW} more"] if len(names) > _FEW else []
        there = listed([*names[:_FEW], *more], "and") if names else "none"
        return f"the organization has no such unit; {hint or f'there are {there}'}"
