"""Law 13: what others change between the plan and its writes is not undone: no document is written from an old read."""

from __future__ import annotations

from functools import cache

import pytest

from provisioner.model import Kind
from provisioner.sandbox.drift import carry_out

from ..conftest import Bench, one_in
from .full import FULL, Named, applied, find_break, named_breaks

SHARDS = 4
DRIFTS = 1 if one_in(2) > 1 else 2  # beside each stricter setting


@cache
def pairs() -> list[tuple[Named, Named]]:
    """Each break of the home Region that makes AWS stricter, with a few drifts of the same resource.

    One request is made from what one resource has, and the other Regions are like the home Region.
    """
    named, stricter = named_breaks(), named_breaks(stricter=True)
    found = []
    for one in stricter:
        beside = [
            each
            for each in named
            if (each.step, each.region, each.resource) == (one.step, one.region, one.resource)
        ]
        drifts = [each for each in beside if each not in stricter]
        if one.region == named[0].region:
            found += [(one, each) for each in drifts[:: max(1, len(drifts) // DRIFTS)]]
    return found


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
        run = bench.run(FULL, only=drift.related)
        plan = run.rehearse()
        try:
            _, _, one = find_break(bench, stricter)
        except ValueError:  # the drift has removed what could be made stricter
            continue
        if not plan.changes or not carry_out(one):
            continue
        tried += 1
        run.send(plan)
        noted = {
            (r.step, note.resource) for r, note in bench.diff(FULL, only=drift.related).notes(Kind.STRICTER)
        }
        if (stricter.step, one.resource) not in noted:
            wrong.append(f"{stricter.sentence}: undone by the repair of: {drift.sentence}")
    assert tried
    assert wrong == []
