"""Characters that nobody sees, and spaces that YAML does not take as such: where they stand, and how to name them.

Source: Unicode's property Default_Ignorable_Code_Point, and its category Zs; and the blank of braille, and the marks of
annotations. Variation selectors are seen where they change a symbol, as in emoji and in Japanese names, and not behind a letter of ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

_SPACE: Final = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_INVISIBLE: Final = (
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
    # `1️⃣` is a digit, such a selector, and the keycap.
    "|(?<![^\\x00-\\x7f])[\ufe00-\ufe0f\U000e0100-\U000e01ef](?!\u20e3)"
)
# Make a line look different from what it is, so that they are no good in a comment either.
_DIRECTION: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ANY: Final = re.compile(f"{_INVISIBLE}|{_SPACE}")
_IN_TEXT: Final = re.compile(f"{_INVISIBLE}|^ *{_SPACE}|{_SPACE}(?= *$)")
# Without quotes, also where YAML's own signs need a space beside them.
_IN_PLAIN_TEXT: Final = re.compile(f"{_IN_TEXT.pattern}|(?<=:){_SPACE}|^ *[-?]{_SPACE}|{_SPACE}(?=#)")


class Found(NamedTuple):
    """A character, with line and column from 0."""

    line: int
    column: int
    message: str


def has_any(text: str) -> bool:
    """Tell whether the text has such a character at all."""
    return not text.isascii() and _ANY.search(text) is not None


def direction_marks(lines: Iterable[str]) -> Iterator[Found]:
    """Each character that changes the direction of a line, in comments too."""
    for number, line in enumerate(lines):
        for found in _DIRECTION.finditer(line):
            yield Found(number, found.start(), describe(found[0]))


def in_scalar(
    lines: Sequence[str], start: tuple[int, int], end: tuple[int, int], *, plain: bool
) -> Found | None:
    """The first such character in a key or value between two positions; *plain* if it stands without quotes.

    A space of another kind is found where it looks like indentation or like a space that YAML needs; inside of text it
    is text.
    """
    pattern = _IN_PLAIN_TEXT if plain else _IN_TEXT
    for number in range(start[0], min(end[0] + 1, len(lines))):
        first = start[1] if number == start[0] else 0
        last = end[1] if number == end[0] else len(lines[number])
        if found := pattern.search(lines[number][first:last]):
            at = found.end() - 1
            return Found(number, first + at, describe(found[0][-1]))
    return None


def in_lines(lines: Sequence[str], first: int, last: int) -> Found | None:
    """The first such character in these lines."""
    for number in range(first, min(last + 1, len(lines))):
        if found := _ANY.search(lines[number]):
            return Found(number, found.start(), describe(found[0]))
    return None


def describe(character: str) -> str:
    """The error message: the character's name and number, and what to do."""
    code = ord(character)
    name = unicodedata.name(character, "invisible character").lower()
    if re.match(_SPACE, character):
        return f"{name} (U+{code:04X}), which YAML does not take as a space: write a plain space"
    escape = f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
    return f"{name} (U+{code:04X}), which nobody sees: delete it, or write {escape} in double quotes"


def describe_break(character: str) -> str:
    """The error message for a line break that few programs take as one."""
    code = ord(character)
    name = unicodedata.name(character, "next line").lower()
    return f"{name} (U+{code:04X}), which ends a line and nobody sees: press Enter there, or write \\u{code:04X} in double quotes"
