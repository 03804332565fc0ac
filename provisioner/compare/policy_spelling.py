"""The words of a policy statement, in AWS's spelling and in snake_case.

Source: "IAM JSON policy elements" and "IAM JSON policy elements: Condition operators" in the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .spelling import snake_case

PAIRS: Final = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
ELEMENTS: Final = ("Sid", "Effect", *(name for pair in PAIRS for name in pair), "Condition")
PRINCIPALS: Final = ("AWS", "Service", "Federated", "CanonicalUser")

_COMPARISONS: Final = (
    "Equals",
    "NotEquals",
    "LessThan",
    "LessThanEquals",
    "GreaterThan",
    "GreaterThanEquals",
)
_VALUE_OPERATORS: Final = (
    *(
        f"String{each}"
        for each in ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
    ),
    *(f"{kind}{each}" for kind in ("Numeric", "Date") for each in _COMPARISONS),
    *(f"Arn{each}" for each in ("Equals", "NotEquals", "Like", "NotLike")),
    *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress"),
)
OPERATORS: Final = (
    "Null",
    *(
        f"{several}{each}{optional}"
        for several in ("", "ForAllValues:", "ForAnyValue:")
        for optional in ("", "IfExists")
        for each in _VALUE_OPERATORS
    ),
)


_AWS_WORDS: Final = {snake_case(word): word for word in (*ELEMENTS, *PRINCIPALS, *OPERATORS)}
_WITH_WORDS: Final = ("Principal", "NotPrincipal", "Condition")  # elements whose keys are words of AWS's


def to_aws_spelling(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The statement with its elements, kinds of principals and condition operators in AWS's spelling."""
    spelled = _spelled(statement)
    return {
        name: _spelled(value) if name in _WITH_WORDS and isinstance(value, Mapping) else value
        for name, value in spelled.items()
    }


def as_written(statement: Mapping[str, Any], path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A path in the statement in AWS's spelling, as the path in the statement as it is written."""
    value: Any = statement
    found: list[str | int] = []
    for part in path:
        key = part
        if isinstance(value, Mapping):
            key = next((each for each in value if _AWS_WORDS.get(each, each) == part), part)
            value = value.get(key)
        found.append(key)
    return tuple(found)


def _spelled(words: Mapping[str, Any]) -> dict[str, Any]:
    return {_AWS_WORDS.get(word, word): value for word, value in words.items()}
