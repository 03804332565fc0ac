"""Fixtures: a clock for each thread, and switches of the sandbox that a command line opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioner.sandbox.world import World

from ..conftest import Bench, ThreadClock

Switch = Callable[[World], Any]


@pytest.fixture
def clock(bench: Bench) -> ThreadClock:
    """Make this the clock of the bench."""
    bench.clock = made = ThreadClock()
    return made


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Switch], None]:
    """Apply a function to the sandbox of each command line."""
    real = World._set_switches

    def use(act: Switch) -> None:
        def set_switches(world: World) -> None:
            real(world)
            act(world)

        monkeypatch.setattr(World, "_set_switches", set_switches)

    return use
