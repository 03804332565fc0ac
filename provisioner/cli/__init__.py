"""The command line: its commands, their options and the exit code.

What a command does is in other modules, which are imported only when it runs, so that `--help` and completion are fast.
"""

from __future__ import annotations

from typing import Any

import click

from .. import __version__
from . import drift_commands, init_command
from .command import EPILOG, StepsCommand, options_of, printed, run_command
from .exit_codes import ERROR, INTERRUPTED, OK
from .flag_values import Seconds, check_account_id, none_empty, not_empty
from .flags import complete, confirmation_options, file_argument, shared_options
from .names import Commands, translate

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code. Every error has been printed on stderr."""
    try:
        code = main.main(args=translate(arguments), prog_name="provision", standalone_mode=False)
        return code if isinstance(code, int) else OK
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        _print_json_error(arguments, "interrupted")
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        _print_json_error(arguments, error.format_message())
        return ERROR
    except OSError as error:  # of the output, which is all that such a command makes
        click.echo(f"error: {error.filename or 'stdout'}: {error.strerror}", err=True)
        return ERROR


def _print_json_error(arguments: list[str], message: str) -> None:
    """Print the error of a wrong command line as the JSON that it asks for, if it does."""
    command, indent = next(iter(arguments), ""), 2 if "--json" in arguments else None
    if command in ("diff", "apply", "verify", "repair") and {"--json", "--json-lines"} & {*arguments}:
        from ..report import json

        click.echo(json.to_text(json.error_json(command, message), indent=indent))


@click.group(cls=Commands, context_settings=_SETTINGS, epilog=EPILOG)
@click.version_option(__version__, prog_name="provision", message="%(prog)s %(version)s")
def main() -> None:
    """Bring one AWS account, or an organization, to the security baseline of one YAML file, and keep it there.

    Try it without an account:  provision apply baseline.yaml --sandbox
    """


@main.command(cls=StepsCommand, epilog=EPILOG)
@shared_options
@click.option(
    "--who", is_flag=True, help="Also show who made each difference, from CloudTrail's event history."
)
def diff(**given: Any) -> int:
    """Show what would change. Makes no write. Exit 0 in sync, 2 changes."""
    return run_command(options_of("diff", **given))


@main.command(cls=StepsCommand, epilog=EPILOG)
@shared_options
@confirmation_options
@click.option(
    "--lock-timeout",
    type=click.IntRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Wait this long for another run to end.",
)
def apply(**given: Any) -> int:
    """Make AWS match FILE. Shows the changes, asks, makes them, and reads them back.

    From cron: `provision apply FILE --yes --quiet` prints nothing when nothing changed, and a line for each change.
    """
    return run_command(options_of("apply", **given))


@main.command(cls=StepsCommand, epilog=EPILOG)
@shared_options
@click.option(
    "--fire",
    is_flag=True,
    help="Also make each alarm of FILE go off once, and see that AWS notifies. It writes.",
)
def verify(**given: Any) -> int:
    """Prove that it works: logs delivered, changes recorded. Exit 0 it works, 2 something does not, 1 error."""
    return run_command(options_of("verify", **given))


@main.command()
@file_argument
@click.option("--json", "as_json", is_flag=True, help="Print the mistakes as one JSON document.")
def validate(file: str, as_json: bool) -> int:
    """Check FILE without AWS, and show every mistake in it at once. Exit 0 or 1."""
    from . import offline

    return printed(offline.validate(file, as_json=as_json))


@main.command()
@click.option("--output", is_flag=True, help="Print the schema of the output of `--json` and `--json-lines`.")
def schema(*, output: bool) -> int:
    """Print the JSON Schema of the file, for editors.

    provision schema > .provision.schema.json
    """
    from . import offline

    return printed(offline.schema(output=output))


@main.command("permissions")
@file_argument
@click.option(
    "--for",
    "purposes",
    type=click.Choice(["diff", "verify", "fire", "apply", "repair", "pause"]),
    multiple=True,
    default=["apply"],
    show_default=True,
    help="The commands to allow, `fire` for `verify --fire`; may be given several times.",
)
@click.option(
    "--account",
    callback=check_account_id,
    metavar="ID",
    help="For this account. Default: the one of `allowed_account_ids`, or any.",
)
@click.option(
    "--service",
    "services",
    multiple=True,
    callback=none_empty,
    metavar="NAME",
    shell_complete=complete("sections"),
    help="Only for this section of the file, or `accounts`; may be given several times.",
)
@click.option(
    "--split",
    callback=not_empty,
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write a policy for each section into DIR, if one is too long for IAM.",
)
@click.option(
    "--partition",
    callback=not_empty,
    metavar="NAME",
    shell_complete=complete("partitions"),
    help="aws, aws-cn, … Default: that of the home Region.",
)
@click.option(
    "--member", is_flag=True, help="Of many accounts: the policy of the role that is assumed in each."
)
@click.option(
    "--trust",
    callback=not_empty,
    metavar="CALLER",
    help="The trust policy of that role. CALLER is the ARN of a role or user, or an account's 12 digits.",
)
def show_permissions(file: str, purposes: tuple[str, ...], **given: Any) -> int:
    """Print the least-privilege IAM policy for FILE. Makes no call to AWS. Exit 0 or 1.

    provision permissions baseline.yaml --for diff > diff-policy.json
    """
    from . import permissions

    return printed(permissions.show(file, purposes=purposes, **given))


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script for SHELL.

    source <(provision completion bash)
    """
    from . import offline

    return printed(offline.completion(main, shell))


@main.group(cls=Commands)
def sandbox() -> None:
    """Serve, empty or break the sandbox. That is the AWS on this machine which --sandbox uses."""


@sandbox.command()
@click.option("--host", default="127.0.0.1", callback=not_empty, help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65535), default=4566, help="0: any free port.")
@click.option("--latency", type=Seconds(0, 60), default=0.0, metavar="SECONDS", help="Delay of every answer.")
def serve(host: str, port: int, latency: float) -> int:
    """Serve the sandbox over HTTP. The aws CLI can read and break it then. Ctrl-C ends it."""
    from . import sandbox_commands

    return sandbox_commands.serve(host, port, latency)


@sandbox.command()
def reset() -> int:
    """Empty the sandbox."""
    from . import sandbox_commands

    return sandbox_commands.reset()


@sandbox.command()
@click.option("--seed", type=int, help="Break the same things again.")
@click.option("--count", type=click.IntRange(min=1), default=3, help="How many things to break.")
def drift(seed: int | None, count: int) -> int:
    """Break things in the sandbox at random, and print which."""
    from . import sandbox_commands

    return sandbox_commands.drift(seed, count)


for _command in (
    init_command.init,
    drift_commands.repair,
    drift_commands.pause,
    drift_commands.resume,
    drift_commands.history,
    drift_commands.undo,
):
    main.add_command(_command)
