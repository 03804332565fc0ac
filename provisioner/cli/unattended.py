"""One run of a command that is kept in the journal, as the command line makes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..baseline.control import ending
from ..engine.plan import Plan
from ..model import InSyncCounts, Result
from ..repair.journal import now_text
from ..repair.records import FailedCheck, RunEnded, RunReport, RunStarted
from ..repair.run import KeptRun
from ..report import json, words
from ..report.json_objects import CountsJson
from . import output
from .session import Session
from .who import who_lines
from .work import Work


@dataclass
class Unattended:
    """One run of a command that is kept in the journal."""

    session: Session
    run: KeptRun

    @classmethod
    def begin(cls, session: Session) -> Unattended:
        """Open the journal, and find what controls the run, before any step runs."""
        options, identity = session.options, session.identity

        def say(text: str) -> None:
            session.screen.message(text, always=True)

        started = RunStarted(
            session.cloud.run_id,
            now_text(),
            options.command,
            identity.account,
            identity.partition,
            identity.arn,
            session.regions,
            options.full_path,
            __version__,
            options.sandbox,
            list(options.steps),
            [*options.accounts, *options.not_accounts, *options.units],
        )
        run = KeptRun(
            session.fleet, session.open_journal(), started, say, unattended=options.command == "repair"
        )
        session.on_made = run.record_call
        run.begin()
        return cls(session, run)

    def plan(self, plan: Plan) -> None:
        """Write down what is about to be changed."""
        self.run.plan(plan.results)

    def end(
        self, work: Work, code: int, planned: Plan, done: Plan, checks: Sequence[FailedCheck] = ()
    ) -> None:
        """Write down and tell what the run found and did. Nothing here changes the exit code."""
        results = planned.results if done is planned else done.results
        ended = replace(self._ended(work, code, planned, done), failed_checks=list(checks))
        names = {each.id: each.name for each in work.selected.accounts if each.name}
        report = self.run.end(planned.results, results, work.unseen, ended, names)
        self.session.screen.results(who_lines(report.drifts))
        self._write_metrics(report)
        self.close()

    def end_undo(self, plan: Plan, done: Sequence[Result], code: int) -> None:
        """Write down that an `undo` has ended, whose changes nobody has to be told: it was not cut short."""
        made = sum(len(each.changes) for each in done)
        counts = json.counts_json(done, InSyncCounts(), "apply")
        self.run.journal.write(
            RunEnded(
                self.run.started.run,
                now_text(),
                code,
                f"{words.plural(made, 'change')} put back",
                plan.digest,
                counts,
                self.session.cost,
                {},
            )
        )

    def close(self) -> None:
        """Close the journal, and tell if something could not be written to it."""
        self.run.close()

    def _ended(self, work: Work, code: int, planned: Plan, done: Plan) -> RunEnded:
        totals = work.totals
        failures = [
            failure
            for each in (
                work.once_json(),
                *(json.account_json(x, "apply") for x in work.sorted_outcomes if x.failed),
            )
            for failure in each.failures
        ]
        return RunEnded(
            self.run.started.run,
            now_text(),
            code,
            output.summary(work, done),
            planned.digest,
            self._counts(planned, done),
            self.session.cost,
            {
                "in_sync": totals.in_sync,
                "drifted": totals.drifted,
                "changed": totals.changed,
                "failed": totals.failed,
                "skipped": totals.skipped,
            },
            failures,
            ending_exceptions=list(
                ending(self.session.baseline.general.exceptions, datetime.now(UTC).date())
            ),
            not_read=[*_not_read(work)],
        )

    def _counts(self, planned: Plan, done: Plan) -> CountsJson:
        """What was made, and the checks: without them, a run says nothing of one that failed before."""
        made = json.counts_json(done.results, done.in_sync, "apply")
        if self.session.options.no_verify:
            return made
        found = json.counts_json(planned.results, planned.in_sync, "verify")
        return replace(
            made,
            checks_passed=found.checks_passed,
            checks_failed=found.checks_failed,
            checks_pending=found.checks_pending,
        )

    def _write_metrics(self, report: RunReport) -> None:
        options, screen = self.session.options, self.session.screen
        if options.metrics_file:
            from ..repair.metrics import write_prometheus

            if error := write_prometheus(Path(options.metrics_file), report):
                screen.message(f"! --metrics-file: {error}", always=True)
        if options.emf:
            from ..repair.metrics import emf_line

            screen.results([emf_line(report)])
        with suppress(ImportError):
            from ..repair.otel import export_otel

            if error := export_otel(report):
                screen.message(f"! {error}", always=True)


def _not_read(work: Work) -> Iterator[str]:
    """What the run did not look at, beside what failed."""
    for each in work.skipped:
        yield f"{each.account}/{each.region}" if each.region else each.account
    read = {*work.outcomes, *work.record.done}
    yield from (each.id for each in work.selected.accounts if each.id not in read)
