"""What a YAML parser complains about, in the words of the person who made the slip."""

from __future__ import annotations

import re
from typing import Final

import yaml

from .problem import quoted

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NO_SPACE = re.compile(r"\s*(?:- )*([A-Za-z_][\w-]*):(?=[^\s/])")
_TWO_COLONS = re.compile(r"\s*(?:- +)*[\w\"'-]+:\s+\S.*:(?:\s|$)")
_CLOSES: Final = {"[": "]", "{": "}"}
# (part of the problem, part of the context) → what to say. The first that fits counts.
_ESCAPE: Final = "a \\ in double quotes starts an escape; write \\\\ or use single quotes"
_LIST: Final = "a list goes on here with something that does not start with '- '; check the indentation"
_KNOWN: Final = {
    ("escape", ""): _ESCAPE,
    ("hexdecimal", ""): _ESCAPE,
    ("'-' indicator", ""): _LIST,
    ("block end", "block collection"): _LIST,
    (
        "",
        "block mapping",
    ): "this does not fit into the mapping around it; check indentation and quotes before it",
    (
        "",
        "block collection",
    ): "this does not fit into the list around it; check indentation and quotes before it",
    ("document start", ""): "the file goes on after its end; quote it, or check the indentation",
}


def bad_character(text: str) -> tuple[int, str] | None:
    """Where the first character is that YAML does not allow, and what to do about it; or None."""
    found = _CONTROL.search(text)
    strange = [] if text.isascii() else [text.index(each) for each in set(text) if _is_strange(ord(each))]
    if found:
        strange.append(found.start())
    if not strange:
        return None
    index = min(strange)
    if text[index] == "\ufeff":
        return index, "a byte order mark; save the file as UTF-8 without one"
    return index, f"control character U+{ord(text[index]):04X} is not allowed; take it away"


def _is_strange(code: int) -> bool:
    """Not in YAML: C1 controls but the line break U+0085, surrogates, the byte order mark, no characters."""
    return (
        (0x80 <= code <= 0x9F and code != 0x85)
        or 0xD800 <= code <= 0xDFFF
        or code in {0xFEFF, 0xFFFE, 0xFFFF}
    )


def in_words(error: yaml.YAMLError, lines: list[str], opened: tuple[int, int] | None) -> tuple[int, int, str]:
    """Line and column, from 0, and what is wrong there. *opened* is the innermost [ or { still open."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return 0, 0, f"not YAML: {str(error).splitlines()[0]}"
    problem, context = error.problem or "", error.context or ""
    began, mark = error.context_mark, error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if began and "quoted scalar" in context and "escape" not in problem:
        quote = _character(lines, began.line, began.column)
        return began.line, began.column, f"the text that starts with {quote} here is never closed"
    if began and "expected ':'" in problem:
        return began.line, began.column, _keyless(lines[began.line])
    if "flow" in context:
        return _in_brackets(lines, line, column, opened)
    return line, column, _words(problem, context, lines, line, column)


def _character(lines: list[str], line: int, column: int) -> str:
    return lines[line][column : column + 1] if line < len(lines) else ""


def _keyless(at: str) -> str:
    found = _NO_SPACE.match(at)
    return f"a space is missing after '{found[1]}:'" if found else "a key without ':'; write 'key: value'"


def _in_brackets(
    lines: list[str], line: int, column: int, opened: tuple[int, int] | None
) -> tuple[int, int, str]:
    """Something is wrong between [ and ] or { and }: most often the end is missing."""
    rest = lines[line][column:] if line < len(lines) else ""
    if "${" in (lines[line] if rest else "")[max(0, column - 1) : column + 2]:
        return line, max(0, column - 1), "'${...}' between [ ] or { } must stand in double quotes"
    if opened is None:
        return line, column, f"did not expect {rest[:1]} here; quote it if it is text"
    bracket = _character(lines, *opened)
    if not rest.strip():
        return *opened, f"this {bracket} is never closed; end it with {_CLOSES[bracket]}"
    word = quoted(rest.split(maxsplit=1)[0])
    return *opened, f"this {bracket} is not closed before {word} in line {line + 1}, or a comma is missing"


def _words(problem: str, context: str, lines: list[str], line: int, column: int) -> str:
    at, character = lines[line] if line < len(lines) else "", _character(lines, line, column)
    if "cannot start any token" in problem or "tab character" in problem:
        starts = f"text that starts with {character} must stand in quotes"
        return "a tab; indent with spaces" if character == "\t" else starts
    if "mapping values are not allowed" in problem:
        return _colon(lines, line, at)
    if column and at[column - 1 : column] in {"'", '"'} and "block" in context:
        return "the text goes on after its closing quote; write '' for a ' in single quotes"
    for (in_problem, in_context), words in _KNOWN.items():
        if in_problem in problem and in_context in context:
            return words
    if "node content" in problem and character:
        return f"did not expect {character} here; quote it if it is text"
    return "not YAML: " + ", ".join(filter(None, (context, problem)))


def _colon(lines: list[str], line: int, at: str) -> str:
    """A colon where no key can be: the line before has lost a space, or a value needs quotes."""
    if _TWO_COLONS.match(at):
        return "two ': ' in one line; put the value in quotes"
    for back in range(line, max(-1, line - 3), -1):
        if found := _NO_SPACE.match(lines[back]):
            return f"a space is missing after '{found[1]}:' in line {back + 1}"
    return "did not expect a key here; check the indentation, and that the line before ends in ':'"
