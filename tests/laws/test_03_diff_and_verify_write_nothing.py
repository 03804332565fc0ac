"""Law 3: `diff` and `verify` make zero writes, counted by the sandbox; and a run makes no request twice."""

from __future__ import annotations

import pytest

from provisioner.aws.fire_writes import FIRE_WRITES

from ..conftest import Bench
from .full import FULL, FirstApply, failures


@pytest.fixture(params=["empty", "applied"])
def account(request: pytest.FixtureRequest, first: FirstApply, bench: Bench) -> Bench:
    bench.at(getattr(first, request.param))
    return bench


def test_diff_and_verify_write_nothing(account: Bench) -> None:
    assert failures(account.diff(FULL).results) == []
    assert failures(account.run(FULL).verify()) == []
    assert account.world.writes == []


def test_verify_with_fire_makes_the_registered_writes_only(first: FirstApply, bench: Bench) -> None:
    bench.at(first.applied)
    assert failures(bench.run(FULL).verify(firing=True)) == []
    assert {(each.service, each.operation) for each in bench.world.writes} == FIRE_WRITES
    assert bench.diff(FULL).changes == []


def test_no_request_is_made_twice(account: Bench) -> None:
    run = account.run(FULL)
    run.rehearse()
    run.verify()
    requests = [(c.service, c.region, c.operation, repr(c.params)) for c in account.world.calls]
    assert [each for each in set(requests) if requests.count(each) > 1] == []
