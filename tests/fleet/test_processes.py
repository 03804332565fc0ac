"""Tests of worker processes: crashes, stopping, and their environment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import Future
from multiprocessing import active_children, get_context
from threading import Event
from typing import Any

import psutil
import pytest

from provisioner.aws import Options
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Job
from provisioner.fleet.processes import Processes
from provisioner.fleet.workers import TRIES, JobsDone
from provisioner.sandbox.world import World

from .conftest import WORKLOAD, Served, done


class Watched(Processes):
    """Records which process runs which account."""

    def __init__(self, *given: Any):
        super().__init__(*given)
        self.portion = 1
        self.doing: dict[str, int] = {}

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        future = super().submit(jobs)
        slot = next(each for each in self._slots if each._future is future)
        self.doing[jobs[0].account.id] = next(iter(slot._pool._processes))
        return future


def test_account_that_kills_its_workers_fails_alone(served: Served, world: World) -> None:
    workers = Watched(served.fleet, served.setup(), 2, 3)
    killed: list[int] = []

    def kill(call: Any, phase: str) -> None:
        pid = workers.doing.get(WORKLOAD)
        if call.account == WORKLOAD and pid not in {None, *killed}:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    world.interrupt(kill)
    outcomes = done(workers, served.jobs())
    assert len(killed) == TRIES
    assert [key for key, each in outcomes.items() if each.failed] == [WORKLOAD]
    failure = outcomes[WORKLOAD].results[0].failure
    assert failure is not None
    assert "3 times" in failure.doing


def test_stop_ends_the_processes(served: Served, world: World) -> None:
    stopped, stop = Event(), Event()

    class Stoppable(Processes):
        def stop(self) -> None:
            super().stop()
            stopped.set()

    def first(call: Any, phase: str) -> None:
        stop.set()
        assert stopped.wait(60)

    workers = Stoppable(served.fleet, served.setup(), 1, 3)
    workers.portion = 1
    world.interrupt(first)
    others = {each.pid for each in active_children()}
    assert len(done(workers, served.jobs(), stop)) <= 1
    ours = [each for each in active_children() if each.pid not in others]
    until = time.monotonic() + 60
    while any(each.is_alive() for each in ours):  # not `join`: the thread of the pool waits for them too
        assert time.monotonic() < until


def parent(url: str) -> None:
    """Start a run that does not end."""
    served = Served.__new__(Served)
    served.options = Options(endpoint_url=url, use_documented_rates=False, own_connections=True)
    served.fleet = served.open_fleet()
    accounts = served.fleet.select(AccountFilter()).accounts
    done(Processes(served.fleet, served.setup(), 2, 3), [Job("diff", each) for each in accounts])


def test_processes_end_with_their_parent(served: Served, world: World) -> None:
    at_work, go_on = Event(), Event()

    def hold(call: Any, phase: str) -> None:
        if call.service == "config":
            at_work.set()
            go_on.wait(60)

    world.interrupt(hold)
    starts = get_context("spawn").Process(target=parent, args=(served.options.endpoint_url,))
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
            ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
            "Unable to locate credentials; hint: set AWS_PROFILE",
        ),
    ],
)
def test_worker_without_variable_or_credentials_fails(
    served: Served, world: World, monkeypatch: pytest.MonkeyPatch, missing: list[str], words: str
) -> None:
    workers = Processes(served.fleet, served.setup(), 1, 3)
    for name in missing:
        monkeypatch.delenv(name)
    outcomes = done(workers, served.jobs())
    assert len(outcomes) == 3
    assert all(
        each.results[0].failure and words in each.results[0].failure.message for each in outcomes.values()
    )
