"""`Session`: what a command that calls AWS works with once its options, file and credentials are checked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..aws import Identity
from ..aws.cloud import Cloud
from ..baseline import Baseline
from ..baseline.general import ALL
from ..baseline.redact import redacted
from ..fleet.fleet import Fleet
from ..model import Change, Result, Target
from ..report import changes, json, words
from ..report.totals import Cost
from .log_file import LogFile
from .options import CommandOptions, journal_folder, sandbox_file, state_folder
from .resume import record_key
from .screen import Screen

if TYPE_CHECKING:
    from ..repair.journal import Journal

ALIAS_TIMEOUT = 2.0  # seconds to wait for the account's alias
Value = TypeVar("Value")


@dataclass
class Session:
    """One command: its options, the file, the way to AWS, and where it prints and logs."""

    options: CommandOptions
    screen: Screen
    baseline: Baseline
    fleet: Fleet
    cloud: Cloud
    identity: Identity
    log: LogFile
    started: float = field(default_factory=time.monotonic)
    writing: bool = False  # the first Ctrl-C lets the call in flight end
    graceful: bool = False  # the first Ctrl-C lets the accounts in flight end
    made: list[str] = field(default_factory=list)  # a line for each change that was made
    lost_reports: int = 0  # files of `--output` that could not be written
    on_made: Callable[[Result, Change], None] = lambda result, change: None
    alias: Future[None] | None = None  # done once the account was printed with its alias
    pause: Future[str] | None = None  # what must be printed about a pause of repairs
    _account_printed: threading.Lock = field(default_factory=threading.Lock)

    def redacted(self, value: Value) -> Value:
        """*value* with the name in place of each value that the file took from the environment."""
        return redacted(value, self.baseline.secrets)

    def record_change(self, result: Result, change: Change) -> tuple[Result, Change]:
        """Log a change that was made, and keep it for the message after an interruption. Returns both redacted."""
        self.on_made(result, change)
        result, change = self.redacted((result, change))
        self.made.append(changes.repaired(result, change))
        self.log.change(result, change)
        return result, change

    def print_account(self, *, alias: str = "") -> None:
        """Print account, partition, caller and Regions; only the first call does."""
        if not self._account_printed.acquire(blocking=False):
            return
        identity, regions = self.identity, self.regions
        account = f"{identity.account} ({alias})" if alias else identity.account
        named = f"{words.plural(len(regions), 'Region')} {', '.join(regions)}"
        where = "all enabled Regions" if regions == [ALL] else named
        self.screen.message(
            words.clean(f"account {account}, partition {identity.partition}, caller {identity.arn}, {where}")
        )

    def wait_for_account(self) -> None:
        """Return once the account is printed: with its alias, unless that takes longer than ALIAS_TIMEOUT."""
        if self.alias is not None:
            with suppress(TimeoutError):
                self.alias.result(ALIAS_TIMEOUT)
        self.print_account()
        if self.pause is not None:
            with suppress(TimeoutError):
                if text := self.pause.result(ALIAS_TIMEOUT):
                    self.screen.message(text)
            self.pause = None

    @property
    def regions(self) -> list[str]:
        """The Regions of the command line, else those of the file."""
        return list(self.fleet.only_regions) or list(self.baseline.general.regions)

    @property
    def home(self) -> Target:
        """The caller's account in the home Region."""
        identity = self.identity
        return Target(identity.account, self.baseline.general.home_region, identity.partition)

    @property
    def seconds(self) -> float:
        """How long the command has run."""
        return time.monotonic() - self.started

    @property
    def lock_path(self) -> Path:
        """The lock of this account, or of the organization that it runs."""
        if self.options.sandbox:
            return sandbox_file().with_name("apply.lock")
        return state_folder() / "locks" / f"{self._place}.lock"

    @property
    def record_path(self) -> Path:
        """The record of the accounts in which the last run of this command succeeded."""
        name = f"{self.options.command}.jsonl"
        if self.options.sandbox:
            return sandbox_file().with_name(name)
        return state_folder() / "runs" / f"{self._place}-{name}"

    @property
    def record_key(self) -> str:
        """The key of the record: a run can resume another only if their keys are equal."""
        options = self.options
        filters = [(flag, *values) for flag, values in options.account_filters.items()]
        return record_key(options.command, self.baseline.text, options.steps, options.regions, *filters)

    def open_journal(self) -> Journal:
        """The journal of the caller's account."""
        from ..repair.run import open_journal  # not needed by every command

        folder = journal_folder(sandbox=self.options.sandbox)
        return open_journal(folder, self.cloud, self.identity, self.baseline)

    @property
    def _place(self) -> str:
        return f"{self.identity.partition}-{self.identity.account}"

    @property
    def cost(self) -> Cost:
        """What the command has cost so far, in this process and in others."""
        tally = self.cloud.tally
        return Cost(self.seconds, tally.calls, tally.writes, tally.throttled)

    def version_json(self) -> json.VersionJson:
        """The first object of the JSON output."""
        return json.VersionJson(
            type="version",
            level="info",
            message=f"provision {self.options.command}",
            format_version=json.FORMAT,
            command=self.options.command,
            sandbox=self.options.sandbox,
            account=self.identity.account,
            partition=self.identity.partition,
            caller=self.identity.arn,
            regions=self.regions,
        )
