"""How the accounts of a run are: in sync, drifted, changed or failed. Counted as they come, so that none has to be kept."""

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
    """What a run took: seconds of wall time, and calls to AWS; of these, writes, and those refused for their rate."""

    seconds: float
    calls: int
    writes: int = 0
    throttled: int = 0


def state(results: Iterable[Result], unseen: Iterable[Result] = (), *, applied: bool = False) -> State:
    """How these results are together; what failed is failed, whatever else is true of it.

    What does not work, though it is configured, has drifted. *unseen*: what was written, and AWS does not show.
    *applied*: the changes were made.
    """
    results = list(results)
    if any(unseen) or any(not r.ok or r.withheld for r in results):
        return "failed"
    if any(r.changes or any(f.ok is False for f in r.findings) for r in results):
        return "changed" if applied else "drifted"
    return "in_sync"


@dataclass
class Totals:
    """How many accounts are in which state. *organization* is what exists once for all of them."""

    in_sync: int = 0
    drifted: int = 0
    changed: int = 0
    failed: int = 0
    skipped: int = 0
    organization: State = "in_sync"
    regions: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome) -> State:
        """One account more, which is in the state that is returned."""
        found = state(outcome.results, outcome.unseen, applied=outcome.applied)
        setattr(self, found, getattr(self, found) + 1)
        self.regions.update(outcome.regions)
        return found

    @property
    def accounts(self) -> int:
        """Those that were looked at."""
        return self.in_sync + self.drifted + self.changed + self.failed

    @property
    def complete(self) -> bool:
        """Nothing failed anywhere."""
        return not self.failed and self.organization != "failed"

    def line(self, cost: Cost) -> str:
        """`41 accounts in sync, 5 drifted, 2 failed, 1 skipped (48 accounts, …)`."""
        counted = [
            (self.in_sync, "in sync"),
            (self.drifted, "drifted"),
            (self.changed, "changed"),
            (self.failed, "failed"),
            (self.skipped, "skipped"),
        ]
        parts = [f"{number:,} {word}" for number, word in counted if number] or ["0 in sync"]
        number, word = parts[0].split(" ", 1)
        parts[0] = f"{number} {'account' if number == '1' else 'accounts'} {word}"
        if self.organization != "in_sync":
            parts.append(f"the organization itself {self.organization}")
        return f"{', '.join(parts)} ({self.cost(cost)})"

    def steps_line(self, plan: Plan, cost: Cost) -> str:
        """The same for one account, by its steps: `7 of 9 steps in sync, 15 unchanged, 2 not read (1 account, …)`."""
        in_sync = (
            sum(r.ok and (not r.changes or bool(self.changed)) for r in plan.results) + plan.in_sync.steps
        )
        steps = len(plan.results) + plan.in_sync.steps
        unread = sum(not r.ok for r in plan.results)
        unchanged = sum(len(set(r.seen) - {c.resource for c in r.changes}) for r in plan.results)
        parts = [f"{in_sync} of {words.plural(steps, 'step')} in sync"]
        parts += (
            [f"{unchanged + plan.in_sync.resources} unchanged"] if unchanged + plan.in_sync.resources else []
        )
        parts += [f"{unread} not read"] if unread else []
        return f"{', '.join(parts)} ({self.cost(cost)})"

    def cost(self, cost: Cost) -> str:
        """`48 accounts, 4 Regions, 12.3 s, 1,118 calls, 3 throttled`."""
        counted = [
            (cost.calls, "call", ""),
            (cost.writes, "write", ""),
            (cost.throttled, "throttled", "throttled"),
        ]
        return ", ".join(
            [
                words.plural(self.accounts, "account"),
                *([words.plural(len(self.regions), "Region")] if self.regions else []),
                f"{cost.seconds:.1f} s",
                *(words.plural(number, *word) for number, *word in counted if number),
            ]
        )
