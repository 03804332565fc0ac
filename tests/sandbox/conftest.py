"""A sandbox in memory for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioner.sandbox import World, open_sandbox

from .cases import Aws


@pytest.fixture
def world() -> Iterator[World]:
    with open_sandbox(None) as opened:
        yield opened


@pytest.fixture
def aws(world: World) -> Aws:
    return Aws()
