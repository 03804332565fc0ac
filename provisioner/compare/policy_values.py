"""The values in a policy statement: where each of them is, and what a condition operator takes.

Source: "IAM JSON policy elements: Condition operators" in the IAM User Guide.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from . import global_keys
from .policy import listed
from .policy_spelling import OPERATORS

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str]]  # errors: the path in the statement, in AWS's spelling, and the message


def condition_errors(condition: Mapping[str, Any]) -> Found:
    """The errors in a `Condition`: operators, keys and values that AWS does not take."""
    for operator, keys in condition.items():
        if operator not in OPERATORS:
            same = [name for name in OPERATORS if name.lower() == str(operator).lower()]
            near = same or difflib.get_close_matches(str(operator), OPERATORS, n=1)
            hint = (
                f"did you mean `{near[0]}`"
                if near
                else "want one such as `StringEquals`, `ArnLike` or `Bool`"
            )
            yield ("Condition", str(operator)), f"unknown condition operator `{operator}`: {hint}"
            continue
        want, is_valid = _value_kind(operator)
        for key in keys:
            if not re.fullmatch(r"[A-Za-z0-9-]+:.+", str(key)):
                text = f"want a condition key such as `aws:PrincipalOrgID`, got `{key}`"
                yield ("Condition", operator, str(key)), text
            if meant := global_keys.intended(str(key)):
                text = f"AWS has no condition key `{key}`: did you mean `{meant}`"
                yield ("Condition", operator, str(key)), text
            if not has_values(keys[key]):
                yield (
                    ("Condition", operator, str(key)),
                    f"want {want}, or a list of several, got {got(keys[key])}",
                )
                continue
            for path, value in each_value(keys, key):
                if "${" not in value and not is_valid(value):
                    yield ("Condition", operator, *path), f"`{operator}`: want {want}, got `{value}`"


def _value_kind(operator: str) -> tuple[str, Callable[[str], bool]]:
    """What values a condition operator takes: in words, and as a test."""
    plain = operator.rpartition(":")[2].removesuffix("IfExists")
    if plain in {"Bool", "Null"}:
        return "`true` or `false`", lambda value: value.lower() in {"true", "false"}
    if plain.endswith("IpAddress"):
        return "an address range such as `203.0.113.0/24`", _parses(
            lambda value: ip_network(value, strict=False)
        )
    if plain.startswith("Numeric"):
        return "a number", lambda value: re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is not None
    if plain.startswith("Date"):
        return "a date such as `2030-12-31T00:00:00Z`", lambda value: value.isdigit() or _is_date(value)
    return "text", lambda value: True


def _parses(parse_value: Callable[[str], object]) -> Callable[[str], bool]:
    def is_valid(value: str) -> bool:
        with suppress(ValueError):
            return bool(parse_value(value)) or True
        return False

    return is_valid


_is_date = _parses(datetime.fromisoformat)


def has_values(value: Any) -> bool:
    """Whether it is one value or a list of some."""
    several = value if isinstance(value, list | tuple) else [value]
    return bool(several) and not any(each is None or isinstance(each, list | Mapping) for each in several)


def each_value(have: Mapping[str, Any], *names: str) -> Iterator[tuple[Path, str]]:
    """Each value of these keys, as text, with its path."""
    for name in names:
        value = have.get(name)
        several = isinstance(value, list | tuple)
        for index, text in enumerate(listed(value)):
            yield (name, index) if several else (name,), text


def got(value: Any) -> str:
    """What is there instead of what is wanted, in words."""
    return "none" if value is None else f"`{value}`"
