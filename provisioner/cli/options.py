"""The options of a command as one value, the error that ends a command, and the paths of the program's state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..report.files import ReportKind
    from ..report.json_objects import Command


STATE_HINT: Final = "set XDG_STATE_HOME to a folder that can be written"


class CommandError(Exception):
    """The command cannot start or go on. The text says why and what to do."""


@dataclass(frozen=True)
class CommandOptions:
    """The options of diff, apply and verify."""

    command: Command
    file: str = "baseline.yaml"
    sandbox: bool = False
    steps: tuple[str, ...] = ()
    profile: str | None = None
    regions: tuple[str, ...] = ()
    endpoint_url: str | None = None
    as_json: bool = False
    json_lines: bool = False
    color: str = "auto"
    quiet: bool = False
    log_file: str | None = None
    yes: bool = False
    expect_plan: str | None = None
    allow: tuple[str, ...] = ()
    max_changes: str | None = None
    lock_timeout: int = 0  # seconds
    accounts: tuple[str, ...] = ()
    not_accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    resume: bool = False
    unfold: bool = False
    processes: int = 0  # 0: threads of this process
    scheduler: str | None = None
    outputs: tuple[tuple[ReportKind, str], ...] = ()
    reason: str = ""
    until: str = ""
    run_id: str = ""
    detect_only: bool = False
    no_verify: bool = False
    who: bool = False
    fire: bool = False
    splay: float = 0.0  # seconds
    every: float = 0.0  # seconds; 0: once
    metrics_file: str | None = None
    emf: bool = False

    @property
    def account_filters(self) -> dict[str, tuple[str, ...]]:
        """The flags given that select some of the file's accounts, each with its values."""
        flags = {"--accounts": self.accounts, "--not-accounts": self.not_accounts, "--ou": self.units}
        return {flag: values for flag, values in flags.items() if values}

    @property
    def full_path(self) -> str:
        """The file as the journal names it; `-` is stdin."""
        return str(Path(self.file).resolve()) if self.file != "-" else "-"

    @property
    def unattended(self) -> bool:
        """Nobody looks at the run."""
        return self.command == "repair"

    @property
    def writes(self) -> bool:
        """The command changes AWS."""
        return self.command in {"apply", "undo"} or (self.command == "repair" and not self.detect_only)

    @property
    def needs_confirmation(self) -> bool:
        """The user must confirm the changes before they are made."""
        return not self.yes and self.expect_plan is None and not self.unattended


def state_folder() -> Path:
    """The folder for locks, run records and the sandbox, in XDG's state folder. It may be deleted at any time."""
    try:
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise CommandError(f"{error}: {STATE_HINT}") from error
    return Path(base) / "provision"


def journal_folder(*, sandbox: bool) -> Path:
    """The folder of the journal."""
    return (sandbox_file().parent if sandbox else state_folder()) / "journal"


@contextmanager
def private_files() -> Iterator[None]:
    """Until the block ends, make files and folders that only this user can use, whatever the umask is."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def sandbox_file() -> Path:
    """The file with the sandbox's state: PROVISION_SANDBOX, or one in the state folder."""
    named = os.environ.get("PROVISION_SANDBOX")
    return Path(named) if named else state_folder() / "sandbox" / "state"
