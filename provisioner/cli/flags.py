"""The arguments and options that several commands have, and the checks of their values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])

file_argument = click.argument(
    "file", required=False, envvar="PROVISION_FILE", default="baseline.yaml", metavar="[FILE]"
)


def _split_commas(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """`a,b` is `a` and `b`. An empty value is an error, not "all": it often comes from an unset variable."""
    values = tuple(value.strip() for each in given for value in each.split(","))
    if not all(values):
        raise click.BadParameter(f"one of them is empty in {','.join(given)!r}", context, parameter)
    return values


def check_limit(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The value of `--max-changes`: a number or a percentage."""
    if value is not None and not (value.isascii() and value.removesuffix("%").isdigit()):
        raise click.BadParameter(
            f"want a number or a percentage, as 10 or 30%, got {value!r}", context, parameter
        )
    return value


def check_account_id(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """An account id: 12 digits."""
    if value is not None and not (value.isascii() and value.isdigit() and len(value) == 12):
        raise click.BadParameter(f"want an account's 12 digits, got {value!r}", context, parameter)
    return value


_comma_list = partial(click.option, multiple=True, callback=_split_commas)

_OPTIONS = (
    click.option("--sandbox", is_flag=True, help="Use an AWS on this machine; no account is touched."),
    click.option(
        "--target", "steps", multiple=True, metavar="STEP", help="Only this step, and the steps it needs."
    ),
    click.option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
    _comma_list(
        "--region",
        "--regions",
        "regions",
        metavar="REGION[,…]",
        help="Only these Regions of the file; the home Region, if the file has none.",
    ),
    _comma_list("--accounts", metavar="ID[,…]", help="Only these of the file's `accounts`, by id or name."),
    _comma_list("--not-accounts", metavar="ID[,…]", help="All accounts except these, by id or name."),
    _comma_list(
        "--ou",
        "units",
        metavar="UNIT[,…]",
        help="Only accounts in these organizational units, by id or path: Workloads/Prod.",
    ),
    click.option("--resume", is_flag=True, help="Only accounts that did not succeed in the last run."),
    click.option("--unfold", is_flag=True, help="Name every account and Region, however many."),
    click.option(
        "--processes", type=click.IntRange(1), metavar="N", help="Distribute the accounts over N processes."
    ),
    click.option("--scheduler", metavar="URL", help="Distribute them over a Dask cluster: tcp://host:8786."),
    click.option("--endpoint-url", metavar="URL", help="Send every call to this URL."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout."),
    click.option("--json-lines", is_flag=True, help="Print a JSON object a line, one for each account."),
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
        type=click.Path(dir_okay=False),
        envvar="PROVISION_LOG_FILE",
        metavar="PATH",
        help="Append a log to this file, a JSON object a line; - is stderr.",
    ),
)


def shared_options(command: _F) -> _F:
    """Add FILE and the options of every command that calls AWS."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return file_argument(command)
