"""The report for people about many accounts, where it went wrong: who failed and why, and what does not work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.table import Table
from rich.text import Text

from ..model import Failure, Finding, InSyncCounts, Result
from ..steps.arrivals import MOMENT
from . import text, words
from .gathered import Gathered, Names, gathered
from .places import who

_TIME = "${time}"  # stands for a time that is another one in each place
_NARROW, _WIDE = 34, 44  # characters of a list in a table, and of its column


def failures(results: Iterable[Result], names: Names, *, unfold: bool) -> Table:
    """Who failed, where, doing what, and why; no row where nothing did. *unfold*: with AWS's request ids."""
    bad = [each for each in results if not each.ok]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("failed", overflow="fold", max_width=_WIDE)
    table.add_column("why", overflow="fold")
    failed = ((each, [each.failure] if each.failure else []) for each in bad)
    for several in gathered(failed, _failure, names):
        ids = _ids(several, names) if unfold else []
        table.add_row(_who(several, ids, unfold=unfold), _why(several))
    blocked = ((each, [each.blocked_by] if each.blocked_by and not each.failure else []) for each in bad)
    for stopped in gathered(blocked, str, names, lambda group: group.one):
        table.add_row(_who(stopped, [], unfold=unfold), f"not run: {stopped.one} failed\n")
    return table


def verified(results: Sequence[Result], names: Names, *, unfold: bool) -> Iterator[Text]:
    """What does not work, and then what it is too early to tell of; nothing where everything works."""
    for verdict in (False, None):
        found = ((each, [f for f in _findings(each) if f.ok is verdict]) for each in results)
        for several in gathered(found, _finding, names, lambda group: group.step):
            yield from several.lines(unfold=unfold, head=True)
            for group in several.groups:
                mark, style = text.verdict(group.one)
                resource, check, detail = _finding(group.one) if several.many else _literal(group.one)
                about = check if resource == group.step else f"{resource}: {check}"
                said = words.clean(several.said(f"{about}: {detail}")).replace(_TIME, "…")
                yield Text.assemble("  ", (f"{mark:4}", style), f"  {said}")
            yield Text()


@dataclass(frozen=True)
class Checks:
    """What was looked at: what *held*, what *fell*, and what it is too early to tell of."""

    held: int
    fell: int
    pending: int

    def __str__(self) -> str:
        fell = f", {self.fell:,} did not" if self.fell else ""
        wait = f"; {self.pending:,} too early to tell" if self.pending else ""
        return f"{words.plural(self.held, 'check')} held{fell}{wait}"


def checks(results: Iterable[Result], others: InSyncCounts) -> Checks:
    """All the checks of a run, or of an account. *others* are those in sync, of which only numbers are left."""
    ends = Counter(finding.ok for each in results for finding in _findings(each))
    return Checks(others.steps + others.proofs + ends[True], ends[False], ends[None])


def proof(results: Sequence[Result], others: InSyncCounts) -> Text:
    """Whether everything works, and how many checks said so."""
    bad = sorted({each.step for each in results for finding in _findings(each) if finding.ok is False})
    head = (f"Does not work: {', '.join(bad)}.", "bold red") if bad else ("Works.", "bold green")
    return Text.assemble(head, f" {checks(results, others)}")


def _who(several: Gathered[Any], ids: Sequence[str], *, unfold: bool) -> Text:
    """The step, the number of places, and the places."""
    lines = ids or several.where.lines(unfold=unfold, width=_NARROW)
    heading = f"{several.where.heading}{', with request ids' if ids else ''}"
    rest = "".join(f"\n{line}" for line in (heading, *lines))
    return Text.assemble((", ".join(several.steps), "bold"), rest, "\n")


def _id(result: Result) -> str:
    return result.failure.request_id if result.failure else ""


def _ids(several: Gathered[Any], names: Names) -> list[str]:
    """Each place with the id of the call that failed there, where there is one."""
    if not any(map(_id, several.results)):
        return []
    lines = []
    for each in sorted(several.results, key=lambda each: each.target):
        lines.append(words.clean(f"{who(each.target.account, names)} {each.target.region}"))
        lines.append(words.clean(f"  {_id(each) or 'no request id'}"))
    return lines


def _failure(failure: Failure) -> list[str]:
    """What makes a failure what it is: not the id of the call, wherever AWS says it."""
    message = failure.message
    if failure.request_id:
        message = message.replace(failure.request_id, "${request_id}")
    return [failure.doing, message, failure.service, failure.operation, failure.code, failure.hint]


def _why(several: Gathered[Failure]) -> Text:
    doing, message, service, operation, code, hint = several.said(_failure(several.one))
    lines = words.failure(Failure(doing, message, service, operation, code, "", hint))
    return Text("\n".join([*lines, ""]))


def _findings(result: Result) -> Iterator[Finding]:
    """What was found of one step, without the id of a call."""
    if result.failure is not None:
        result = replace(
            result, failure=replace(result.failure, message=_failure(result.failure)[1], request_id="")
        )
    yield text.configuration(result)
    yield from result.findings


def _literal(finding: Finding) -> list[str]:
    return [finding.resource, finding.check, finding.detail]


def _finding(finding: Finding) -> list[str]:
    """What makes a finding what it is: not the time at which it was so."""
    return [MOMENT.sub(_TIME, each) for each in _literal(finding)]
