"""Turn the YAML parser's errors into messages that say how to correct the file."""

from __future__ import annotations

import re
from typing import Final

import yaml

from .problem import quoted
from .yaml_invisible import describe, describe_break
from .yaml_tree import Source

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NO_SPACE = re.compile(r"\s*(?:- )*([A-Za-z_][\w-]*):(?=[^\s/])")
_TWO_COLONS = re.compile(r"\s*(?:- +)*[\w\"'-]+:\s+\S.*:(?:\s|$)")
_CLOSES: Final = {"[": "]", "{": "}"}
_ESCAPE: Final = "a \\ in double quotes starts an escape; write \\\\ or use single quotes"
_LIST: Final = "a list goes on here with something that does not start with '- '; check the indentation"
# (part of the parser's problem, part of its context) -> message. The first match counts.
_AROUND: Final = "this does not fit into the {} around it; check indentation and quotes before it"
_MESSAGES: Final = {
    ("escape", ""): _ESCAPE,
    ("hexdecimal", ""): _ESCAPE,
    ("'-' indicator", ""): _LIST,
    ("block end", "block collection"): _LIST,
    ("", "block mapping"): _AROUND.format("mapping"),
    ("", "block collection"): _AROUND.format("list"),
    ("document start", ""): "the file goes on after its end; quote it, or check the indentation",
}


# Line breaks to YAML 1.1, and to no editor and not to YAML 1.2: what seems to be a comment would be a setting.
_BREAKS: Final = "\x85\u2028\u2029"


def invalid_character(text: str) -> tuple[int, str] | None:
    """The index of the first character that YAML does not allow, and the error message; or None."""
    invalid = [] if text.isascii() else [text.index(each) for each in set(text) if _is_invalid(ord(each))]
    if found := _CONTROL.search(text):
        invalid.append(found.start())
    if not invalid:
        return None
    index = min(invalid)
    if text[index] in _BREAKS:
        return index, describe_break(text[index])
    if text[index] == "\ufeff":  # elsewhere than at the start
        return index, describe(text[index])
    return index, f"control character U+{ord(text[index]):04X} is not allowed; take it away"


def _is_invalid(code: int) -> bool:
    """True for C1 controls, line breaks of YAML 1.1 only, surrogates, the byte order mark, and noncharacters."""
    return (
        0x80 <= code <= 0x9F
        or code in {0x2028, 0x2029}
        or 0xD800 <= code <= 0xDFFF
        or code in {0xFEFF, 0xFFFE, 0xFFFF}
    )


def explain(error: yaml.YAMLError, source: Source, opened: tuple[int, int] | None) -> tuple[int, int, str]:
    """Line and column, from 0, and the message. *opened* is the position of the innermost [ or { still open."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return 0, 0, f"not YAML: {str(error).splitlines()[0]}"
    problem, context = error.problem or "", error.context or ""
    start, mark = error.context_mark, error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if start and "quoted scalar" in context and "escape" not in problem:
        quote = source.character(start.line, start.column)
        return start.line, start.column, f"the text that starts with {quote} here is never closed"
    if start and "expected ':'" in problem:
        return start.line, start.column, _missing_colon(source.lines[start.line])
    if "flow" in context:
        return _in_brackets(source, line, column, opened)
    return line, column, _message(problem, context, source, line, column)


def _missing_colon(line: str) -> str:
    found = _NO_SPACE.match(line)
    return f"a space is missing after '{found[1]}:'" if found else "a key without ':'; write 'key: value'"


def _in_brackets(
    source: Source, line: int, column: int, opened: tuple[int, int] | None
) -> tuple[int, int, str]:
    """An error between [ and ] or { and }: most often the closing bracket is missing."""
    text = source.lines[line] if line < len(source.lines) else ""
    rest = text[column:]
    if rest and "${" in text[max(0, column - 1) : column + 2]:
        return line, max(0, column - 1), "'${...}' between [ ] or { } must stand in double quotes"
    if opened is None:
        return line, column, f"did not expect {rest[:1]} here; quote it if it is text"
    bracket = source.character(*opened)
    if not rest.strip():
        return *opened, f"this {bracket} is never closed; end it with {_CLOSES[bracket]}"
    word = quoted(rest.split(maxsplit=1)[0])
    return *opened, f"this {bracket} is not closed before {word} in line {line + 1}, or a comma is missing"


def _message(problem: str, context: str, source: Source, line: int, column: int) -> str:
    character = source.character(line, column)
    if "cannot start any token" in problem or "tab character" in problem:
        if character == "\t":
            return "a tab; indent with spaces"
        return f"text that starts with {character} must stand in quotes"
    if "mapping values are not allowed" in problem:
        return _unexpected_colon(source.lines, line)
    if column and source.character(line, column - 1) in {"'", '"'} and "block" in context:
        return "the text goes on after its closing quote; write '' for a ' in single quotes"
    for (in_problem, in_context), message in _MESSAGES.items():
        if in_problem in problem and in_context in context:
            return message
    if "node content" in problem and character:
        return f"did not expect {character} here; quote it if it is text"
    return "not YAML: " + ", ".join(filter(None, (context, problem)))


def _unexpected_colon(lines: list[str], line: int) -> str:
    """A colon where no key is allowed: a space is missing in a line before, or a value needs quotes."""
    if _TWO_COLONS.match(lines[line]):
        return "two ': ' in one line; put the value in quotes"
    for back in range(line, max(-1, line - 3), -1):
        if found := _NO_SPACE.match(lines[back]):
            return f"a space is missing after '{found[1]}:' in line {back + 1}"
    return "did not expect a key here; check the indentation, and that the line before ends in ':'"
