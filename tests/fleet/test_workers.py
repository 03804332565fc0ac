"""Tests of workers in processes and in a Dask cluster: equal outcomes, no secrets sent, and lost workers."""

from __future__ import annotations

import os
import pickle
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import pytest
from distributed.cfexecutor import ClientExecutor

from provisioner.baseline import BaselineError
from provisioner.baseline.problem import Problem
from provisioner.fleet.dask import Dask
from provisioner.fleet.processes import Processes, portion
from provisioner.fleet.remote import do_jobs, stop_run, without_values
from provisioner.fleet.workers import Threads, Workers
from provisioner.model import Refused
from provisioner.sandbox.world import World

from .conftest import LENGTH, SECRETS, WORKLOAD, Make, Served, done


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The pickled arguments of all submitted calls."""
    seen: list[bytes] = []
    for executor in (ProcessPoolExecutor, ClientExecutor):

        def submit(self: Any, *work: Any, real: Any = executor.submit) -> Future[Any]:
            seen.append(pickle.dumps(work))
            answer: Future[Any] = real(self, *work)
            return answer

        monkeypatch.setattr(executor, "submit", submit)
    return seen


def pids(workers: Workers) -> list[int]:
    if isinstance(workers, Dask):
        return list(workers._client.run(os.getpid).values())
    assert isinstance(workers, Processes)
    return [pid for each in workers._slots for pid in each._pool._processes or ()]


def test_outcomes_are_those_of_threads_and_no_secret_is_sent(
    served: Served, world: World, make: Make, sent: list[bytes]
) -> None:
    jobs = served.jobs()
    found = done(Threads(served.fleet, 3), jobs)
    assert list(found) == [each.id for each in served.accounts]
    assert all(each.drifted and not each.failed for each in found.values())
    applied = done(Threads(served.fleet, 3), served.to_apply(found))
    served.begin()
    assert done(make(3), jobs) == found
    assert world.writes == []
    there = done(make(3), served.to_apply(found))
    assert there == applied
    assert not any(each.failed for each in there.values())
    writes = len(world.writes)
    again = done(make(3), served.to_apply(found))
    assert not any(each.drifted or each.failed for each in again.values())
    assert len(world.writes) == writes
    password = next(c for r in found[WORKLOAD].results for c in r.changes if r.step == "password_policy")
    assert password.call.params["MinimumPasswordLength"] == LENGTH
    assert SECRETS["RECORDER"] in str(found)
    for secret in [*SECRETS.values(), os.environ["AWS_ACCESS_KEY_ID"]]:
        assert not any(secret.encode() in each for each in sent)


def test_plan_is_sent_without_values(served: Served, world: World) -> None:
    found = done(Threads(served.fleet, 3), served.jobs())
    before, after = (served.to_apply(found)[0] for _ in range(2))
    after = without_values(after, served.fleet.baseline.secrets)
    assert "${env:RECORDER}" in str(after)
    assert SECRETS["RECORDER"] not in str(after)
    assert [r.target for r in after.planned] == [r.target for r in before.planned]
    assert {str(c.call.params) for r in after.planned for c in r.changes} == {"{}"}
    assert len(pickle.dumps(after)) < len(pickle.dumps(before))


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_killed_worker_loses_nothing(served: Served, world: World, make: Make, command: str) -> None:
    found = done(Threads(served.fleet, 3), served.jobs())
    workers = make(3)
    killed: list[int] = []

    def kill(call: Any, phase: str) -> None:
        """Kill the first worker before the first call of AWS Config, or after the first write."""
        if not killed and call.service == "config" and phase == ("after" if call.writes else "before"):
            if command == "apply" and not call.writes:
                return
            killed.append(pids(workers)[0])
            os.kill(killed[0], signal.SIGKILL)

    world.interrupt(kill)
    jobs = served.jobs() if command == "diff" else served.to_apply(found)
    outcomes = done(workers, jobs)
    assert killed
    assert list(outcomes) == list(found)
    assert not any(each.failed for each in outcomes.values())
    if command == "diff":
        assert outcomes == found
    else:
        left = done(Threads(served.fleet, 3), served.jobs())
        assert not any(each.drifted or each.failed for each in left.values())


def test_after_a_stop_no_account_is_begun(served: Served, world: World) -> None:
    setup = served.setup(width=1)
    jobs = tuple(served.jobs())
    plans = tuple(served.to_apply(done(Threads(served.fleet, 3), jobs)))
    calls = len(world.calls)
    world.interrupt(lambda call, phase: stop_run(setup.run) if call.writes and phase == "after" else None)
    delivered = do_jobs(setup, tuple(without_values(job, served.fleet.baseline.secrets) for job in plans))
    first = served.accounts[0].id
    assert {each.account for each in world.writes} == {first}
    assert [each.account.id for each in delivered.outcomes] == [first]
    assert delivered.writes == len(world.writes) <= 2  # two steps may have been writing side by side
    assert delivered.calls == len(world.calls) - calls
    assert {r.failure.doing for r in delivered.outcomes[0].results if r.failure} == {"interrupted"}
    assert do_jobs(setup, jobs).outcomes == ()


def test_errors_of_a_worker_can_be_pickled() -> None:
    problem = Problem("a.yaml", 1, 2, "a.b", "is wrong", source_line="a: 1")
    for error in (BaselineError([problem]), Refused("no")):
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back)) == (type(error), str(error))
    assert pickle.loads(pickle.dumps(BaselineError([problem]))).problems == (problem,)


def test_size_of_a_portion() -> None:
    assert portion(10_000, 2) == 128
    assert portion(40, 2) == 10
    assert portion(1, 2) == 1
