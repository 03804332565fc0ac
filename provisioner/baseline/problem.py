"""What is wrong with a baseline file, so that the reader can mend it: place, words, the line, a caret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_VALUE = 60
_WIDEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. *line* and *column* count from 1; both are 0 where the whole file is meant."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    source_line: str = ""

    @property
    def place(self) -> str:
        """Where, as editors and terminals make it a link: `baseline.yaml:14:5`."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-like data."""
        return asdict(self)

    def render(self, *, color: bool = False) -> str:
        """The mistake in one line, then the source line and a caret under the place."""
        bold, red, off = ("\x1b[1m", "\x1b[31m", "\x1b[0m") if color else ("", "", "")
        words = "; ".join(filter(None, (self.message, self.hint)))
        head = f"{bold}{self.place}{off}: " + (f"{self.path}: {words}" if self.path else words)
        if not self.source_line.strip():
            return head
        line, column = _window(self.source_line, self.column - 1)
        pad = "".join("\t" if c == "\t" else " " for c in line[:column])
        return f"{head}\n    {line}\n    {pad}{red}^{off}"


class BaselineError(Exception):
    """The baseline cannot be used; *problems* are all its mistakes, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        once: dict[tuple[int, int, str], Problem] = {}
        for each in sorted(problems, key=lambda p: (p.line, p.column)):
            # What is wrong at an anchor is wrong at each alias; the place is the same, and once is enough.
            once.setdefault((each.line, each.column, each.message), each)
        self.problems = tuple(once.values())
        super().__init__(self.render())

    def __reduce__(self) -> tuple[type[BaselineError], tuple[tuple[Problem, ...]]]:
        """It goes from one process to another; an exception of Python's own would take its text for the problems."""
        return BaselineError, (self.problems,)

    def render(self, color: bool = False) -> str:  # noqa: FBT001, FBT002 - a word of the API
        """Every mistake, one under the other."""
        return "\n".join(problem.render(color=color) for problem in self.problems)


def quoted(text: str) -> str:
    """The text in quotes on one line, short, with nothing in it that could steer a terminal."""
    if len(text) > _LONGEST_VALUE:
        text = text[: _LONGEST_VALUE - 3] + "..."
    return f"'{visible(text)}'"


def visible(text: str) -> str:
    """The text with each character that does not print written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def dotted(path: Path) -> str:
    """A path as it is written in messages: `section.things[0].id`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{quoted(part)}]"
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the known word that is nearest, or nothing."""
    from difflib import get_close_matches

    known = list(known)
    folded = {each.lower(): each for each in known}
    near = get_close_matches(word[:100].lower(), folded, 1, 0.6)
    return f"did you mean {quoted(folded[near[0]])}?" if near else ""


def listed(words: Iterable[str], last: str = "or") -> str:
    """Words in a row: `a, b or c`."""
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long line around the column, and where the column is in it."""
    line, column = line.rstrip(), min(column, len(line.rstrip()))
    start = max(0, column - _WIDEST_LINE * 2 // 3) if len(line) > _WIDEST_LINE else 0
    cut = line[start : start + _WIDEST_LINE]
    safe = "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in cut)
    return safe, column - start
