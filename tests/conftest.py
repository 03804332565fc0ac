"""Fixtures for all tests: the sandbox in memory, a clock that does not wait, and runs against the sandbox."""

from __future__ import annotations

import gc
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import botocore.hooks
import botocore.loaders
import botocore.regions
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
from provisioner.sandbox import WireCall, open_sandbox, seed, store
from provisioner.sandbox.world import World
from provisioner.steps.registry import all_sections, all_steps

from .sandbox.cases import Aws

# No deadline: how long an example takes depends on the machine.
hypothesis.settings.register_profile("provision", deadline=None)
hypothesis.settings.load_profile("provision")

ROOT = Path(__file__).parent.parent
EXAMPLE = (ROOT / "baseline.yaml").read_text()
MEMBER = "111122223333"  # a member account of the sandbox's organization
ALL_CASES = os.environ.get("PROVISION_TESTS") == "all"  # not only a sample of those that are alike

# As `main` of the program sets it: the modules, models and samples stay, and looking through them takes a fifth of the time.
gc.set_threshold(50_000, 20, 20)

# Else each worker, and each command that a test starts, compiles again what has changed since the set-up.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Once for all sessions and clients, because a client takes much longer to make than to use, and the tests make thousands:
# AWS's models, what botocore makes of them for a service, and the aliases of events. Handlers are not asked for `**kwargs`.
botocore.session.create_loader = cache(botocore.loaders.create_loader)
_create_class, _alias = ClientCreator._create_client_class, cache(EventAliaser(None)._alias_event_name)
EventAliaser._alias_event_name = lambda _, event: _alias(event)
botocore.hooks.accepts_kwargs = lambda function: True


def _once_for_each(key: Callable[..., Any], make: Callable[..., Any]) -> Callable[..., Any]:
    """*make*, which is called once for each *key* of its arguments."""
    made: dict[Any, Any] = {}

    def get(*args: Any, **kwargs: Any) -> Any:
        name = key(*args, **kwargs)
        if name not in made:
            # The arguments are kept, so that no other object gets the id of one.
            made[name] = make(*args, **kwargs), args, kwargs
        return made[name][0]

    return get


ClientCreator._create_client_class = _once_for_each(lambda _, service, model: service, _create_class)
ClientCreator._load_service_model = _once_for_each(lambda _, *names: names, ClientCreator._load_service_model)
botocore.regions.EndpointProvider = _once_for_each(
    lambda ruleset_data, **_: id(ruleset_data), botocore.regions.EndpointProvider
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are cores, because some tests wait for a program that they have started."""
    return (os.cpu_count() or 1) + 1


def one_in(number: int) -> int:
    """The step with which a test goes through many cases that are alike; 1 if all are to be tried."""
    return 1 if ALL_CASES else number


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


class FirstApply(NamedTuple):
    """What the first `apply` to a new sandbox did."""

    made: float  # when, in seconds
    plan: Plan
    state: bytes
    calls: list[WireCall]
    waits: list[Waiting]
    seconds: float  # that the clock went on


class Bench:
    """Runs of the program against one sandbox, in this process."""

    first_applies: ClassVar[dict[tuple[Any, ...], FirstApply]] = {}

    def __init__(self, world: World, *, new: tuple[Any, ...] | None = None):
        """*new* is what `condition` says of a new sandbox, in which the same first `apply` is carried out once only."""
        self.world, self.new = world, new
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
        read = parse_file if re.search(r"(?m)^accounts:", text) else parse_once
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
        run = Run(cloud, baseline, identity, steps, baseline.general.regions)
        run.single_threaded = bool(only)  # which is faster; the whole file is read in parallel
        return run

    def diff(self, text: str = EXAMPLE, **given: Any) -> Plan:
        """The changes that `apply` would make."""
        return self.run(text, **given).rehearse()

    def apply(self, text: str = EXAMPLE, *, allow: tuple[str, ...] = (), **given: Any) -> Plan:
        """Apply the file, read back until AWS shows it, and return what was done. Fails if a step fails.

        What an apply of the same file has made of a new sandbox in this process is put there again: half of the tests
        begin so. Not after a minute, because time is part of a state.
        """
        is_first = self.new is not None and condition(self.world) == self.new
        key = (text, allow, self.one_process, *sorted(given.items()))
        first = self.first_applies.get(key) if is_first else None
        if first is not None and time.monotonic() - first.made < 60:
            self.world.memory = store.restore(first.state)
            self.world.calls += first.calls
            self.waits += first.waits
            self.clock.time += first.seconds
            return first.plan
        waits, begun = len(self.waits), self.clock.now()
        run = self.run(text, **given)
        plan = self.send(run, run.rehearse(), allow)
        if is_first:
            self.wait_for_reads()
            state, seconds = store.capture(self.world.memory), self.clock.now() - begun
            self.first_applies[key] = FirstApply(
                time.monotonic(), plan, state, [*self.world.calls], self.waits[waits:], seconds
            )
        return plan

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


_states: dict[str, bytes] = {}  # that of a new sandbox, the same for all tests of this process


def condition(world: World) -> tuple[Any, ...]:
    """All that a run can find in a sandbox: its state, its switches, and that nobody has called it."""
    parts = {"memory", "limiter", "_rules", "_lock", "_file"}
    return store.capture(world.memory), repr({k: v for k, v in vars(world).items() if k not in parts})


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Give each test the variables that were there before it, whatever it has set in which order.

    `monkeypatch` alone leaves behind what it has found inside of a sandbox, if that is closed first. This fixture is the
    last to end, because fixtures that every test uses are the first to begin.
    """
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with open_sandbox(None) as world:
        # Where a test has put something into the place of ours, each apply is its own.
        patched = "monkeypatch" in request.fixturenames
        world.memory = store.restore(_states.setdefault("new", store.capture(world.memory)))
        opened = Bench(world, new=None if patched else condition(world))
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
