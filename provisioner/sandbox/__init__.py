"""An AWS on this machine: moto, held to AWS's real rules, whose state outlasts the command.

Importing this package costs nothing: moto is imported when a sandbox is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .words import Fault, SandboxError, WireCall

if TYPE_CHECKING:
    from .rule import Rule
    from .world import World

__all__ = ["Fault", "SandboxError", "WireCall", "all_rules", "open_sandbox"]


@contextmanager
def open_sandbox(path: Path | None, *, without: Collection[str] = ()) -> Iterator[World]:
    """Every botocore client of this process talks to the sandbox until the block ends.

    *path* is the state file, made when it is missing; None keeps the state in memory only. *without*
    names rules (see `all_rules`) that are switched off, so that moto's own behaviour shows. Raises
    `SandboxError` for a file that is not safely the user's own, and when a sandbox is open already.
    """
    try:
        from . import door
        from .world import World
    except ModuleNotFoundError as missing:
        raise SandboxError(
            f"the sandbox needs the package `{missing.name}`: pip install 'provision-baseline[sandbox]'"
        ) from missing
    with door.only_one(), door.fake_environment():
        world = World(path, without=without)
        with world.opened(), door.in_process(world):
            yield world


def all_rules() -> tuple[Rule, ...]:
    """Every strict rule: its name, what is true with it, and the row of aws.md it stands for."""
    from . import rule

    return rule.every()
