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
from ..baseline.redact import redacted
from ..model import Change, Difference, Outcome, Refused
from ..report import words
from ..steps.registry import all_sections
from .fleet import Fleet, Job, member_role
from .workers import MANY, JobsDone

READERS = 64  # calls in flight in one process
KEPT = 4  # runs whose connections a worker keeps: it may be shared
_opening = threading.Lock()


@dataclass(frozen=True)
class WorkerSetup:
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
class _WorkerFleet:
    """The fleet in this process, for one run, who does its accounts, and how much of its tally has been reported."""

    fleet: Fleet
    few: ThreadPoolExecutor
    many: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MANY, "account"))
    told: tuple[int, int, int] = (0, 0, 0)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, outcomes: Iterable[Outcome | None]) -> JobsDone:
        """The outcomes, with what was counted since the last report: portions may be done at the same time."""
        done = tuple(each for each in outcomes if each is not None)
        tally = self.fleet.cloud.tally
        with self.lock:
            before, self.told = self.told, (tally.calls, tally.writes, tally.throttled)
            calls, writes, throttled = (now - then for now, then in zip(self.told, before, strict=True))
        return JobsDone(done, calls, writes, throttled)


_worker_fleets: dict[str, _WorkerFleet] = {}  # by run, the newest last
_stopped: set[str] = set()


def versions() -> tuple[tuple[str, str], ...]:
    """What must be the same everywhere, so that everywhere the same is done."""
    python = ".".join(platform.python_version_tuple()[:2])
    return (("provision", __version__), ("botocore", BOTOCORE), ("Python", python))


def without_values(job: Job, secrets: Mapping[str, str]) -> Job:
    """The job as it travels. Of what is planned only names are left, and `${env:NAME}` for what is from the environment.

    *secrets* are the file's. Where a worker's environment is another one, it finds that AWS is not as planned, and says so.
    """
    planned = (replace(each, changes=[*map(_names_only, each.changes)], seen=[]) for each in job.planned)
    return _substituted(replace(job, planned=tuple(planned)), secrets)


def _substituted(job: Job, forms: Mapping[str, str]) -> Job:
    """The same job in other words. The places stay: they are no secrets, and no place may become another."""
    return replace(
        job, planned=tuple(replace(redacted(each, forms), target=each.target) for each in job.planned)
    )


def _names_only(change: Change) -> Change:
    """Which fields of what may be changed, and by which call: all that a plan is held against."""
    fields = tuple(Difference(each.field, None, None) for each in change.differences)
    return replace(change, differences=fields, call=replace(change.call, params={}), loses="")


def do_jobs(setup: WorkerSetup, jobs: tuple[Job, ...]) -> JobsDone:
    """Do the jobs here, as `without_values` made them. After `stop_run` no account is begun, and those left have no outcome.

    Raises nothing but Refused, where this is another version or there are no credentials, and BaselineError, where the
    file is wrong here. Both can travel back.
    """
    with _opening:
        opened = _worker_fleets.get(setup.run) or _open(setup)
    fleet = replace(opened.fleet, alone=len(jobs) >= 4 * setup.width)
    fleet.baseline.override({job.account.id: job.account.overrides for job in jobs})
    values = {placeholder: value for value, placeholder in fleet.baseline.secrets.items()}

    def run_job(job: Job) -> Outcome | None:
        return None if fleet.cloud.stop.is_set() else fleet.run_job(_substituted(job, values))

    return opened.tell((opened.many if fleet.alone else opened.few).map(run_job, jobs))


def stop_run(run: str) -> None:
    """What is under way here for that run ends after the call in flight."""
    _stopped.add(run)
    if (opened := _worker_fleets.get(run)) is not None:
        opened.fleet.cloud.stop.set()


def _open(setup: WorkerSetup) -> _WorkerFleet:
    """The fleet in this process, made once for a run."""
    if setup.versions != versions():
        raise Refused(
            f"the run was started with {_listed(setup.versions)}, and on {platform.node()} there is"
            f" {_listed(versions())}: install the same on every worker"
        )
    with without_garbage_collection():
        baseline = parse(setup.text, setup.file, all_sections(), os.environ, lambda: setup.home)
        baseline.override(dict(setup.overrides))
        fleet = open_fleet(baseline, setup.options)
    fleet = replace(fleet, identity=setup.identity, names=setup.names, only_regions=setup.regions)
    opened = _WorkerFleet(fleet, ThreadPoolExecutor(setup.width, "account"))
    for old in [*_worker_fleets][: 1 - KEPT]:
        del _worker_fleets[old]  # a portion that is under way still has it; it is closed when nobody has
    _worker_fleets[setup.run] = opened
    if setup.run in _stopped:
        opened.fleet.cloud.stop.set()
    return opened


def open_fleet(baseline: Baseline, options: Options) -> Fleet:
    """The fleet of the file, with the credentials that are found here. Raises Refused where there are none that are good."""
    home = baseline.general.home_region
    try:
        cloud = Cloud(options, workers=READERS)
        who = identify(cloud, home)
    except (ClientError, BotoCoreError) as error:
        doing = f"asking AWS in {home} who the caller is, on {platform.node()}"
        raise Refused("; ".join(words.failure(describe(doing, error)))) from error
    cloud.keyring.role = member_role(baseline.general.accounts, who, home)
    return Fleet(cloud, baseline, who)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
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
