"""A bench on which waits overlap as they do on AWS, and a command line whose sandbox has switches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from provisioner.aws import cloud
from provisioner.sandbox.world import World

from ..conftest import Bench, FlyingClock

Switch = Callable[[World], Any]


class OwnTime(FlyingClock):
    """Each thread has its own time: who sleeps keeps nobody else waiting."""

    def __init__(self) -> None:
        self._own = threading.local()
        self.slept: list[float] = []

    @property
    def time(self) -> float:
        return float(getattr(self._own, "time", 0.0))

    @time.setter
    def time(self, value: float) -> None:
        self._own.time = value

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds)


@pytest.fixture
def clock(bench: Bench) -> OwnTime:
    """The bench's clock from here on."""
    bench.clock = made = OwnTime()
    return made


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Switch], None]:
    """What the function does is done to the sandbox of each command line, which no longer waits in real time."""
    monkeypatch.setattr(cloud, "RealClock", lambda stop: OwnTime())
    real = World._set_switches

    def use(act: Switch) -> None:
        def set_switches(world: World) -> None:
            real(world)
            act(world)

        monkeypatch.setattr(World, "_set_switches", set_switches)

    return use
