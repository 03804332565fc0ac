"""Errors in a baseline file: position, message, hint, source line, and how they are printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from unicodedata import name, normalize

Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_VALUE = 60
_WIDEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Problem:
    """One error in the file. *line* and *column* count from 1; both are 0 for an error of the whole file."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    source_line: str = ""

    @property
    def place(self) -> str:
        """The position in the form that editors and terminals turn into a link: `baseline.yaml:14:5`."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def as_dict(self) -> dict[str, Any]:
        """The problem as a JSON-like mapping."""
        return asdict(self)

    def render(self, *, color: bool = False) -> str:
        """The message in one line, then the source line and a caret under the position."""
        bold, red, off = ("\x1b[1m", "\x1b[31m", "\x1b[0m") if color else ("", "", "")
        words = "; ".join(filter(None, (self.message, self.hint)))
        head = f"{bold}{clean(self.place)}{off}: {clean(': '.join(filter(None, (self.path, words))))}"
        if not self.source_line.strip():
            return head
        line, column = _window(self.source_line, self.column - 1)
        pad = "".join("\t" if c == "\t" else " " for c in line[:column])
        return f"{head}\n    {line}\n    {pad}{red}^{off}"


class BaselineError(Exception):
    """The baseline file is invalid; *problems* are all its errors, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        unique: dict[tuple[int, int, str], Problem] = {}
        for each in sorted(problems, key=lambda p: (p.line, p.column)):
            # An error at an anchor is found again at each alias, with the same position.
            unique.setdefault((each.line, each.column, each.message), each)
        self.problems = tuple(unique.values())
        super().__init__(self.render())

    def __reduce__(self) -> tuple[type[BaselineError], tuple[tuple[Problem, ...]]]:
        """Pickle with the problems: the default would pass the exception's text to `__init__`."""
        return BaselineError, (self.problems,)

    def render(self, color: bool = False) -> str:  # noqa: FBT001, FBT002 - part of the API
        """All problems as text, separated by line breaks."""
        return "\n".join(problem.render(color=color) for problem in self.problems)


def clean(text: str) -> str:
    r"""*text* on one line, with escapes for what is not printable: `\n`, `\x1b`, `\u202e`.

    A name may hold terminal escape codes, or line breaks that would make it look like a line of ours.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(text: str) -> str:
    """The text in quotes on one line, shortened, without terminal control characters."""
    if len(text) > _LONGEST_VALUE:
        text = text[: _LONGEST_VALUE - 3] + "..."
    return f"'{clean(text)}'"


def dotted(path: Path) -> str:
    """Format a path for messages: `section.things[0].id`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{quoted(part)}]"
    return text


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each value in nested data that is no mapping and no list, with its path."""
    if not isinstance(value, dict | list):
        yield path, value
        return
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(each, (*path, key))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the most similar known word, or an empty text."""
    near = most_similar(word, known)
    return f"did you mean {quoted(near)}{_unlike(word, near)}?" if near else ""


def _unlike(word: str, near: str) -> str:
    """In what two words differ that look the same, or an empty text: letters of another script, or otherwise composed."""
    if normalize("NFKC", word) == normalize("NFKC", near):
        return " (which is otherwise composed of Unicode's characters: copy it)"
    pairs = zip(word, near, strict=False)
    have, other = next((pair for pair in pairs if _script(pair[0]) != _script(pair[1])), ("", ""))
    if (have + other).isascii():
        return ""
    return f" (with U+{ord(other):04X} {name(other, '')} in place of U+{ord(have):04X} {name(have, '')})"


def _script(character: str) -> str:
    """The first word of the character's name in Unicode, which is the script of a letter: `LATIN`."""
    return name(character, "").split(" ")[0]


def most_similar(word: str, known: Iterable[str]) -> str:
    """The known word that is most like *word*, one with the same letters before all others; an empty text if none is."""
    from difflib import get_close_matches

    folded = {each.lower(): each for each in known}
    lower = word[:100].lower()
    near = get_close_matches(lower, folded, 5, 0.6)
    return folded[min(near, key=lambda each: sorted(each) != sorted(lower))] if near else ""


def misspelt(word: str, known: Iterable[str], like: float) -> str:
    """The known word of which an unknown one is certainly a misspelling, or an empty text.

    *like* is the least similarity. AWS adds words, and of a new and an old one, one may be the beginning of the other.
    """
    from difflib import get_close_matches

    folded = {each.lower(): each for each in known}
    lower = word[:100].lower()
    near = next(iter(get_close_matches(lower, folded, 1, like)), "")
    longer = near and lower != near and lower.startswith(near)
    shorter = near.startswith(lower) and len(near) > len(lower) + 1
    return "" if not near or longer or shorter else folded[near]


def listed(words: Iterable[str], last: str = "or") -> str:
    """Join words as an enumeration: `a, b or c`."""
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long line around the column, and the column's position in that part."""
    line = line.rstrip()
    column = min(column, len(line))
    start = max(0, column - _WIDEST_LINE * 2 // 3) if len(line) > _WIDEST_LINE else 0
    cut = line[start : start + _WIDEST_LINE]
    safe = "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in cut)
    return safe, column - start
