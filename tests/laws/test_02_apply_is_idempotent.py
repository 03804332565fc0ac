"""Law 2: after `apply`, `diff` is empty and a second `apply` makes zero writes."""

from __future__ import annotations

import pytest

from provisioner.steps.registry import all_steps

from ..conftest import Bench
from .full import FULL, calls


def test_a_second_apply_writes_nothing(bench: Bench) -> None:
    bench.apply(FULL)
    before = len(bench.world.writes)
    assert calls(bench.apply(FULL)) == []
    assert calls(bench.diff(FULL)) == []
    assert bench.world.writes[before:] == []


@pytest.mark.parametrize("name", all_steps())
def test_a_step_alone_converges_with_what_it_needs(bench: Bench, name: str) -> None:
    assert calls(bench.apply(FULL, only=(name,))) != []
    assert calls(bench.diff(FULL, only=(name,))) == []
