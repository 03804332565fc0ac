"""An account done in another process, on this machine or another one.

What travels is the file's text, who asks, and the jobs; never credentials, and nothing that came from the environment.
The process there finds credentials as every AWS tool does, and assumes the roles itself. What comes back is what was
found and done there: that holds what the file took from the environment, as every plan does until it is shown.
"""

from __future__ import annotations

import gc
import os
import platform
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

from .. import __version__
from ..aws import Identity, Options, describe, identify
from ..aws.clients import BOTOCORE
from ..aws.cloud import Cloud
from ..aws.errors import BotoCoreError, ClientError
from ..baseline import Baseline, parse
from ..baseline.redact import hidden
from ..model import Change, Difference, Outcome, Refused
from ..report import words
from ..steps.registry import all_sections
from .fleet import Fleet, Job, role
from .workers import MANY, Delivered

READERS = 64  # calls in flight in one process
KEPT = 4  # runs whose connections a worker keeps: it may be shared
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
    width: int  # accounts at a time, where several threads are busy with each
    run: str = field(default_factory=lambda: uuid4().hex)  # no two runs share anything in a worker


@dataclass
class _Office:
    """The fleet in this process, for one run, who does its accounts, and how much of its tally has been reported."""

    fleet: Fleet
    few: ThreadPoolExecutor
    many: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MANY, "account"))
    told: tuple[int, int, int] = (0, 0, 0)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, outcomes: Iterable[Outcome | None]) -> Delivered:
        """The outcomes, with what was counted since the last report: portions may be done at the same time."""
        done = tuple(each for each in outcomes if each is not None)
        tally = self.fleet.cloud.tally
        with self.lock:
            before, self.told = self.told, (tally.calls, tally.writes, tally.throttled)
            calls, writes, throttled = (now - then for now, then in zip(self.told, before, strict=True))
        return Delivered(done, calls, writes, throttled, tally.depth)


_offices: dict[str, _Office] = {}  # by run, the newest last
_halted: set[str] = set()


def versions() -> tuple[tuple[str, str], ...]:
    """What must be the same everywhere, so that everywhere the same is done."""
    python = ".".join(platform.python_version_tuple()[:2])
    return (("provision", __version__), ("botocore", BOTOCORE), ("Python", python))


def sealed(job: Job, secrets: Mapping[str, str]) -> Job:
    """The job as it travels. Of what is planned only names are left, and `${env:NAME}` for what is from the environment.

    *secrets* are the file's. Where a worker's environment is another one, it finds that AWS is not as planned, and says so.
    """
    planned = (replace(each, changes=[*map(_names_only, each.changes)], seen=[]) for each in job.planned)
    return _retold(replace(job, planned=tuple(planned)), secrets)


def _retold(job: Job, forms: Mapping[str, str]) -> Job:
    """The same job in other words. The places stay: they are no secrets, and no place may become another."""
    return replace(
        job, planned=tuple(replace(hidden(each, forms), target=each.target) for each in job.planned)
    )


def _names_only(change: Change) -> Change:
    """Which fields of what may be changed, and by which call: all that a plan is held against."""
    fields = tuple(Difference(each.field, None, None) for each in change.differences)
    return replace(change, differences=fields, call=replace(change.call, params={}), loses="")


def deliver(recipe: Recipe, jobs: tuple[Job, ...]) -> Delivered:
    """Do the jobs here, as `sealed` has made them. After `halt` no account is begun, and those left have no outcome.

    Raises nothing but Refused, where this is another version or there are no credentials, and BaselineError, where the
    file is wrong here. Both can travel back.
    """
    with _opening:
        office = _offices.get(recipe.run) or _open(recipe)
    fleet = replace(office.fleet, alone=len(jobs) >= 4 * recipe.width)
    fleet.baseline.override({job.account.id: job.account.overrides for job in jobs})
    values = {placeholder: value for value, placeholder in fleet.baseline.secrets.items()}

    def attend(job: Job) -> Outcome | None:
        return None if fleet.cloud.stop.is_set() else fleet.attend(_retold(job, values))

    return office.tell((office.many if fleet.alone else office.few).map(attend, jobs))


def halt(run: str) -> None:
    """What is under way here for that run ends after the call in flight."""
    _halted.add(run)
    if (office := _offices.get(run)) is not None:
        office.fleet.cloud.stop.set()


def _open(recipe: Recipe) -> _Office:
    """The fleet in this process, made once for a run."""
    if recipe.versions != versions():
        raise Refused(
            f"the run was started with {_listed(recipe.versions)}, and on {platform.node()} there is"
            f" {_listed(versions())}: install the same on every worker"
        )
    with undisturbed():
        baseline = parse(recipe.text, recipe.file, all_sections(), os.environ, lambda: recipe.home)
        baseline.override(dict(recipe.overrides))
        fleet = joined(baseline, recipe.options)
    fleet = replace(fleet, identity=recipe.identity, names=recipe.names, only_regions=recipe.regions)
    office = _Office(fleet, ThreadPoolExecutor(recipe.width, "account"))
    for old in [*_offices][: 1 - KEPT]:
        del _offices[old]  # a portion that is under way still has it; it is closed when nobody has
    _offices[recipe.run] = office
    if recipe.run in _halted:
        office.fleet.cloud.stop.set()
    return office


def joined(baseline: Baseline, options: Options) -> Fleet:
    """The fleet of the file, with the credentials that are found here. Raises Refused where there are none that are good."""
    home = baseline.general.home_region
    try:
        cloud = Cloud(options, workers=READERS)
        who = identify(cloud, home)
    except (ClientError, BotoCoreError) as error:
        doing = f"asking AWS in {home} who the caller is, on {platform.node()}"
        raise Refused("; ".join(words.failure(describe(doing, error)))) from error
    cloud.keyring.role = role(baseline.general.accounts, who, home)
    return Fleet(cloud, baseline, who)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Nobody looks for garbage among the models of AWS while they are loaded, nor afterwards: they stay."""
    gc.disable()
    gc.unfreeze()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


def _listed(found: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found)
