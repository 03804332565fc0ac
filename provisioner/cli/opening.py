"""What a command that talks to AWS sets up first: the file, the way to AWS, who calls, and where."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..aws import Identity, Options, describe, identify
from ..aws.cloud import Cloud
from ..aws.errors import BotoCoreError, ClientError, code_of
from ..baseline import Baseline
from ..fleet.fleet import Fleet, member_role
from ..model import Target
from ..report import words
from ..steps.registry import all_steps
from . import offline
from .journal import Journal
from .options import Asked, Unable, sandbox_file
from .scope import check_flags, check_regions, check_steps, only_regions
from .screen import Screen
from .session import Session, to_real_aws

WORKERS, READERS = 32, 64  # calls in flight: to one account in one Region, and to many places


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
        check_flags(baseline, asked)
        check_steps(baseline, asked)
        if asked.sandbox:
            _open_sandbox(stack, screen)
        cloud = _cloud(asked, screen, baseline)
        stack.callback(cloud.close, wait=asked.sandbox)  # else a late question would miss the sandbox
        home = baseline.general.home_region
        check_regions(cloud, baseline, only)
        _client(cloud, baseline, home)
        identity = _identity(cloud, baseline)
        if not asked.sandbox:
            _allowed(identity, baseline)
        elif baseline.general.allowed_account_ids is not None:
            screen.say(
                "`allowed_account_ids` does not hold the caller off here: the sandbox has accounts of its own"
            )
        cloud.keyring.role = member_role(baseline.general.accounts, identity, home)
        journal = _journal(asked, identity)
        stack.callback(journal.close)
        fleet = Fleet(cloud, baseline, identity, asked.steps, tuple(only))
        session = Session(asked, screen, baseline, fleet, cloud, identity, journal, started)
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


def _cloud(asked: Asked, screen: Screen, baseline: Baseline) -> Cloud:
    general = baseline.general
    many_accounts = general.accounts is not None
    many_places = many_accounts or general.regions != [general.home_region]
    options = Options(paced=False) if asked.sandbox else to_real_aws(asked, many_accounts=many_accounts)
    # The sandbox answers one call at a time.
    workers = 2 if asked.sandbox else READERS if many_places else WORKERS
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
