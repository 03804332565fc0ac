"""Tests of `sandbox drift`: reproducible with a seed, one sentence for each break, and only in a sandbox."""

from __future__ import annotations

import pytest

from provisioner.sandbox import SandboxError
from provisioner.sandbox.drift import drift, every_break
from provisioner.sandbox.world import World

from ..conftest import Bench
from ..laws.full import administrator_of, applied
from ..laws.full import store as states


@pytest.fixture
def full(request: pytest.FixtureRequest) -> World:
    """A sandbox to which the full file was applied."""
    state = applied()
    world: World = request.getfixturevalue("world")
    world.memory = states.restore(state)
    return world


def test_number_of_breaks(full: World) -> None:
    sentences = drift(full, 7)
    assert len(sentences) == len(set(sentences)) == 3
    assert len([call for call in full.writes if call.code is None]) >= 3


def test_sentences_are_those_of_the_services(request: pytest.FixtureRequest) -> None:
    full: World = request.getfixturevalue("full")
    known = {one.sentence for *_, one in every_break(administrator_of(Bench(full)))}
    assert set(drift(full, 3, 20)) <= known


def test_same_seed_breaks_the_same(request: pytest.FixtureRequest) -> None:
    state = applied()
    world: World = request.getfixturevalue("world")
    found = set()
    for number in (1, 1, 2, 3):
        world.memory = states.restore(state)
        found.add(tuple(drift(world, number, 4)))
    assert len(found) == 3


def test_empty_sandbox_has_nothing_to_break(world: World) -> None:
    assert drift(world, 1) == []
    assert world.writes == []


def test_drift_without_a_seed(full: World) -> None:
    assert len(drift(full, None, 2)) == 2


def test_drift_needs_an_open_sandbox() -> None:
    with pytest.raises(SandboxError, match="no sandbox is open"):
        drift(None, 1)
