"""The texts of a group of entries, for formats that show equal entries once: `html/` and `markdown.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..compare.text_diff import document_diff
from ..model import Difference
from . import words
from .entries import CHANGES, Entry, EntryGroup

Field = tuple[str, str, str]  # name, value in AWS, value of the file
Document = tuple[str, list[str]]  # name, lines of a diff


def where(found: Sequence[Entry], names: dict[str, str]) -> str:
    """`412 accounts, 4 Regions`; a single place by its names."""
    accounts = dict.fromkeys(each.account for each in found)
    regions = dict.fromkeys(each.region for each in found if each.region)
    whose = words.plural(len(accounts), "account")
    if len(accounts) == 1:
        account = next(iter(accounts))
        whose = f"{account} ({names[account]})" if names.get(account) else account
    if len(regions) == 1:
        return words.clean(f"{whose}, {next(iter(regions))}")
    return words.clean(f"{whose}, {words.plural(len(regions), 'Region')}" if regions else whose)


def differences(about: dict[str, Any]) -> tuple[list[Field], list[Document]]:
    """The fields of a change with a value that fits on a line, and the documents as diffs of their lines."""
    simple: list[Field] = []
    documents: list[Document] = []
    for name, have, want in about["differences"]:
        if words.is_document(Difference(name, have, want)):
            lines = [words.clean(line) for line in document_diff(have, want)]
            documents.append((words.clean(name), lines))
        else:
            simple.append((words.clean(name), words.value(have), words.value(want)))
    return simple, documents


def title(group: EntryGroup) -> str:
    """What an entry is about, on one line."""
    about = group.template
    if group.kind in CHANGES:
        return words.clean(about["resource"])
    if "doing" in about:
        return words.clean(": ".join(filter(None, (about["doing"], about["call"], about["code"]))))
    if "check" in about:
        own = about["resource"] == group.step
        return words.clean(about["check"] if own else f"{about['resource']}: {about['check']}")
    return words.clean(about.get("resource") or about["text"])


def details(group: EntryGroup) -> list[str]:
    """What is told beside the title and the differences, in lines."""
    about = group.template
    if group.kind in CHANGES:
        consent = f"needs --allow {about['consent']}: {about['loses']}" if about["consent"] else ""
        return _clean([f"held: {about['held']}" if about["held"] else "", consent])
    if "doing" in about:
        blocked = f"not run: {about['blocked_by']} failed" if about["blocked_by"] else ""
        untried = f"not tried because of that: {', '.join(about['not_tried'])}" if about["not_tried"] else ""
        hint = f"hint: {about['hint']}" if about["hint"] else ""
        return _clean([blocked or about["message"], untried, hint])
    if "check" in about:
        return _clean([about["detail"]])
    text = f"{about['note']}: {about['text']}" if "note" in about else about["text"]
    return _clean([text])


def _clean(lines: Iterable[str]) -> list[str]:
    return [words.clean(each) for each in lines if each]
