"""How many accounts of a run are in which state. Accounts are counted one by one, so that none has to be kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ..engine.plan import Plan
from ..model import Outcome, Result
from . import words

State = Literal["in_sync", "drifted", "changed", "failed"]


@dataclass(frozen=True)
class Cost:
    """What a run took: seconds of wall time, and calls to AWS; of these, writes and throttled ones."""

    seconds: float
    calls: int
    writes: int = 0
    throttled: int = 0


def state(results: Iterable[Result], unseen: Iterable[Result] = (), *, applied: bool = False) -> State:
    """The state of one account. Any failure makes it `failed`; a finding of `verify` that failed makes it `drifted`.

    *unseen*: changes that were made and that AWS does not show yet. *applied*: the changes in *results* were made.
    """
    results = list(results)
    if any(unseen) or any(not r.ok or r.without_consent for r in results):
        return "failed"
    if any(r.held for r in results):
        return "drifted"
    if any(r.changes or any(f.ok is False for f in r.findings) for r in results):
        return "changed" if applied else "drifted"
    return "in_sync"


@dataclass
class Totals:
    """The number of accounts in each state. *organization* is the state of what exists once for all accounts."""

    in_sync: int = 0
    drifted: int = 0
    changed: int = 0
    failed: int = 0
    skipped: int = 0
    organization: State = "in_sync"
    regions: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome) -> State:
        """Count one more account, and return its state."""
        found = state(outcome.results, outcome.unseen, applied=outcome.applied)
        if any(not each.region for each in outcome.skipped):  # the account itself
            self.skipped += 1
            return found
        setattr(self, found, getattr(self, found) + 1)
        self.regions.update(outcome.regions)
        return found

    @property
    def accounts(self) -> int:
        """The number of accounts that were not skipped."""
        return self.in_sync + self.drifted + self.changed + self.failed

    @property
    def complete(self) -> bool:
        """Whether nothing failed."""
        return not self.failed and self.organization != "failed"

    def line(self, cost: Cost) -> str:
        """`41 accounts in sync, 5 drifted, 2 failed, 1 skipped (48 accounts, …)`."""
        counts = {
            "in sync": self.in_sync,
            "drifted": self.drifted,
            "changed": self.changed,
            "failed": self.failed,
            "skipped": self.skipped,
        }
        (word, number), *others = [each for each in counts.items() if each[1]] or [("in sync", 0)]
        parts = [f"{words.plural(number, 'account')} {word}"]
        parts += [f"{number:,} {word}" for word, number in others]
        if self.organization != "in_sync":
            parts.append(f"the organization itself {self.organization}")
        return f"{', '.join(parts)} ({self._cost(cost)})"

    def steps_line(self, plan: Plan, cost: Cost) -> str:
        """The line for a single account: `7 of 9 steps in sync, 15 resources unchanged, 2 failed (1 account, …)`."""
        results = plan.results
        steps = len(results) + plan.in_sync.steps
        made = bool(self.changed)
        in_sync = plan.in_sync.steps + sum(
            r.is_in_sync or (made and r.ok and not r.withheld) for r in results
        )
        failed = sum(not r.ok for r in results)
        unchanged = sum(len(r.unchanged) for r in results)
        unchanged += plan.in_sync.resources
        parts = [f"{in_sync} of {words.plural(steps, 'step')} in sync"]
        parts += [f"{words.plural(unchanged, 'resource')} unchanged"] if unchanged else []
        parts += [f"{failed} failed"] if failed else []
        return f"{', '.join(parts)} ({self._cost(cost)})"

    def _cost(self, cost: Cost) -> str:
        """`48 accounts, 4 Regions, 12.3 s, 1,118 calls, 3 throttled`."""
        parts = [words.plural(self.accounts, "account")]
        parts += [words.plural(len(self.regions), "Region")] if self.regions else []
        parts += [f"{cost.seconds:.1f} s"]
        parts += [words.plural(cost.calls, "call")] if cost.calls else []
        parts += [words.plural(cost.writes, "write")] if cost.writes else []
        parts += [f"{cost.throttled:,} throttled"] if cost.throttled else []
        return ", ".join(parts)
