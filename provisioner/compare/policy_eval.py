"""Evaluate IAM policies, as far as log buckets and roles need it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import Any, Literal

Verdict = Literal["allow", "deny"] | None
_KINDS = ("AWS", "CanonicalUser", "Federated")
Context = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Act:
    """One action on one resource by one principal, to be evaluated.

    *principal* is an ARN or a service; *names* are its other ARNs, e.g. the role of a session. Context keys are lower case, and
    a value is a tuple if the key has several.
    """

    action: str
    resource: str
    principal: str
    context: Context = field(default_factory=dict)
    names: frozenset[str] = frozenset()


def as_list(value: Any) -> list[Any]:
    """A scalar or list of a policy as a list; empty for None."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def decide(document: Mapping[str, Any] | None, act: Act) -> Verdict:
    """The decision of a resource policy: an explicit deny wins; None if no statement applies."""
    return _verdict([document or {}], act)


def decide_identity(documents: Iterable[Mapping[str, Any]], act: Act) -> Verdict:
    """The decision of the policies of an identity."""
    return _verdict(documents, act, identity=True)


def decide_trust(document: Mapping[str, Any], act: Act) -> Verdict:
    """The decision of a role's trust policy about a principal that assumes the role."""
    return _verdict([document], act, trust=True)


def _verdict(
    documents: Iterable[Mapping[str, Any]], act: Act, *, identity: bool = False, trust: bool = False
) -> Verdict:
    verdict: Verdict = None
    for document in documents:
        for statement in as_list(document.get("Statement")):
            if applies(statement, act, identity=identity, trust=trust):
                if str(statement.get("Effect", "")).lower() == "deny":
                    return "deny"
                verdict = "allow"
    return verdict


def applies(statement: Mapping[str, Any], act: Act, *, identity: bool = False, trust: bool = False) -> bool:
    """Whether the statement covers the act; an *identity* policy has no principal, a *trust* policy no resource."""
    return (
        (identity or _principal_matches(statement, act))
        and _matches(statement, "Action", act.action, fold=True)
        and (trust or _matches(statement, "Resource", act.resource, fold=False))
        and conditions_hold(statement.get("Condition") or {}, act.context)
    )


def _principal_matches(statement: Mapping[str, Any], act: Act) -> bool:
    if "NotPrincipal" in statement:
        return not _names_principal(statement["NotPrincipal"], act)
    return _names_principal(statement.get("Principal"), act)


def _names_principal(element: Any, act: Act) -> bool:
    if not isinstance(element, Mapping):
        return bool(element == "*")
    # AWS documents that {"AWS": "*"} means everyone, services included.
    if "*" in as_list(element.get("AWS")):
        return True
    principal = act.principal
    if "." in principal and ":" not in principal:  # a service, whose name may have the domain of a partition
        return principal in as_list(element.get("Service"))
    parts = principal.split(":")
    account, partition = (parts[4], parts[1]) if len(parts) > 5 else (principal, "aws")
    names = {principal, account, f"arn:{partition}:iam::{account}:root", *act.names}
    return any(names & {str(name) for name in as_list(element.get(kind))} for kind in _KINDS)


def _matches(statement: Mapping[str, Any], key: str, value: str, *, fold: bool) -> bool:
    negated = f"Not{key}" in statement
    patterns = as_list(statement.get(f"Not{key}" if negated else key))
    return any(like(str(pattern), value, fold=fold) for pattern in patterns) is not negated


def like(pattern: str, value: str, *, fold: bool = False) -> bool:
    """Whether the value matches a pattern with `*` and `?`."""
    return bool(_pattern(pattern.lower() if fold else pattern).fullmatch(value.lower() if fold else value))


@cache
def overlap(a: str, b: str) -> bool:
    """Whether some text matches both patterns with `*` and `?`."""
    row = [
        True,
        *(not b[:end].strip("*") for end in range(1, len(b) + 1)),
    ]  # of the parts of *b* for a part of *a*
    for x in a:
        above, row = row, [x == "*" and row[0]]
        for at, y in enumerate(b):
            either = "*" in {x, y} and (above[at + 1] or row[at])
            row.append(either or (above[at] and (x == y or "?" in {x, y})))
    return row[-1]


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _arn_like(pattern: str, value: str) -> bool:
    # Unlike in StringLike, a wildcard of an ARN operator does not match the first five colons.
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(like, patterns, values))


def _in_network(want: str, have: str) -> bool:
    try:
        return ip_address(have) in ip_network(want, strict=False)
    except ValueError:
        return False


def _seconds(date: str) -> float:
    """A date as IAM takes it, ISO 8601 or a number of seconds since 1970."""
    if date.isdigit():
        return float(date)
    parsed = datetime.fromisoformat(date)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _ordered(kind: str, read: Callable[[str], float]) -> dict[str, Callable[[str, str], bool]]:
    """The operators for values that have an order, which *read* converts to numbers."""

    def test(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
        def holds(want: str, have: str) -> bool:
            try:
                return compare(read(have), read(want))
            except ValueError:
                return False

        return holds

    signs = {"equals": eq, "lessthan": lt, "lessthanequals": le, "greaterthan": gt, "greaterthanequals": ge}
    return {f"{kind}{name}": test(compare) for name, compare in signs.items()}


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "stringequals": lambda want, have: want == have,
    "stringequalsignorecase": lambda want, have: want.lower() == have.lower(),
    "stringlike": like,
    "arnequals": _arn_like,
    "arnlike": _arn_like,
    "bool": lambda want, have: want.lower() == have.lower(),
    "binaryequals": lambda want, have: want == have,
    "ipaddress": _in_network,
    **_ordered("numeric", float),
    **_ordered("date", _seconds),
}


def conditions_hold(conditions: Mapping[str, Any], context: Context) -> bool:
    """Whether the request's context meets every condition."""
    return all(
        _holds(operator, key.lower(), [to_text(v) for v in as_list(values)], context)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def to_text(value: Any) -> str:
    """A value of a condition as text; JSON's true and false in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(operator: str, key: str, values: list[str], context: Context) -> bool:
    name = operator.lower().removeprefix("foranyvalue:").removeprefix("forallvalues:")
    have = as_list(context.get(key))
    if name == "null":
        return (not have) == (values == ["true"])
    every = operator.lower().startswith("forallvalues:")
    lenient = every or name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    if not have and lenient:
        return True
    negative = name.replace("not", "", 1) if "not" in name else None
    test = _TESTS.get(negative or name)
    if test is None:
        return False
    if not have:  # `ForAnyValue` of no value is false
        return negative is not None and not operator.lower().startswith("foranyvalue:")
    fits = (any(test(want, one) for want in values) is not bool(negative) for one in have)
    return all(fits) if every else any(fits)
