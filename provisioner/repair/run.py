"""One run that is kept in the journal: what controls it, what it writes down, and whom it tells.

The command line and the Lambda function use it. Nothing here changes what a run does, but for a pause and what is contested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from ..aws import Aws, Identity, ReadCache
from ..aws.cloud import Cloud
from ..baseline import Baseline
from ..baseline.redact import redacted
from ..engine.controls import Controls
from ..fleet.fleet import Fleet
from ..model import Change, Result, Target
from ..report.json import call_json
from .drifts import address_of, drifts_of
from .earlier import REMEMBERED, Earlier, read_earlier
from .journal import Journal, now_text
from .notice_history import time_of
from .pause import PauseState, read_pause
from .records import (
    Attributed,
    CallMade,
    Drift,
    Planned,
    Record,
    RunEnded,
    RunReport,
    RunStarted,
)
from .s3_journal import S3Journal
from .tell import PingsStarted, ping_start, tell
from .who import attribute

Value = TypeVar("Value")
PATIENCE: Final = 1.0  # seconds that changes wait for a trace of them in the bucket


def open_journal(folder: Path, cloud: Cloud, identity: Identity, baseline: Baseline) -> Journal:
    """The journal of the caller's account, on disk and in the bucket of the file."""
    place, bucket = f"{identity.partition}-{identity.account}", baseline.general.journal
    if bucket is None:
        return Journal(folder, place)
    home, owner = baseline.general.home_region, bucket.bucket_owner or identity.account
    return Journal(folder, place, S3Journal(bucket, cloud, home, owner, place, folder / "s3"))


@dataclass
class KeptRun:
    """A run that is kept in the journal. *say* is told what went wrong with that; *unattended*: it is a repair."""

    fleet: Fleet
    journal: Journal
    started: RunStarted
    say: Callable[[str], None]
    unattended: bool
    earlier: Earlier = field(default_factory=Earlier)
    paused: PauseState = field(default_factory=PauseState)
    pings: PingsStarted = field(default_factory=PingsStarted)

    def begin(self) -> None:
        """Find what controls the run, before any step runs, and write down that it begins."""
        if self.unattended:
            self._control()
        self.journal.write(self._redacted(self.started))

    def _control(self) -> None:
        """Find what is paused or contested, and ping the dead-man's switches."""
        fleet, now = self.fleet, datetime.now(UTC)
        general, identity = fleet.baseline.general, fleet.identity
        self.pings = ping_start(general, self.started)
        records = self.journal.read(now - REMEMBERED)
        self.earlier = read_earlier(records, self.started.file, now)
        target = Target(identity.account, general.home_region, identity.partition)
        self.paused = read_pause(Aws(target, fleet.cloud, ReadCache()), now)
        pause = self.paused.pause
        fleet.controls = Controls(now.date(), pause.reasons if pause else {}, self.earlier.contested())
        if pause is not None:
            is_longer = time_of(self.paused_since) < time_of(pause.written)
            self.say(f"{pause}; they have been paused since {self.paused_since}" if is_longer else str(pause))
        if self.paused.warning:
            self.say(f"! {self.paused.warning}")

    @property
    def paused_since(self) -> str:
        """When the first run found repairs paused, or when that pause was set; empty if they are not."""
        if self.paused.pause is None:
            return ""
        return self.earlier.paused_since or self.paused.pause.written

    def with_pause(self, ended: RunEnded) -> RunEnded:
        """The end of the run, with the pause that it found."""
        pause = self.paused.pause
        if pause is None:
            return ended
        since = self.paused_since
        return replace(ended, paused=str(pause), pause_set=pause.written, paused_since=since)

    def plan(self, results: Sequence[Result]) -> None:
        """Write down what is about to be changed: a run that is killed must leave a trace of it."""
        for result in results:
            for each in result.changes:
                fields = [difference.field for difference in each.differences]
                call = f"{each.call.service}:{each.call.name}"
                planned = Planned(self.started.run, now_text(), address_of(result, each), fields, call)
                self.journal.write(self._redacted(planned))
        self.journal.send(self.started.run, PATIENCE)

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
        self.journal.write(self._redacted(record))

    def end(
        self,
        found: Sequence[Result],
        done: Sequence[Result],
        unseen: Sequence[Result],
        ended: RunEnded,
        names: Mapping[str, str],
    ) -> RunReport:
        """Write down and tell what the run found and did.

        *done* is *found* where nothing was tried. *names* are those of the accounts, by id.
        """
        now, tried = datetime.now(UTC), done is not found
        found, done, unseen = self._redacted((found, done, unseen))
        run = self.started.run
        drifts = list(drifts_of(found, done if tried else found, unseen, self.earlier, run, now_text()))
        later: list[Attributed] = []
        if self.unattended:
            since = {str(each.address): self.earlier.in_sync(str(each.address)) for each in drifts}
            drifts = self._attributed(drifts, since)
            later = [*self._attributed_later(now)]
        ended = self._redacted(self.with_pause(ended))
        report = RunReport(self._redacted(self.started), tuple(drifts), ended, names)
        records: list[Record] = [*drifts, *later]
        for record in records:  # before anybody is told: a run that is killed then is known to have found it
            self.journal.write(record)
        if self.unattended:
            self._tell(report, now)
        self.journal.write(report.ended)
        return report

    def _tell(self, report: RunReport, now: datetime) -> None:
        general = self.fleet.baseline.general
        records = self.journal.read(now - REMEMBERED) if general.notices else ()
        errors = []
        for each in tell(report, records, general, self.fleet.cloud, now, self.pings):
            self.journal.write(each)
            errors += [f"! notice to `{each.sink}` not sent: {each.error}"] if each.error else []
        for error in errors:
            self.say(error)

    def close(self) -> None:
        """Close the journal, and tell if something could not be written to it."""
        self.journal.send(self.started.run)
        self.journal.close()
        for error in self.journal.take_errors():
            self.say(f"! the journal is incomplete: {error}; nothing else depends on it")

    def _attributed(
        self, drifts: Sequence[Drift], since: Mapping[str, str], beside: Sequence[Drift] = ()
    ) -> list[Drift]:
        known = {address: time for address, time in since.items() if time}
        now = datetime.now(UTC)
        return attribute(
            self.fleet, drifts, known, now, beside=beside, tell=lambda text: self.say(f"! {text}")
        )

    def _attributed_later(self, now: datetime) -> Iterator[Attributed]:
        """Who caused drifts of earlier runs, in which CloudTrail did not show it yet."""
        pending = self.earlier.pending(now)
        since = {
            str(each.address): self.earlier.in_sync(str(each.address), before=each.time) for each in pending
        }
        beside = self.earlier.creations(pending)
        for each in self._attributed(pending, since, beside) if pending else ():
            if each.who is not None:
                yield Attributed(self.started.run, now_text(), each.run, each.address, each.who, each.fields)

    def _redacted(self, value: Value) -> Value:
        return redacted(value, self.fleet.baseline.secrets)
