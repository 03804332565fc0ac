"""The page: its skeleton, with the style, the script and the data in it, and a policy that forbids every request."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, Final

from ...model import Step
from .. import words
from ..entries import KINDS
from ..history import History
from ..json_objects import DocumentJson
from .data import IN_SYNC, NOWHERE, STATES, UNREAD, page_data
from .graph import graph

_SCRIPTS: Final = ("data.js", "filter.js", "grid.js", "entries.js", "page.js")
_UNSAFE: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}  # in a script element, as JSON writes them
WORDS: Final[Mapping[str, str]] = {  # a state of a place, in words
    "danger": "danger",
    "failed": "failed",
    "not_run": "not run",
    "check_failed": "check failed",
    "withheld": "not allowed",
    "not_seen": "not shown yet",
    "held": "held",
    "change": "differs",
    "check_pending": "too early to tell",
    "changed": "changed",
    "skipped": "skipped",
    IN_SYNC: "in sync",
    UNREAD: "not read",
    NOWHERE: "not run here",
}
_MARKS: Final = {IN_SYNC: "✓", UNREAD: "?", NOWHERE: ""} | {kind: about.mark for kind, about in KINDS.items()}


def to_html(document: DocumentJson, history: History, steps: Sequence[Step]) -> str:
    """The text of the page."""
    data = page_data(document, history, steps)
    data["words"] = {state: [WORDS[state], _MARKS[state]] for state in STATES}
    style, script = _file("style.css"), "\n".join(_file(name) for name in _SCRIPTS)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}';"
        " base-uri 'none'; form-action 'none'"
    )
    fields = {
        "policy": policy,
        "title": escape(f"provision {document.command} {document.account}"),
        "style": style,
        "script": script,
        "data": _embedded(data),
        "message": escape(words.clean(document.message)),
        "graph": graph([_node(each, counts) for each, counts in zip(steps, data["counts"], strict=True)]),
        "order": "".join(
            _step(number, each, counts)
            for number, (each, counts) in enumerate(zip(steps, data["counts"], strict=True), 1)
        ),
    }
    parts = _file("page.html").split("%%")
    return "".join(fields[part] if number % 2 else part for number, part in enumerate(parts))


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element it is in: without `<`, and in ASCII, so that no character is lost."""
    text = json.dumps(data, separators=(",", ":"), default=str)
    for character, spelling in _UNSAFE.items():
        text = text.replace(character, spelling)
    return text


def _worst(counts: Mapping[str, int]) -> str:
    return next((state for state in STATES if counts.get(state)), NOWHERE)


def _sentence(counts: Mapping[str, int]) -> str:
    """`! failed 3, ~ differs 14, ✓ in sync 983`: the state, and in how many places."""
    states = (state for state in STATES if counts.get(state) and state != NOWHERE)
    found = [f"{_MARKS[state]} {WORDS[state]} {counts[state]:,}" for state in states]
    return ", ".join(found) or "nothing to run"


def _node(step: Step, counts: Mapping[str, int]) -> tuple[str, tuple[str, ...], str, str]:
    state = _worst(counts)
    total = sum(number for each, number in counts.items() if each != NOWHERE)
    if not total:
        return step.name, step.needs, state, "nothing to run"
    number = counts[state]
    where = "" if number == total == 1 else f" in {number:,} of {total:,}"
    return step.name, step.needs, state, f"{_MARKS[state]} {WORDS[state]}{where}"


def _step(number: int, step: Step, counts: Mapping[str, int]) -> str:
    scope = {0: "once", 1: "in each account", 2: "in each account and Region"}[step.scope]
    needs = ", ".join(f"<code>{escape(each)}</code>" for each in step.needs) or "nothing"
    return (
        f'<tr><td class="number">{number}</td><th scope="row"><code>{escape(step.name)}</code></th><td>{scope}</td>'
        f"<td>{needs}</td><td>{escape(_sentence(counts))}</td></tr>"
    )
