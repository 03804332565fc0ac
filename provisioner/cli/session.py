"""What every command that talks to AWS sets up first: the file, the way to AWS, who calls, and where."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..aws import Aws, Cloud, Identity, Memory, Options, describe, identify
from ..aws.errors import BotoCoreError, ClientError, code_of
from ..baseline import Baseline, BaselineError
from ..model import Target
from ..report import words
from ..run import Run, chosen
from . import offline
from .journal import Journal
from .lock import Locked
from .options import Asked, sandbox_file
from .screen import Screen


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
        baseline = offline.read(asked.file)
        regions = _regions(baseline, asked)
        if asked.sandbox:
            _open_sandbox(stack, screen)
        cloud = _cloud(asked, screen)
        stack.callback(cloud.close)
        home = baseline.general.home_region
        cloud.client("sts", home)
        cloud.warm(("cloudtrail", "config", "s3", "iam", "organizations"), home)
        identity = _identity(cloud, baseline)
        if not asked.sandbox:
            _allowed(identity, baseline)
        journal = Journal(asked.log_file, command=asked.command, account=identity.account)
        stack.callback(journal.close)
        run = Run(cloud, baseline, identity, _steps(baseline, asked), regions)
        session = Session(asked, screen, run, cloud, identity, journal, started)
        named = _introduce(session)
        stack.enter_context(_interruptible(session))
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()
        yield session
        named.result()


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
    except SandboxError as error:
        raise Unable(str(error)) from error
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


def _introduce(session: Session) -> Future[None]:
    """Say which account this is, as soon as its alias is known and while the steps already read."""

    def tell() -> None:
        identity, regions = session.identity, session.run.regions
        alias = "" if session.screen.quiet else _alias(session)
        named = f"{identity.account} ({alias})" if alias else identity.account
        session.screen.say(
            words.clean(
                f"account {named}, partition {identity.partition}, caller {identity.arn}, {words.plural(len(regions), 'Region')} {', '.join(regions)}"
            )
        )

    return session.cloud.readers.submit(tell)


def _alias(session: Session) -> str:
    """The account's alias; empty where it has none, or where the caller may not ask."""
    target = Target(
        session.identity.account, session.run.baseline.general.home_region, session.identity.partition
    )
    aws = Aws(target, session.cloud, Memory())
    try:
        answer = session.cloud.read(target, "iam", aws.region, "list_account_aliases", {})
    except (ClientError, BotoCoreError) as error:
        session.journal.write("alias not read", level="warning", code=code_of(error))
        return ""
    return str(next(iter(answer.get("AccountAliases", [])), ""))


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
