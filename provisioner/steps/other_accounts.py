"""Statements of ours that also let in accounts which another file has deliver to the same bucket or key.

Two files may have their log files in one bucket, each with accounts of its own. Without this, each run would take the
permission from the accounts of the other file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ..aws import Aws
from ..aws.errors import DENIED, ClientError, code_of
from ..compare.policy import Statement, listed
from ..model import Kind, Note
from .organization import own_organization

_ACCOUNT: Final = "aws:sourceaccount"
_ORGANIZATION: Final = "aws:sourceorgid"
_NONE: Final = ("AccountNotFoundException", "AWSOrganizationsNotInUseException")


def with_other_accounts(aws: Aws, have: Iterable[Statement], want: Sequence[Statement]) -> list[Statement]:
    """The statements *want*, with the accounts, or the organization, that ours in *have* let in for the same services.

    An account that is in no organization with this one is not kept. Of others that cannot be known: they are.
    """
    found = {str(each.get("Sid")): each for each in have}
    pairs = [(found.get(str(each["Sid"])), each) for each in want]
    wide = {
        service
        for before, each in pairs
        if before is not None and _values(each, _ACCOUNT) and (ids := _values(before, _ORGANIZATION))
        if ids == {own_organization(aws)}
        for service in _services(each)
    }
    return [_merged(aws, before, each, wide=not wide.isdisjoint(_services(each))) for before, each in pairs]


def told_accounts(title: str, want: Sequence[Statement], merged: Sequence[Statement]) -> Iterator[Note]:
    """Tell the accounts that only *merged* lets in."""
    added = sorted(
        {a for w, m in zip(want, merged, strict=True) for a in _values(m, _ACCOUNT) - _values(w, _ACCOUNT)}
    )
    if added:
        text = f"lets services of the accounts {', '.join(added)} deliver, too, which this file does not name"
        yield Note(Kind.WARNING, title, text)


def _merged(aws: Aws, have: Statement | None, want: Statement, *, wide: bool) -> Statement:
    asked = _values(want, _ACCOUNT)
    if have is None or not asked:
        return want
    if wide:
        [organization, *_] = [*_values(have, _ORGANIZATION), ""]
        return _widened(have, want, asked, organization)
    kept = {each for each in _values(have, _ACCOUNT) - asked if _may_be_ours(aws, each)}
    if not kept:
        return want

    def more(name: str, value: Any, there: Any) -> Any:
        if name.lower() == _ACCOUNT:
            return sorted(asked | kept)
        return _one_or_many(value, [each for each in listed(there) if kept & {*re.split(r"[:/]", each)}])

    return _with_values(have, want, more)


def _widened(have: Statement, want: Statement, asked: set[str], organization: str) -> Statement:
    """The statement for the whole organization: what names an account in *want* may name any, as it does in *have*."""
    account = re.compile("|".join(sorted(asked)))

    def more(_: str, value: Any, there: Any) -> Any:
        def widest(each: str) -> str:
            return next(
                (f for f in (_of_all(account, each), account.sub("*", each)) if f in listed(there)), each
            )

        found = list(dict.fromkeys(map(widest, listed(value))))
        return value if found == listed(value) else found

    made = _with_values(have, want, more)
    conditions = {
        operator: {key: value for key, value in keys.items() if key.lower() != _ACCOUNT}
        for operator, keys in made["Condition"].items()
    }
    if organization:
        conditions["StringEquals"]["aws:SourceOrgID"] = organization
    conditions = {operator: keys for operator, keys in conditions.items() if keys}
    return {key: value for key, value in {**made, "Condition": conditions}.items() if value}


def _of_all(account: re.Pattern[str], path: str) -> str:
    """The path below the folder of any account."""
    head, found, _ = path.partition("AWSLogs/")
    return f"{head}{found}*/*" if found and account.search(path) else path


def _with_values(have: Statement, want: Statement, more: Callable[[str, Any, Any], Any]) -> dict[str, Any]:
    """The statement *want*, its resource and the values of its conditions given to *more* beside those of *have*."""
    there = {
        (operator, key.lower()): value
        for operator, keys in (have.get("Condition") or {}).items()
        for key, value in keys.items()
    }
    conditions = {
        operator: {key: more(key, value, there.get((operator, key.lower()))) for key, value in keys.items()}
        for operator, keys in want["Condition"].items()
    }
    resource = more("Resource", want["Resource"], have.get("Resource"))
    return {**want, "Resource": resource, "Condition": conditions}


def _one_or_many(value: Any, kept: Sequence[str]) -> Any:
    """The value as it is, or with what is kept besides."""
    more = [each for each in kept if each not in listed(value)]
    return sorted([*listed(value), *more]) if more else value


def _values(statement: Statement, name: str) -> set[str]:
    """The values of a key that the statement's `StringEquals` asks for."""
    equals: Mapping[str, Any] = (statement.get("Condition") or {}).get("StringEquals") or {}
    return {each for key, value in equals.items() if key.lower() == name for each in listed(value)}


def _services(statement: Statement) -> set[str]:
    principal = statement.get("Principal")
    return {*listed(principal.get("Service"))} if isinstance(principal, Mapping) else set()


def _may_be_ours(aws: Aws, account: str) -> bool:
    """Whether the account is in the organization. Only its management account can know, and delegated administrators."""
    if not re.fullmatch("[0-9]{12}", account):
        return False
    try:
        return aws.read("organizations").describe_account(AccountId=account).found(*_NONE) is not None
    except ClientError as error:
        if code_of(error) in DENIED:
            return True
        raise
