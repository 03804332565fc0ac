"""The checks of `verify`: the findings of each step, the comparison with the file among them, and how many passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..model import Change, Finding, InSyncCounts, Result
from . import words


def all_findings(result: Result) -> Iterator[Finding]:
    """The findings of one step: first whether AWS is configured as the file says, then the step's own.

    What the file names for the run itself is no step, and is only looked at.
    """
    if result.is_step:
        yield _configured(result)
    yield from result.findings


def _configured(result: Result) -> Finding:
    def finding(detail: str, *, ok: bool = False) -> Finding:
        return Finding(result.step, "configured", ok, detail)

    if result.failures:
        # One refused read fails the comparison and the proof of a step.
        each_once = {f.request_id or f"{number}": f for number, f in reversed([*enumerate(result.failures)])}
        # Request ids differ from place to place, and would keep equal findings apart.
        failures = [replace(f, message=words.without_id(f), request_id="") for f in each_once.values()][::-1]
        return finding("; ".join(line for each in failures for line in words.failure(each)))
    if result.blocked_by is not None:
        return finding(f"not run: {result.blocked_by} failed")
    if result.is_in_sync:
        return finding("as the file says", ok=True)
    differs = [*result.changes, *result.withheld]
    changed = ", ".join(_difference(change) for change in differs[:3])
    more = f" and {len(differs) - 3} more" if len(differs) > 3 else ""
    return finding(f"differs: {changed}{more}")


def _difference(change: Change) -> str:
    told = words.summary(change, "not there")
    return f"{told}, only told: {change.held}" if change.held else told


@dataclass(frozen=True)
class Checks:
    """How many checks passed, failed, and are pending, as it is too early to tell."""

    passed: int
    failed: int
    pending: int

    def __str__(self) -> str:
        failed = f", {self.failed:,} failed" if self.failed else ""
        pending = f"; {self.pending:,} too early to tell" if self.pending else ""
        return f"{words.plural(self.passed, 'check')} passed{failed}{pending}"


def checks(results: Iterable[Result], in_sync: InSyncCounts) -> Checks:
    """Count the checks of *results*, and those of the results of which only the counts *in_sync* were kept."""
    ends = Counter(finding.ok for each in results for finding in all_findings(each))
    return Checks(in_sync.steps + in_sync.proofs + ends[True], ends[False], ends[None])
