"""The roles and users of this account that statements of the file name: AWS takes no policy that names a missing one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..aws import Aws
from ..compare import policy
from ..model import Changes, Finding, Findings, Part, Refused, Target
from .existing import Look, role, user
from .permission import Permission, allow, with_or_without_path

_LOOKS: Final = {"role": role, "user": user}


def look_at_principals(aws: Aws, statements: Sequence[Mapping[str, Any]]) -> list[Look]:
    """Start to look at each role and user of this account that the statements name, in the order of their ARNs."""
    found = _named(statements, aws.account)
    return [_LOOKS[kind](aws, aws.region, name) for kind, names in found.items() for name in names]


def without_missing(
    statements: Sequence[policy.Statement], looks: Sequence[Look]
) -> tuple[list[policy.Statement], str]:
    """The statements but those that name what is missing, as one would have AWS refuse the others too; and what is."""
    missing = {each.name: each.text for look in looks for each in [look()] if each.ok is False}
    left = [each for each in statements if not missing.keys() & _principals(each)]
    return left, "; ".join(missing.values())


def tell_missing(resource: str, missing: str) -> Changes:
    """Refuse what `without_missing` has found missing, as a part of its own: the resource itself can be used."""

    def refuse() -> Changes:
        raise Refused(f"{missing}; the statements that name it are left out")
        yield

    if missing:
        yield Part(f"principals of {resource}", refuse())


def verify_principals(resource: str, looks: Sequence[Look]) -> Findings:
    """Find whether each of them exists."""
    for look in looks:
        found = look()
        yield Finding(resource, f"{found.what} in the policy", found.ok, found.text)


def principal_permissions(
    title: str, target: Target, statements: Sequence[Mapping[str, Any]]
) -> Iterator[Permission]:
    """The permissions to look at them."""
    for kind, names in _named(statements, target.account).items():
        if names:
            yield from allow(
                title,
                "iam",
                [f"Get{kind.title()}"],
                on=sorted({x for n in names for x in with_or_without_path(n)}),
            )


def _named(statements: Sequence[Mapping[str, Any]], account: str) -> dict[str, list[str]]:
    """The ARNs of the roles and of the users of the account."""
    names = sorted({name for each in statements for name in _principals(each)})
    return {
        kind: [
            name
            for name in names
            if name.split(":")[3:5] == ["", account] and name.split(":")[5].startswith(f"{kind}/")
        ]
        for kind in _LOOKS
    }


def _principals(statement: Mapping[str, Any]) -> set[str]:
    """The ARNs of what is in IAM in a statement, without patterns."""
    who = [statement.get(element) for element in ("Principal", "NotPrincipal")]
    named = {n for each in who if isinstance(each, Mapping) for n in policy.listed(each.get("AWS"))}
    return {each for each in named if each.split(":")[2:3] == ["iam"] and each.count(":") == 5}
