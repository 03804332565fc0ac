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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ..aws import Identity, Options, describe, identify
from ..aws.cloud import Cloud
from ..aws.errors import BotoCoreError, ClientError, code_of
from ..baseline import Baseline, BaselineError
from ..baseline.general import ALL
from ..baseline.redact import hidden
from ..engine.run import Run
from ..fleet.fleet import Fleet, role
from ..model import Change, Result, Target
from ..report import text, words
from ..report.totals import Cost
from ..steps.registry import all_steps
from . import offline
from .journal import Journal
from .lock import Locked
from .options import Asked, sandbox_file, state_folder
from .resume import record_key
from .scope import Unable, for_many, known, only_regions, planned
from .screen import Screen

WORKERS, READERS = 32, 64  # calls in flight: to one account in one Region, and to many places
DAY = 86_400.0  # seconds
ALIAS = 2.0  # seconds that the account's alias may take
Value = TypeVar("Value")


@dataclass
class Session:
    """One command's hold on AWS."""

    asked: Asked
    screen: Screen
    baseline: Baseline
    regions: list[str]  # of one account; of many, those that the command line leaves, or none
    run: Run  # of one account, or what exists once in many
    fleet: Fleet | None
    cloud: Cloud
    identity: Identity
    journal: Journal
    started: float = field(default_factory=time.monotonic)
    writing: bool = False  # from here on a first Ctrl-C lets the call in flight end
    graceful: bool = False  # it lets the accounts under way end
    made: list[str] = field(default_factory=list)  # a line for each change that was made
    asked_alias: Future[str] | None = None
    _introduced: threading.Lock = field(default_factory=threading.Lock)

    def shown(self, value: Value) -> Value:
        """*value* as it may be printed, logged or written."""
        return hidden(value, self.baseline.secrets)

    def changed(self, result: Result, change: Change) -> tuple[Result, Change]:
        """Take note of a change that was made; both are returned as they may be shown."""
        result, change = self.shown((result, change))
        self.made.append(text.repaired(result, change))
        self.journal.change(result, change)
        return result, change

    def introduce(self, *, alias: str = "") -> None:
        """Say once which account this is, before anything else about it."""
        if not self._introduced.acquire(blocking=False):
            return
        account = f"{self.identity.account} ({alias})" if alias else self.identity.account
        regions = self.regions or self.baseline.general.regions
        where = f"{words.plural(len(regions), 'Region')} {', '.join(regions)}"
        if regions == [ALL]:
            where = "all enabled Regions"
        self.screen.say(
            words.clean(
                f"account {account}, partition {self.identity.partition}, caller {self.identity.arn}, {where}"
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
    def cut_short(self) -> bool:
        """The last apply of this file was cut short among its writes, today: what it was allowed to do, it may end."""
        try:
            late = time.time() - self._unfinished.stat().st_mtime > DAY
            return not late and self._unfinished.read_text() == self.key
        except FileNotFoundError:
            return False

    @contextmanager
    def among_writes(self) -> Iterator[None]:
        """It is on record that this apply is under way, until the block ends by itself and was not interrupted."""
        self._unfinished.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._unfinished.write_text(self.key)
        yield
        if not self.cloud.stop.is_set():
            self._unfinished.unlink(missing_ok=True)

    @property
    def _unfinished(self) -> Path:
        return self.record_path.with_suffix(".unfinished")

    @property
    def _place(self) -> str:
        return f"{self.identity.partition}-{self.identity.account}"

    @property
    def cost(self) -> Cost:
        """What the command has cost so far, here and elsewhere."""
        tally = self.cloud.tally
        return Cost(round(self.seconds, 3), tally.calls, tally.writes, tally.throttled, tally.depth)

    def asked_so_far(self) -> tuple[int, int]:
        """The calls, here and elsewhere, and how many of them AWS refused for their rate."""
        cost = self.cost
        return cost.calls, cost.throttled

    def header(self) -> dict[str, Any]:
        """The head of every JSON document: what this is about, and what it cost so far."""
        return {
            "format_version": "1.0",
            "command": self.asked.command,
            "sandbox": self.asked.sandbox,
            "account": self.identity.account,
            "partition": self.identity.partition,
            "caller": self.identity.arn,
            "regions": self.regions or list(self.baseline.general.regions),
            "cost": asdict(self.cost),
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
        only = only_regions(baseline, asked)
        for_many(baseline, asked)
        if asked.sandbox:
            _open_sandbox(stack, screen)
        cloud = _cloud(asked, screen, many=_many(baseline))
        stack.callback(cloud.close, wait=asked.sandbox)  # else a late question would miss the sandbox
        home = baseline.general.home_region
        known(cloud, baseline, only)
        _client(cloud, baseline, home)
        identity = _identity(cloud, baseline)
        if not asked.sandbox:
            _allowed(identity, baseline)
        elif baseline.general.allowed_account_ids is not None:
            screen.say(
                "`allowed_account_ids` does not hold the caller off here: the sandbox has accounts of its own"
            )
        cloud.keyring.role = role(baseline.general.accounts, identity, home)
        journal = _journal(asked, identity)
        stack.callback(journal.close)
        run, fleet, regions = planned(cloud, baseline, identity, asked, only)
        session = Session(asked, screen, baseline, regions, run, fleet, cloud, identity, journal, started)
        if not screen.quiet:
            session.asked_alias = cloud.readers.submit(_alias, session)
        stack.enter_context(_interruptible(session))
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()
        yield session


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


def real(asked: Asked) -> Options:
    """The way to a real AWS. What answers on this machine has no rates."""
    host = urlsplit(asked.endpoint_url or "").hostname or ""
    return Options(
        asked.profile, asked.endpoint_url, paced=host not in {"127.0.0.1", "localhost", "::1"}, direct=True
    )


def _many(baseline: Baseline) -> bool:
    """There is more than one place to ask."""
    return baseline.general.accounts is not None or baseline.general.regions != [baseline.general.home_region]


def _cloud(asked: Asked, screen: Screen, *, many: bool) -> Cloud:
    options = Options(paced=False) if asked.sandbox else real(asked)
    workers = 2 if asked.sandbox else READERS if many else WORKERS  # the sandbox answers one call at a time
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


def _alias(session: Session) -> str:
    """The account's alias, empty where it has none or the caller may not ask; the account is named with it."""
    target = Target(
        session.identity.account, session.baseline.general.home_region, session.identity.partition
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


def _client(cloud: Cloud, baseline: Baseline, home: str) -> None:
    """The first clients are made, or on their way."""
    try:
        cloud.client("sts", home)
    except ValueError as error:
        raise Unable(f"--endpoint-url: {error}; want one such as http://127.0.0.1:4566") from error
    asked = (step for step in all_steps().values() if step.section in baseline)
    cloud.warm(dict.fromkeys(client for step in asked for client in step.clients), home)


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
        if not (session.writing or session.graceful) or session.cloud.stop.is_set():
            raise KeyboardInterrupt
        session.cloud.stop.set()
        what = b"accounts under way are" if session.graceful else b"call in flight is"
        os.write(2, b"\ninterrupted: the " + what + b" finished first; once more to stop at once\n")

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


__all__ = ["BaselineError", "Locked", "Session", "Unable", "opened"]
