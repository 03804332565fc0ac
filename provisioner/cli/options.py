"""What a command line asked for, as one value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


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
    force: bool = False
    lock_timeout: int = 0


def state_folder() -> Path:
    """Where this program keeps what may be deleted at any time: locks and the sandbox. XDG's state folder."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "provision"


def sandbox_file() -> Path:
    """The sandbox's state: PROVISION_SANDBOX, or a file in the state folder."""
    named = os.environ.get("PROVISION_SANDBOX")
    return Path(named) if named else state_folder() / "sandbox" / "state"
