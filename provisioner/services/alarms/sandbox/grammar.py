"""The grammar of filter patterns for JSON events: whether AWS takes a pattern, and whether it matches an event.

Source: CloudWatch Logs User Guide, "Filter pattern syntax for metric filters": a comparison, `EXISTS`, `NOT EXISTS`,
`IS NULL`, `IS TRUE`, `IS FALSE`, joined by `&&` before `||`, with parentheses; text with `*` at its ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

Matcher = Callable[[Any], bool]
_TOKENS: Final = re.compile(
    r"""\s*(?:(?P<join>&&|\|\||[()])|(?P<field>\$(?:\.[A-Za-z_][\w-]*|\[\d+\])+)"""
    r"""|(?P<operator>!=|<=|>=|=|<|>)|(?P<state>NOT\s+EXISTS|EXISTS|IS\s+(?:NULL|TRUE|FALSE))"""
    r"""|(?P<text>"(?:[^"\\]|\\.)*"|[\w*./:@-]+))"""
)
_MISSING: Final = object()


class BadPattern(ValueError):
    """AWS would refuse the pattern."""


def matcher(pattern: str) -> Matcher:
    """A function that tells whether a pattern matches an event. Raises BadPattern."""
    text = pattern.strip()
    if not (text.startswith("{") and text.endswith("}")):
        raise BadPattern("a pattern for JSON is in braces")
    tokens = [*_tokens(text[1:-1])]
    found = _either(tokens)
    if tokens:
        raise BadPattern(f"did not expect {tokens[0][1]}")
    return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        token = _TOKENS.match(text, at)
        if token is None:
            raise BadPattern(f"cannot read {text[at : at + 20]}")
        yield str(token.lastgroup), token[str(token.lastgroup)]
        at = token.end()


def _take(tokens: list[tuple[str, str]], kind: str) -> str:
    if not tokens or tokens[0][0] != kind:
        raise BadPattern(f"want a {kind}")
    return tokens.pop(0)[1]


def _joined(
    tokens: list[tuple[str, str]], word: str, below: Callable[[list[tuple[str, str]]], Matcher]
) -> list[Matcher]:
    found = [below(tokens)]
    while tokens and tokens[0] == ("join", word):
        tokens.pop(0)
        found.append(below(tokens))
    return found


def _either(tokens: list[tuple[str, str]]) -> Matcher:
    found = _joined(tokens, "||", _both)
    return lambda event: any(each(event) for each in found)


def _both(tokens: list[tuple[str, str]]) -> Matcher:
    found = _joined(tokens, "&&", _one)
    return lambda event: all(each(event) for each in found)


def _one(tokens: list[tuple[str, str]]) -> Matcher:
    if tokens and tokens[0] == ("join", "("):
        tokens.pop(0)
        found = _either(tokens)
        if _take(tokens, "join") != ")":
            raise BadPattern("want a closing parenthesis")
        return found
    field = _take(tokens, "field")
    if tokens and tokens[0][0] == "state":
        return _state(field, " ".join(_take(tokens, "state").split()))
    return _comparison(field, _take(tokens, "operator"), _take(tokens, "text"))


def _state(field: str, state: str) -> Matcher:
    tests: dict[str, Matcher] = {
        "EXISTS": lambda value: value is not _MISSING,
        "NOT EXISTS": lambda value: value is _MISSING,
        "IS NULL": lambda value: value is None,
        "IS TRUE": lambda value: value is True,
        "IS FALSE": lambda value: value is False,
    }
    return lambda event: tests[state](_value(event, field))


def _comparison(field: str, operator: str, text: str) -> Matcher:
    if operator not in {"=", "!="}:
        return lambda event: _number(_value(event, field), operator, float(text))
    want = text[1:-1] if text.startswith('"') else text

    def compare(event: Any) -> bool:
        value = _value(event, field)
        # A field that is not there is neither equal to anything nor unequal.
        return value is not _MISSING and fnmatchcase(str(value), want) is (operator == "=")

    return compare


def _number(value: Any, operator: str, want: float) -> bool:
    if not isinstance(value, int | float):
        return False
    return {"<": value < want, ">": value > want, "<=": value <= want, ">=": value >= want}[operator]


def _value(event: Any, field: str) -> Any:
    for part in re.findall(r"\.([\w-]+)|\[(\d+)\]", field):
        if part[0]:
            event = event.get(part[0], _MISSING) if isinstance(event, Mapping) else _MISSING
        else:
            at = int(part[1])
            event = event[at] if isinstance(event, list) and at < len(event) else _MISSING
    return event
