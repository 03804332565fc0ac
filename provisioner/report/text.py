"""The report for people: what would change, what was done, what works. Lines of rich text; colour is never alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from ..compare.text_diff import document_diff
from ..engine.plan import Plan, count
from ..model import Change, Difference, Finding, Kind, Note, Result
from . import words

_MARK = {"create": ("+", "green"), "update": ("~", "yellow")}
_LINE = {"+": "green", "-": "red", " ": "dim"}
_NOTE = {Kind.FOREIGN: "·", Kind.STRICTER: "≥", Kind.WARNING: "!"}


def changes(plan: Plan) -> Iterator[Text]:
    """Every change, by step and place, field by field, with the call that makes it."""
    for result in plan.results:
        if not result.changes:
            continue
        yield Text.assemble((result.step, "bold"), f"  {words.place(result)}")
        yield from resources(result.changes)
        yield Text()


def resources(found: Iterable[Change]) -> Iterator[Text]:
    """The changes of one step in one place, by resource: the mark, the name, and what is different about it."""
    for resource, group in groupby(found, key=lambda c: c.resource):
        together = list(group)
        action = "create" if any(c.action == "create" for c in together) else "update"
        mark, style = _MARK[action]
        yield Text.assemble("  ", (mark, style), " ", (words.clean(resource), "bold"))
        for change in together:
            yield from _change(change, new=action == "create")


def _change(change: Change, *, new: bool) -> Iterator[Text]:
    mark, style = _MARK[change.action]
    yield Text.assemble("    ", (mark, style), " ", (words.operation(change), "cyan"))
    if change.consent is not None:
        yield Text(f"        needs --allow {change.consent}: {words.clean(change.loses)}", "bold red")
    simple = [d for d in change.differences if not words.is_document(d)]
    width = max((len(words.clean(d.field)) for d in simple), default=0)
    for difference in change.differences:
        if words.is_document(difference):
            yield Text(f"        {words.clean(difference.field)}")
            yield from _document(difference)
        else:
            yield _field(difference, width, new=new)


def _field(difference: Difference, width: int, *, new: bool) -> Text:
    name = f"        {words.clean(difference.field):{width}}  "
    want = (words.value(difference.want), "green")
    if new and difference.have is None:
        return Text.assemble(name, want)
    return Text.assemble(name, (words.value(difference.have), "red"), " → ", want)


def _document(difference: Difference) -> Iterator[Text]:
    for line in document_diff(difference.have, difference.want):
        yield Text(f"          {words.clean(line)}", _LINE.get(line[:1], ""))


def notes(plan: Plan) -> Iterator[Text]:
    """What a reader should know that is no change: warnings, what is stricter, what belongs to others."""
    several = len({result.target for result in plan.results}) > 1
    for result, note in plan.notes():
        where = f" ({words.place(result)})" if several else ""
        yield note_line(note, where)


def note_line(note: Note, where: str) -> Text:
    """One note: its kind, its resource and its words, and *where* as it stands."""
    style = "yellow" if note.kind is Kind.WARNING else "dim"
    return Text.assemble(
        (f"{_NOTE[note.kind]} {note.kind.value}: ", style),
        f"{words.clean(note.resource)}: {words.clean(note.text)}{where}",
    )


def failures(results: Iterable[Result]) -> Iterator[Text]:
    """What could not be read or done, where, and what to do about it."""
    for result in results:
        if result.failure is not None:
            first, *rest = words.failure(result.failure)
            yield Text.assemble(
                ("! ", "bold red"), (result.step, "bold"), f"  {words.place(result)}: {first}"
            )
            for line in rest:
                yield Text(f"    {line}")
        elif result.blocked_by is not None:
            yield Text.assemble(
                ("! ", "bold red"),
                (result.step, "bold"),
                f"  {words.place(result)}: not run: {result.blocked_by} failed",
            )


def withheld(results: Iterable[Result]) -> Iterator[Text]:
    """What was not done for want of a consent, what it would have cost, and how to have it."""
    for result in results:
        for change in result.withheld:
            what = f"{words.clean(change.resource)}: {words.operation(change)} was not called"
            yield Text.assemble(
                ("! ", "bold red"),
                (result.step, "bold"),
                f"  {words.place(result)}: {what}: {words.clean(change.loses)}",
            )
            yield Text(f"    hint: to have it, give `--allow {change.consent}`")


def tail(results: Sequence[Result], seconds: float, calls: int) -> str:
    """The end of the summary line: what was in sync, what was not read, and what it cost."""
    in_sync = sum(r.ok and not r.changes for r in results)
    unread = sum(not r.ok for r in results)
    accounts = {r.target.account for r in results}
    regions = {r.target.region for r in results}
    parts = [f"{in_sync} of {words.plural(len(results), 'step')} in sync"]
    unchanged = sum(len(set(r.seen) - {c.resource for c in r.changes}) for r in results)
    if unchanged:
        parts.append(f"{unchanged} unchanged")
    if unread:
        parts.append(f"{unread} not read")
    cost = ", ".join(
        [
            words.plural(len(accounts), "account"),
            words.plural(len(regions), "Region"),
            f"{seconds:.1f} s",
            words.plural(calls, "call"),
        ]
    )
    return f"{', '.join(parts)} ({cost})"


def summary(plan: Plan, digest: str, seconds: float, calls: int) -> Iterator[Text]:
    """Terraform's summary line, and the digest that `apply --expect-plan` takes."""
    yield Text.assemble(
        (words.planned(count(plan.results)), "bold"), f" {tail(plan.results, seconds, calls)}"
    )
    if plan.changes:
        yield Text(f"plan {digest}")


def repaired(result: Result, change: Change) -> str:
    """One line for one change that was made, as cron mails it."""
    return f"{words.place(result)} {result.step}: {words.one_line(change)}"


def findings(results: Sequence[Result]) -> Table:
    """The table of `verify`: what was looked at, whether it works, and how it is known."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    several = len({result.target for result in results}) > 1
    for heading in ("", "step", *(["where"] if several else []), "resource", "check", "found"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"", "step"})
    for result in results:
        where = [words.place(result)] if several else []
        for mark, style, finding in rows(result):
            cells = [*where, words.clean(finding.resource), finding.check, words.clean(finding.detail)]
            table.add_row(Text(mark, style), result.step, *cells)
    return table


def rows(result: Result) -> Iterator[tuple[str, str, Finding]]:
    """What was found of one step: its configuration first, then its proofs, each with a word and a style."""
    for finding in (configuration(result), *result.findings):
        yield (*verdict(finding), finding)


def configuration(result: Result) -> Finding:
    """Whether the step's part of AWS is as the file says."""
    if result.failure is not None:
        return Finding(result.step, "configured", False, "; ".join(words.failure(result.failure)))
    if result.blocked_by is not None:
        return Finding(result.step, "configured", False, f"not run: {result.blocked_by} failed")
    if not result.changes:
        return Finding(result.step, "configured", True, "as the file says")
    changed = ", ".join(words.one_line(change, "not there") for change in result.changes[:3])
    more = f" and {len(result.changes) - 3} more" if len(result.changes) > 3 else ""
    return Finding(result.step, "configured", False, f"differs: {changed}{more}")


def verdict(finding: Finding) -> tuple[str, str]:
    """The word for how a finding ends, and its style."""
    return {True: ("ok", "green"), False: ("FAIL", "bold red"), None: ("wait", "yellow")}[finding.ok]
