"""Tests of `sandbox drift`: foreseeable with a seed, told in sentences, and only in a sandbox."""

from __future__ import annotations

import pytest

from provisioner.sandbox import SandboxError
from provisioner.sandbox.drift import drift
from provisioner.sandbox.world import World

from ..laws.full import applied, named_breaks
from ..laws.full import store as states


@pytest.fixture
def full(request: pytest.FixtureRequest) -> World:
    """A sandbox to which the full file was applied."""
    state = applied()
    world: World = request.getfixturevalue("world")
    world.memory = states.restore(state)
    return world


def test_it_breaks_as_many_things_as_it_says(full: World) -> None:
    said = drift(full, 7)
    assert len(said) == len(set(said)) == 3
    assert len([call for call in full.writes if call.code is None]) >= 3


def test_what_it_says_is_among_the_ways_that_the_services_name(request: pytest.FixtureRequest) -> None:
    known = {each.sentence for each in named_breaks()}
    assert set(drift(request.getfixturevalue("full"), 3, 20)) <= known


def test_a_seed_foresees_what_is_broken(request: pytest.FixtureRequest) -> None:
    state = applied()
    world: World = request.getfixturevalue("world")
    told = set()
    for number in (1, 1, 2, 3):
        world.memory = states.restore(state)
        told.add(tuple(drift(world, number, 4)))
    assert len(told) == 3


def test_nothing_there_means_nothing_to_break(world: World) -> None:
    assert drift(world, 1) == []
    assert world.writes == []


def test_a_random_drift_is_possible_too(full: World) -> None:
    assert len(drift(full, None, 2)) == 2


def test_aws_itself_is_never_broken() -> None:
    with pytest.raises(SandboxError, match="no sandbox is open"):
        drift(None, 1)
