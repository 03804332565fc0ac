"""Offline check of a request against AWS's own model (botocore's), so that a mistake shows in `diff` and not in `apply`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from ..baseline.partitions import all_regions
from ..model import PENDING

_DEPTH = 4  # levels of an answer; steps take no value from deeper


def check(params: dict[str, Any], model: Any) -> None:
    """Raise ParamValidationError unless *params* fit the input shape of the operation's *model*.

    botocore itself checks names, types and minimums; this adds what it leaves to AWS: enums, maximums, patterns.
    """
    if model.input_shape is None:
        return
    report = ParamValidator().validate(params, model.input_shape)
    problems = [report.generate_report()] if report.has_errors() else []
    problems += _problems(params, model.input_shape, "")
    if problems:
        raise ParamValidationError(report="\n".join(problems))


def pending(shape: Any, depth: int = _DEPTH) -> Any:
    """Return an answer of the given shape in which every value is still unknown."""
    if shape is not None and shape.type_name == "structure" and depth:
        return {name: pending(member, depth - 1) for name, member in shape.members.items()}
    return PENDING if shape is not None else {}


def holds_pending(value: Any) -> bool:
    """Whether *value* holds a value that is only known after apply, alone or inside other text."""
    if isinstance(value, str):
        return PENDING in value
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return False
    return any(map(holds_pending, value))


def _problems(value: Any, shape: Any, path: str) -> Iterator[str]:
    kind, most = shape.type_name, shape.metadata.get("max")
    if kind in {"structure", "map", "list"}:
        if kind == "list" and isinstance(value, list) and most is not None and len(value) > most:
            yield f"{path}: at most {most} entries, got {len(value)}"
        for each, inner, where in _parts(value, shape, path):
            yield from _problems(each, inner, where)
    elif kind == "string" and isinstance(value, str) and PENDING not in value:
        yield from _text_problems(value, shape, path)
    elif kind in {"integer", "long"} and isinstance(value, int) and most is not None and value > most:
        yield f"{path}: at most {most}, got {value}"


def _parts(value: Any, shape: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    """The parts of a structure, map or list, each with its shape and path. What has another type has none."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, each in value.items():
            if name in shape.members:
                yield each, shape.members[name], f"{path}.{name}" if path else name
    elif shape.type_name == "map" and isinstance(value, dict):
        for key, each in value.items():
            yield key, shape.key, f"{path}.{key}"
            yield each, shape.value, f"{path}.{key}"
    elif shape.type_name == "list" and isinstance(value, list):
        for index, each in enumerate(value):
            yield each, shape.member, f"{path}[{index}]"


def _text_problems(value: str, shape: Any, path: str) -> Iterator[str]:
    enum, most = shape.metadata.get("enum"), shape.metadata.get("max")
    # The models' lists of Regions lack some, as S3's BucketLocationConstraint does those of aws-eusc and aws-iso.
    if enum and value not in enum and value not in all_regions():
        if close := get_close_matches(value, enum, 1):
            hint = f"did you mean `{close[0]}`?"
        else:
            hint = f"one of {', '.join(enum)}" if len(enum) < 9 else "if it is new, upgrade botocore"
        yield f"{path}: AWS's model (botocore) knows no `{value}`; {hint}"
    if most is not None and len(value) > most:
        yield f"{path}: at most {most} characters, got {len(value)}"
    pattern = _compiled(shape.metadata.get("pattern"))
    if pattern is not None and not pattern.search(value):
        yield f"{path}: `{value}` does not match {shape.metadata['pattern']}"


@lru_cache(maxsize=256)
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    """Return the compiled pattern, or None where Python cannot read it: the models' patterns are Java's.

    Some models have the partition `aws` in their patterns, where AWS takes its others too.
    """
    try:
        return re.compile(re.sub(r"^\^arn:aws(?=:)", r"^arn:aws[a-z-]*", pattern)) if pattern else None
    except re.error:
        return None
