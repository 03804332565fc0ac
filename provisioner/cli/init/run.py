"""`provision init`: look at the account, write the file, and say what comes next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from ...aws import Aws, ReadCache
from ...aws.cloud import Cloud
from ...aws.errors import NoCredentialsError
from ...baseline import Baseline, BaselineError, parse
from ...fleet.fleet import Fleet
from ...model import Target
from ...report import words
from ...steps.registry import all_sections
from ..exit_codes import ERROR, OK
from ..offline import region_of_environment
from ..open_session import aws_errors, open_session
from ..options import CommandError, CommandOptions, private_files
from ..screen import Screen
from ..session import Session
from .comments import Comparison, compare
from .facts import Facts, read_facts
from .profiles import profile_text
from .text import Template, placeholder

_STDOUT: Final = "-"
_HOME: Final = "us-east-1"  # where nothing names another


@dataclass(frozen=True)
class InitOptions:
    """The options of `init`."""

    file: str
    profile: str
    force: bool = False
    offline: bool = False
    sandbox: bool = False
    single_account: bool = False
    organization_name: str | None = None
    home_region: str | None = None
    regions: tuple[str, ...] = ()
    aws_profile: str | None = None
    endpoint_url: str | None = None

    @property
    def command(self) -> CommandOptions:
        """The options of the diff that finds what is there."""
        file = self.file if self.file != _STDOUT else "<stdout>"
        return CommandOptions(
            "diff", file, sandbox=self.sandbox, profile=self.aws_profile, endpoint_url=self.endpoint_url
        )


@dataclass(frozen=True)
class Written:
    """The text of the file, what was found for it, and what became a comment because it is a sample."""

    text: str
    samples: Sequence[str]
    account: str = ""
    found: Comparison | None = None


def run(options: InitOptions) -> int:
    """Write the file; 1 after an error, which is printed in one message, and after which nothing is written."""
    screen = Screen(options.command)
    try:
        _check_file(options)
        written = _offline(options) if options.offline else _look(options, screen)
        _write(options, written.text)
    except BaselineError as error:
        click.echo(
            f"{error.render()}\nerror: nothing was written: give other values to the flags, or to AWS_REGION",
            err=True,
        )
        return ERROR
    except (CommandError, OSError) as error:
        screen.clear_status()
        screen.message(f"error: {_reason(error)}")
        return ERROR
    _report(options, written)
    return OK


def _check_file(options: InitOptions) -> None:
    """Raise CommandError if the file cannot be written, before AWS is asked."""
    path = Path(options.file)
    if options.file == _STDOUT:
        return
    if options.offline and options.sandbox:
        raise CommandError("--offline and --sandbox: nothing is looked at, or the sandbox: give one of them")
    if path.is_dir():
        raise CommandError(f"{options.file}: a folder: name a file in it")
    if not path.parent.is_dir():
        raise CommandError(f"{options.file}: there is no folder {path.parent}: make it, or name another file")
    if os.path.lexists(path) and not options.force:
        raise CommandError(f"{options.file} is there, and not replaced: name another file, or give `--force`")
    if path.exists() and not path.is_file():
        raise CommandError(f"{options.file}: no regular file: name another")


def _offline(options: InitOptions) -> Written:
    """The profile with what the flags and the environment say."""
    home = options.home_region or region_of_environment() or _HOME
    return _fill(options, Facts(home))


def _look(options: InitOptions, screen: Screen) -> Written:
    """The profile for the account of the caller, with what is there. Without any credentials, as `_offline`."""
    command = options.command
    with aws_errors("AWS configuration"):
        home = options.home_region or Cloud.default_region(options.aws_profile) or _HOME
    first = _parse(command, _fill(options, Facts(home)).text)
    try:
        with private_files(), open_session(command, screen, first) as session:
            return _filled_by(session, options, home)
    except CommandError as error:
        if not isinstance(error.__cause__, NoCredentialsError):
            hint = "" if "--offline" in str(error) else "; `--offline` writes a file without a look at AWS"
            raise CommandError(f"{error}{hint}") from error
    screen.message(
        "there are no credentials: this is the profile as it comes, and no account was looked at;"
        " with credentials, run `provision init --force` again"
    )
    return _fill(options, Facts(home))


def _filled_by(session: Session, options: InitOptions, home: str) -> Written:
    """The profile with the facts of the caller's account and what it has of it."""
    who, screen = session.identity, session.screen
    session.wait_for_account()
    screen.status("looking at the account")
    try:
        aws = Aws(Target(who.account, home, who.partition), session.cloud, ReadCache())
        with aws_errors("looking at the account"):
            facts = replace(read_facts(aws, home), single_account=options.single_account)
        # The account by itself is looked at, also where the file is for all accounts of the organization.
        alone = _parse(session.options, _fill(options, replace(facts, single_account=True)).text)
        with aws_errors("asking AWS which Regions the account has enabled"):
            run = Fleet(session.cloud, alone, who).whole()
        found = compare(run.rehearse().results)
    finally:
        screen.clear_status()
    comments = {key: [*each.comments()] for key, each in found.sections.items()}
    return replace(_fill(options, facts, comments), account=who.account, found=found)


def _fill(options: InitOptions, facts: Facts, comments: Mapping[str, Sequence[str]] | None = None) -> Written:
    """The profile with these facts, and with the first name that it is valid with. Raises BaselineError."""
    if options.organization_name:
        facts = replace(facts, names=((options.organization_name, "as given"),))
    template = Template(
        f"{options.profile}.yaml", profile_text(options.profile), replace(facts, regions=options.regions)
    )
    named = [*facts.names] if options.organization_name else [*placeholder(facts)]
    for name, origin in named[:-1]:
        text = template.render(name, origin, comments or {})
        with suppress(BaselineError):
            _parse(options.command, text)
            return Written(text, template.samples)
    text = template.render(*named[-1], comments or {})
    _parse(options.command, text)
    return Written(text, template.samples)


def _parse(command: CommandOptions, text: str) -> Baseline:
    """The file as `validate` reads it. Raises BaselineError."""
    return parse(text, command.file, all_sections(), os.environ)


def _write(options: InitOptions, text: str) -> None:
    """Write the file, complete or not at all; with the mode that the umask gives. Raises OSError and CommandError."""
    if options.file == _STDOUT:
        click.echo(text, nl=False)
        return
    if options.force:
        path = Path(os.path.realpath(options.file))
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        _make(beside, text)
        beside.replace(path)
        return
    try:
        _make(Path(options.file), text)
    except FileExistsError as error:
        raise CommandError(f"{options.file} is there by now, and not replaced: give `--force`") from error


def _make(path: Path, text: str) -> None:
    """Make a file that is not there yet. Raises OSError, and leaves nothing of it then."""
    with path.open("x", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
        except OSError as error:
            path.unlink()
            error.filename = path  # a write has none
            raise


def _report(options: InitOptions, written: Written) -> None:
    """Print what was written, and the next command; on stderr if the file itself is on stdout."""
    err = options.file == _STDOUT
    about = f"for account {written.account}: {written.found.summary}" if written.found else "valid"
    click.echo(f"{words.clean(options.file)}: profile {options.profile}, {about}", err=err)
    if written.samples:
        click.echo(f"left as comments until you set your own values: {', '.join(written.samples)}", err=err)
    flags = {
        "--profile": options.aws_profile,
        "--endpoint-url": options.endpoint_url,
    }
    command = ["provision", "diff", "baseline.yaml" if err else options.file]
    command += [word for flag, value in flags.items() if value for word in (flag, value)]
    command += ["--sandbox"] if options.sandbox else []
    click.echo(f"next: {words.clean(shlex.join(command))}", err=err)


def _reason(error: CommandError | OSError) -> str:
    if isinstance(error, CommandError) or error.filename is None:
        return words.clean(str(error))
    return words.clean(f"{error.filename}: {error.strerror}; name a file that can be written")
