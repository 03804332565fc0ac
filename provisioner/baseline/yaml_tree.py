"""The tree of a YAML file with the position of each node, and the type of an unquoted scalar.

Unlike in YAML 1.1, `012345670123`, `on` and `1:30` are text.

The dataclasses have no `__eq__` and `__repr__`: nothing uses them, and generating them costs time at every start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from .problem import Path, Problem, dotted
from .written_secrets import hide, written_in

_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18}(?:[eE][-+]?[0-9]{1,2})?|[eE][-+]?[0-9]{1,2})")
MAX_PROBLEMS: Final = 200  # finding more takes time, and nobody reads them
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}


class Entry(NamedTuple):
    """A value in a mapping, with the position of its key."""

    line: int
    column: int
    node: Node


@dataclass(eq=False, repr=False, slots=True)
class Node:
    """A value: a scalar, a list of nodes, or a dict of entries. Line and column count from 0."""

    value: Any
    line: int
    column: int
    text: str = ""  # of a scalar, as written in the file
    shown_at_key: bool = False  # problems point at the key: a block collection, or no text at all
    invalid: bool = False  # a problem is reported already; others would only follow from it
    size: int = 1
    height: int = 1


@dataclass(eq=False, repr=False, slots=True)
class Location:
    """A node found by path: the node, the part of the path that exists, and the position for a problem."""

    node: Node
    path: Path
    line: int
    column: int
    key_line: int
    key_column: int
    invalid: bool  # a problem is reported already for the node or one around it


@dataclass(eq=False, repr=False)
class Source:
    """A file that was read: its lines, its tree, and the problems found so far."""

    name: str
    lines: list[str]
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    written_secrets: list[str] | None = None  # found with the first problem
    shown_lines: dict[int, str] = field(default_factory=dict)  # without secrets, those with problems

    @property
    def full(self) -> bool:
        """True if there are so many problems that no more should be looked for."""
        return len(self.problems) >= MAX_PROBLEMS

    def character(self, line: int, column: int) -> str:
        """The character at a position that counts from 0, or an empty text."""
        return self.lines[line][column : column + 1] if line < len(self.lines) else ""

    def problem(self, line: int, column: int, path: Path, message: str, hint: str = "") -> Problem:
        """Make a problem at a position that counts from 0; a position after the end is moved to the end."""
        if line >= len(self.lines):
            line, column = len(self.lines) - 1, len(self.lines[-1])
        if self.written_secrets is None:
            self.written_secrets = written_in(self.lines)
        if line not in self.shown_lines:
            self.shown_lines[line] = hide(self.lines[line], self.written_secrets)
        where, text, more = (hide(each, self.written_secrets) for each in (dotted(path), message, hint))
        return Problem(self.name, line + 1, column + 1, where, text, more, self.shown_lines[line])

    def find(self, path: Path) -> Location:
        """The node at *path*, or the nearest one around it. Parts that lead nowhere are skipped."""
        node = self.root or Node({}, 0, 0)
        found = Location(node, (), node.line, node.column, node.line, node.column, node.invalid)
        for part in path:
            value = found.node.value
            if isinstance(value, dict) and part in value:
                key_line, key_column, node = value[part]
            elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
                node = value[part]
                key_line, key_column = node.line, node.column
            else:
                continue
            line, column = (key_line, key_column) if node.shown_at_key else (node.line, node.column)
            below = (*found.path, part)
            invalid = found.invalid or node.invalid
            found = Location(node, below, line, column, key_line, key_column, invalid)
        return found


def resolve(text: str) -> Any:
    """The value of an unquoted scalar: null, true, false, an integer, a decimal number, or else text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-0123456789":
        return text
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
