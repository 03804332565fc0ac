"""What the commands that call AWS share: their class, their epilog, and how they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from ..report.json_objects import Command
    from .options import CommandOptions

EPILOG: Final = (
    "Exit codes: 0 in sync or done, 1 error, 2 changes, 3 some accounts or steps failed, 130 interrupted."
)


class StepsCommand(click.Command):
    """A command whose help lists the steps."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the steps, and then the epilog."""
        from ..steps.registry import all_steps

        with formatter.section("Steps for --target"):
            formatter.write_text(", ".join(all_steps()))
        super().format_epilog(ctx, formatter)


def options_of(
    command: Command, *, no_color: bool, color: str, processes: int | None = None, **given: Any
) -> CommandOptions:
    """The options of a command as one value, from those of the command line."""
    from .options import CommandOptions

    color = "never" if no_color else color
    return CommandOptions(command=command, color=color, processes=processes or 0, **given)


def run_command(options: CommandOptions) -> int:
    """Run a command and return its exit code."""
    from . import commands

    return commands.run(options)


def printed(code: int) -> int:
    """The exit code of a command that makes nothing but its output: an error if that is lost."""
    from .exit_codes import ERROR, OK
    from .streams import lost_output

    return ERROR if code == OK and lost_output() else code
