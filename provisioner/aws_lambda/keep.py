"""What a repair by the function leaves behind, as `provision repair` does: journal, notices, and metrics in its log."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .. import __version__
from ..baseline.control import ending
from ..engine.plan import Plan
from ..fleet.fleet import Fleet
from ..model import Account, InSyncCounts, Outcome, Result
from ..repair.journal import now_text
from ..repair.metrics import emf_line
from ..repair.records import RunEnded, RunStarted
from ..repair.run import KeptRun, open_journal
from ..report.json import account_json, counts_json
from ..report.totals import Cost
from .deployment import deployed_file

_FOLDER: Final = (
    "provision-journal"  # in the function's folder for temporary files, which is lost now and then
)
_log = logging.getLogger(__name__)


@dataclass
class Kept:
    """A repair by the function that is kept in the journal."""

    run: KeptRun
    fleet: Fleet
    started: datetime
    planned: list[Result] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def begin(cls, fleet: Fleet, accounts: Collection[str] | None) -> Kept:
        """Find what controls the run, and write down that it begins. It is limited to *accounts* if it is given."""
        who, now = fleet.identity, datetime.now(UTC)
        folder = Path(tempfile.gettempdir()) / _FOLDER
        journal = open_journal(folder, fleet.cloud, who, fleet.baseline)
        started = RunStarted(
            fleet.cloud.run_id,
            now_text(),
            "repair",
            who.account,
            who.partition,
            who.arn,
            list(fleet.baseline.general.regions),
            deployed_file(),
            __version__,
            steps=list(fleet.names),
            only_accounts=sorted(accounts or ()),
        )
        run = KeptRun(fleet, journal, started, _say, unattended=True)
        fleet.on_change = run.record_call
        run.begin()
        return cls(run, fleet, now)

    def plan(self, results: Sequence[Result]) -> None:
        """Write down what is about to be changed; several accounts may be at it at the same time."""
        with self._lock:
            self.planned += results
            self.run.plan(results)

    def end(self, outcomes: Sequence[Outcome], unfinished: Iterable[Account]) -> None:
        """Write down and tell what the repair found and did, and log its metrics."""
        done = [result for each in outcomes for result in each.results]
        unseen = [result for each in outcomes for result in each.unseen]
        tried = {(each.step, each.target) for each in self.planned}
        found = [*self.planned, *(each for each in done if (each.step, each.target) not in tried)]
        names = {each.account.id: each.account.name for each in outcomes if each.account.name}
        ended = self._ended(outcomes, done, [each.id for each in unfinished])
        report = self.run.end(found, done, unseen, ended, names)
        _log.info("%s", emf_line(report))

    def close(self) -> None:
        """Close the journal."""
        self.run.close()

    def _ended(self, outcomes: Sequence[Outcome], done: Sequence[Result], unfinished: list[str]) -> RunEnded:
        states = [account_json(each, "apply") for each in outcomes]
        in_sync = sum((each.in_sync for each in outcomes), InSyncCounts())
        failed = [each.account for each in states if each.state == "failed"]
        tally = self.fleet.cloud.tally
        cost = Cost(
            (datetime.now(UTC) - self.started).total_seconds(), tally.calls, tally.writes, tally.throttled
        )
        made = sum(len(each.changes) for each in done)
        problems = f"; not repaired: {', '.join([*failed, *unfinished])}" if failed or unfinished else ""
        return RunEnded(
            self.run.started.run,
            now_text(),
            3 if problems else 0,
            f"{made} changes in {len(outcomes)} accounts{problems}",
            Plan(tuple(self.planned)).digest,
            counts_json(done, in_sync, "apply"),
            cost,
            dict(Counter(each.state for each in states)),
            [failure for each in states for failure in each.failures],
            ending_exceptions=list(ending(self.fleet.baseline.general.exceptions, datetime.now(UTC).date())),
            not_read=[
                *unfinished,
                *(
                    f"{s.account}/{s.region}" if s.region else s.account
                    for each in outcomes
                    for s in each.skipped
                ),
            ],
        )


def _say(text: str) -> None:
    _log.warning("%s", json.dumps(text))
