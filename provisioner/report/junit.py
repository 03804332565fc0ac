"""The report as JUnit XML, which CI servers show: a suite for each account, a case for each step or check and Region.

A step that differs, failed or is held back is a failure; one that was not run and what is too early to tell are skipped.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from . import words
from .entries import CHANGES, KINDS, Entry, Kind, entries
from .json_objects import AccountJson, DocumentJson

_BAD: Final[frozenset[Kind]] = frozenset({"danger", "withheld", "not_seen", "held", "change", "check_failed"})
_SKIPPED: Final[frozenset[Kind]] = frozenset({"not_run", "check_pending", "skipped"})
# Characters that XML 1.0 does not allow, in no form. `words.clean` has replaced the others that do not print.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(document: DocumentJson) -> str:
    """The text of the file."""
    own: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries(document):
        own[entry.row].append(entry)
    rows = [document.organization, *document.accounts]
    suites = [_suite(each, own.pop(each.account, [])) for each in rows]
    suites += [_skipped_suite(account, found) for account, found in own.items()]
    total = [sum(counts) for counts in zip(*(counts for counts, _ in suites), strict=True)]
    head = f"<testsuites name={_quoted(f'provision {document.command}')} {_counts(total)}"
    lines = [f'{head} time="{document.cost.seconds:.3f}">']
    lines += [text for _, text in suites]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *lines, "</testsuites>", ""])


def _suite(found: AccountJson, own: Sequence[Entry]) -> tuple[list[int], str]:
    name = "organization" if found.type == "organization" else found.account
    title = f"{name} ({found.name})" if found.name else name
    cases = list(_cases(title, own))
    if found.counts.steps_in_sync:
        text = f"in sync ({words.plural(found.counts.steps_in_sync, 'step')})"
        cases.append(("passed", f"<testcase classname={_quoted(title)} name={_quoted(text)}/>"))
    return _made(title, cases, found.seconds)


def _skipped_suite(account: str, own: Sequence[Entry]) -> tuple[list[int], str]:
    return _made(account, list(_cases(account, own)), 0.0)


def _made(title: str, cases: Sequence[tuple[str, str]], seconds: float) -> tuple[list[int], str]:
    states = [state for state, _ in cases]
    counts = [len(cases), *(states.count(each) for each in ("failure", "error", "skipped"))]
    head = f'<testsuite name={_quoted(title)} {_counts(counts)} time="{seconds:.3f}">'
    return counts, "\n".join([f"  {head}", *(f"    {text}" for _, text in cases), "  </testsuite>"])


def _counts(counts: Sequence[int]) -> str:
    names = ("tests", "failures", "errors", "skipped")
    return " ".join(f'{name}="{number}"' for name, number in zip(names, counts, strict=True))


def _cases(title: str, own: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """The state and the XML of each case: a check, or all other entries of a step in one Region."""
    cases: Mapping[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in own:
        check = (entry.resource, str(entry.about["check"])) if "check" in entry.about else ()
        cases[entry.step, entry.region, *check].append(entry)
    for (step, region, *about), found in cases.items():
        name = ": ".join(filter(None, (step, *about))) or "account"
        where = f"{name} in {region}" if region else name
        yield _case(f"<testcase classname={_quoted(title)} name={_quoted(where)}", found)


def _case(head: str, found: Sequence[Entry]) -> tuple[str, str]:
    text = escape(_xml("\n".join(line for each in found for line in lines(each))))
    for state, kinds in (("error", {"failed"}), ("failure", _BAD), ("skipped", _SKIPPED)):
        first = next((each for each in found if each.kind in kinds), None)
        if first is not None:
            about = f"message={_quoted(lines(first)[0])}"
            if state != "skipped":
                about += f" type={_quoted(first.kind)}"
            return state, f"{head}><{state} {about}>{text}</{state}></testcase>"
    return "passed", f"{head}><system-out>{text}</system-out></testcase>"


def lines(entry: Entry) -> list[str]:
    """An entry as plain text: what it is, then its fields, what to do, and the request id."""
    about, mark = entry.about, KINDS[entry.kind]
    found = [f"{mark.one}: {words.clean(_sentence(entry))}"]
    if entry.kind in CHANGES:
        found += [
            f"  {words.clean(name)}: {words.value(have)} → {words.value(want)}"
            for name, have, want in about["differences"]
        ]
        if about["consent"]:
            found.append(f"  needs --allow {about['consent']}: {words.clean(about['loses'])}")
    if about.get("not_tried"):
        found.append(f"  not tried because of that: {', '.join(about['not_tried'])}")
    if about.get("hint"):
        found.append(f"  hint: {words.clean(about['hint'])}")
    if entry.request_id:
        found.append(f"  request id: {words.clean(entry.request_id)}")
    return found


def _sentence(entry: Entry) -> str:
    about = entry.about
    if entry.kind in CHANGES:
        held = f": {about['held']}" if about["held"] else ""
        return f"{about['resource']} ({about['call']}){held}"
    if "doing" in about:
        return ": ".join(filter(None, (about["doing"], about["call"], about["code"], about["message"])))
    if "check" in about:
        return f"{about['resource']}: {about['check']}: {about['detail']}"
    return ": ".join(filter(None, (entry.resource, about["text"])))


def _quoted(text: str) -> str:
    return quoteattr(_xml(words.clean(text)))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
