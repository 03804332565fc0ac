"""Law 1: `diff` shows what `apply` then does: same changes, same operations, same parameter names, and no others."""

from __future__ import annotations

from itertools import islice

import pytest

from provisioner.steps.registry import all_steps

from ..conftest import Bench
from .full import FULL, applied, calls, find_break, named_breaks, possible


def test_the_full_file_has_every_step(bench: Bench) -> None:
    assert {node.step.name for node in bench.run(FULL).graph} == set(all_steps())


def test_diff_shows_what_apply_does(bench: Bench) -> None:
    planned = bench.diff(FULL)
    assert planned.failed == []
    assert {step for step, *_ in calls(planned)} == set(all_steps())
    assert calls(bench.apply(FULL)) == calls(planned)


def test_what_was_not_shown_is_not_sent(request: pytest.FixtureRequest) -> None:
    """What breaks after the plan was made is not repaired: the step fails, and its message says to run again."""
    state = applied()
    first_breaks = {each.step: each for each in reversed(named_breaks()) if "deleted" not in each.sentence}
    bench: Bench = request.getfixturevalue("bench")
    for named in first_breaks.values():
        bench.at(state)
        find_break(bench, named)[2].do()
        run = bench.run(FULL, only=named.related)
        plan = run.rehearse()
        shown = {(r.step, r.target, c.resource, c.call.name) for r, c in plan.changes}
        others = (each for each in named_breaks() if each.step == named.step and each != named)
        for _, _, later in islice((found for each in others for found in possible(bench, each)), 1):
            later.do()
        run.refresh()
        for result in run.send(plan):
            sent = {(result.step, result.target, c.resource, c.call.name) for c in result.changes}
            assert sent <= shown, named
            assert result.failure is None or "run again" in result.failure.message, result.failure
