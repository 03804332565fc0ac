"""Law 13: what others change between the plan and its writes is not undone: no document is written from an old read."""

from __future__ import annotations

from functools import cache

import pytest

from provisioner.model import Kind
from provisioner.sandbox.drift import carry_out

from ..conftest import Bench
from .full import FULL, Named, applied, find_break, named_breaks

SHARDS = 6


@cache
def pairs() -> list[tuple[Named, Named]]:
    """Each break of the home Region that makes AWS stricter, with each drift of the same resource."""
    named = named_breaks()
    home = named[0].region
    stricter = named_breaks(stricter=True)
    return [
        (one, each)
        for one in stricter
        for each in named
        if one[:2] == each[:2] and one.region == home and each not in stricter
        # One request is made from what one resource has; the other Regions are alike.
        if one.resource == each.resource
    ]


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_setting_that_others_made_stricter_after_the_plan_stays_so(
    shard: int, request: pytest.FixtureRequest
) -> None:
    state, wrong, tried = applied(), [], 0
    cases = pairs()[shard::SHARDS]
    bench: Bench = request.getfixturevalue("bench")
    for stricter, drift in cases:
        bench.at(state)
        if not carry_out(find_break(bench, drift)[2]):
            continue
        run = bench.run(FULL)
        plan = run.rehearse()
        try:
            _, _, one = find_break(bench, stricter)
        except ValueError:  # the drift has removed what could be made stricter
            continue
        if not plan.changes or not carry_out(one):
            continue
        tried += 1
        run.send(plan)
        noted = {(r.step, note.resource) for r, note in bench.diff(FULL).notes(Kind.STRICTER)}
        if (stricter.step, one.resource) not in noted:
            wrong.append(f"{stricter.sentence}: undone by the repair of: {drift.sentence}")
    assert tried
    assert wrong == []
