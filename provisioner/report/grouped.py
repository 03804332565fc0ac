"""The report for people about many accounts: what is the same in many of them is told once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from rich.text import Text

from ..engine.plan import Plan, count
from ..model import Change, Difference, Note, Result, Skipped
from . import text, words
from .gathered import Gathered, Names, gathered
from .places import few, who, wrapped
from .totals import Cost, Totals

Together = tuple[Change, ...]  # the changes of one resource

_INDENT: Final = "    "
_FAILED: Final = ("! ", "bold red")
_NAMED: Final = 12  # accounts that are passed over whole


def changes(plan: Plan, names: Names, *, unfold: bool) -> Iterator[Text]:
    """Every change; those that are the same in several places once, under the number of places.

    *unfold*: with all accounts and Regions of each, and not only the first three.
    """
    found = ((each, _by_resource(each.changes)) for each in plan.results)
    for several in gathered(found, _changes, names, lambda group: group.step):
        yield from several.lines(unfold=unfold, head=True)
        together = chain.from_iterable(group.one for group in several.groups)
        yield from text.resources(_shown(each, several) for each in together)
        yield Text()


def withheld(results: Iterable[Result], names: Names, *, unfold: bool) -> Iterator[Text]:
    """What was not done for want of a consent, what it would have cost, and how to have it."""
    found = ((each, _by_resource(each.withheld)) for each in results)
    for several in gathered(found, _changes, names):
        for each in several.one:
            change = _shown(each, several)
            what = f"{words.clean(change.resource)}: {words.operation(change)} was not called"
            head = f"  {several.where.heading}: {what}: {words.clean(change.loses)}"
            yield Text.assemble(_FAILED, (several.steps[0], "bold"), head)
            yield Text(f"{_INDENT}hint: to have it, give `--allow {change.consent}`")
        yield from several.lines(unfold=unfold)


def unseen(results: Iterable[Result], names: Names, *, unfold: bool) -> Iterator[Text]:
    """What was written and AWS does not show yet."""
    found = ((each, _by_resource(each.changes)) for each in results if each.ok)
    for several in gathered(found, _changes, names):
        left = ", ".join(f"{c.resource}: {d.field}" for c in several.one for d in c.differences)
        said = words.clean(several.said(left))
        yield Text(f"! AWS does not show yet: {several.steps[0]}  {several.where.heading}: {said}")
        yield from several.lines(unfold=unfold)


def notes(plan: Plan, names: Names, *, unfold: bool) -> Iterator[Text]:
    """What a reader should know that is no change, with the number of places; *unfold*: with all of them."""
    found = ((each, each.notes) for each in plan.results)
    for several in gathered(found, lambda note: [note.kind.name, note.resource, note.text], names):
        note = several.one
        note = Note(note.kind, several.said(note.resource), several.said(note.text))
        yield text.note_line(note, f" ({several.where.heading})")
        if unfold:
            yield from several.lines(unfold=True)


def skipped(found: Iterable[Skipped], names: Names | None = None, *, unfold: bool) -> Iterator[Text]:
    """What the run passed over, and why: accounts by name, Regions with the number of accounts."""
    names = names or {}
    whole: dict[str, list[str]] = defaultdict(list)
    regions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in found:
        if each.region:
            regions[each.why, each.account].add(each.region)
        else:
            whole[each.why].append(each.account)
    for why, accounts in sorted(whole.items()):
        named = [who(each, names) for each in sorted(accounts)]
        said = few(named) if len(named) > _NAMED and not unfold else ", ".join(named)
        yield from _passed(f"left out: {said}: {_because(why)}")
    together: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (why, account), several in regions.items():
        together[why, tuple(sorted(several))].append(account)
    for (why, where), accounts in sorted(together.items(), key=lambda each: (-len(each[1]), each[0])):
        named = [who(each, names) for each in sorted(accounts)]
        whose = named[0] if len(named) == 1 else words.plural(len(named), "account")
        said = ", ".join(where) if unfold else few(list(where))
        yield from _passed(f"left out in {whose}: {said}: {_because(why)}")
        if unfold and len(named) > 1:
            yield from (Text(f"{_INDENT}{line}", "dim") for line in wrapped(", ".join(named)))


def summary(plan: Plan, digest: str, standing: Totals, cost: Cost) -> Iterator[Text]:
    """Terraform's summary line, how the accounts stand, and the digest that `apply --expect-plan` takes."""
    yield Text.assemble((words.planned(count(plan.results)), "bold"), f" {standing.line(cost)}")
    if plan.changes:
        yield Text(f"plan {digest}")


def applied(results: Iterable[Result], standing: Totals, cost: Cost) -> Text:
    """Terraform's words again, and how the accounts stand now."""
    head = words.applied(count(results), complete=standing.complete)
    return Text.assemble((head, "bold"), f" {standing.line(cost, 'changed')}")


def _passed(said: str) -> Iterator[Text]:
    for at, line in enumerate(wrapped(words.clean(said))):
        yield Text(f"{'  ' if at else '· '}{line}", "dim")


def _because(why: str) -> str:
    """Said of one and of many: `suspended`, `has no macie2`."""
    return words.clean(why.removeprefix("is "))


def _by_resource(found: Iterable[Change]) -> list[Together]:
    several: dict[str, list[Change]] = defaultdict(list)
    for each in found:
        several[each.resource].append(each)
    return [tuple(each) for each in several.values()]


def _changes(several: Together) -> list[Any]:
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


def _shown(change: Change, several: Gathered[Any]) -> Change:
    return replace(
        change,
        resource=several.said(change.resource),
        differences=tuple(
            Difference(several.said(d.field), several.said(d.have), several.said(d.want))
            for d in change.differences
        ),
        loses=several.said(change.loses),
    )
