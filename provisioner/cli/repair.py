"""The command `repair`: the unattended form of `apply`, and what it tells."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from ..repair.drifts import address_of, call_json, drifts_of, failed_checks
from ..repair.earlier import REMEMBERED, Earlier, read_earlier
from ..repair.journal import Journal
from ..repair.pause import PauseState, read_pause
from ..repair.records import CallMade, Drift, FailedCheck, Record, RunEnded, RunReport, RunStarted
from ..repair.tell import PingsStarted, ping_start, tell
from ..report import changes, json
from . import execute, output
from .exit_codes import CHANGES, INTERRUPTED, OK
from .options import CommandOptions, sandbox_file, state_folder
from .session import Session
from .work import Work


def journal_folder(*, sandbox: bool) -> Path:
    """The folder of the journal."""
    return (sandbox_file().parent if sandbox else state_folder()) / "journal"


def now_text() -> str:
    """The time of now, as records have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
        journal = Journal(journal_folder(sandbox=options.sandbox), f"{identity.partition}-{identity.account}")
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
        if session.options.who or session.options.command == "repair":
            drifts = self._attributed(drifts, now)
        ended = replace(self._ended(work, code, planned, done), failed_checks=list(checks))
        names = {each.id: each.name for each in work.selected.accounts if each.name}
        report = RunReport(session.redacted(self.started), tuple(drifts), session.redacted(ended), names)
        noticed = []
        if session.options.command == "repair":
            records = self.journal.read(now - REMEMBERED)
            noticed = tell(report, records, session.baseline.general, session.cloud, now, self.pings)
        records_of_run: list[Record] = [*drifts, *noticed, report.ended]
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

    def _attributed(self, drifts: list[Drift], now: datetime) -> list[Drift]:
        """The drifts, each with who caused it, as far as CloudTrail shows it."""
        from ..repair.who import attribute

        since = {str(each.address): self.earlier.in_sync(str(each.address)) for each in drifts}
        warn = self.session.screen.message
        known = {address: time for address, time in since.items() if time}
        return attribute(
            self.session.fleet, drifts, known, now, tell=lambda text: warn(f"! {text}", always=True)
        )

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
            json.counts_json(done.results, done.in_sync, "apply"),
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


def who_lines(drifts: Iterable[Drift]) -> Iterator[str]:
    """Who caused each drift, and what is contested; equal causes once."""
    lines: dict[str, None] = {}
    for each in drifts:
        where = f"{each.address.account} {each.address.region} {each.address.step}: {each.address.resource}"
        if each.who is not None:
            source = f" from {each.who.source_address}" if each.who.source_address else ""
            lines[f"{where}: changed by {each.who.name}{source} with {each.who.event} at {each.who.time}"] = (
                None
            )
        if each.contested:
            lines[f"{where}: contested: repaired {each.repairs} times in a day"] = None
    return iter(lines)


def diff_who(session: Session, plan: Plan) -> None:
    """Print who caused the differences of a plan, as far as CloudTrail shows it."""
    from ..repair.who import attribute

    results, time, now = session.redacted(plan).results, now_text(), datetime.now(UTC)
    drifts = list(drifts_of(results, results, (), Earlier(), session.cloud.run_id, time))

    def warn(text: str) -> None:
        session.screen.message(f"! {text}", always=True)

    found = attribute(session.fleet, drifts, {}, now, tell=warn)
    session.screen.results(who_lines(found))
    if pending := sum(each.who_pending for each in found):
        warn(f"who made {pending} of them is not known yet: CloudTrail shows an event after some minutes")


def _not_read(work: Work) -> Iterator[str]:
    """What the run did not look at, beside what failed."""
    for each in work.skipped:
        yield f"{each.account}/{each.region}" if each.region else each.account
    read = {*work.outcomes, *work.record.done}
    yield from (each.id for each in work.selected.accounts if each.id not in read)


def repair(work: Work, run: Unattended) -> int:
    """Find drift, repair it, read it back, and tell about it."""
    session, options = work.session, work.session.options
    execute.read(work, "diff" if options.no_verify else "verify")
    planned = done = work.plan
    if options.detect_only or work.interrupted:
        output.print_plan(work, planned)
    elif planned.changes:
        execute.apply(work, planned)
        done = work.plan
        output.print_applied(work, done)
    else:
        output.print_failures(work, session.redacted(planned).results)
    if not options.detect_only:
        view = work.view
        session.screen.results(changes.held(session.redacted(planned).results, view))
    checks = list(failed_checks(planned.results))
    if checks and done is not planned and not work.interrupted:  # what was repaired may have been the cause
        checks = list(failed_checks(execute.verify_again(work, planned.results)))
    for each in checks:
        text = f"! does not work: {each.address.step}  {each.address.account} {each.address.region}: "
        session.screen.message(f"{text}{each.address.resource}: {each.check}: {each.detail}", always=True)
    left = options.detect_only and bool(planned.changes)
    code = work.code or (CHANGES if left or checks else OK)
    output.finish(work, done)
    run.end(work, code, planned, done, checks)
    return code


def wait_splay(options: CommandOptions, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait for a random part of `--splay`, so that many machines do not ask AWS at the same moment."""
    if options.splay:
        sleep(random.uniform(0, options.splay))  # noqa: S311 - no secret


def repeat(options: CommandOptions, once: Callable[[CommandOptions], int]) -> int:
    """Run once, or every so often until a signal ends it. Returns the exit code of the last run."""
    code = OK
    try:
        wait_splay(options)
        while True:
            started = time.monotonic()
            code = once(options)
            if not options.every or code == INTERRUPTED:
                return code
            sys.stdout.flush()
            time.sleep(max(options.every - (time.monotonic() - started), 0.0))
    except KeyboardInterrupt:
        return code if options.every else INTERRUPTED
