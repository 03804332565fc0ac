"""The commands that make no call to AWS: validate, schema, completion; and reading the file for all commands."""

from __future__ import annotations

import fnmatch
import json
import os
import sys
from collections.abc import Callable

import click

from ..baseline import Baseline, BaselineError, load
from ..baseline.problem import clean, did_you_mean, listed
from ..steps.registry import all_sections, all_steps


def region_of_environment() -> str | None:
    """The Region that the environment names, without a look at the AWS configuration."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def read_baseline(file: str, default_region: Callable[[], str | None] = region_of_environment) -> Baseline:
    """Read the file into typed sections. Raises BaselineError with every mistake in it.

    *default_region* is called if the file has no `home_region`.
    """
    baseline = load(file, all_sections(), os.environ, default_region)
    if baseline.general.exceptions:
        _check_exceptions(baseline)
    return baseline


def _check_exceptions(baseline: Baseline) -> None:
    """Raise BaselineError for exceptions of steps that there are not."""
    steps = all_steps()

    def hint(step: str) -> str:
        return did_you_mean(step, steps) or f"there are {listed(steps, 'and')}"

    named = [each.address.partition("/")[0] for each in baseline.general.exceptions]
    unknown = [
        (("exceptions", index, "address"), f"there is no step `{step}`; {hint(step)}")
        for index, step in enumerate(named)
        if not fnmatch.filter(steps, step)
    ]
    if unknown:
        raise baseline.problems_at(unknown)


def validate(file: str, *, as_json: bool) -> int:
    """Print every mistake in the file; 0 if there is none."""
    try:
        baseline = read_baseline(file)
    except BaselineError as error:
        if as_json:
            _print_json({"valid": False, "problems": [p.as_dict() for p in error.problems]})
        else:
            color = bool(os.environ.get("FORCE_COLOR")) or sys.stderr.isatty()
            click.echo(error.render(color=color and not os.environ.get("NO_COLOR")), err=True)
        return 1
    if as_json:
        _print_json({"valid": True, "problems": []})
    else:
        overridden = [
            f"{key} in `overrides`" for kind, key in baseline.overridden.items() if kind not in baseline
        ]
        sections = [*baseline.sections, *overridden]
        click.echo(f"{clean(file)}: valid ({', '.join(sections)})")
    return 0


def schema(*, output: bool = False) -> int:
    """Print the JSON Schema of the file, or of the JSON *output*."""
    if output:
        from ..report.json import output_schema

        _print_json(output_schema())
    else:
        from ..baseline.schema import json_schema

        _print_json(json_schema(all_sections()))
    return 0


def completion(command: click.Group, shell: str) -> int:
    """Print the script that makes *shell* complete the command."""
    from click.shell_completion import shell_complete

    return shell_complete(command, {}, "provision", "_PROVISION_COMPLETE", f"{shell}_source")


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, indent=2))
