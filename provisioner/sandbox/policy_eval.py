"""Who may do what under one policy: IAM's evaluation, as far as log buckets and roles need it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

Verdict = Literal["allow", "deny"] | None
Context = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Act:
    """One thing somebody wants to do. *principal* is an ARN or a service; context keys are lower case.

    *names* are the other names of the principal: a session's role, for one. A context value is a tuple where the
    key has several values.
    """

    action: str
    resource: str
    principal: str
    context: Context = field(default_factory=dict)
    names: frozenset[str] = frozenset()


def many(value: Any) -> list[Any]:
    """A policy's scalar or list, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def decide(document: Mapping[str, Any] | None, act: Act) -> Verdict:
    """What *document* says: an explicit deny wins, silence is None."""
    return _verdict([document or {}], act)


def decide_identity(documents: Iterable[Mapping[str, Any]], act: Act) -> Verdict:
    """What the policies attached to a role say."""
    return _verdict(documents, act, identity=True)


def decide_trust(document: Mapping[str, Any], act: Act) -> Verdict:
    """What a role's trust policy says of who wants to assume it."""
    return _verdict([document], act, trust=True)


def _verdict(
    documents: Iterable[Mapping[str, Any]], act: Act, *, identity: bool = False, trust: bool = False
) -> Verdict:
    verdict: Verdict = None
    for document in documents:
        for statement in many(document.get("Statement")):
            if applies(statement, act, identity=identity, trust=trust):
                if str(statement.get("Effect", "")).lower() == "deny":
                    return "deny"
                verdict = "allow"
    return verdict


def applies(statement: Mapping[str, Any], act: Act, *, identity: bool = False, trust: bool = False) -> bool:
    """The statement speaks about this act; an *identity* policy names no principal, a *trust* policy no resource."""
    return (
        (identity or _principal_matches(statement, act))
        and _matches(statement, "Action", act.action, fold=True)
        and (trust or _matches(statement, "Resource", act.resource, fold=False))
        and conditions_hold(statement.get("Condition") or {}, act.context)
    )


def _principal_matches(statement: Mapping[str, Any], act: Act) -> bool:
    if "NotPrincipal" in statement:
        return not _named(statement["NotPrincipal"], act)
    return _named(statement.get("Principal"), act)


def _named(named: Any, act: Act) -> bool:
    if named == "*":
        return True
    if not isinstance(named, Mapping):
        return False
    principal = act.principal
    is_service = principal.endswith(".amazonaws.com")
    # AWS documents that {"AWS": "*"} means everyone, services included.
    if "*" in many(named.get("AWS")):
        return True
    if is_service:
        return principal in many(named.get("Service"))
    account = principal.split(":")[4] if principal.count(":") >= 5 else principal
    whole = {principal, account, f"arn:{_partition(principal)}:iam::{account}:root", *act.names}
    return bool(whole & {str(name) for name in many(named.get("AWS"))})


def _partition(arn: str) -> str:
    parts = arn.split(":")
    return parts[1] if len(parts) > 1 else "aws"


def _matches(statement: Mapping[str, Any], key: str, value: str, *, fold: bool) -> bool:
    if f"Not{key}" in statement:
        return not any(like(str(p), value, fold=fold) for p in many(statement[f"Not{key}"]))
    return any(like(str(p), value, fold=fold) for p in many(statement.get(key)))


def like(pattern: str, value: str, *, fold: bool = False) -> bool:
    """*value* fits a pattern with `*` and `?`."""
    return bool(_pattern(pattern.lower() if fold else pattern).fullmatch(value.lower() if fold else value))


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _arn_like(pattern: str, value: str) -> bool:
    # Unlike StringLike, the wildcard of an ARN operator does not reach over a colon of the first five.
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(like, patterns, values))


def _string_like(pattern: str, value: str) -> bool:
    return like(pattern, value)


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def test(want: str, have: str) -> bool:
        try:
            return compare(float(have), float(want))
        except ValueError:
            return False

    return test


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "stringequals": lambda want, have: want == have,
    "stringequalsignorecase": lambda want, have: want.lower() == have.lower(),
    "stringlike": _string_like,
    "arnequals": _arn_like,
    "arnlike": _arn_like,
    "bool": lambda want, have: want.lower() == have.lower(),
    "ipaddress": lambda want, have: True,
    "numericequals": _number(lambda have, want: have == want),
    "numericlessthan": _number(lambda have, want: have < want),
    "numericlessthanequals": _number(lambda have, want: have <= want),
    "numericgreaterthan": _number(lambda have, want: have > want),
    "numericgreaterthanequals": _number(lambda have, want: have >= want),
}


def conditions_hold(conditions: Mapping[str, Any], context: Context) -> bool:
    """Every condition is met by the request's context."""
    return all(
        _holds(operator, key.lower(), [_text(v) for v in many(values)], context)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(operator: str, key: str, values: list[str], context: Context) -> bool:
    name = operator.lower().removeprefix("foranyvalue:").removeprefix("forallvalues:")
    have = many(context.get(key))
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
    if not have:
        return negative is not None
    fits = (any(test(want, one) for want in values) is not bool(negative) for one in have)
    return all(fits) if every else any(fits)
