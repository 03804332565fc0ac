"""Replace values from the environment, which may be secrets, by their placeholders in all that is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from .placeholders import redact

Value = TypeVar("Value")


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
