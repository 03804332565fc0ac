"""The report for people on changes, and on what a reader should know beside them: notes, and what was skipped.

Equal items are shown once with the number of places. Colour never carries a meaning alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from rich.text import Text

from ..compare.text_diff import document_diff
from ..model import Change, Difference, Kind, Result, Skipped
from . import words
from .places import FAILED, INDENT, Block, View, blocks, wrapped

ResourceChanges = tuple[Change, ...]  # the changes of one resource

_MARK: Final = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
_LINE: Final = {"+": "green", "-": "red", " ": "dim"}
_NOTE: Final = {
    Kind.FOREIGN: "·",
    Kind.OWNED: "▲",
    Kind.ACCEPTED: "·",
    Kind.STRICTER: "≥",
    Kind.WARNING: "!",
}
_SKIPPED: Final = 12  # skipped accounts that are named before the list is shortened


def changes(results: Iterable[Result], view: View) -> Iterator[Text]:
    """Every change and what is held, by step and place: the call, and each field with its values."""
    found = ((each, by_resource([*each.changes, *each.held])) for each in results)
    for block in blocks(found, identity, view, lambda group: group.step):
        yield from block.heading()
        for group in block.groups:
            yield from _resource([_template(each, block) for each in group.sample])
        yield Text()


def held(results: Iterable[Result], view: View) -> Iterator[Text]:
    """The changes that are only told, with the reason of each."""
    yield from changes((replace(each, changes=[]) for each in results if each.held), view)


def withheld(results: Iterable[Result], view: View) -> Iterator[Text]:
    """The changes that were not made because they need consent: what would be lost, and the flag that allows it."""
    found = ((each, by_resource(each.without_consent)) for each in results)
    for block in blocks(found, identity, view):
        for each in block.sample:
            change = _template(each, block)
            what = f"{words.clean(change.resource)}: {words.operation(change)} was not called"
            head = f"  {block.where}: {what}: {words.clean(change.loses)}"
            yield Text.assemble(FAILED, (block.steps[0], "bold"), head)
            yield Text(f"{INDENT}hint: to have it, give `--allow {change.consent}`")
        yield from block.places()


def unseen(results: Iterable[Result], view: View) -> Iterator[Text]:
    """The changes that were made and that AWS does not show yet."""
    found = ((each, by_resource(each.changes)) for each in results if each.ok)
    for block in blocks(found, identity, view):
        fields = ", ".join(f"{c.resource}: {d.field}" for c in block.sample for d in c.differences)
        text = words.clean(block.template(fields))
        yield Text(f"! AWS does not show yet: {block.steps[0]}  {block.where}: {text}")
        yield from block.places()


def notes(results: Iterable[Result], view: View) -> Iterator[Text]:
    """The notes: warnings, settings that are stricter than the file, resources of others."""
    found = ((each, each.notes) for each in results)
    for block in blocks(found, lambda note: [note.kind.name, note.resource, note.text], view):
        note = block.sample
        style = "yellow" if note.kind in {Kind.OWNED, Kind.WARNING} else "dim"
        undone = note.kind is Kind.STRICTER and not note.permanent
        exact = "; `exact: true` in the file would undo it" if undone else ""
        text = words.clean(block.template(f"{note.resource}: {note.text}{exact}"))
        head = (f"{_NOTE[note.kind]} {note.kind.value}: ", style)
        yield Text.assemble(head, f"{text} ({block.where})")
        if view.unfold:
            yield from block.places()


def skipped(found: Iterable[Skipped], view: View) -> Iterator[Text]:
    """What the run skipped, and why: accounts by name, Regions with the number of accounts."""
    accounts: dict[str, list[str]] = defaultdict(list)
    regions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in found:
        if each.region:
            regions[each.why, each.account].add(each.region)
        else:
            accounts[each.why].append(each.account)
    for why, ids in sorted(accounts.items()):
        named = [view.account(each) for each in sorted(ids)]
        yield from _skipped(f"skipped: {view.shortened(named, _SKIPPED)}", why)
    by_regions: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (why, account), names in regions.items():
        by_regions[why, tuple(sorted(names))].append(account)
    for (why, where), ids in sorted(by_regions.items(), key=lambda each: (-len(each[1]), each[0])):
        named = [view.account(each) for each in sorted(ids)]
        whose = named[0] if len(named) == 1 else words.plural(len(named), "account")
        yield from _skipped(f"skipped in {whose}: {view.shortened(where)}", why)
        if view.unfold and len(named) > 1:
            yield from (Text(f"{INDENT}{line}", "dim") for line in wrapped(", ".join(named)))


def repaired(result: Result, change: Change) -> str:
    """One change that was made, on one line: the output of a quiet run, which cron mails."""
    return f"{words.place(result)} {result.step}: {words.summary(change)}"


def identity(changes: ResourceChanges) -> list[Any]:
    """The fields in which equal changes of one resource agree: all but the parameters of the calls."""
    return [
        [
            change.resource,
            change.action,
            [[d.field, d.have, d.want] for d in change.differences],
            change.call.service,
            change.call.operation,
            change.consent,
            change.loses,
            change.held,
        ]
        for change in changes
    ]


def by_resource(changes: Iterable[Change]) -> list[ResourceChanges]:
    """The changes of each resource together, in the order of the first of them."""
    found: dict[str, list[Change]] = defaultdict(list)
    for each in changes:
        found[each.resource].append(each)
    return [tuple(each) for each in found.values()]


def _template(change: Change, block: Block[Any]) -> Change:
    template = block.template
    differences = (
        Difference(template(d.field), template(d.have), template(d.want)) for d in change.differences
    )
    return replace(
        change,
        resource=template(change.resource),
        differences=tuple(differences),
        loses=template(change.loses),
    )


def _resource(changes: Sequence[Change]) -> Iterator[Text]:
    """The changes of one resource: the mark, the name, then each change."""
    action = next((c.action for c in changes if c.action != "update"), "update")
    yield Text.assemble("  ", _MARK[action], " ", (words.clean(changes[0].resource), "bold"))
    for change in changes:
        yield from _change(change, new=action == "create")


def _change(change: Change, *, new: bool) -> Iterator[Text]:
    yield Text.assemble(INDENT, _MARK[change.action], " ", (words.operation(change), "cyan"))
    if change.held:
        yield Text(f"        only told, not made: {words.clean(change.held)}", "bold yellow")
    elif change.consent is not None:
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


def _skipped(text: str, why: str) -> Iterator[Text]:
    # A reason is written for one account or Region, "is disabled"; here it is shown for one or many.
    for index, line in enumerate(wrapped(words.clean(f"{text}: {why.removeprefix('is ')}"))):
        yield Text(f"{'  ' if index else '· '}{line}", "dim")
