"""Accounts done by other processes and by a Dask cluster: the same outcome, whoever is killed, and no secret on the way."""

from __future__ import annotations

import os
import pickle
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from multiprocessing import active_children, get_context
from multiprocessing.connection import Connection
from threading import Event
from typing import Any

import psutil
import pytest
from distributed import LocalCluster
from distributed.cfexecutor import ClientExecutor

from provisioner.aws import Options
from provisioner.baseline import BaselineError, parse
from provisioner.baseline.problem import Problem
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.dask import Dask
from provisioner.fleet.fleet import Fleet, Job
from provisioner.fleet.processes import Processes, portion
from provisioner.fleet.remote import WorkerSetup, do_jobs, open_fleet, stop_run, versions, without_values
from provisioner.fleet.workers import TRIES, JobsDone, Threads, Workers, run_jobs
from provisioner.model import Outcome, Refused
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving
from provisioner.sandbox.world import World
from provisioner.steps.registry import all_sections

from ..conftest import EXAMPLE

SECRETS = {
    "RECORDER": "tell-nobody",
    "EXTERNAL_ID": "nor-anybody-else",
    "AWS_SECRET_ACCESS_KEY": "nor-the-key",
    "AWS_SESSION_TOKEN": "nor-the-token",
}
LENGTH = 20  # of a password, in one account only
WORKLOAD = "444455556666"
TEXT = (
    EXAMPLE.replace("name: default\n    recording_group", 'name: "${env:RECORDER}"\n    recording_group')
    + f"""
accounts: {{ all: true, external_id: "${{env:EXTERNAL_ID}}" }}
overrides: [{{ ids: ["{WORKLOAD}"], password_policy: {{ minimum_password_length: {LENGTH} }} }}]
"""
)
Make = Callable[[int], Workers]


class Place:
    """An organization behind HTTP, and the way into it."""

    def __init__(self, world: World, url: str):
        self.world = world
        self.options = Options(endpoint_url=url, paced=False, own_connections=True)
        self.fleet = self.open_fleet()
        self.accounts = self.fleet.select(AccountFilter()).accounts

    def open_fleet(self, text: str = TEXT) -> Fleet:
        return open_fleet(parse(text, "baseline.yaml", all_sections(), os.environ), self.options)

    def setup(self, **given: Any) -> WorkerSetup:
        who = self.fleet.identity
        made = WorkerSetup(
            TEXT, "baseline.yaml", self.fleet.home, who, self.options, (), (), (), versions(), width=2
        )
        return replace(made, **given)

    def begin(self) -> World:
        """The organization as new, but for what exists once."""
        self.world.reset()
        run = self.fleet.once()
        sent = run.send(run.rehearse())
        assert [r.failure for r in sent if not r.ok] == []
        self.world.calls.clear()
        return self.world

    def jobs(self) -> list[Job]:
        return [Job("diff", each) for each in self.accounts]

    def to_apply(self, outcomes: dict[str, Outcome]) -> list[Job]:
        return [Job("apply", each.account, each.regions, planned=each.results) for each in outcomes.values()]


def done(workers: Workers, jobs: Sequence[Job], stop: Event | None = None) -> dict[str, Outcome]:
    """What becomes of the jobs, without what differs from one time to the next."""
    told: list[JobsDone] = []
    with closing(workers):
        run_jobs(workers, jobs, told.append, stop or Event())
    outcomes = [each for delivered in told for each in delivered.outcomes]
    assert len({each.account.id for each in outcomes}) == len(outcomes)
    plain = (
        replace(o, seconds=0.0, results=tuple(replace(r, request_ids=[]) for r in o.results))
        for o in outcomes
    )
    return {each.account.id: each for each in sorted(plain, key=lambda o: o.account.id)}


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with open_sandbox(None) as world, serving(world) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        made = Place(world, server.url)
        yield made
        made.fleet.cloud.close(wait=True)


@pytest.fixture(scope="module")
def both(place: Place) -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, processes=True, threads_per_worker=1, dashboard_address=":0") as made:
        yield made


@pytest.fixture
def cluster(both: LocalCluster) -> LocalCluster:
    """Both workers are there, whatever was killed before."""
    both.wait_for_workers(2, timeout=60)
    return both


@pytest.fixture
def world(place: Place) -> World:
    return place.begin()


@pytest.fixture
def travelled(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All that goes to a worker, as bytes."""
    seen: list[bytes] = []
    for executor in (ProcessPoolExecutor, ClientExecutor):

        def submit(self: Any, *work: Any, real: Any = executor.submit) -> Future[Any]:
            seen.append(pickle.dumps(work))
            answer: Future[Any] = real(self, *work)
            return answer

        monkeypatch.setattr(executor, "submit", submit)
    return seen


@pytest.fixture(params=["processes", "cluster"])
def make(place: Place, request: pytest.FixtureRequest) -> Make:
    """Makes workers elsewhere, for that many jobs: two of them, and one account at a time."""
    if request.param == "processes":
        return lambda jobs: Processes(place.fleet, place.setup(), 2, jobs)
    address = request.getfixturevalue("cluster").scheduler_address
    return lambda jobs: Dask(place.fleet, place.setup(), address, jobs)


def pids(workers: Workers) -> list[int]:
    if isinstance(workers, Dask):
        return list(workers._client.run(os.getpid).values())
    assert isinstance(workers, Processes)
    return [pid for each in workers._slots for pid in each._pool._processes or ()]


def test_elsewhere_the_same_is_found_and_done_and_no_secret_travels(
    place: Place, world: World, make: Make, travelled: list[bytes]
) -> None:
    jobs = place.jobs()
    found = done(Threads(place.fleet, 3), jobs)
    assert list(found) == [each.id for each in place.accounts]
    assert all(each.drifted and not each.failed for each in found.values())
    applied = done(Threads(place.fleet, 3), place.to_apply(found))
    place.begin()
    assert done(make(3), jobs) == found
    assert world.writes == []
    there = done(make(3), place.to_apply(found))
    assert there == applied
    assert not any(each.failed for each in there.values())
    writes = len(world.writes)
    again = done(make(3), place.to_apply(found))
    assert not any(each.drifted or each.failed for each in again.values())
    assert len(world.writes) == writes
    password = next(c for r in found[WORKLOAD].results for c in r.changes if r.step == "password_policy")
    assert password.call.params["MinimumPasswordLength"] == LENGTH
    assert SECRETS["RECORDER"] in str(found)
    for secret in [*SECRETS.values(), os.environ["AWS_ACCESS_KEY_ID"]]:
        assert not [sent for sent in travelled if secret.encode() in sent]


def test_what_is_planned_travels_as_names(place: Place, world: World) -> None:
    found = done(Threads(place.fleet, 3), place.jobs())
    before, after = (place.to_apply(found)[0] for _ in range(2))
    after = without_values(after, place.fleet.baseline.secrets)
    assert "${env:RECORDER}" in str(after)
    assert SECRETS["RECORDER"] not in str(after)
    assert [r.target for r in after.planned] == [r.target for r in before.planned]
    assert {str(c.call.params) for r in after.planned for c in r.changes} == {"{}"}
    assert len(pickle.dumps(after)) < len(pickle.dumps(before))


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_a_worker_killed_in_mid_run_loses_nothing(
    place: Place, world: World, make: Make, command: str
) -> None:
    found = done(Threads(place.fleet, 3), place.jobs())
    workers = make(3)
    killed: list[int] = []

    def kill(call: Any, phase: str) -> None:
        """The first worker dies at the first call of any, or after the first write of any."""
        if not killed and call.service == "config" and phase == ("after" if call.writes else "before"):
            if command == "apply" and not call.writes:
                return
            killed.append(pids(workers)[0])
            os.kill(killed[0], signal.SIGKILL)

    world.interrupt(kill)
    jobs = place.jobs() if command == "diff" else place.to_apply(found)
    outcomes = done(workers, jobs)
    assert killed
    assert list(outcomes) == list(found)
    assert not any(each.failed for each in outcomes.values())
    if command == "diff":
        assert outcomes == found
    else:
        left = done(Threads(place.fleet, 3), place.jobs())
        assert not any(each.drifted or each.failed for each in left.values())


class Watched(Processes):
    """Knows which process does which account."""

    def __init__(self, *given: Any):
        super().__init__(*given)
        self.portion = 1
        self.doing: dict[str, int] = {}

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        future = super().submit(jobs)
        slot = next(each for each in self._slots if each._future is future)
        self.doing[jobs[0].account.id] = next(iter(slot._pool._processes))
        return future


def test_an_account_that_kills_whoever_does_it_takes_no_other_with_it(place: Place, world: World) -> None:
    workers = Watched(place.fleet, place.setup(), 2, 3)
    killed: list[int] = []

    def kill(call: Any, phase: str) -> None:
        pid = workers.doing.get(WORKLOAD)
        if call.account == WORKLOAD and pid not in {None, *killed}:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    world.interrupt(kill)
    outcomes = done(workers, place.jobs())
    assert len(killed) == TRIES
    assert [key for key, each in outcomes.items() if each.failed] == [WORKLOAD]
    failure = outcomes[WORKLOAD].results[0].failure
    assert failure is not None
    assert "3 times" in failure.doing


def test_after_the_wish_to_stop_nothing_is_begun(place: Place, world: World) -> None:
    setup = place.setup(width=1)
    jobs = tuple(place.jobs())
    plans = tuple(place.to_apply(done(Threads(place.fleet, 3), jobs)))
    calls = len(world.calls)
    world.interrupt(lambda call, phase: stop_run(setup.run) if call.writes and phase == "after" else None)
    delivered = do_jobs(setup, tuple(without_values(job, place.fleet.baseline.secrets) for job in plans))
    first = place.accounts[0].id
    assert {each.account for each in world.writes} == {first}
    assert [each.account.id for each in delivered.outcomes] == [first]
    assert delivered.writes == len(world.writes) <= 2  # two steps may have been writing side by side
    assert delivered.calls == len(world.calls) - calls
    assert {r.failure.doing for r in delivered.outcomes[0].results if r.failure} == {"interrupted"}
    assert do_jobs(setup, jobs).outcomes == ()


def test_a_stop_reaches_the_processes_and_they_end(place: Place, world: World) -> None:
    stopped, stop = Event(), Event()

    class Heard(Processes):
        def stop(self) -> None:
            super().stop()
            stopped.set()

    def first(call: Any, phase: str) -> None:
        stop.set()
        assert stopped.wait(60)

    workers = Heard(place.fleet, place.setup(), 1, 3)
    workers.portion = 1
    world.interrupt(first)
    others = {each.pid for each in active_children()}
    assert len(done(workers, place.jobs(), stop)) <= 1
    ours = [each for each in active_children() if each.pid not in others]
    until = time.monotonic() + 60
    while any(
        each.is_alive() for each in ours
    ):  # the pool's own thread waits for them, too: `join` may miss it
        assert time.monotonic() < until


def parent(url: str) -> None:
    """Begin a run that does not end."""
    place = Place.__new__(Place)
    place.options = Options(endpoint_url=url, paced=False, own_connections=True)
    place.fleet = place.open_fleet()
    accounts = place.fleet.select(AccountFilter()).accounts
    done(Processes(place.fleet, place.setup(), 2, 3), [Job("diff", each) for each in accounts])


def test_processes_end_with_the_one_that_started_them(place: Place, world: World) -> None:
    at_work, go_on = Event(), Event()

    def hold(call: Any, phase: str) -> None:
        if call.service == "config":
            at_work.set()
            go_on.wait(60)

    world.interrupt(hold)
    starts = get_context("spawn").Process(target=parent, args=(place.options.endpoint_url,))
    starts.start()
    assert at_work.wait(60)
    family = psutil.Process(starts.pid).children(recursive=True)
    assert len(family) >= 2
    starts.kill()
    _, alive = psutil.wait_procs(family, timeout=60)
    go_on.set()
    assert alive == []


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (["RECORDER"], "environment variable 'RECORDER' is not set"),
        (
            ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
            "Unable to locate credentials; hint: set AWS_PROFILE",
        ),
    ],
)
def test_a_worker_that_lacks_something_says_what(
    place: Place, world: World, monkeypatch: pytest.MonkeyPatch, missing: list[str], words: str
) -> None:
    workers = Processes(place.fleet, place.setup(), 1, 3)
    for name in missing:
        monkeypatch.delenv(name)
    outcomes = done(workers, place.jobs())
    assert len(outcomes) == 3
    assert all(
        each.results[0].failure and words in each.results[0].failure.message for each in outcomes.values()
    )


def test_what_a_worker_raises_can_travel() -> None:
    problem = Problem("a.yaml", 1, 2, "a.b", "is wrong", source_line="a: 1")
    for error in (BaselineError([problem]), Refused("no")):
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back)) == (type(error), str(error))
    assert pickle.loads(pickle.dumps(BaselineError([problem]))).problems == (problem,)


def test_other_versions_are_refused(place: Place, cluster: LocalCluster) -> None:
    setup = place.setup(versions=(("provision", "9.9"), *versions()[1:]))
    with pytest.raises(Refused) as refused:
        Dask(place.fleet, setup, cluster.scheduler_address, 3)
    assert len(re.findall(r"tcp://[\d.:]+ has provision 0", str(refused.value))) == 2
    with pytest.raises(Refused, match=r"the run was started with provision 9\.9.* there is provision 0"):
        do_jobs(setup, ())


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tls://127.0.0.1:9", "nonsense"])
def test_a_scheduler_that_is_not_there_is_refused(place: Place, address: str) -> None:
    with pytest.raises(Refused, match=f"the Dask scheduler `{address}` cannot be reached: "):
        Dask(place.fleet, place.setup(), address, 3, patience=0.5)


def test_without_dask_it_is_said_what_to_install(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Refused, match=r"pip install 'provision-baseline\[dask\]'"):
        Dask(place.fleet, place.setup(), "tcp://127.0.0.1:9", 3)


def small_cluster(line: Connection) -> None:
    """A scheduler in a process of its own, which gets a worker when it is asked for."""
    with LocalCluster(
        n_workers=0, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=":0"
    ) as made:
        line.send(made.scheduler_address)
        while line.recv():
            made.scale(1)
            made.wait_for_workers(1)
            line.send(made.scheduler_address)


def test_when_the_scheduler_goes_every_account_is_told(place: Place, world: World) -> None:
    ours, theirs = get_context("spawn").Pipe()
    cluster = get_context("spawn").Process(target=small_cluster, args=(theirs,))
    cluster.start()
    assert ours.poll(60)
    address = ours.recv()
    with pytest.raises(Refused, match="has no workers"):
        Dask(place.fleet, place.setup(), address, 3)
    ours.send(True)
    assert ours.poll(60)
    ours.recv()
    workers = Dask(place.fleet, place.setup(), address, 3, patience=0.5)
    workers.width = 1
    world.interrupt(lambda call, phase: cluster.kill())
    outcomes = done(workers, place.jobs())
    cluster.join()
    assert len(outcomes) == 3
    failures = [each.results[0].failure for each in outcomes.values()]
    assert all(each and "cannot be reached" in each.message for each in failures)


def test_a_portion_is_enough_to_be_busy_with_and_none_idles() -> None:
    assert portion(10_000, 2) == 128
    assert portion(40, 2) == 10
    assert portion(1, 2) == 1
