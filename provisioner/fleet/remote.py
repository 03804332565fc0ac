"""Run jobs in a worker process, on this machine or another one.

Sent to a worker: the text of the file, the caller's identity, and the jobs; never credentials or values of environment
variables. The worker finds credentials as every AWS tool does, and assumes the roles itself. Sent back: the outcomes,
which may hold values of the worker's environment variables, as every plan does until it is shown.
"""

from __future__ import annotations

import gc
import os
import platform
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

from .. import __version__
from ..aws import Identity, Options, describe, identify
from ..aws.clients import BOTOCORE
from ..aws.cloud import Cloud
from ..aws.errors import BotoCoreError, ClientError
from ..aws.threads import ThreadPool
from ..baseline import Baseline, parse
from ..baseline.redact import redacted
from ..engine.controls import Controls
from ..model import Change, Difference, Outcome, Refused
from ..report import words
from ..steps.registry import all_sections
from .fleet import Fleet, Job, member_role
from .workers import MANY, JobsDone

READERS = 64  # calls in flight in one process
KEPT = 4  # runs whose connections a worker keeps, as several runs may share it
_opening = threading.Lock()


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker needs to run jobs of this run. It refuses if its own versions are not *versions*."""

    text: str
    file: str
    home: str
    identity: Identity
    options: Options
    names: tuple[str, ...]
    regions: tuple[str, ...]
    # By account, of those that are in no job: the one with the log buckets.
    overrides: tuple[tuple[str, tuple[int, ...]], ...]
    versions: tuple[tuple[str, str], ...]
    width: int  # accounts at a time, if several threads work on each
    controls: Controls = field(default_factory=Controls)
    run: str = field(default_factory=lambda: uuid4().hex)  # two runs share nothing in a worker


@dataclass
class _WorkerFleet:
    """The fleet of one run in this process, its thread pools, and the call counts that it has reported so far."""

    fleet: Fleet
    few: ThreadPool
    many: ThreadPool = field(default_factory=lambda: ThreadPool(MANY, "account"))
    reported: tuple[int, int, int] = (0, 0, 0)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, outcomes: Iterable[Outcome | None]) -> JobsDone:
        """The outcomes, and the calls since the last report, as portions may run at the same time."""
        done = tuple(each for each in outcomes if each is not None)
        tally = self.fleet.cloud.tally
        with self.lock:
            before, self.reported = self.reported, (tally.calls, tally.writes, tally.throttled)
            calls, writes, throttled = (now - then for now, then in zip(self.reported, before, strict=True))
        return JobsDone(done, calls, writes, throttled)


_worker_fleets: dict[str, _WorkerFleet] = {}  # by run, the newest last
_stopped: set[str] = set()


def versions() -> tuple[tuple[str, str], ...]:
    """The versions that must be equal on all workers."""
    python = ".".join(platform.python_version_tuple()[:2])
    return (("provision", __version__), ("botocore", BOTOCORE), ("Python", python))


def versions_text(found: Iterable[tuple[str, str]]) -> str:
    """`provision 1.0, botocore 1.40.0, Python 3.11`."""
    return ", ".join(f"{name} {version}" for name, version in found)


def without_values(job: Job, secrets: Mapping[str, str]) -> Job:
    """The job as it is sent: its plan has names only, and `${env:NAME}` in place of the *secrets* of the file.

    A worker whose environment differs finds that AWS is not as planned, and reports that.
    """
    planned = (replace(each, changes=[*map(_names_only, each.changes)], seen=[]) for each in job.planned)
    return _substituted(replace(job, planned=tuple(planned)), secrets)


def _substituted(job: Job, texts: Mapping[str, str]) -> Job:
    """The job with each of *texts* replaced in its plan, except in the targets, which are never secret."""
    planned = (replace(redacted(each, texts), target=each.target) for each in job.planned)
    return replace(job, planned=tuple(planned))


def _names_only(change: Change) -> Change:
    """The change without values: the names of fields and call, which are all that `apply` compares."""
    fields = tuple(Difference(each.field, None, None) for each in change.differences)
    return replace(change, differences=fields, call=replace(change.call, params={}), loses="")


def do_jobs(setup: WorkerSetup, jobs: tuple[Job, ...]) -> JobsDone:
    """Run the jobs that `without_values` made, in this process. After `stop_run`, the remaining ones have no outcome.

    Raises Refused if versions differ or there are no credentials, BaselineError if the file is wrong in this environment.
    Both can be pickled.
    """
    with _opening:
        opened = _worker_fleets.get(setup.run) or _open(setup)
    fleet = replace(opened.fleet, single_threaded=len(jobs) >= 4 * setup.width)
    fleet.baseline.override({job.account.id: job.account.overrides for job in jobs})
    values = {placeholder: value for value, placeholder in fleet.baseline.secrets.items()}

    def run_job(job: Job) -> Outcome | None:
        return None if fleet.cloud.stop.is_set() else fleet.run_job(_substituted(job, values))

    return opened.report((opened.many if fleet.single_threaded else opened.few).map(run_job, jobs))


def stop_run(run: str) -> None:
    """End the jobs of that run in this process, after their calls in flight."""
    _stopped.add(run)
    if (opened := _worker_fleets.get(run)) is not None:
        opened.fleet.cloud.stop.set()


def _open(setup: WorkerSetup) -> _WorkerFleet:
    """Make the fleet of a run in this process."""
    if setup.versions != versions():
        raise Refused(
            f"the run was started with {versions_text(setup.versions)}, and on {platform.node()} there is"
            f" {versions_text(versions())}: install the same on every worker"
        )
    with without_garbage_collection():
        baseline = parse(setup.text, setup.file, all_sections(), os.environ, lambda: setup.home)
        baseline.override(dict(setup.overrides))
        fleet = open_fleet(baseline, setup.options)
    fleet = replace(
        fleet, identity=setup.identity, names=setup.names, only_regions=setup.regions, controls=setup.controls
    )
    opened = _WorkerFleet(fleet, ThreadPool(setup.width, "account"))
    for old in [*_worker_fleets][: 1 - KEPT]:
        del _worker_fleets[old]  # garbage collection closes it after its last portion
    _worker_fleets[setup.run] = opened
    if setup.run in _stopped:
        opened.fleet.cloud.stop.set()
    return opened


def open_fleet(baseline: Baseline, options: Options) -> Fleet:
    """The fleet of the file, with the credentials of this process. Raises Refused if there are none that work."""
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
    """Keep the garbage collector off while AWS's models are loaded, and from them afterwards: they stay in memory."""
    gc.disable()
    gc.unfreeze()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()
