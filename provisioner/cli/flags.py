"""The arguments and options that several commands have. The checks of their values are in `flag_values.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import click

from .flag_values import check_digest, check_duration, check_limit, check_outputs, not_empty, split_commas

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE = "baseline.yaml"


def file_argument(command: _F, *, dash: str = "stdin") -> _F:
    """Add FILE, and say in the help of the command what it is."""
    about = f"FILE is $PROVISION_FILE, or else {_FILE}, if it is left out; - is {dash}."
    command.__doc__ = f"{command.__doc__}\n\n    {about}\n    "
    return click.argument(
        "file",
        type=click.Path(allow_dash=True),
        required=False,
        callback=not_empty,
        envvar="PROVISION_FILE",
        default=_FILE,
        metavar="[FILE]",
    )(command)


def complete(what: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """A function that completes values on the command line: *what* is a function of `completions.py`."""

    def values(_: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from . import completions

        begun, comma, last = (
            incomplete.rpartition(",") if parameter.callback is split_commas else ("", "", incomplete)
        )
        return [begun + comma + each for each in getattr(completions, what)() if each.startswith(last)]

    return values


duration = partial(click.option, callback=check_duration, metavar="TIME")
comma_list = partial(click.option, multiple=True, callback=split_commas)

_SANDBOX = click.option("--sandbox", is_flag=True, help="Use an AWS on this machine; no account is touched.")
_PROFILE = click.option(
    "--profile",
    callback=not_empty,
    metavar="NAME",
    shell_complete=complete("profiles"),
    help="Profile of the AWS configuration.",
)
ENDPOINT_URL = click.option(
    "--endpoint-url", callback=not_empty, metavar="URL", help="Send every call to this URL."
)
_UNFOLD = click.option("--unfold", is_flag=True, help="Name every account and Region, however many.")
_SELECTION = (
    comma_list(
        "--region",
        "--regions",
        "regions",
        metavar="REGION[,…]",
        shell_complete=complete("regions"),
        help="Only these Regions of the file; the home Region, if the file has none.",
    ),
    comma_list("--accounts", metavar="ID[,…]", help="Only these of the file's `accounts`, by id or name."),
    comma_list("--not-accounts", metavar="ID[,…]", help="All accounts except these, by id or name."),
    comma_list(
        "--ou",
        "units",
        metavar="UNIT[,…]",
        help="Only accounts in these organizational units, by id or path: Workloads/Prod.",
    ),
    click.option("--resume", is_flag=True, help="Only accounts that did not succeed in the last run."),
    _UNFOLD,
    click.option(
        "--processes", type=click.IntRange(1), metavar="N", help="Distribute the accounts over N processes."
    ),
    click.option(
        "--scheduler",
        callback=not_empty,
        metavar="URL",
        help="Distribute them over a Dask cluster: tcp://host:8786.",
    ),
)
_REPORTS = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout."),
    click.option("--json-lines", is_flag=True, help="Print a JSON object a line, one for each account."),
    click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        callback=check_outputs,
        metavar="KIND=FILE",
        help="Write a report: html, md (for a pull request), junit or csv; may be given several times.",
    ),
)
_SCREEN = (
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="auto: on a terminal, unless NO_COLOR is set.",
    ),
    click.option("--no-color", is_flag=True, help="Same as --color never."),
    click.option("-q", "--quiet", is_flag=True, help="Print only what changed, failed or is a danger."),
    click.option(
        "--log-file",
        callback=not_empty,
        type=click.Path(dir_okay=False),
        envvar="PROVISION_LOG_FILE",
        show_envvar=True,
        metavar="PATH",
        help="Append a log to this file, a JSON object a line; - is stderr.",
    ),
)


def target_option(about: str) -> Callable[[_F], _F]:
    """Add `--target`."""
    return comma_list("--target", "steps", metavar="STEP[,…]", shell_complete=complete("steps"), help=about)


def shared_options(command: _F) -> _F:
    """Add FILE and the options of the commands that work through the accounts, Regions and steps of the file."""
    target = target_option("Only these steps, and those they need.")
    options = (_SANDBOX, target, _PROFILE, *_SELECTION, ENDPOINT_URL, *_REPORTS, *_SCREEN)
    return file_argument(_with_options(command, options))


def account_options(command: _F) -> _F:
    """Add FILE and the options of the commands that do one thing in the caller's account."""
    return file_argument(_with_options(command, (_SANDBOX, _PROFILE, ENDPOINT_URL, *_SCREEN)))


unfold_option = _UNFOLD


_CONFIRMATION = (
    click.option("-y", "--yes", is_flag=True, help="Do not ask. Needed where there is no terminal."),
    click.option(
        "--expect-plan",
        callback=check_digest,
        metavar="sha256:…",
        help="Apply, without asking, only if the plan has this digest: the one that was reviewed.",
    ),
    comma_list(
        "--allow",
        metavar="NAME[,…]",
        shell_complete=complete("consents"),
        help="Allow a change that loosens or replaces something; the plan shows its name.",
    ),
    click.option(
        "--max-changes",
        callback=check_limit,
        metavar="N|P%",
        help="Change nothing if the plan changes more than N resources, or P percent of those that exist.",
    ),
)


def confirmation_options(command: _F) -> _F:
    """Add the options of a command that shows a plan, and asks before it makes the changes."""
    return _with_options(command, _CONFIRMATION)


def _with_options(command: _F, options: Sequence[Callable[[_F], _F]]) -> _F:
    for option in reversed(options):
        command = option(command)
    return command
