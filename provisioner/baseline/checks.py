"""Validate data as a section, and turn pydantic's errors into problems with our messages and the file's positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_json

from . import wording
from .placeholders import fill_for_display, number_or_boolean
from .problem import Path, Problem, did_you_mean, listed, quoted
from .redact import redact
from .section import AS_WRITTEN, InvalidValue, Section
from .yaml_tree import MAX_PROBLEMS, Location, Node, Source

Kind = TypeVar("Kind", bound=Section)

_MAX_KEYS = 16  # that a hint lists


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Checker:
    """Validates the sections of one file.

    *names* are the placeholders' values as they may be shown; *secrets* maps each value from the environment to its
    placeholder.
    """

    source: Source
    env: Mapping[str, str]
    names: Mapping[str, str]
    secrets: Mapping[str, str]

    def section(self, kind: type[Kind], path: Path, data: Any) -> Kind | list[Problem]:
        """Validate *data*, which is at *path* in the file: the section, or all problems with it."""
        try:
            return _validate(kind, data)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        try:
            if self._convert(errors, path, data):
                return _validate(kind, data)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        schema = kind.model_json_schema()
        problems = [each for error in errors[:MAX_PROBLEMS] for each in self._problems(error, path, schema)]
        if len(errors) > MAX_PROBLEMS:
            more = f"{len(errors) - MAX_PROBLEMS} more mistakes are not shown"
            problems.append(self._problem(self.source.find(path), more))
        return problems

    def _convert(self, errors: list[ErrorDetails], path: Path, data: Any) -> bool:
        """Convert values to the type that their field takes; True if there is one.

        Text of one `${env:NAME}` becomes the number or boolean that it stands for, and a number or boolean becomes
        the text that is written in the file.
        """
        converted = False
        for error in errors:
            if error["loc"][-1:] == ("[key]",):  # not the value of an invalid key
                continue
            written = error["type"] == AS_WRITTEN
            for below in error["ctx"]["paths"] if written else [()]:
                at = (*path, *error["loc"], *below)
                found = self.source.find(at)
                as_text = written and found.path == at
                value = found.node.text if as_text else number_or_boolean(found.node, self.env)
                *parents, key = found.path[len(path) :] or (None,)
                if key is None or value is None:  # not the whole section, which is a mapping
                    continue
                parent = data
                for part in parents:
                    parent = parent[part]
                parent[key] = value
                converted = True
        return converted

    def _problems(self, error: ErrorDetails, path: Path, schema: wording.Schema) -> Iterator[Problem]:
        """Convert one of pydantic's errors to problems: none if it only follows from another."""
        loc, kind = error["loc"], error["type"]
        found = self.source.find((*path, *loc))
        if kind == "extra_forbidden":
            known = wording.known_keys(wording.fields_at(schema, found.path[len(path) : -1]))
            yield unknown_key(self.source, found.path, known)
        elif kind in {"value_error", "assertion_error"}:
            yield from self._from_validator(error, (*path, *loc))
        elif kind != "default_factory_not_called" and not found.invalid:
            if kind == "missing":
                yield self._problem(found, f"missing required key {quoted(str(loc[-1]))}")
            else:
                yield self._invalid_value(error, found, wording.fields_at(schema, found.path[len(path) :]))

    def _from_validator(self, error: ErrorDetails, path: Path) -> Iterator[Problem]:
        """Problems that a section's own validator raised."""
        exception = error.get("ctx", {}).get("error")
        wrongs = (
            exception.wrongs
            if isinstance(exception, InvalidValue)
            else (((), str(exception or error["msg"])),)
        )
        for below, message in wrongs:
            yield from self.problem((*path, *below), message)

    def problem(self, path: Path, message: str) -> Iterator[Problem]:
        """A problem with a section's own message, unless one is reported already at or below *path*."""
        found = self.source.find(path)
        if not found.invalid and not contains_invalid(found.node):
            yield self._problem(found, redact(message, self.secrets))

    def _invalid_value(self, error: ErrorDetails, found: Location, schemas: list[wording.Schema]) -> Problem:
        if error["loc"][-1:] == ("[key]",):
            pattern = error.get("ctx", {}).get("pattern")
            want = f"keys that match {pattern!r}" if pattern else "other keys"
            message = f"want {want}, got {quoted(str(found.path[-1]))}"
            return self.source.problem(found.key_line, found.key_column, found.path, message)
        node = found.node
        text = fill_for_display(node.text, self.names) if isinstance(node.value, str) else node.text
        got = wording.describe_value(node.value, text)
        if "too_long" in error["type"] or "too_short" in error["type"]:
            got += _length(node, text)
        hint = wording.hint_for(schemas, node.value, text)
        return self._problem(found, f"want {wording.describe_field(schemas)}, got {got}", hint)

    def _problem(self, at: Location, message: str, hint: str = "") -> Problem:
        return self.source.problem(at.line, at.column, at.path, message, hint)


def unknown_key(source: Source, path: Path, known: list[str]) -> Problem:
    """The problem of a key that the mapping does not accept."""
    found = source.find(path)
    key = str(found.path[-1])
    hint = did_you_mean(key, known)
    if not hint and 0 < len(known) <= _MAX_KEYS:
        hint = f"known {'are' if len(known) > 1 else 'is'} {listed(map(quoted, known), 'and')}"
    return source.problem(found.key_line, found.key_column, found.path, "no such key", hint)


def contains_invalid(node: Node) -> bool:
    """True if a problem is reported already for the node or one below it."""
    if isinstance(node.value, dict):
        return node.invalid or any(contains_invalid(entry.node) for entry in node.value.values())
    return node.invalid or (isinstance(node.value, list) and any(map(contains_invalid, node.value)))


def _validate(kind: type[Kind], data: Any) -> Kind:
    """Validate as JSON: in pydantic's strict mode, only then may a list be a tuple or a set."""
    return kind.model_validate_json(to_json(data))


def _length(node: Node, text: str) -> str:
    if isinstance(node.value, str):
        return f" of {len(text)} characters" if text and "${env:" not in text else ""
    return f" of {len(node.value)}" if node.value else ""
