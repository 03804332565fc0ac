"""The checks of a run: the findings of `verify`, the configuration itself among them, and how many held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..model import Finding, InSyncCounts, Result
from . import words


def configuration(result: Result) -> Finding:
    """Whether the step's part of AWS is as the file says."""
    if result.failures:
        text = "; ".join(line for each in result.failures for line in words.failure(each))
        return Finding(result.step, "configured", False, text)
    if result.blocked_by is not None:
        return Finding(result.step, "configured", False, f"not run: {result.blocked_by} failed")
    if not result.changes:
        return Finding(result.step, "configured", True, "as the file says")
    changed = ", ".join(words.one_line(change, "not there") for change in result.changes[:3])
    more = f" and {len(result.changes) - 3} more" if len(result.changes) > 3 else ""
    return Finding(result.step, "configured", False, f"differs: {changed}{more}")


def all_of(result: Result) -> Iterator[Finding]:
    """What was found of one step: its configuration first, then its proofs. Without the ids of calls."""
    failures = [replace(each, message=words.without_id(each), request_id="") for each in result.failures]
    yield configuration(replace(result, failures=failures))
    yield from result.findings


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


def checks(results: Iterable[Result], in_sync: InSyncCounts) -> Checks:
    """All the checks of a run, or of an account; of what is *in_sync*, only counts are left."""
    ends = Counter(finding.ok for each in results for finding in all_of(each))
    return Checks(in_sync.steps + in_sync.proofs + ends[True], ends[False], ends[None])
