"""Tests of the Dask cluster: other versions, unreachable schedulers, and a scheduler that is lost."""

from __future__ import annotations

import re
import sys
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pytest
from distributed import LocalCluster

from provisioner.fleet.dask import Dask
from provisioner.fleet.remote import do_jobs, versions
from provisioner.model import Refused
from provisioner.sandbox.world import World

from .conftest import Served, done


def test_other_versions_are_refused(served: Served, cluster: LocalCluster) -> None:
    setup = served.setup(versions=(("provision", "9.9"), *versions()[1:]))
    with pytest.raises(Refused) as refused:
        Dask(served.fleet, setup, cluster.scheduler_address, 3)
    assert len(re.findall(r"tcp://[\d.:]+ has provision 0", str(refused.value))) == 2
    with pytest.raises(Refused, match=r"the run was started with provision 9\.9.* there is provision 0"):
        do_jobs(setup, ())


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tls://127.0.0.1:9", "nonsense"])
def test_unreachable_scheduler_is_refused(served: Served, address: str) -> None:
    with pytest.raises(Refused, match=f"the Dask scheduler `{address}` cannot be reached: "):
        Dask(served.fleet, served.setup(), address, 3, timeout=0.5)


def test_error_without_dask_says_what_to_install(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Refused, match=r"pip install .*'distributed>=2025.1'"):
        Dask(served.fleet, served.setup(), "tcp://127.0.0.1:9", 3)


def small_cluster(line: Connection) -> None:
    """A scheduler in a process of its own; each message adds a worker."""
    with LocalCluster(
        n_workers=0, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=":0"
    ) as made:
        line.send(made.scheduler_address)
        while line.recv():
            made.scale(1)
            made.wait_for_workers(1)
            line.send(made.scheduler_address)


def test_lost_scheduler_fails_every_account(served: Served, world: World) -> None:
    ours, theirs = get_context("spawn").Pipe()
    cluster = get_context("spawn").Process(target=small_cluster, args=(theirs,))
    cluster.start()
    assert ours.poll(60)
    address = ours.recv()
    with pytest.raises(Refused, match="has no workers"):
        Dask(served.fleet, served.setup(), address, 3)
    ours.send(True)
    assert ours.poll(60)
    ours.recv()
    workers = Dask(served.fleet, served.setup(), address, 3, timeout=0.5)
    workers.width = 1
    world.interrupt(lambda call, phase: cluster.kill())
    outcomes = done(workers, served.jobs())
    cluster.join()
    assert len(outcomes) == 3
    failures = [each.results[0].failure for each in outcomes.values()]
    assert all(each and "cannot be reached" in each.message for each in failures)
