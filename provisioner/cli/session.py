"""What every command that talks to AWS sets up first: the file, the way to AWS, who calls, and where."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from ..aws import Cloud, Identity, Options, describe, identify
from ..aws.errors import BotoCoreError, ClientError, code_of
from ..baseline import Baseline, BaselineError
from ..model import Target
from ..report import words
from ..report.hidden import hidden
from ..run import Run, chosen
from . import offline
from .journal import Journal
from .lock import Locked
from .options import Asked, sandbox_file
from .screen import Screen

ALIAS = 2.0  # seconds that the account's alias may take
Value = TypeVar("Value")


class Unable(Exception):
    """The command cannot begin; its text says why and what to do."""


@dataclass
class Session:
    """One command's hold on AWS."""

    asked: Asked
    screen: Screen
    run: Run
    cloud: Cloud
    identity: Identity
    journal: Journal
    started: float = field(default_factory=time.monotonic)
    writing: bool = False  # from here on a first Ctrl-C lets the call in flight end
    made: list[str] = field(default_factory=list)  # a line for each change that was made
    asked_alias: Future[str] | None = None
    _introduced: threading.Lock = field(default_factory=threading.Lock)

    def shown(self, value: Value) -> Value:
        """*value* as it may be printed, logged or written."""
        return hidden(value, self.run.baseline.secrets)

    def introduce(self, *, alias: str = "") -> None:
        """Say once which account this is, before anything else about it."""
        if not self._introduced.acquire(blocking=False):
            return
        account = f"{self.identity.account} ({alias})" if alias else self.identity.account
        regions = self.run.regions
        self.screen.say(
            words.clean(
                f"account {account}, partition {self.identity.partition}, caller {self.identity.arn}, "
                f"{words.plural(len(regions), 'Region')} {', '.join(regions)}"
            )
        )

    def introduced(self) -> None:
        """The account has been named; with its alias, if AWS told that in two seconds."""
        if self.asked_alias is not None:
            with suppress(TimeoutError):
                self.asked_alias.result(ALIAS)
        self.introduce()

    @property
    def seconds(self) -> float:
        """How long the command has run."""
        return time.monotonic() - self.started

    def header(self) -> dict[str, Any]:
        """The head of every JSON document: what this is about, and what it cost so far."""
        tally = self.cloud.tally
        return {
            "format_version": "1.0",
            "command": self.asked.command,
            "sandbox": self.asked.sandbox,
            "account": self.identity.account,
            "partition": self.identity.partition,
            "caller": self.identity.arn,
            "regions": list(self.run.regions),
            "cost": {
                "seconds": round(self.seconds, 3),
                "calls": tally.calls,
                "writes": tally.writes,
                "throttled": tally.throttled,
                "longest_chain": tally.depth,
            },
        }


@contextmanager
def opened(asked: Asked, screen: Screen) -> Iterator[Session]:
    """Everything is checked that can be checked before a step runs, and the account has been named to the user.

    Raises Unable, BaselineError or Locked; nothing has been written then.
    """
    started = time.monotonic()
    gc.disable()  # half of what building clients costs is looking for garbage among models that stay
    with ExitStack() as stack:
        stack.callback(gc.enable)
        baseline = offline.read(asked.file, lambda: _default_region(asked))
        regions = _regions(baseline, asked)
        if asked.sandbox:
            _open_sandbox(stack, screen)
        cloud = _cloud(asked, screen)
        stack.callback(cloud.close, wait=asked.sandbox)  # else a late question would miss the sandbox
        home = baseline.general.home_region
        _known(cloud, [home, *baseline.general.regions], baseline)
        _client(cloud, home)
        identity = _identity(cloud, baseline)
        if not asked.sandbox:
            _allowed(identity, baseline)
        journal = _journal(asked, identity)
        stack.callback(journal.close)
        run = Run(cloud, baseline, identity, _steps(baseline, asked), regions)
        session = Session(asked, screen, run, cloud, identity, journal, started)
        if not screen.quiet:
            session.asked_alias = cloud.readers.submit(_alias, session)
        stack.enter_context(_interruptible(session))
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()
        yield session


def _regions(baseline: Baseline, asked: Asked) -> list[str]:
    """The Regions of the file; only those that were asked for, if any were."""
    known = baseline.general.regions
    for region in asked.regions:
        if region not in known:
            raise Unable(
                f"--region {region}: not among the `regions` of {asked.file} ({', '.join(known)}): add it there, or drop the flag"
            )
    return [region for region in known if region in asked.regions or not asked.regions]


def _open_sandbox(stack: ExitStack, screen: Screen) -> None:
    from ..sandbox import SandboxError, open_sandbox

    path = sandbox_file()
    try:
        world = stack.enter_context(open_sandbox(path))
    except (SandboxError, OSError) as error:
        raise Unable(
            f"the sandbox cannot be opened: {error}; PROVISION_SANDBOX names another file for it"
        ) from error
    screen.say(f"SANDBOX: no AWS account is touched; its state is in {path}")
    if world.notice:
        screen.say(world.notice)


def _cloud(asked: Asked, screen: Screen) -> Cloud:
    options = Options() if asked.sandbox else Options(asked.profile, asked.endpoint_url, direct=True)
    workers = 2 if asked.sandbox else 32  # the sandbox answers one call at a time
    try:
        return Cloud(options, on_wait=screen.waiting, workers=workers)
    except BotoCoreError as error:
        raise Unable("; ".join(words.failure(describe("credentials", error)))) from error


def _identity(cloud: Cloud, baseline: Baseline) -> Identity:
    region = baseline.general.home_region
    try:
        return identify(cloud, region)
    except (ClientError, BotoCoreError) as error:
        raise Unable(
            "; ".join(words.failure(describe(f"asking AWS in {region} who the caller is", error)))
        ) from error


def _allowed(identity: Identity, baseline: Baseline) -> None:
    allowed = baseline.general.allowed_account_ids
    if allowed is not None and identity.account not in allowed:
        raise Unable(
            f"the credentials are for account {identity.account}, which `allowed_account_ids` does not name "
            f"({baseline.place(('allowed_account_ids',))}): use other credentials, or add it there"
        )


def _steps(baseline: Baseline, asked: Asked) -> Any:
    from ..steps import STEPS

    try:
        return chosen(STEPS, baseline, asked.steps)
    except KeyError as error:
        known = ", ".join(name for name, step in STEPS.items() if step.section in baseline)
        raise Unable(f"--target {error.args[0]}: no such step in {asked.file}; there are {known}") from error


def _alias(session: Session) -> str:
    """The account's alias, empty where it has none or the caller may not ask; the account is named with it."""
    target = Target(
        session.identity.account, session.run.baseline.general.home_region, session.identity.partition
    )
    try:
        answer = session.cloud.read(target, "iam", target.region, "list_account_aliases", {})
    except (ClientError, BotoCoreError) as error:
        session.journal.write("alias not read", level="warning", code=code_of(error))
        answer = {}
    alias = str(next(iter(answer.get("AccountAliases", [])), ""))
    session.introduce(alias=alias)
    return alias


def _default_region(asked: Asked) -> str | None:
    """The home Region where the file names none: the flag's, the environment's or the profile's."""
    if asked.regions:
        return asked.regions[0]
    try:
        return Cloud.default_region(asked.profile)
    except BotoCoreError as error:
        raise Unable("; ".join(words.failure(describe("credentials", error)))) from error


def _known(cloud: Cloud, regions: list[str], baseline: Baseline) -> None:
    """Every Region of the file is one that botocore knows, and all are in one partition: credentials are, too."""
    place = baseline.place(
        ("regions",) if "regions" in baseline.general.model_fields_set else ("home_region",)
    )
    known = cloud.regions()
    for region in regions:
        if region not in known:
            close = get_close_matches(region, known, 1)
            wanted = f"did you mean `{close[0]}`?" if close else "if it is new, upgrade botocore"
            raise Unable(f"{place}: there is no Region `{region}`; {wanted}")
    partitions = {known[region]: region for region in regions}
    if len(partitions) > 1:
        two = " and ".join(f"`{region}` in {partition}" for partition, region in sorted(partitions.items()))
        raise Unable(f"{place}: {two}: one account lives in one partition; make a file for each")


def _client(cloud: Cloud, home: str) -> None:
    """The first clients are made, or on their way."""
    try:
        cloud.client("sts", home)
    except ValueError as error:
        raise Unable(f"--endpoint-url: {error}; want one such as http://127.0.0.1:4566") from error
    cloud.warm(("cloudtrail", "config", "s3", "iam", "organizations"), home)


def _journal(asked: Asked, identity: Identity) -> Journal:
    try:
        return Journal(asked.log_file, command=asked.command, account=identity.account)
    except OSError as error:
        raise Unable(
            f"--log-file {asked.log_file}: {error.strerror}; name a file that can be written"
        ) from error


@contextmanager
def _interruptible(session: Session) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) while writing ends the run after the call in flight; otherwise it ends at once."""

    def stop(*_: Any) -> None:
        if not session.writing or session.cloud.stop.is_set():
            raise KeyboardInterrupt
        session.cloud.stop.set()
        os.write(2, b"\ninterrupted: the call in flight is finished first; once more to stop at once\n")

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


__all__ = ["BaselineError", "Locked", "Session", "Unable", "opened"]
