"""Who may do what under one resource policy: IAM's evaluation, as far as a log bucket needs it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

Verdict = Literal["allow", "deny"] | None


@dataclass(frozen=True)
class Act:
    """One thing somebody wants to do. *principal* is an ARN or a service; context keys are lower case."""

    action: str
    resource: str
    principal: str
    context: Mapping[str, str] = field(default_factory=dict)


def many(value: Any) -> list[Any]:
    """A policy's scalar or list, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def decide(document: Mapping[str, Any] | None, act: Act) -> Verdict:
    """What *document* says: an explicit deny wins, silence is None."""
    verdict: Verdict = None
    for statement in many((document or {}).get("Statement")):
        if not applies(statement, act):
            continue
        if str(statement.get("Effect", "")).lower() == "deny":
            return "deny"
        verdict = "allow"
    return verdict


def applies(statement: Mapping[str, Any], act: Act, *, identity: bool = False) -> bool:
    """The statement speaks about this act; an *identity* policy names no principal."""
    return (
        (identity or _principal_matches(statement, act.principal))
        and _matches(statement, "Action", act.action, fold=True)
        and _matches(statement, "Resource", act.resource, fold=False)
        and conditions_hold(statement.get("Condition") or {}, act.context)
    )


def decide_identity(documents: Iterable[Mapping[str, Any]], act: Act) -> Verdict:
    """What the policies attached to a role say."""
    verdict: Verdict = None
    for document in documents:
        for statement in many(document.get("Statement")):
            if applies(statement, act, identity=True):
                if str(statement.get("Effect", "")).lower() == "deny":
                    return "deny"
                verdict = "allow"
    return verdict


def _principal_matches(statement: Mapping[str, Any], principal: str) -> bool:
    if "NotPrincipal" in statement:
        return not _named(statement["NotPrincipal"], principal)
    return _named(statement.get("Principal"), principal)


def _named(named: Any, principal: str) -> bool:
    if named == "*":
        return True
    if not isinstance(named, Mapping):
        return False
    is_service = principal.endswith(".amazonaws.com")
    # AWS documents that {"AWS": "*"} means everyone, services included.
    if "*" in many(named.get("AWS")):
        return True
    if is_service:
        return principal in many(named.get("Service"))
    account = principal.split(":")[4] if principal.count(":") >= 5 else principal
    whole = {
        principal,
        account,
        principal.split(":", maxsplit=1)[0] + f":{_partition(principal)}:iam::{account}:root",
    }
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


def conditions_hold(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Every condition is met by the request's context."""
    return all(
        _holds(operator, key.lower(), [_text(v) for v in many(values)], context)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool:
    name = operator.lower().removeprefix("foranyvalue:").removeprefix("forallvalues:")
    have = context.get(key)
    if name == "null":
        return (have is None) == (values == ["true"])
    lenient = name.endswith("ifexists") or operator.lower().startswith("forallvalues:")
    name = name.removesuffix("ifexists")
    if have is None and lenient:
        return True
    negative = name.replace("not", "", 1) if "not" in name else None
    test = _TESTS.get(negative or name)
    if test is None:
        return False
    if have is None:
        return negative is not None
    found = any(test(want, have) for want in values)
    return not found if negative else found
