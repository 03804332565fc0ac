"""The report as CSV: one line for each change, failure, check, note and skipped place.

A change has a line for each field. A spreadsheet must not run what AWS's texts say: a cell that it would take for a
formula begins with an apostrophe (OWASP, "CSV Injection"). So does what follows a semicolon, which is where a spreadsheet of
many languages begins a new cell, in quotes or not.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from . import words
from .entries import CHANGES, Entry, entries
from .json_objects import DocumentJson

COLUMNS: Final = (
    *("state", "account", "name", "region", "step", "resource", "action", "field", "have", "want", "call"),
    *("text", "hint", "consent", "request_id"),
)
# The beginning of a formula; full-width ones count too.
_FORMULA: Final = re.compile(r"((?:^|;)[\s\"]*)(?=[-=+@|%＝＋－＠])")  # noqa: RUF001


def to_csv(document: DocumentJson) -> str:
    """The text of the file, with a line of column names, in the dialect of RFC 4180."""
    names = {each.account: each.name for each in document.accounts}
    names |= {each.account: each.name for each in document.skipped if each.name}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in entries(document):
        for found in _lines(entry):
            line = {**_place(entry, names.get(entry.account, "")), **found}
            writer.writerow([_cell(line.get(column, "")) for column in COLUMNS])
    return file.getvalue()


def _place(entry: Entry, name: str) -> dict[str, str]:
    return {
        "state": entry.kind,
        "account": entry.account,
        "name": name,
        "region": entry.region,
        "step": entry.step,
        "resource": entry.resource,
        "request_id": entry.request_id,
    }


def _lines(entry: Entry) -> Iterator[dict[str, str]]:
    about = entry.about
    if entry.kind in CHANGES:
        same = {"action": about["action"], "call": about["call"], "consent": about["consent"]}
        same["text"] = "; ".join(filter(None, (about["held"], about["loses"])))
        for name, have, want in about["differences"] or [("", None, None)]:
            yield {**same, "field": name, "have": _value(have), "want": _value(want)}
    elif "doing" in about:
        parts = (about["doing"], about["code"], about["message"])
        untried = f"not tried: {', '.join(about['not_tried'])}" if about["not_tried"] else ""
        text = "; ".join(filter(None, (": ".join(filter(None, parts)), untried)))
        yield {"text": text, "call": about["call"], "hint": about["hint"]}
    elif "check" in about:
        yield {"field": about["check"], "text": about["detail"]}
    else:
        yield {"action": about.get("note", ""), "text": about["text"]}


def _value(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _cell(text: str) -> str:
    return _FORMULA.sub(r"\1'", words.clean(text))
