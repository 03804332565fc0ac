"""One run of a command that is kept in the journal: what controls it, what it writes down, and whom it tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..aws import Aws, ReadCache
from ..baseline.control import expired
from ..engine.controls import Controls
from ..engine.plan import Plan
from ..model import Change, Result, Target
from ..repair.drifts import address_of, call_json, drifts_of
from ..repair.earlier import REMEMBERED, Earlier, read_earlier
from ..repair.journal import Journal, now_text
from ..repair.pause import PauseState, read_pause
from ..repair.records import Attributed, CallMade, FailedCheck, Record, RunEnded, RunReport, RunStarted
from ..repair.tell import PingsStarted, ping_start, tell
from ..report import json
from ..report.json_objects import CountsJson
from . import output
from .session import Session
from .who import attributed, who_lines
from .work import Work


@dataclass
class Unattended:
    """One run of a command that is kept in the journal: what it starts from, and what it writes down."""

    session: Session
    journal: Journal
    started: RunStarted
    earlier: Earlier = field(default_factory=Earlier)
    paused: PauseState = field(default_factory=PauseState)
    pings: PingsStarted = field(default_factory=PingsStarted)

    @classmethod
    def begin(cls, session: Session) -> Unattended:
        """Open the journal, and find what controls the run, before any step runs."""
        options, identity = session.options, session.identity
        journal = session.open_journal()
        started = RunStarted(
            session.cloud.run_id,
            now_text(),
            options.command,
            identity.account,
            identity.partition,
            identity.arn,
            session.regions,
            str(Path(options.file).resolve()) if options.file != "-" else "-",
            __version__,
            options.sandbox,
            list(options.steps),
            [*options.accounts, *options.not_accounts, *options.units],
        )
        run = cls(session, journal, started)
        session.on_made = run.record_call
        if options.command == "repair":
            run._control()
        journal.write(session.redacted(started))
        return run

    def _control(self) -> None:
        """Find what is paused or contested, and ping the dead-man's switches."""
        session, now = self.session, datetime.now(UTC)
        general, identity = session.baseline.general, session.identity
        self.pings = ping_start(general, self.started)
        self.earlier = read_earlier(self.journal.read(now - REMEMBERED), self.started.file, now)
        target = Target(identity.account, general.home_region, identity.partition)
        self.paused = read_pause(Aws(target, session.cloud, ReadCache()), now)
        pause = self.paused.pause
        session.fleet.controls = Controls(
            now.date(), pause.reasons if pause else {}, self.earlier.contested()
        )
        if pause is not None:
            session.screen.message(str(pause), always=True)
        if self.paused.warning:
            session.screen.message(f"! {self.paused.warning}", always=True)

    def record_call(self, result: Result, change: Change) -> None:
        """Write down a change that was just made."""
        undo = call_json(result, replace(change, call=change.undo)) if change.undo else None
        record = CallMade(
            self.started.run,
            now_text(),
            address_of(result, change),
            change.action,
            list(change.differences),
            call_json(result, change),
            result.request_ids[-1] if result.request_ids else "",
            change.consent,
            undo,
        )
        self.journal.write(self.session.redacted(record))

    def end(
        self, work: Work, code: int, planned: Plan, done: Plan, checks: Sequence[FailedCheck] = ()
    ) -> None:
        """Write down and tell what the run found and did. Nothing here changes the exit code."""
        session, now = self.session, datetime.now(UTC)
        found, results, unseen = session.redacted(
            (planned.results, planned.results if done is planned else done.results, work.unseen)
        )
        drifts = list(
            drifts_of(
                found,
                found if done is planned else results,
                unseen,
                self.earlier,
                self.started.run,
                now_text(),
            )
        )
        later: list[Attributed] = []
        if session.options.command == "repair":
            since = {str(each.address): self.earlier.in_sync(str(each.address)) for each in drifts}
            drifts = attributed(session, drifts, since)
            later = [*self._attributed_later(now)]
        ended = replace(self._ended(work, code, planned, done), failed_checks=list(checks))
        names = {each.id: each.name for each in work.selected.accounts if each.name}
        report = RunReport(session.redacted(self.started), tuple(drifts), session.redacted(ended), names)
        noticed = []
        if session.options.command == "repair":
            records = self.journal.read(now - REMEMBERED)
            noticed = tell(report, records, session.baseline.general, session.cloud, now, self.pings)
        records_of_run: list[Record] = [*drifts, *later, *noticed, report.ended]
        for record in records_of_run:
            self.journal.write(record)
        session.screen.results(who_lines(drifts))
        for each in noticed:
            if each.error:
                session.screen.message(f"! notice to `{each.sink}` not sent: {each.error}", always=True)
        self._write_metrics(report)
        self.close()

    def close(self) -> None:
        """Close the journal, and tell if something could not be written to it."""
        self.journal.close()
        if self.journal.error:
            text = f"! the journal is incomplete: {self.journal.error}; nothing else depends on it"
            self.session.screen.message(text, always=True)
            self.journal.error = ""

    def _attributed_later(self, now: datetime) -> Iterator[Attributed]:
        """Who caused drifts of earlier runs, in which CloudTrail did not show it yet."""
        pending = self.earlier.pending(now)
        since = {
            str(each.address): self.earlier.in_sync(str(each.address), before=each.time) for each in pending
        }
        for each in attributed(self.session, pending, since) if pending else ():
            if each.who is not None:
                yield Attributed(self.started.run, now_text(), each.run, each.address, each.who)

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
            self.started.run,
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
            expired_exceptions=list(
                expired(self.session.baseline.general.exceptions, datetime.now(UTC).date())
            ),
            not_read=[*_not_read(work)],
            paused=str(self.paused.pause) if self.paused.pause else "",
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
