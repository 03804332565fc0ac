"""Fixtures for all tests: the sandbox in memory, a clock that does not wait, and runs against the sandbox."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import hypothesis
import pytest
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser

from provisioner.aws import Identity, Waiting, identify
from provisioner.aws import cloud as cloud_module
from provisioner.aws.cloud import Cloud
from provisioner.baseline import Baseline, parse
from provisioner.engine.plan import Plan
from provisioner.engine.run import Run, chosen
from provisioner.sandbox import open_sandbox, seed, store
from provisioner.sandbox.world import World
from provisioner.steps.registry import all_sections, all_steps

from .sandbox.cases import Aws

# No deadline: how long an example takes depends on the machine.
hypothesis.settings.register_profile("provision", deadline=None)
hypothesis.settings.load_profile("provision")

ROOT = Path(__file__).parent.parent
EXAMPLE = (ROOT / "baseline.yaml").read_text()
MEMBER = "111122223333"  # a member account of the sandbox's organization

# As `main` of the program sets it: the modules, models and samples stay, and looking through them takes a fifth of the time.
gc.set_threshold(50_000, 20, 20)

# Else each worker, and each command that a test starts, compiles again what has changed since the set-up.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Once for all sessions and clients, because a client takes much longer to make than to use, and the tests make thousands:
# AWS's models, the class of each service, and the aliases of events.
botocore.session.create_loader = cache(botocore.loaders.create_loader)
_create_class, _alias = ClientCreator._create_client_class, cache(EventAliaser(None)._alias_event_name)
_classes: dict[str, Any] = {}


def _client_class(creator: ClientCreator, service: str, model: Any) -> Any:
    if service not in _classes:
        _classes[service] = _create_class(creator, service, model)
    return _classes[service]


ClientCreator._create_client_class = _client_class
EventAliaser._alias_event_name = lambda _, event: _alias(event)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are cores, because some tests wait for a program that they have started."""
    return (os.cpu_count() or 1) + 1


def parse_file(text: str) -> Baseline:
    return parse(text, "baseline.yaml", all_sections(), {})


parse_once = lru_cache(32)(parse_file)  # many tests run the same file again and again


class FakeClock:
    """A clock for tests: time passes only when `sleep` is called, which returns at once."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class ThreadClock(FakeClock):
    """A clock with a time for each thread, so that a thread that sleeps does not delay others."""

    def __init__(self) -> None:
        self._local = threading.local()
        self.slept: list[float] = []

    @property
    def time(self) -> float:
        return float(getattr(self._local, "time", 0.0))

    @time.setter
    def time(self, value: float) -> None:
        self._local.time = value

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds)


class Bench:
    """Runs of the program against one sandbox, in this process."""

    def __init__(self, world: World):
        self.world = world
        self.clock = FakeClock()
        self.waits: list[Waiting] = []
        self.clouds: list[Cloud] = []
        self.one_process = False  # runs with the same credentials share one `Cloud`, which is faster
        self.access_key: str | None = None  # of the last `Cloud`
        self.identity: tuple[Cloud, Identity] | None = None  # the last `Cloud`, and its caller
        self.clients: dict[tuple[str | None, ...], Any] = {}

    def baseline(self, text: str) -> Baseline:
        """Parse the text as a file, with an `organization_name` and a `home_region` if it has none."""
        head = "" if "organization_name:" in text else "organization_name: acme\n"
        head += "" if "home_region:" in text else "home_region: us-east-1\n"
        # A file of an organization gets the overrides of the accounts that a run finds.
        read = parse_file if "accounts:" in text else parse_once
        return read(head + text)

    def run(self, text: str = EXAMPLE, *, only: tuple[str, ...] = (), region: str = "") -> Run:
        """A run of the file, with a `Cloud` of its own as in a new process, unless `one_process`."""
        baseline = self.baseline(text)
        access_key = os.environ.get("AWS_ACCESS_KEY_ID")  # a test may change credentials
        if not (self.one_process and self.clouds and access_key == self.access_key):
            self.access_key = access_key
            self.clouds.append(
                Cloud(on_wait=self.waits.append, clock=self.clock, workers=2 - self.one_process)
            )
        cloud = self.clouds[-1]
        if self.identity is None or cloud is not self.identity[0]:
            self.identity = cloud, identify(cloud, baseline.general.home_region)
        identity = self.identity[1]
        steps = chosen(all_steps(), baseline, only)
        return Run(cloud, baseline, identity, steps, baseline.general.regions)

    def diff(self, text: str = EXAMPLE, **given: Any) -> Plan:
        """The changes that `apply` would make."""
        return self.run(text, **given).rehearse()

    def apply(self, text: str = EXAMPLE, *, allow: tuple[str, ...] = (), **given: Any) -> Plan:
        """Apply the file, read back until AWS shows it, and return what was done. Fails if a step fails."""
        run = self.run(text, **given)
        return self.send(run, run.rehearse(), allow)

    def send(self, run: Run, plan: Plan, allow: tuple[str, ...] = ()) -> Plan:
        """Apply what a run has rehearsed, read back until AWS shows it, and return what was done. Fails if a step fails."""
        sent = run.send(plan, allow)
        unseen = run.settle(sent)
        assert [str(r.failure) for r in sent if not r.ok] == []
        assert [(r.step, r.changes, r.failure) for r in unseen] == []
        return Plan(tuple(sent))

    def wait_for_reads(self) -> None:
        """Wait for reads whose answers nobody has asked for: until all readers are free at the same time."""
        for cloud in self.clouds:
            readers = cloud.readers._max_workers
            barrier = threading.Barrier(readers)
            wait([cloud.readers.submit(barrier.wait) for _ in range(readers)])

    def at(self, state: bytes) -> None:
        """Put the sandbox into that state, with no calls recorded."""
        self.wait_for_reads()
        self.world.memory = store.restore(state)
        self.world.calls.clear()

    def close(self) -> None:
        """Wait for all reads: a late one would reach the next test's sandbox."""
        for cloud in self.clouds:
            cloud.close(wait=True)
        self.clouds.clear()

    def client(self, service: str, region: str = "us-east-1", **given: Any) -> Any:
        """A plain botocore client on the same sandbox, to act as another user."""
        session = botocore.session.get_session()
        if given:
            return session.create_client(service, region_name=region, **given)
        key = (service, region, os.environ.get("AWS_ACCESS_KEY_ID"))  # a test may change credentials
        if key not in self.clients:
            self.clients[key] = session.create_client(service, region_name=region)
        return self.clients[key]


def assume_account(bench: Bench, monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    """Put the credentials of another account, of the organization or outside of it, into the environment."""
    if account not in {each.id for each in seed.members()}:
        bench.world.standalone(account)
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    answer = bench.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", answer["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", answer["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", answer["SessionToken"])


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_sandbox(None) as world:
        opened = Bench(world)
        yield opened
        opened.close()


@pytest.fixture
def world() -> Iterator[World]:
    with open_sandbox(None) as opened:
        yield opened


@pytest.fixture
def aws(world: World) -> Aws:
    return Aws()


@pytest.fixture
def shown() -> Callable[[Plan], list[tuple[str, str, str]]]:
    """The differences of a plan as (step, resource, field)."""
    return lambda plan: [(r.step, c.resource, d.field) for r, c in plan.changes for d in c.differences]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty environment: no state, no credentials, no setting of colours. Returns the folder of the state.

    Commands that run in this process do not wait in real time.
    """
    monkeypatch.setattr(cloud_module, "RealClock", lambda stop: ThreadClock())
    for name in [*os.environ]:
        if name.startswith(("AWS_", "PROVISION_")) or name in {"FORCE_COLOR", "CLICOLOR_FORCE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path
