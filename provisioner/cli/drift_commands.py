"""The command line of `repair` and of what belongs to it: `pause`, `resume`, `history` and `undo`."""

from __future__ import annotations

from typing import Any

import click

from .command import EPILOG, StepsCommand, options_of, printed, run_command
from .flag_values import check_account_id, not_empty
from .flags import (
    account_options,
    comma_list,
    complete,
    confirmation_options,
    duration,
    shared_options,
    target_option,
    unfold_option,
)


@click.command(cls=StepsCommand, epilog=EPILOG)
@shared_options
@comma_list(
    "--allow",
    metavar="NAME[,…]",
    shell_complete=complete("consents"),
    help="Allow a change that loosens or replaces something.",
)
@click.option("--detect-only", is_flag=True, help="Tell what differs, and change nothing.")
@click.option(
    "--wait",
    "lock_timeout",
    type=click.IntRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Wait this long for another run to end; without it, this one is skipped.",
)
@duration("--splay", help="Wait a random part of this time first: 30s, 10m, 1h.")
@duration("--every", help="Go on, and repair every so often, until a signal ends it.")
@click.option("--no-verify", is_flag=True, help="Do not also prove that it works, as `verify` does.")
@click.option(
    "--metrics-file",
    callback=not_empty,
    type=click.Path(dir_okay=False),
    metavar="PATH",
    help="Write metrics for Prometheus's node_exporter to this file.",
)
@click.option("--emf", is_flag=True, help="Print the metrics as a line for CloudWatch.")
def repair(**given: Any) -> int:
    """Find drift and repair it, unattended. Asks nothing, prints only what was wrong, and tells the `notices` of FILE.

    From cron: `provision repair FILE`. Exit 0 in sync or repaired, 2 differences are left, 3 some failed.
    """
    from .repair import repeat

    return repeat(options_of("repair", **{**given, "quiet": True}), run_command)


@click.command(cls=StepsCommand)
@account_options
@target_option("Pause only these steps, also those that make AWS record.")
@click.option(
    "--reason", required=True, callback=not_empty, help="Why repairs are paused, for those who see it."
)
@click.option(
    "--until",
    required=True,
    callback=not_empty,
    metavar="TIME",
    help="2h, 3d, or 2027-01-31T18:00 (UTC); within seven days.",
)
def pause(**given: Any) -> int:
    """Keep `repair` from repairing for some time, on every machine. Every run tells it.

    Kept in the caller's account, as a parameter of Systems Manager, for all accounts and Regions of FILE. What makes
    AWS record goes on being repaired, unless its steps are named with --target.
    """
    return run_command(options_of("pause", **given))


@click.command()
@account_options
def resume(**given: Any) -> int:
    """End a pause."""
    return run_command(options_of("resume", **given))


@click.command()
@click.option("--sandbox", is_flag=True, help="Of the sandbox.")
@duration("--since", help="Only the runs of this time: 12h, 7d. Default: all.")
@click.option("--run", "run_id", callback=not_empty, metavar="ID", help="Only this run.")
@click.option("--account", callback=check_account_id, metavar="ID", help="Only what is in this account.")
@click.option(
    "--step",
    callback=not_empty,
    metavar="STEP",
    shell_complete=complete("steps"),
    help="Only this step.",
)
@click.option(
    "--file",
    callback=not_empty,
    metavar="FILE",
    help="Also what is in the bucket that `journal` of FILE names, of every machine.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each record of the journal as a JSON line.")
def history(*, since: float, as_json: bool, sandbox: bool, file: str | None, **chosen: str | None) -> int:
    """Show what earlier runs found and changed. Those of `repair`, `apply` and `undo` on this machine, and who was the cause."""
    from .history import Filter, history

    shown = Filter(since, **{name: value or "" for name, value in chosen.items()})
    return printed(history(shown, sandbox=sandbox, file=file, as_json=as_json))


@click.command(epilog=EPILOG)
@click.argument("run_id", metavar="RUN", callback=not_empty)
@account_options
@unfold_option
@confirmation_options
def undo(run_id: str, **given: Any) -> int:
    """Put back what a run changed. RUN is an id of `provision history`; the changes are shown first, and it asks.

    The file goes on asking for what is undone: change it too, or the next run does it again.
    """
    return run_command(options_of("undo", run_id=run_id, **given))
