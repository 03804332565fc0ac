"""Open a session: check the options and the file, connect to AWS, and find out who the caller is."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import install_command
from ..aws import Aws, Identity, Options, ReadCache, SynchronousExecutor, describe, identify
from ..aws.cloud import Cloud
from ..aws.errors import BotoCoreError, ClientError, code_of
from ..baseline import Baseline
from ..baseline.control import ending
from ..fleet.fleet import Fleet, member_role
from ..report import words
from ..steps.registry import all_steps
from .log_file import LogFile
from .offline import read_baseline
from .option_checks import check_flags, check_identity, check_regions, check_steps, only_regions
from .options import STATE_HINT, CommandError, CommandOptions, sandbox_file
from .screen import Screen
from .session import Session
from .streams import write_in_handler

if TYPE_CHECKING:
    from ..sandbox.world import World

_ONE_PLACE, _MANY_PLACES = 32, 64  # calls in flight: to one account in one Region, and to more
_FIND_CREDENTIALS = 5.0  # seconds after which it is told that this takes long
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@contextmanager
def open_session(
    options: CommandOptions, screen: Screen, baseline: Baseline | None = None
) -> Iterator[Session]:
    """Check everything that can be checked before a step runs, and yield the session. Nothing is written to AWS.

    *baseline* stands for the file where there is none yet. Raises CommandError, BaselineError or OSError.
    """
    started = time.monotonic()
    gc.disable()  # collecting garbage takes half of the time of building clients, and their models stay anyway
    with ExitStack() as stack:
        stack.callback(gc.enable)
        baseline = baseline or read_baseline(options.file, lambda: _default_region(options))
        screen.secrets = lambda: baseline.secrets
        only = only_regions(baseline, options)
        check_flags(baseline, options)
        check_steps(baseline, options)
        if options.sandbox:
            _open_sandbox(stack, screen)
        cloud = _connect(options, screen, baseline)
        stack.callback(cloud.close, wait=options.sandbox)  # a late call must not miss the sandbox
        check_regions(baseline, only)
        with screen.told_after(
            _FIND_CREDENTIALS,
            "still finding credentials: a `credential_process`, a metadata service or STS has not answered",
        ):
            _make_clients(cloud, baseline)
        home = baseline.general.home_region
        with aws_errors(f"asking AWS in {home} who the caller is"):
            identity = identify(cloud, home)
        check_identity(identity)
        _check_account(identity, baseline, screen, sandbox=options.sandbox)
        cloud.keyring.role = member_role(baseline.general.accounts, identity, home)
        log = LogFile(options.log_file, screen.secrets, command=options.command, account=identity.account)
        stack.callback(log.close)
        fleet = Fleet(cloud, baseline, identity, options.steps, only)
        session = Session(options, screen, baseline, fleet, cloud, identity, log, started)
        for each in ending(baseline.general.exceptions, datetime.now(UTC).date()):
            if each.expired:
                screen.message(f"! {each.text}", always=True)
        if not screen.quiet:
            session.alias = cloud.readers.submit(_print_with_alias, session)
            if not options.unattended:  # which reads it before anything else
                session.pause = cloud.readers.submit(_find_pause, session)
        stack.enter_context(_interruptible(session))
        gc.freeze()  # what was built so far stays, and is not looked at again while the command runs
        stack.callback(gc.unfreeze)  # else each run of `--every` would keep the clients of the one before
        gc.enable()
        yield session


def aws_options(options: CommandOptions, *, many_accounts: bool) -> Options:
    """How AWS is reached. An endpoint on this machine has no rate limits."""
    host = urlsplit(options.endpoint_url or "").hostname
    return Options(
        options.profile,
        options.endpoint_url,
        use_documented_rates=host not in _THIS_MACHINE,
        own_connections=True,
        own_signatures=many_accounts,
    )


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Raise an error of AWS or botocore in the block as a CommandError, in one line with its hint."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise CommandError("; ".join(words.failure(describe(doing, error)))) from error


def _open_sandbox(stack: ExitStack, screen: Screen) -> None:
    world = enter_sandbox(stack)
    screen.message(f"SANDBOX: no AWS account is touched; its state is in {sandbox_file()}")
    if world.notice:
        screen.message(world.notice)


def enter_sandbox(stack: ExitStack) -> World:
    """Open the sandbox until *stack* is closed. Raises CommandError."""
    from ..sandbox import MissingPackage, SandboxError, open_sandbox

    path = sandbox_file()
    try:
        return stack.enter_context(open_sandbox(path))
    except MissingPackage as error:
        raise CommandError(f"{error}: `{install_command('sandbox')}`") from error
    except SandboxError as error:
        raise CommandError(f"the sandbox cannot be opened: {error}") from error
    except OSError as error:
        raise CommandError(
            f"the sandbox cannot be opened: {error}; {STATE_HINT}, or PROVISION_SANDBOX to a file"
        ) from error


def _connect(options: CommandOptions, screen: Screen, baseline: Baseline) -> Cloud:
    general = baseline.general
    many_accounts = general.accounts is not None
    many_places = many_accounts or general.regions != [general.home_region]
    if options.sandbox:
        how, workers = Options(use_documented_rates=False), 2  # the sandbox answers one call at a time
    else:
        how = aws_options(options, many_accounts=many_accounts)
        workers = _MANY_PLACES if many_places else _ONE_PLACE
    with aws_errors("AWS configuration"):
        return Cloud(how, on_wait=screen.wait, workers=workers)


def _make_clients(cloud: Cloud, baseline: Baseline) -> None:
    """Make the client for the next call, and begin to make those of the steps."""
    home = baseline.general.home_region
    with aws_errors("AWS configuration"):
        cloud.client("sts", home)
    steps = (step for step in all_steps().values() if step.section in baseline)
    cloud.warm(dict.fromkeys(client for step in steps for client in step.clients), home)


def _check_account(identity: Identity, baseline: Baseline, screen: Screen, *, sandbox: bool) -> None:
    """Raise CommandError if `allowed_account_ids` does not name the caller's account."""
    allowed = baseline.general.allowed_account_ids
    if allowed is None:
        return
    if sandbox:
        screen.message("`allowed_account_ids` is not checked: the sandbox has its own accounts")
    elif identity.account not in allowed:
        raise CommandError(
            f"the credentials are for account {identity.account}, which `allowed_account_ids` does not name "
            f"({baseline.place(('allowed_account_ids',))}): use other credentials, or add it there"
        )


def _print_with_alias(session: Session) -> None:
    """Print the account with its alias, or without one if it has none or the caller may not read it."""
    home = session.home
    try:
        answer = session.cloud.read(home, "iam", home.region, "list_account_aliases", {})
    except (ClientError, BotoCoreError) as error:
        session.log.write("alias not read", level="warning", code=code_of(error))
        answer = {}
    session.print_account(alias=next(iter(answer.get("AccountAliases", [])), ""))


def _find_pause(session: Session) -> str:
    """The pause of repairs, as a text for people; empty if there is none, or it cannot be read."""
    from ..repair.pause import read_pause

    found = read_pause(
        Aws(session.home, session.cloud, ReadCache(), SynchronousExecutor()), datetime.now(UTC)
    )
    return str(found.pause or "")


def _default_region(options: CommandOptions) -> str | None:
    """The home Region if the file has none: that of `--region`, of the environment or of the profile."""
    if options.regions:
        return options.regions[0]
    with aws_errors("AWS configuration"):
        return Cloud.default_region(options.profile)


@contextmanager
def _interruptible(session: Session) -> Iterator[None]:
    """Let the first Ctrl-C (or SIGTERM, SIGHUP) end the run after what is in flight, if it writes or runs accounts.

    Otherwise, and the second time, the run ends at once.
    """

    def stop(*_: Any) -> None:
        if not (session.writing or session.graceful) or session.cloud.stop.is_set():
            raise KeyboardInterrupt
        session.cloud.stop.set()
        what = b"accounts in flight are" if session.graceful else b"call in flight is"
        write_in_handler(b"\ninterrupted: the " + what + b" finished first; once more to stop at once\n")

    ends = [signal.SIGINT, signal.SIGTERM]
    ends += [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else []  # `nohup` ignores it
    before = {each: signal.signal(each, stop) for each in ends}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
