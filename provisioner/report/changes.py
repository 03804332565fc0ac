"""The report for people: what would change or was changed, and what a reader should know beside it.

What is the same in many places is told once, under the number of places; one place is a group of one. Lines of rich text;
colour is never alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby
from typing import Any, Final

from rich.text import Text

from ..compare.text_diff import document_diff
from ..model import Change, Difference, Kind, Result, Skipped
from . import words
from .places import Together, View, by_place, wrapped

OfResource = tuple[Change, ...]  # the changes of one resource

_MARK: Final = {"create": ("+", "green"), "update": ("~", "yellow")}
_LINE: Final = {"+": "green", "-": "red", " ": "dim"}
_NOTE: Final = {Kind.FOREIGN: "·", Kind.STRICTER: "≥", Kind.WARNING: "!"}
_INDENT: Final = "    "
_FAILED: Final = ("! ", "bold red")
_NAMED: Final = 12  # accounts that are skipped whole


def changes(results: Iterable[Result], view: View) -> Iterator[Text]:
    """Every change, by step and place, field by field, with the call that makes it."""
    found = ((each, _by_resource(each.changes)) for each in results)
    for several in by_place(found, identity, view, lambda group: group.step):
        yield from several.heading()
        together = chain.from_iterable(group.one for group in several.groups)
        yield from _resources(_template(each, several) for each in together)
        yield Text()


def withheld(results: Iterable[Result], view: View) -> Iterator[Text]:
    """What was not done for want of a consent, what it would have cost, and how to have it."""
    found = ((each, _by_resource(each.withheld)) for each in results)
    for several in by_place(found, identity, view):
        for each in several.one:
            change = _template(each, several)
            what = f"{words.clean(change.resource)}: {words.operation(change)} was not called"
            head = f"  {several.where.heading}: {what}: {words.clean(change.loses)}"
            yield Text.assemble(_FAILED, (several.steps[0], "bold"), head)
            yield Text(f"{_INDENT}hint: to have it, give `--allow {change.consent}`")
        yield from several.places()


def unseen(results: Iterable[Result], view: View) -> Iterator[Text]:
    """What was written and AWS does not show yet."""
    found = ((each, _by_resource(each.changes)) for each in results if each.ok)
    for several in by_place(found, identity, view):
        left = ", ".join(f"{c.resource}: {d.field}" for c in several.one for d in c.differences)
        text = words.clean(several.template(left))
        yield Text(f"! AWS does not show yet: {several.steps[0]}  {several.where.heading}: {text}")
        yield from several.places()


def notes(results: Iterable[Result], view: View) -> Iterator[Text]:
    """What a reader should know that is no change: warnings, what is stricter, what belongs to others."""
    found = ((each, each.notes) for each in results)
    for several in by_place(found, lambda note: [note.kind.name, note.resource, note.text], view):
        note = several.one
        style = "yellow" if note.kind is Kind.WARNING else "dim"
        text = words.clean(several.template(f"{note.resource}: {note.text}"))
        yield Text.assemble(
            (f"{_NOTE[note.kind]} {note.kind.value}: ", style), f"{text} ({several.where.heading})"
        )
        if view.unfold:
            yield from several.places()


def skipped(found: Iterable[Skipped], view: View) -> Iterator[Text]:
    """What the run skipped, and why: accounts by name, Regions with the number of accounts."""
    accounts: dict[str, list[str]] = defaultdict(list)
    regions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in found:
        if each.region:
            regions[each.why, each.account].add(each.region)
        else:
            accounts[each.why].append(each.account)
    for why, several in sorted(accounts.items()):
        named = [view.account(each) for each in sorted(several)]
        yield from _skipped(f"skipped: {view.few(named, _NAMED)}: {_because(why)}")
    together: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (why, account), names in regions.items():
        together[why, tuple(sorted(names))].append(account)
    for (why, where), several in sorted(together.items(), key=lambda each: (-len(each[1]), each[0])):
        named = [view.account(each) for each in sorted(several)]
        whose = named[0] if len(named) == 1 else words.plural(len(named), "account")
        yield from _skipped(f"skipped in {whose}: {view.few(where)}: {_because(why)}")
        if view.unfold and len(named) > 1:
            yield from (Text(f"{_INDENT}{line}", "dim") for line in wrapped(", ".join(named)))


def repaired(result: Result, change: Change) -> str:
    """One line for one change that was made, as cron mails it."""
    return f"{words.place(result)} {result.step}: {words.one_line(change)}"


def identity(several: OfResource) -> list[Any]:
    """What makes the changes of one resource what they are."""
    return [
        [
            change.resource,
            change.action,
            [[d.field, d.have, d.want] for d in change.differences],
            change.call.service,
            change.call.operation,
            change.consent,
            change.loses,
        ]
        for change in several
    ]


def _by_resource(found: Iterable[Change]) -> list[OfResource]:
    several: dict[str, list[Change]] = defaultdict(list)
    for each in found:
        several[each.resource].append(each)
    return [tuple(each) for each in several.values()]


def _template(change: Change, several: Together[Any]) -> Change:
    return replace(
        change,
        resource=several.template(change.resource),
        differences=tuple(
            Difference(several.template(d.field), several.template(d.have), several.template(d.want))
            for d in change.differences
        ),
        loses=several.template(change.loses),
    )


def _resources(found: Iterable[Change]) -> Iterator[Text]:
    """The changes of one step, by resource: the mark, the name, and what is different about it."""
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
            for line in document_diff(difference.have, difference.want):
                yield Text(f"          {words.clean(line)}", _LINE.get(line[:1], ""))
        else:
            yield _field(difference, width, new=new)


def _field(difference: Difference, width: int, *, new: bool) -> Text:
    name = f"        {words.clean(difference.field):{width}}  "
    want = (words.value(difference.want), "green")
    if new and difference.have is None:
        return Text.assemble(name, want)
    return Text.assemble(name, (words.value(difference.have), "red"), " → ", want)


def _skipped(text: str) -> Iterator[Text]:
    for at, line in enumerate(wrapped(words.clean(text))):
        yield Text(f"{'  ' if at else '· '}{line}", "dim")


def _because(why: str) -> str:
    """Said of one and of many: `suspended`, `has no macie2`."""
    return words.clean(why.removeprefix("is "))
