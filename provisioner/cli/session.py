"""`Session`: what every command that talks to AWS has at hand, once everything was checked that can be checked first."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

from ..aws import Identity, Options
from ..aws.cloud import Cloud
from ..baseline import Baseline
from ..baseline.general import ALL
from ..baseline.redact import redacted
from ..fleet.fleet import Command, Fleet
from ..model import Change, Result
from ..report import changes, json, words
from ..report.totals import Cost
from .journal import Journal
from .options import Asked, sandbox_file, state_folder
from .resume import record_key
from .screen import Screen

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
ALIAS = 2.0  # seconds that the account's alias may take
Value = TypeVar("Value")


@dataclass
class Session:
    """One command's hold on AWS."""

    asked: Asked
    screen: Screen
    baseline: Baseline
    fleet: Fleet
    cloud: Cloud
    identity: Identity
    journal: Journal
    started: float = field(default_factory=time.monotonic)
    writing: bool = False  # from here on a first Ctrl-C lets the call in flight end
    graceful: bool = False  # it lets the accounts under way end
    made: list[str] = field(default_factory=list)  # a line for each change that was made
    asked_alias: Future[str] | None = None
    _introduced: threading.Lock = field(default_factory=threading.Lock)

    @property
    def command(self) -> Command:
        """`diff`, `apply` or `verify`."""
        return cast("Command", self.asked.command)

    def shown(self, value: Value) -> Value:
        """*value* as it may be printed, logged or written."""
        return redacted(value, self.baseline.secrets)

    def changed(self, result: Result, change: Change) -> tuple[Result, Change]:
        """Take note of a change that was made; both are returned as they may be shown."""
        result, change = self.shown((result, change))
        self.made.append(changes.repaired(result, change))
        self.journal.change(result, change)
        return result, change

    def introduce(self, *, alias: str = "") -> None:
        """Say once which account this is, before anything else about it."""
        if not self._introduced.acquire(blocking=False):
            return
        account = f"{self.identity.account} ({alias})" if alias else self.identity.account
        regions = self.regions
        where = f"{words.plural(len(regions), 'Region')} {', '.join(regions)}"
        if regions == [ALL]:
            where = "all enabled Regions"
        partition = self.identity.partition
        self.screen.say(
            words.clean(f"account {account}, partition {partition}, caller {self.identity.arn}, {where}")
        )

    def introduced(self) -> None:
        """The account has been named; with its alias, if AWS told that in two seconds."""
        if self.asked_alias is not None:
            with suppress(TimeoutError):
                self.asked_alias.result(ALIAS)
        self.introduce()

    @property
    def regions(self) -> list[str]:
        """The Regions of the command line, else those of the file."""
        return list(self.fleet.only_regions) or list(self.baseline.general.regions)

    @property
    def seconds(self) -> float:
        """How long the command has run."""
        return time.monotonic() - self.started

    @property
    def lock_path(self) -> Path:
        """Who holds it is alone in writing to this account, or to the organization that it runs."""
        if self.asked.sandbox:
            return sandbox_file().with_name("apply.lock")
        return state_folder() / "locks" / f"{self._place}.lock"

    @property
    def record_path(self) -> Path:
        """Where it is kept which accounts the last run of this command succeeded in."""
        if self.asked.sandbox:
            return sandbox_file().with_name(f"{self.asked.command}.jsonl")
        return state_folder() / "runs" / f"{self._place}-{self.asked.command}.jsonl"

    @property
    def key(self) -> str:
        """What two runs must have in common for one to go on with the other."""
        asked = self.asked
        narrowed = [(flag, *values) for flag, values in asked.narrows.items()]
        return record_key(asked.command, self.baseline.text, asked.steps, asked.regions, *narrowed)

    @property
    def _place(self) -> str:
        return f"{self.identity.partition}-{self.identity.account}"

    @property
    def cost(self) -> Cost:
        """What the command has cost so far, here and in other processes."""
        tally = self.cloud.tally
        return Cost(self.seconds, tally.calls, tally.writes, tally.throttled)

    def asked_so_far(self) -> tuple[int, int]:
        """The calls, here and elsewhere, and how many of them AWS refused for their rate."""
        return self.cloud.tally.calls, self.cloud.tally.throttled

    def version(self) -> json.VersionJson:
        """The first line of the report for machines."""
        return json.VersionJson(
            type="version",
            level="info",
            message=f"provision {self.command}",
            format_version=json.FORMAT,
            command=self.command,
            sandbox=self.asked.sandbox,
            account=self.identity.account,
            partition=self.identity.partition,
            caller=self.identity.arn,
            regions=self.regions,
        )


def to_real_aws(asked: Asked, *, many_accounts: bool) -> Options:
    """How AWS is reached. What answers on this machine has no rate limits to keep to."""
    host = urlsplit(asked.endpoint_url or "").hostname
    return Options(
        asked.profile,
        asked.endpoint_url,
        paced=host not in _THIS_MACHINE,
        own_connections=True,
        own_signatures=many_accounts,
    )
