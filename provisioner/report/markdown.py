"""The report as GitHub-flavoured Markdown, for a comment on a pull request.

Every text of AWS is in a fenced block or in an escaped `<code>` of an HTML block: GitHub reads neither Markdown nor
`@names` there. A comment that is too long for GitHub loses its last entries, and says how many.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from ..model import Target
from . import words
from .entries import CHANGES, KINDS, QUIET, EntryGroup, entries, grouped
from .entry_text import details, differences, title, where
from .grouping import ACCOUNT, REGION, fill
from .json_objects import DocumentJson

LIMIT: Final = 65_000  # characters; GitHub takes 65,536
_LINES: Final = 120  # of one entry
_WIDTH: Final = 400  # characters of a line
_OPEN: Final = frozenset({"danger", "failed", "check_failed"})  # shown unfolded
_FENCE: Final = re.compile("`{3,}")
_TAIL: Final = 200  # characters kept for the line that says what was left out


def to_markdown(document: DocumentJson, limit: int = LIMIT) -> str:
    """The text of the comment, at most *limit* characters as GitHub counts them, in UTF-16 units."""
    names = {each.account: each.name for each in document.accounts}
    groups = grouped(entries(document), document.account)
    parts = [_head(document, groups)]
    size = _size(parts[0])
    shown, kind = 0, ""
    for each in groups:
        part = _entry(each, names)
        if each.kind != kind:
            part = f"{_heading(each, groups)}\n\n{part}"
        if size + _size(part) + _TAIL > limit:
            continue  # a shorter one may still fit
        shown, size, kind = shown + 1, size + _size(part), each.kind
        parts.append(part)
    if left := len(groups) - shown:
        parts.append(
            f"_{words.plural(left, 'entry', 'entries')} of {len(groups):,} left out: too long for a comment._\n"
        )
    return "".join(parts)


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _head(document: DocumentJson, groups: Sequence[EntryGroup]) -> str:
    counts = Counter(each.kind for each in groups for _ in each.entries)
    bad = [KINDS[kind] for kind in KINDS if kind not in QUIET and kind != "skipped" and counts[kind]]
    mark = bad[0].mark if bad else "✓"
    states = document.accounts_by_state
    total = {each: getattr(states, each) for each in ("in_sync", "drifted", "changed", "failed", "skipped")}
    facts = {"account": document.account, "caller": document.caller, "plan": document.plan_digest}
    lines = [
        f"### {mark} provision {document.command}{' (sandbox)' if document.sandbox else ''}",
        "",
        _fenced([words.clean(document.message)[:_WIDTH]]),
        "",
        f"| accounts | {' | '.join(each.replace('_', ' ') for each in total)} |",
        f"| ---: | {' | '.join('---:' for _ in total)} |",
        f"| {sum(total.values()):,} | {' | '.join(f'{number:,}' for number in total.values())} |",
        "",
        f"<sub>{', '.join(f'{name} <code>{_html(value)}</code>' for name, value in facts.items())}</sub>",
        "",
        "",
    ]
    return "\n".join(lines)


def _heading(group: EntryGroup, groups: Sequence[EntryGroup]) -> str:
    number = sum(len(each.entries) for each in groups if each.kind == group.kind)
    about = KINDS[group.kind]
    return f"#### {about.mark} {words.plural(number, about.one, about.many)}"


def _entry(group: EntryGroup, names: Mapping[str, str]) -> str:
    group = EntryGroup(group.kind, group.step, _readable(group), group.entries)
    step = f"<b>{_html(group.step)}</b> " if group.step else ""
    summary = f"{KINDS[group.kind].mark} {step}<code>{_html(title(group))}</code>"
    summary += f" in <code>{_html(where(group.entries, dict(names)))}</code>"
    lines = list(_lines(group))
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"  ... {len(lines) - _LINES:,} more lines"]
    state = " open" if group.kind in _OPEN else ""
    body = _fenced([_short(each) for each in lines], "diff" if group.kind in CHANGES else "text")
    return f"<details{state}><summary>{summary}</summary>\n\n{body}\n\n</details>\n\n"


def _lines(group: EntryGroup) -> Iterator[str]:
    if group.kind in CHANGES:
        yield f"@@ {words.clean(group.template['call'])} @@"
        simple, documents = differences(group.template)
        for name, have, want in simple:
            if have != "(none)" or group.template["action"] != "create":
                yield f"- {name}: {have}"
            yield f"+ {name}: {want}"
        for name, lines in documents:
            yield f"  {name}"
            yield from lines
    yield from details(group)


def _readable(group: EntryGroup) -> dict[str, Any]:
    """The template without its escapes: filled in for a single place, else with its placeholders."""
    accounts = {each.account for each in group.entries}
    regions = {each.region for each in group.entries}
    account = accounts.pop() if len(accounts) == 1 else ACCOUNT
    region = regions.pop() if len(regions) == 1 else REGION
    found: dict[str, Any] = fill(group.template, Target(account, region), unescape=True)
    return found


def _fenced(lines: Sequence[str], language: str = "text") -> str:
    """A code block whose fence is longer than any row of backticks in it."""
    longest = max((len(run) for each in lines for run in _FENCE.findall(each)), default=2)
    fence = "`" * (longest + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def _short(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…"


def _html(text: str) -> str:
    return escape(_short(words.clean(text)))
