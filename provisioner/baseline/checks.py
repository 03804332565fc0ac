"""Data → a section, or every reason why not: each at its place in the file, in our words, not pydantic's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_json

from . import wording as wanted
from .placeholders import redact, retyped, shown
from .problem import Path, Problem, did_you_mean, listed, quoted
from .section import Section, Wrong
from .yaml_tree import MOST_PROBLEMS, Node, Source, Spot

Kind = TypeVar("Kind", bound=Section)

_MOST_KEYS = 16


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Checker:
    """What it takes to speak of a value: the file, the environment, and what must not be shown.

    *names* are the placeholders as a reader may see them; *secrets* maps each value that came from the
    environment to its placeholder.
    """

    source: Source
    env: Mapping[str, str]
    names: Mapping[str, str]
    secrets: Mapping[str, str]

    def section(self, kind: type[Kind], path: Path, data: Any) -> Kind | list[Problem]:
        """The section made of *data*, which stands at *path* in the file; or what is wrong with it."""
        try:
            return _validate(kind, data)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        try:
            if self._retype(errors, path, data):
                return _validate(kind, data)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        schema = kind.model_json_schema()
        found = [each for error in errors[:MOST_PROBLEMS] for each in self._problems(error, path, schema)]
        if len(errors) > MOST_PROBLEMS:
            spot = self.source.find(path)
            found.append(self._at(spot, f"{len(errors) - MOST_PROBLEMS} more mistakes are not shown"))
        return found

    def _retype(self, errors: list[ErrorDetails], path: Path, data: Any) -> bool:
        """Text that is one `${env:NAME}` has become a number or a truth where the field asked for one."""
        done = False
        for error in errors:
            spot = self.source.find((*path, *error["loc"]))
            value = retyped(spot.node, self.env)
            if value is not None:
                _put(data, spot.path[len(path) :], value)
                done = True
        return done

    def _problems(self, error: ErrorDetails, path: Path, schema: wanted.Schema) -> Iterator[Problem]:
        """One of pydantic's errors as none, one or several of ours."""
        loc, kind = error["loc"], error["type"]
        if kind == "default_factory_not_called":
            return
        spot = self.source.find((*path, *loc))
        if kind == "extra_forbidden":
            known = wanted.known_keys(wanted.fields_at(schema, spot.path[len(path) : -1]))
            yield unknown_key(self.source, spot.path, known)
        elif kind == "missing":
            if not spot.bad:
                yield self._at(spot, f"missing required key {quoted(str(loc[-1]))}")
        elif kind in {"value_error", "assertion_error"}:
            yield from self._own(error, (*path, *loc))
        elif not spot.bad:
            yield self._unwanted(error, spot, wanted.fields_at(schema, spot.path[len(path) :]))

    def _own(self, error: ErrorDetails, path: Path) -> Iterator[Problem]:
        """What a validator of ours raised."""
        exception = error.get("ctx", {}).get("error")
        wrongs = exception.wrongs if isinstance(exception, Wrong) else (((), str(exception or error["msg"])),)
        for below, message in wrongs:
            yield from self.said((*path, *below), message)

    def said(self, path: Path, message: str) -> Iterator[Problem]:
        """A mistake in words that are not ours, unless what it is about is reported already."""
        spot = self.source.find(path)
        if not spot.bad and not holds_bad(spot.node):
            yield self._at(spot, redact(message, self.secrets))

    def _unwanted(self, error: ErrorDetails, spot: Spot, schemas: list[wanted.Schema]) -> Problem:
        if error["loc"][-1:] == ("[key]",):
            pattern = error.get("ctx", {}).get("pattern")
            want = f"keys that match {pattern!r}" if pattern else "other keys"
            place = (spot.key_line, spot.key_column)
            return self.source.problem(*place, spot.path, f"want {want}, got {quoted(str(spot.path[-1]))}")
        node = spot.node
        text = shown(node.text, self.names) if isinstance(node.value, str) else node.text
        got = wanted.value_in_words(node.value, text)
        if "too_long" in error["type"] or "too_short" in error["type"]:
            got += _length(node, text, secret="${env:" in text)
        return self._at(
            spot, f"want {wanted.in_words(schemas)}, got {got}", wanted.advice(schemas, node.value, text)
        )

    def _at(self, spot: Spot, message: str, hint: str = "") -> Problem:
        return self.source.problem(spot.line, spot.column, spot.path, message, hint)


def unknown_key(source: Source, path: Path, known: list[str]) -> Problem:
    """The mistake of a key that the mapping does not take."""
    spot = source.find(path)
    key = str(spot.path[-1])
    hint = did_you_mean(key, known)
    if not hint and 0 < len(known) <= _MOST_KEYS:
        hint = f"known {'are' if len(known) > 1 else 'is'} {listed(map(quoted, known), 'and')}"
    return source.problem(spot.key_line, spot.key_column, spot.path, "no such key", hint)


def _validate(kind: type[Kind], data: Any) -> Kind:
    """Through JSON, where strictness lets a list be a tuple or a set, as it must be in a file."""
    return kind.model_validate_json(to_json(data))


def _put(data: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = value


def holds_bad(node: Node) -> bool:
    """Something at or below the node is reported already."""
    if isinstance(node.value, dict):
        return node.bad or any(holds_bad(entry.node) for entry in node.value.values())
    return node.bad or (isinstance(node.value, list) and any(map(holds_bad, node.value)))


def _length(node: Node, text: str, *, secret: bool) -> str:
    if isinstance(node.value, str):
        return "" if secret or not text else f" of {len(text)} characters"
    return f" of {len(node.value)}" if node.value else ""
