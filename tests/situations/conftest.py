"""Fixtures: a clock for each thread, and switches of the sandbox that a command line opens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from provisioner.aws import cloud
from provisioner.sandbox.world import World

from ..conftest import Bench, FakeClock

Switch = Callable[[World], Any]


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


@pytest.fixture
def clock(bench: Bench) -> ThreadClock:
    """Make this the clock of the bench."""
    bench.clock = made = ThreadClock()
    return made


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Switch], None]:
    """Apply a function to the sandbox of each command line, which then does not wait in real time."""
    monkeypatch.setattr(cloud, "RealClock", lambda stop: ThreadClock())
    real = World._set_switches

    def use(act: Switch) -> None:
        def set_switches(world: World) -> None:
            real(world)
            act(world)

        monkeypatch.setattr(World, "_set_switches", set_switches)

    return use
