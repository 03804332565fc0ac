"""The values of a YAML file, each knowing its place, and what an unquoted scalar means.

YAML 1.1 takes `012345670123` for an octal number, `on` for true and `1:30` for ninety. Here it does not.

Nobody compares or prints these classes, so they have no methods for it: each would be compiled at every start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from .problem import Path, Problem, dotted

_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18}(?:[eE][-+]?[0-9]{1,2})?|[eE][-+]?[0-9]{1,2})")
MOST_PROBLEMS: Final = 200  # nobody reads more of them at once, and finding them takes time
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}


class Entry(NamedTuple):
    """A value in a mapping, with the place of its key."""

    line: int
    column: int
    node: Node


@dataclass(eq=False, repr=False, slots=True)
class Node:
    """A value: a scalar, a list of nodes, or a dict of entries. Lines and columns count from 0."""

    value: Any
    line: int
    column: int
    text: str = ""  # of a scalar, as the parser read it
    shown_at_key: bool = False  # nothing to point at but the key: a block collection, or no text at all
    bad: bool = False  # already reported; what else is wrong with it is a consequence
    size: int = 1
    height: int = 1


@dataclass(eq=False, repr=False, slots=True)
class Spot:
    """What was found at a path: its node, the part of the path that is really there, and where to point."""

    node: Node
    path: Path
    line: int
    column: int
    key_line: int
    key_column: int
    bad: bool  # it, or something around it, is reported already


@dataclass(eq=False, repr=False)
class Source:
    """A file as read: its lines, its tree, and what is wrong with it so far."""

    name: str
    lines: list[str]
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """So much is wrong that looking for more helps nobody."""
        return len(self.problems) >= MOST_PROBLEMS

    def character(self, line: int, column: int) -> str:
        """What stands at a place that counts from 0, or nothing."""
        return self.lines[line][column : column + 1] if line < len(self.lines) else ""

    def problem(self, line: int, column: int, path: Path, message: str, hint: str = "") -> Problem:
        """A mistake at a place that counts from 0. What comes after the end is at the end."""
        if line >= len(self.lines):
            line, column = len(self.lines) - 1, len(self.lines[-1])
        return Problem(self.name, line + 1, column + 1, dotted(path), message, hint, self.lines[line])

    def find(self, path: Path) -> Spot:
        """The node at *path*, or the nearest one around it. Parts that lead nowhere are passed over."""
        node = self.root or Node({}, 0, 0)
        spot = Spot(node, (), node.line, node.column, node.line, node.column, node.bad)
        for part in path:
            value = spot.node.value
            if isinstance(value, dict) and part in value:
                key_line, key_column, node = value[part]
            elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
                node = value[part]
                key_line, key_column = node.line, node.column
            else:
                continue
            line, column = (key_line, key_column) if node.shown_at_key else (node.line, node.column)
            here = (*spot.path, part)
            spot = Spot(node, here, line, column, key_line, key_column, spot.bad or node.bad)
        return spot


def resolve(text: str) -> Any:
    """What an unquoted scalar means: null, true, false, a whole or a decimal number, and else text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-0123456789":
        return text
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
