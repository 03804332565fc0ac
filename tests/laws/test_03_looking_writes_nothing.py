"""Law 3: `diff` and `verify` make zero writes, counted at the wire; and no question is asked twice in a run."""

from __future__ import annotations

import pytest

from ..conftest import Bench
from .full import FULL, failures


@pytest.fixture(params=["empty", "applied"])
def looked_at(request: pytest.FixtureRequest, bench: Bench) -> Bench:
    if request.param == "applied":
        bench.apply(FULL)
    bench.world.calls.clear()
    return bench


def test_diff_and_verify_write_nothing(looked_at: Bench) -> None:
    assert failures(looked_at.diff(FULL).results) == []
    assert failures(looked_at.run(FULL).verify()) == []
    assert looked_at.world.writes == []


def test_no_question_is_asked_twice(looked_at: Bench) -> None:
    run = looked_at.run(FULL)
    run.rehearse()
    run.verify()
    asked = [(c.service, c.region, c.operation, repr(c.params)) for c in looked_at.world.calls]
    assert [each for each in set(asked) if asked.count(each) > 1] == []
