"""Names of commands and options that users of other programs type, and the hint for a mistyped command."""

from __future__ import annotations

import click

# Terraform's spelling of options, which its users type out of habit. Its exit codes are the default here.
_TERRAFORM = {
    "-auto-approve": "--yes",
    "-target": "--target",
    "-json": "--json",
    "-no-color": "--no-color",
    "-detailed-exitcode": None,
}
# What other programs call a command.
_OTHER_WORDS = {
    "bootstrap": "init",
    "new": "init",
    "setup": "init",
    "plan": "diff",
    "preview": "diff",
    "show": "diff",
    "deploy": "apply",
    "up": "apply",
    "repair": "apply",
    "fix": "apply",
    "audit": "verify",
    "scan": "verify",
    "test": "verify",
    "check": "validate",
    "lint": "validate",
    "policy": "permissions",
    "iam": "permissions",
    "start": "serve",
    "clear": "reset",
}


class Commands(click.Group):
    """A group of commands whose error for an unknown one names the one that was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names. Raises UsageError with the most similar one."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            from difflib import get_close_matches  # for a mistake only

            word = name.lower()
            near = [word, *get_close_matches(word, {*self.commands, *_OTHER_WORDS})]
            known = (each if each in self.commands else _OTHER_WORDS.get(each, "") for each in near)
            meant = next((each for each in known if each in self.commands), "")
            meant = "--help" if word == "help" else meant
            hint = f"did you mean `{meant}`?" if meant else f"there are {', '.join(sorted(self.commands))}"
            raise click.UsageError(f"no such command `{name}`; {hint}", ctx)
        return super().resolve_command(ctx, args)


def translate(arguments: list[str]) -> list[str]:
    """Replace Terraform's spelling of options by ours."""
    translated: list[str] = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        ours = _TERRAFORM.get(name, name)
        if ours is not None:
            translated.append(ours + equals + value)
    return translated
