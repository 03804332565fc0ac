"""How the accounts of a run stand: counted as they come, so that none has to be kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..model import Result
from . import words

if TYPE_CHECKING:
    from ..model import Outcome

State = Literal["in sync", "drifted", "failed"]


@dataclass(frozen=True)
class Cost:
    """What a run took: wall seconds, calls to AWS, and the longest chain of calls that waited for each other."""

    seconds: float
    calls: int
    writes: int = 0
    throttled: int = 0
    longest_chain: int = 1


def state(results: Iterable[Result], unseen: Iterable[Result] = ()) -> State:
    """How these results stand together; what failed is failed, whatever else is true of it.

    What does not work, though it is configured, has drifted. *unseen*: what was written, and AWS does not show.
    """
    results = list(results)
    if any(unseen) or any(not r.ok or r.withheld for r in results):
        return "failed"
    if any(r.changes or any(f.ok is False for f in r.findings) for r in results):
        return "drifted"
    return "in sync"


@dataclass
class Totals:
    """How many accounts stand how. *organization* is what exists once for all of them."""

    in_sync: int = 0
    drifted: int = 0
    failed: int = 0
    skipped: int = 0
    organization: State = "in sync"
    regions: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome) -> State:
        """One account more, which stands as is returned."""
        found = state(outcome.results, outcome.unseen)
        self.in_sync += found == "in sync"
        self.drifted += found == "drifted"
        self.failed += found == "failed"
        self.regions.update(outcome.regions)
        return found

    @property
    def accounts(self) -> int:
        """Those that were gone to."""
        return self.in_sync + self.drifted + self.failed

    @property
    def complete(self) -> bool:
        """Nothing failed anywhere."""
        return not self.failed and self.organization != "failed"

    def line(self, cost: Cost, drifted: str = "drifted") -> str:
        """`41 accounts in sync, 5 drifted, 2 failed, 1 left out (48 accounts, …)`. *drifted* is the word for it."""
        counted = [
            (self.in_sync, "in sync"),
            (self.drifted, drifted),
            (self.failed, "failed"),
            (self.skipped, "left out"),
        ]
        parts = [f"{number:,} {word}" for number, word in counted if number] or ["0 in sync"]
        number, word = parts[0].split(" ", 1)
        parts[0] = f"{number} {'account' if number == '1' else 'accounts'} {word}"
        if self.organization != "in sync":
            word = drifted if self.organization == "drifted" else self.organization
            parts.append(f"the organization itself {word}")
        return f"{', '.join(parts)} ({self._cost(cost)})"

    def _cost(self, cost: Cost) -> str:
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
