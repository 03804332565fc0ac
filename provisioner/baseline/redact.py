"""Replace values from the environment, which may be secrets, by their placeholders in all that is reported."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import lru_cache
from html import escape
from typing import Any, Final, TypeVar
from urllib.parse import quote, quote_plus

Value = TypeVar("Value")

_MIN_LENGTH: Final = 4  # a shorter secret is redacted only as a whole word
_ESCAPES: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(text)[1:-1],
    quote,  # keeps `/`
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    escape,
)


def redacted(value: Value, secrets: Mapping[str, str]) -> Value:
    """Replace each secret in a nested value by its placeholder. *secrets* maps a value to its `${env:NAME}`.

    Mappings, lists, tuples and dataclasses are copied; without secrets, *value* itself is returned.
    """
    return _redacted(value, secrets) if secrets else value


def _redacted(value: Any, secrets: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, Mapping):
        return {_redacted(k, secrets): _redacted(v, secrets) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_redacted(each, secrets) for each in value)
    if is_dataclass(value) and not isinstance(value, type | Enum):
        return replace(
            value, **{f.name: _redacted(getattr(value, f.name), secrets) for f in fields(value) if f.init}
        )
    return value


def redact(text: str, secrets: Mapping[str, str]) -> str:
    """Replace each value from the environment in a text by its placeholder; very short ones as whole words only.

    A value is also found in the forms in which AWS and others repeat it: see `_forms`.
    """
    pattern, names = _pattern(tuple(secrets.items()))
    return pattern.sub(lambda found: names[found[0]], text) if names else text


@lru_cache(maxsize=16)
def _pattern(secrets: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """A pattern that finds every form of every value, and the placeholder of each form."""
    names: dict[str, str] = {}
    for value, name in secrets:
        for form in _forms(value):
            names.setdefault(form, name)
    exact = {form: re.escape(form) for form in sorted(names, key=len, reverse=True)}
    either = (e if len(form) >= _MIN_LENGTH else rf"(?<!\w){e}(?!\w)" for form, e in exact.items())
    return re.compile("|".join(either)), names


def _forms(value: str) -> set[str]:
    """The value as it is, escaped for JSON, Python, URLs and XML up to twice, in base64 and in hex."""
    forms = {value} - {""}
    for _ in range(2):
        forms |= {escaped(form) for form in forms for escaped in _ESCAPES}
    if len(value) >= _MIN_LENGTH:
        for data in (value.encode(), json.dumps(value)[1:-1].encode()):
            forms |= {data.hex(), data.hex().upper(), *_in_base64(data)}
    return forms


def _in_base64(data: bytes) -> Iterator[str]:
    """The letters that *data* has in base64, whatever is encoded before and after it."""
    for before in range(3):
        start, end = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(bytes(before) + data).decode()[start:end]
