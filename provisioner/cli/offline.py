"""The commands that need no AWS: validate, schema, completion."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from ..baseline import Baseline, BaselineError, load


def read(file: str, default_region: Callable[[], str | None] | None = None) -> Baseline:
    """The file as typed sections. Raises BaselineError with every mistake in it.

    *default_region* is asked where the file has no `home_region`; unless it is given, the environment is.
    """
    from ..steps.registry import all_sections

    ask = default_region or (lambda: os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))
    return load(file, all_sections(), os.environ, ask)


def validate(file: str, *, as_json: bool) -> int:
    """Tell every mistake in the file; 0 if there is none."""
    try:
        baseline = read(file)
    except BaselineError as error:
        if as_json:
            click.echo(
                json.dumps({"valid": False, "problems": [p.as_dict() for p in error.problems]}, indent=2)
            )
        else:
            click.echo(error.render(color=_colored(sys.stderr)), err=True)
        return 1
    if as_json:
        click.echo(json.dumps({"valid": True, "problems": []}, indent=2))
    else:
        click.echo(f"{file}: valid ({', '.join(baseline.sections)})")
    return 0


def schema(*, output: bool = False) -> int:
    """Print the JSON Schema of the file, or of the *output* for machines."""
    if output:
        from ..report.json import output_schema

        found = output_schema()
    else:
        from ..baseline.schema import json_schema
        from ..steps.registry import all_sections

        found = json_schema(all_sections())
    click.echo(json.dumps(found, indent=2))
    return 0


def completion(command: click.Group, shell: str) -> int:
    """Print the script that makes *shell* complete the command."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(command, {}, "provision", "_PROVISION_COMPLETE").source())
    return 0


def _colored(stream: Any) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or bool(stream.isatty())
