"""The checks of the values of options, made before anything is read. Each raises click.BadParameter."""

from __future__ import annotations

from string import hexdigits
from typing import Any, Final

import click

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def split_commas(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """`a,b` is `a` and `b`. An empty value is an error, not "all": it often comes from an unset variable."""
    values = tuple(value.strip() for each in given for value in each.split(","))
    if not all(values):
        raise click.BadParameter(f"one of them is empty in {','.join(given)!r}", context, parameter)
    return values


def not_empty(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A value that is no blank text, which often comes from an unset variable."""
    if value is not None and not value.strip():
        what = "drop the flag" if isinstance(parameter, click.Option) else "leave it out"
        raise click.BadParameter(f"it is empty: give a value, or {what}", context, parameter)
    return value


def none_empty(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """The values of an option that may be given several times, none of which is blank."""
    for each in values:
        not_empty(context, parameter, each)
    return values


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


def check_outputs(
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


def check_duration(context: click.Context, parameter: click.Parameter, value: str | None) -> float:
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
