"""The command line: arguments and exit codes. What a command does is in `work.py`, and is loaded only when it runs.

Exit codes are Terraform's, not diff's: 0 in sync or done, 1 error (usage errors too), 2 changes, 3 some accounts or steps failed,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .. import __version__
from .codes import ERROR, INTERRUPTED, OK

if TYPE_CHECKING:
    from .options import Asked

_F = TypeVar("_F", bound=Callable[..., Any])
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
# What fingers that know Terraform type. Its exit codes are ours anyway.
_TERRAFORM = {
    "-auto-approve": "--yes",
    "-target": "--target",
    "-json": "--json",
    "-no-color": "--no-color",
    "-detailed-exitcode": None,
}
_EPILOG = (
    "Exit codes: 0 in sync or done, 1 error, 2 changes, 3 some accounts or steps failed, 130 interrupted."
)


def run(arguments: list[str]) -> int:
    """Carry out one command line; the exit code is returned, and every error has been told on stderr."""
    try:
        code = main.main(args=_translated(arguments), prog_name="provision", standalone_mode=False)
        return code if isinstance(code, int) else OK
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        click.echo("interrupted; nothing was changed", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ERROR
    except KeyboardInterrupt:
        click.echo("interrupted; nothing was changed", err=True)
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # threads may still wait for AWS's answers, which nobody wants any more
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); what it did not read, it did not want.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR


def _translated(arguments: list[str]) -> list[str]:
    """The arguments with Terraform's spelling of options replaced by ours."""
    found: list[str] = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        ours = _TERRAFORM.get(name, name)
        if ours is not None:
            found.append(ours + equals + value)
    return found


@click.group(context_settings=_SETTINGS, epilog=_EPILOG)
@click.version_option(__version__, prog_name="provision", message="%(prog)s %(version)s")
def main() -> None:
    """Bring one AWS account, or an organization, to the security baseline of one YAML file, and keep it there.

    Try it without an account:  provision apply baseline.yaml --sandbox
    """


def _shared(command: _F) -> _F:
    """Give *command* the options that every one of them has which talks to AWS."""
    file = click.argument(
        "file", required=False, envvar="PROVISION_FILE", default="baseline.yaml", metavar="[FILE]"
    )
    options = [
        click.option("--sandbox", is_flag=True, help="Use an AWS on this machine; no account is touched."),
        click.option(
            "--target", "steps", multiple=True, metavar="STEP", help="Only this step, and what it needs."
        ),
        click.option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
        click.option(
            "--region",
            "--regions",
            "regions",
            multiple=True,
            callback=_listed,
            metavar="REGION[,…]",
            help="Only these Regions of the file's; the home Region, if the file names none.",
        ),
        click.option(
            "--accounts",
            multiple=True,
            callback=_listed,
            metavar="ID[,…]",
            help="Of the file's `accounts`, only these; by id or name.",
        ),
        click.option(
            "--not-accounts", multiple=True, callback=_listed, metavar="ID[,…]", help="All but these."
        ),
        click.option(
            "--ou",
            "units",
            multiple=True,
            callback=_listed,
            metavar="UNIT[,…]",
            help="Only those in these organizational units; by id, or by name: Workloads/Prod.",
        ),
        click.option(
            "--resume", is_flag=True, help="Of many accounts, only those that did not succeed last time."
        ),
        click.option("--unfold", is_flag=True, help="Name every account and Region, however many."),
        click.option(
            "--processes", type=click.IntRange(1), metavar="N", help="Do many accounts in N processes."
        ),
        click.option("--scheduler", metavar="URL", help="Do them on a Dask cluster: tcp://host:8786."),
        click.option("--endpoint-url", metavar="URL", help="Send every call there."),
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
        click.option(
            "--json-lines", is_flag=True, help="A JSON object a line, for each account as it is done."
        ),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            help="auto: on a terminal, unless NO_COLOR is set.",
        ),
        click.option("--no-color", "no_color", is_flag=True, help="Same as --color never."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing unless there is something to say."),
        click.option(
            "--log-file",
            type=click.Path(dir_okay=False),
            envvar="PROVISION_LOG_FILE",
            metavar="PATH",
            help="Append a log there, a JSON object a line; - is stderr.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return file(command)


def _listed(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """`a,b` is `a` and `b`. Nothing is not "all": the variable that should have been filled in was empty."""
    found = tuple(one.strip() for each in given for one in each.split(","))
    if not all(found):
        raise click.BadParameter(f"one of them is empty in {','.join(given)!r}", context, parameter)
    return found


def _asked(command: str, *, no_color: bool, color: str, **given: Any) -> Asked:
    from .options import Asked  # dataclasses and pathlib are a third of what `--help` may cost

    given["processes"] = given["processes"] or 0
    return Asked(command=command, color="never" if no_color else color, **given)


@main.command(epilog=_EPILOG)
@_shared
def diff(**given: Any) -> int:
    """Show what would change. Makes no write. Exit 0 in sync, 2 changes.

    FILE is baseline.yaml unless named; - is stdin.
    """
    from . import commands

    return commands.diff(_asked("diff", **given))


def _limit(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (value.isascii() and value.removesuffix("%").isdigit()):
        raise click.BadParameter(
            f"want a number or a percentage, as 10 or 30%, got {value!r}", context, parameter
        )
    return value


@main.command(epilog=_EPILOG)
@_shared
@click.option("-y", "--yes", is_flag=True, help="Do not ask. Needed where there is no terminal.")
@click.option(
    "--expect-plan",
    metavar="sha256:…",
    help="Apply, without asking, only if the plan is the one that was reviewed.",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="NAME",
    help="Allow a change that loosens or replaces something; the plan names it.",
)
@click.option(
    "--max-changes",
    callback=_limit,
    metavar="N|P%",
    help="Change nothing if the plan changes more resources, or more of a hundred that are there.",
)
@click.option(
    "--lock-timeout",
    type=click.IntRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Wait so long for another run to end.",
)
def apply(**given: Any) -> int:
    """Make AWS match FILE: show the changes, ask, make them, and read them back.

    From cron: `provision apply FILE --yes --quiet` prints nothing when nothing changed, and a line for each change.
    """
    from . import commands

    return commands.apply(_asked("apply", **given))


@main.command(epilog=_EPILOG)
@_shared
def verify(**given: Any) -> int:
    """Prove that it works: logs delivered, changes recorded. Exit 0 it works, 2 something does not, 1 error."""
    from . import commands

    return commands.verify(_asked("verify", **given))


def _twelve_digits(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (value.isascii() and value.isdigit() and len(value) == 12):
        raise click.BadParameter(f"want an account's 12 digits, got {value!r}", context, parameter)
    return value


@main.command()
@click.argument("file", required=False, envvar="PROVISION_FILE", default="baseline.yaml", metavar="[FILE]")
@click.option("--json", "as_json", is_flag=True, help="The mistakes as one JSON document.")
def validate(file: str, as_json: bool) -> int:
    """Check FILE without AWS, and show every mistake in it at once. Exit 0 or 1."""
    from . import offline

    return offline.validate(file, as_json=as_json)


@main.command()
@click.option("--output", is_flag=True, help="Of what `--json` and `--json-lines` print.")
def schema(*, output: bool) -> int:
    """Print the JSON Schema of the file, as an editor reads it.

    provision schema > .provision.schema.json
    """
    from . import offline

    return offline.schema(output=output)


@main.command("permissions")
@click.argument("file", required=False, envvar="PROVISION_FILE", default="baseline.yaml", metavar="[FILE]")
@click.option(
    "--for",
    "purposes",
    type=click.Choice(["diff", "verify", "apply"]),
    multiple=True,
    default=["apply"],
    show_default=True,
    help="What shall be allowed; may be given several times.",
)
@click.option(
    "--account",
    callback=_twelve_digits,
    metavar="ID",
    help="For this account. Else for the one of `allowed_account_ids`, or for any.",
)
@click.option(
    "--service",
    "services",
    multiple=True,
    metavar="NAME",
    help="Only what this section of the file needs, or `accounts`; may be given several times.",
)
@click.option(
    "--split", metavar="DIR", help="Write a policy for each section into DIR, where one is too long for IAM."
)
@click.option("--partition", metavar="NAME", help="aws, aws-cn, … Else that of the home Region.")
@click.option(
    "--member", is_flag=True, help="Of many accounts: the policy of the role that is assumed in each."
)
@click.option(
    "--trust",
    metavar="CALLER",
    help="That role's trust policy: who calls, by the ARN of a role, or by an account's 12 digits.",
)
def least(file: str, purposes: tuple[str, ...], **given: Any) -> int:
    """Print the IAM policy with the least that FILE needs. Asks AWS nothing. Exit 0 or 1.

    provision permissions baseline.yaml --for diff > diff-policy.json
    """
    from . import permissions

    return permissions.show(file, purposes=purposes, **given)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script for SHELL.

    source <(provision completion bash)
    """
    from . import offline

    return offline.completion(main, shell)


@main.group()
def sandbox() -> None:
    """The AWS on this machine that --sandbox uses: serve it, reset it, break it."""


@sandbox.command()
@click.option("--host", default="127.0.0.1", help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65535), default=4566, help="0: any that is free.")
@click.option(
    "--latency", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Added to every answer."
)
def serve(host: str, port: int, latency: float) -> int:
    """Offer the sandbox over HTTP, so that the aws CLI can look at it and break it. Ctrl-C ends it."""
    from . import sandboxes

    return sandboxes.serve(host, port, latency)


@sandbox.command()
def reset() -> int:
    """Empty the sandbox."""
    from . import sandboxes

    return sandboxes.reset()


@sandbox.command()
@click.option("--seed", type=int, help="Break the same things again.")
@click.option("--count", type=click.IntRange(min=1), default=3, help="How many things to break.")
def drift(seed: int | None, count: int) -> int:
    """Break things in the sandbox at random, and say which."""
    from . import sandboxes

    return sandboxes.drift(seed, count)
