"""Check a request against AWS's own model, offline, so that a mistake shows in `diff` and not in `apply`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from ..model import PENDING

_DEPTH = 4  # deeper than any value that we take from an answer


def check(params: dict[str, Any], model: Any) -> None:
    """Raise ParamValidationError unless *params* fit the operation's input shape.

    botocore itself checks names, types and minimums; this adds what it leaves to AWS: enums, maximums, patterns.
    """
    if model.input_shape is None:
        return
    report = ParamValidator().validate(params, model.input_shape)
    wrong = [report.generate_report()] if report.has_errors() else []
    wrong += _refused(params, model.input_shape, "")
    if wrong:
        raise ParamValidationError(report="\n".join(wrong))


def pending(shape: Any, depth: int = _DEPTH) -> Any:
    """An answer of the given shape in which every value is still unknown."""
    if shape is not None and shape.type_name == "structure" and depth:
        return {name: pending(member, depth - 1) for name, member in shape.members.items()}
    return PENDING if shape is not None else {}


def holds_pending(value: Any) -> bool:
    """Whether a value only known after apply is in *value*, alone or inside other text."""
    if isinstance(value, str):
        return PENDING in value
    if isinstance(value, dict):
        return any(holds_pending(v) for v in value.values())
    if isinstance(value, list | tuple):
        return any(holds_pending(v) for v in value)
    return False


def _refused(value: Any, shape: Any, at: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, each in value.items():
            if name in shape.members:
                yield from _refused(each, shape.members[name], f"{at}.{name}" if at else name)
    elif kind == "list" and isinstance(value, list):
        most = shape.metadata.get("max")
        if most is not None and len(value) > most:
            yield f"{at}: at most {most} entries, got {len(value)}"
        for index, each in enumerate(value):
            yield from _refused(each, shape.member, f"{at}[{index}]")
    elif kind == "string" and isinstance(value, str) and PENDING not in value:
        yield from _refused_text(value, shape, at)
    elif kind in {"integer", "long"} and isinstance(value, int):
        most = shape.metadata.get("max")
        if most is not None and value > most:
            yield f"{at}: at most {most}, got {value}"


def _refused_text(value: str, shape: Any, at: str) -> Iterator[str]:
    enum, most = shape.metadata.get("enum"), shape.metadata.get("max")
    if enum and value not in enum:
        close = get_close_matches(value, enum, 1)
        wanted = (
            f"did you mean `{close[0]}`?"
            if close
            else f"one of {', '.join(enum[:8])}"
            if len(enum) < 9
            else ""
        )
        yield f"{at}: AWS's model (botocore) knows no `{value}`; {wanted or 'if it is new, upgrade botocore'}"
    if most is not None and len(value) > most:
        yield f"{at}: at most {most} characters, got {len(value)}"
    pattern = _compiled(shape.metadata.get("pattern"))
    if pattern is not None and not pattern.search(value):
        yield f"{at}: `{value}` does not match {shape.metadata['pattern']}"


@lru_cache(maxsize=256)
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    """The model's pattern, where Python can read it: they are written for Java."""
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None
