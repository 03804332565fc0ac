"""An account done in another process, on this machine or another one.

What travels is the file's text, who asks, and the jobs; never credentials, and nothing that came from the environment.
The process there finds credentials as every AWS tool does, and assumes the roles itself.
"""

from __future__ import annotations

import gc
import os
import platform
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from . import __version__
from .aws import BOTOCORE, Cloud, Identity, Options, identify
from .baseline import parse
from .fleet import Fleet, Job, role
from .model import Refused
from .spread import Delivered
from .steps import SECTIONS

READERS = 64  # calls in flight in one process
_opening = threading.Lock()


@dataclass(frozen=True)
class Recipe:
    """All that another process needs to be in the same fleet. *versions* must be its own, too."""

    text: str
    file: str
    home: str
    identity: Identity
    options: Options
    names: tuple[str, ...]
    regions: tuple[str, ...]
    overrides: tuple[
        tuple[str, tuple[int, ...]], ...
    ]  # of accounts that no job is about: the one with the log buckets
    versions: tuple[tuple[str, str], ...]
    width: int  # accounts at a time


def versions() -> tuple[tuple[str, str], ...]:
    """What must be the same everywhere, so that everywhere the same is done."""
    python = ".".join(platform.python_version_tuple()[:2])
    return (("provision", __version__), ("botocore", BOTOCORE), ("Python", python))


def deliver(recipe: Recipe, jobs: tuple[Job, ...]) -> Delivered:
    """Do the jobs here. Raises Refused where this is another version, BaselineError where the file is wrong here."""
    with _opening:
        fleet = _fleet(recipe)
    fleet.baseline.override({job.account.id: job.account.overrides for job in jobs if job.account.overrides})
    tally = fleet.cloud.tally
    before = tally.calls, tally.writes, tally.throttled
    with ThreadPoolExecutor(recipe.width, thread_name_prefix="account") as pool:
        outcomes = tuple(pool.map(fleet.attend, jobs))
    calls, writes, throttled = (
        now - then for now, then in zip((tally.calls, tally.writes, tally.throttled), before, strict=True)
    )
    return Delivered(outcomes, calls, writes, throttled, tally.depth)


@cache
def _fleet(recipe: Recipe) -> Fleet:
    """The fleet in this process, made once for a run."""
    if recipe.versions != versions():
        theirs = ", ".join(f"{name} {version}" for name, version in recipe.versions)
        ours = ", ".join(f"{name} {version}" for name, version in versions())
        raise Refused(
            f"the run was started with {theirs}, and here is {ours}: install the same on every worker"
        )
    gc.disable()
    baseline = parse(recipe.text, recipe.file, SECTIONS, os.environ, lambda: recipe.home)
    baseline.override(dict(recipe.overrides))
    cloud = Cloud(recipe.options, workers=READERS)
    here = identify(cloud, recipe.home)
    cloud.keyring.role = role(baseline.general.accounts, here, recipe.home)
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
    return Fleet(cloud, baseline, recipe.identity, recipe.names, recipe.regions)
