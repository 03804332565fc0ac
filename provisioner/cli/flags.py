"""The arguments and options that several commands have, and the checks of their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from string import hexdigits
from typing import Any, Final, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE = "baseline.yaml"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FILE: Final = click.argument(
    "file",
    type=click.Path(allow_dash=True),
    required=False,
    envvar="PROVISION_FILE",
    default=_FILE,
    metavar="[FILE]",
)


def file_argument(command: _F) -> _F:
    """Add FILE, and say in the help of the command what it is."""
    about = f"FILE is $PROVISION_FILE, or else {_FILE}, if it is left out; - is stdin."
    command.__doc__ = f"{command.__doc__}\n\n    {about}\n    "
    return FILE(command)


def complete(what: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """A function that completes values on the command line: *what* is a function of `completions.py`."""

    def values(_: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from . import completions

        begun, comma, last = (
            incomplete.rpartition(",") if parameter.callback is _split_commas else ("", "", incomplete)
        )
        return [begun + comma + each for each in getattr(completions, what)() if each.startswith(last)]

    return values


def _split_commas(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """`a,b` is `a` and `b`. An empty value is an error, not "all": it often comes from an unset variable."""
    values = tuple(value.strip() for each in given for value in each.split(","))
    if not all(values):
        raise click.BadParameter(f"one of them is empty in {','.join(given)!r}", context, parameter)
    return values


def not_empty(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A value that is no empty text, which often comes from an unset variable."""
    if value == "":
        raise click.BadParameter("it is empty: give a value, or drop the flag", context, parameter)
    return value


def check_limit(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The value of `--max-changes`: a number, or a percentage up to 100 %."""
    number = "0" if value is None else value.removesuffix("%")
    if not (number.isascii() and number.isdigit()) or (number != value and int(number) > 100):
        raise click.BadParameter(
            f"want a number or a percentage, as 10 or 30%, got {value!r}", context, parameter
        )
    return value


def check_digest(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The value of `--expect-plan`: checked before AWS is read, which takes long."""
    digest = (value or "").removeprefix("sha256:")
    if value is not None and not (value != digest and len(digest) == 64 and set(digest) <= set(hexdigits)):
        want = f"want the last line of `provision diff`, sha256: and 64 hex digits, got {value!r}"
        raise click.BadParameter(want, context, parameter)
    return value


def check_account_id(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """An account id: 12 digits."""
    if value is not None and not (value.isascii() and value.isdigit() and len(value) == 12):
        raise click.BadParameter(f"want an account's 12 digits, got {value!r}", context, parameter)
    return value


def _check_outputs(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """The values of `--output`: `KIND=FILE`, checked before AWS is read."""
    if not given:
        return ()
    from ..report.files import REPORT_KINDS, check_output

    outputs: dict[str, str] = {}
    for each in given:
        kind, equals, path = each.partition("=")
        wrong = (
            check_output(kind, path) if equals else f"want KIND=FILE, with {', '.join(REPORT_KINDS)} for KIND"
        )
        if wrong:
            raise click.BadParameter(f"{each!r}: {wrong}", context, parameter)
        if path in outputs:
            raise click.BadParameter(f"{path} is named twice: give each report a file", context, parameter)
        outputs[path] = kind
    return tuple((kind, path) for path, kind in outputs.items())


def _check_duration(context: click.Context, parameter: click.Parameter, value: str | None) -> float:
    """A time such as `90s`, `15m` or `2h`, in seconds; 0 where the flag is not given."""
    if value is None:
        return 0.0
    number, unit = value[:-1], value[-1:]
    if not (number.isascii() and number.isdigit() and int(number) and unit in _SECONDS):
        raise click.BadParameter(f"want a time such as 90s, 15m, 2h or 1d, got {value!r}", context, parameter)
    return float(int(number) * _SECONDS[unit])


class Seconds(click.FloatRange):
    """A number of seconds in a range, which `nan` is in none of."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number. Raises click.BadParameter."""
        number = float(super().convert(value, param, ctx))
        if number != number:  # noqa: PLR0124 - only nan differs from itself
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return number


duration = partial(click.option, callback=_check_duration, metavar="TIME")
comma_list = partial(click.option, multiple=True, callback=_split_commas)

ENDPOINT_URL: Final = click.option(
    "--endpoint-url", callback=not_empty, metavar="URL", help="Send every call to this URL."
)
_OPTIONS = (
    click.option("--sandbox", is_flag=True, help="Use an AWS on this machine; no account is touched."),
    comma_list(
        "--target",
        "steps",
        metavar="STEP[,…]",
        shell_complete=complete("steps"),
        help="Only these steps, and those they need.",
    ),
    click.option(
        "--profile",
        callback=not_empty,
        metavar="NAME",
        shell_complete=complete("profiles"),
        help="Profile of the AWS configuration.",
    ),
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
    click.option("--unfold", is_flag=True, help="Name every account and Region, however many."),
    click.option(
        "--processes", type=click.IntRange(1), metavar="N", help="Distribute the accounts over N processes."
    ),
    click.option(
        "--scheduler",
        callback=not_empty,
        metavar="URL",
        help="Distribute them over a Dask cluster: tcp://host:8786.",
    ),
    ENDPOINT_URL,
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout."),
    click.option("--json-lines", is_flag=True, help="Print a JSON object a line, one for each account."),
    click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        callback=_check_outputs,
        metavar="KIND=FILE",
        help="Write a report: html, md (for a pull request), junit or csv; may be given several times.",
    ),
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


def shared_options(command: _F) -> _F:
    """Add FILE and the options of every command that calls AWS."""
    return file_argument(_with_options(command, _OPTIONS))


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
