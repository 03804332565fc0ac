"""An organization served over HTTP, and workers in processes and in a Dask cluster for its accounts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from distributed import LocalCluster

from provisioner.aws import Options
from provisioner.baseline import parse
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.dask import Dask
from provisioner.fleet.fleet import Fleet, Job
from provisioner.fleet.processes import Processes
from provisioner.fleet.remote import WorkerSetup, open_fleet, versions
from provisioner.fleet.workers import JobsDone, Workers, run_jobs
from provisioner.model import Outcome
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


class Served:
    """An organization served over HTTP, and the fleet of its accounts."""

    def __init__(self, world: World, url: str):
        self.world = world
        self.options = Options(endpoint_url=url, use_documented_rates=False, own_connections=True)
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
        """Reset the organization, and create what exists once in it."""
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
    """Run the jobs, and return the outcomes by account, without what differs from run to run."""
    delivered: list[JobsDone] = []
    with closing(workers):
        run_jobs(workers, jobs, delivered.append, stop or Event())
    outcomes = [each for portion in delivered for each in portion.outcomes]
    assert len({each.account.id for each in outcomes}) == len(outcomes)
    plain = (
        replace(o, seconds=0.0, results=tuple(replace(r, request_ids=[]) for r in o.results))
        for o in outcomes
    )
    return {each.account.id: each for each in sorted(plain, key=lambda o: o.account.id)}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with open_sandbox(None) as world, serving(world) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        made = Served(world, server.url)
        yield made
        made.fleet.cloud.close(wait=True)


@pytest.fixture(scope="module")
def two_workers(served: Served) -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, processes=True, threads_per_worker=1, dashboard_address=":0") as made:
        yield made


@pytest.fixture
def cluster(two_workers: LocalCluster) -> LocalCluster:
    """The cluster, with both workers running again after a test that killed one."""
    two_workers.wait_for_workers(2, timeout=60)
    return two_workers


@pytest.fixture
def world(served: Served) -> World:
    return served.begin()


@pytest.fixture(params=["processes", "cluster"])
def make(served: Served, request: pytest.FixtureRequest) -> Make:
    """Makes two workers for that many jobs, with one account at a time."""
    if request.param == "processes":
        return lambda jobs: Processes(served.fleet, served.setup(), 2, jobs)
    address = request.getfixturevalue("cluster").scheduler_address
    return lambda jobs: Dask(served.fleet, served.setup(), address, jobs)
