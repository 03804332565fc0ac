"""The organization before anybody asks: the tool has brought the accounts that stand for all to what the file says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from provisioner.sandbox import open_sandbox
from provisioner.sandbox.seed import CLOSED, MANAGEMENT, MEMBERS
from provisioner.sandbox.serve import serving

from . import pages
from .recorder import DRIFTED, ELSEWHERE, HOME, IN_SYNC, Recorder

ROOT: Final = Path(__file__).resolve().parent.parent.parent
# Those that need no opt-in; the home first, and the one that stands for the others last.
REGIONS: Final = (
    *(HOME, "eu-west-1", "us-west-2", "eu-central-1", "us-east-2", "ap-southeast-2", "ap-northeast-1"),
    *("ap-south-1", "ap-southeast-1", "ca-central-1", "eu-north-1", "eu-west-2", "eu-west-3", "us-west-1"),
    *("ap-northeast-2", "ap-northeast-3", ELSEWHERE),
)


def clean_environment() -> dict[str, str]:
    """The environment without what could lead a tool to other credentials or another endpoint."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PROVISION_"))}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **nowhere, "AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": str(ROOT)}


def members(count: int, seed: int) -> list[str]:
    """*count* account numbers, always the same for a *seed*; some begin with a zero, as real ones do."""
    chance = Random(seed)  # noqa: S311 - it shall be foreseeable
    taken = {MANAGEMENT, CLOSED[0], *MEMBERS}
    found: dict[str, None] = {}
    while len(found) < count:
        number = f"{chance.randrange(10**12):012}"
        if number not in taken:
            found[number] = None
    return list(found)


def baseline(regions: Sequence[str], *, fleet: bool) -> str:
    """The example file for these Regions, and for every account of the organization where it is a *fleet*."""
    text = (ROOT / "baseline.yaml").read_text()
    listed = f"regions: [{', '.join(regions)}]" + ("\naccounts: { all: true }" if fleet else "")
    text, found = re.subn(r"(?m)^regions: \[.*?\]", listed, text)
    if found != 1:
        raise ValueError("baseline.yaml has no line `regions: [...]`")
    return text


@contextmanager
def organization(accounts: int, regions: Sequence[str], seed: int) -> Iterator[tuple[Recorder, list[str]]]:
    """A recorder of an organization of *accounts* accounts, and the numbers of its members."""
    numbers = members(accounts - 1, seed)
    with open_sandbox(None) as world:
        world.disabled = {*REGIONS} - {*regions, ELSEWHERE}
        recorder = Recorder(world)
        with serving(world) as server, tempfile.TemporaryDirectory() as folder:
            _bring_in_sync(recorder, server.url, Path(folder))
        _drift(recorder)
        pages.populate(numbers)
        world.disabled = {*REGIONS} - {*regions}
        world.calls.clear()
        yield recorder, numbers
