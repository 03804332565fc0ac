"""Hide URLs and secrets that are written in the file itself from messages, which show the line of a mistake.

The text is searched, not the parsed file: a file that cannot be parsed, or whose keys are misspelled, has its secrets too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_VALUE: Final = r"(?P<value>'[^']*'?|\"[^\"]*\"?|[^\s,}\]#][^,}\]]*)"
_KEY: Final = re.compile(rf"(?<![\w-])['\"]?(?:url|signing_secret)['\"]?\s*:\s*{_VALUE}", re.IGNORECASE)
_URL: Final = re.compile(r"https?://[^\s/'\"@]*[@/](?P<value>[^\s'\",}\]]+)", re.IGNORECASE)
_SHORTEST: Final = 12  # characters of a value that is hidden wherever it is found


def written_in(lines: Iterable[str]) -> list[str]:
    """The secrets in the lines of a file, long ones first. Not those with a `${env:NAME}`: the file has only its name."""
    values = {found["value"].strip().strip("'\"") for line in lines for found in _found(line)}
    return sorted((x for x in values if len(x) >= _SHORTEST and "${" not in x), key=len, reverse=True)


def hide(text: str, secrets: Iterable[str]) -> str:
    """A line of the file, or a text that repeats some of it, with `*` for each character of a secret."""
    for value in secrets:
        text = text.replace(value, "*" * len(value))
    for found in _found(text):  # one that was cut, or that is short
        start, end = found.span("value")
        if "${" not in found["value"]:
            text = f"{text[:start]}{'*' * (end - start)}{text[end:]}"
    return text


def _found(text: str) -> list[re.Match[str]]:
    return [*_KEY.finditer(text), *_URL.finditer(text)]
