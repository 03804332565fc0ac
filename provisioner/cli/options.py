"""What a command line asked for, as one value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


class Unable(Exception):
    """The command cannot begin; its text says why and what to do."""


@dataclass(frozen=True)
class Asked:
    """The options of diff, apply and verify."""

    command: str
    file: str = "baseline.yaml"
    sandbox: bool = False
    steps: tuple[str, ...] = ()
    profile: str | None = None
    regions: tuple[str, ...] = ()
    endpoint_url: str | None = None
    as_json: bool = False
    color: str = "auto"
    quiet: bool = False
    log_file: str | None = None
    yes: bool = False
    expect_plan: str | None = None
    allow: tuple[str, ...] = ()
    max_changes: str | None = None
    lock_timeout: int = 0
    accounts: tuple[str, ...] = ()
    not_accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    resume: bool = False
    unfold: bool = False
    json_lines: bool = False
    processes: int = 0  # 0: threads of this one
    scheduler: str | None = None

    @property
    def narrows(self) -> dict[str, tuple[str, ...]]:
        """The flags that leave fewer accounts than the file names, with what was given to them."""
        given = {"--accounts": self.accounts, "--not-accounts": self.not_accounts, "--ou": self.units}
        return {flag: values for flag, values in given.items() if values}


def state_folder() -> Path:
    """Where this program keeps what may be deleted at any time: locks and the sandbox. XDG's state folder."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "provision"


def sandbox_file() -> Path:
    """The sandbox's state: PROVISION_SANDBOX, or a file in the state folder."""
    named = os.environ.get("PROVISION_SANDBOX")
    return Path(named) if named else state_folder() / "sandbox" / "state"
