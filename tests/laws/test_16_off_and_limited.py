"""Law 16: a section that is off is switched off with consent only, and one limited to Regions runs in no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from provisioner.baseline import Regional, Switchable
from provisioner.engine.run import chosen
from provisioner.sandbox import store
from provisioner.steps.permission import DISABLING
from provisioner.steps.registry import all_sections, all_steps

from ..conftest import Bench
from ..permissions.sample import Caller, least
from .full import FULL, FirstApply, calls, failures, steps_of

SWITCHABLE = [key for key, kind in all_sections().items() if issubclass(kind, Switchable)]
REGIONAL = [key for key, kind in all_sections().items() if issubclass(kind, Regional)]


def with_values(section: str, **values: Any) -> str:
    """The full file with these values in the section."""
    data = yaml.safe_load(FULL)
    data[section].update(values)
    return yaml.safe_dump(data, sort_keys=False)


def asked(bench: Bench, section: str, text: str) -> tuple[str, ...]:
    """The steps of the section that the file asks for."""
    return tuple(x.name for x in chosen(all_steps(), bench.baseline(text)) if x.name in steps_of(section))


@pytest.fixture
def caller(bench: Bench) -> Iterator[Caller]:
    yield Caller(bench.world)
    bench.close()


def test_what_runs_in_each_region_can_be_limited_and_what_can_be_off_says_how() -> None:
    regional = {key for key in all_sections() if any(all_steps()[name].regional for name in steps_of(key))}
    assert regional == {*REGIONAL}
    switches = {each.section: each.name for each in all_steps().values() if each.disable}
    assert set(switches) == {all_sections()[key] for key in SWITCHABLE}
    assert set(switches.values()) == set(DISABLING)


@pytest.mark.parametrize("section", SWITCHABLE)
def test_it_is_switched_off_with_consent_and_on_again_without(
    section: str, first: FirstApply, caller: Caller, bench: Bench
) -> None:
    off = with_values(section, state="disabled")
    only, on = asked(bench, section, off), asked(bench, section, FULL)
    bench.at(first.applied)

    plan = bench.diff(off, only=only)
    assert failures(plan.results) == []
    assert {r.target.region for r, _ in plan.changes} == {"us-east-1", "eu-west-1"}
    assert all(change.consent for _, change in plan.changes)
    assert bench.apply(off, only=only).changes == []  # nobody allows it
    assert bench.world.writes == []

    allow = tuple({str(change.consent) for _, change in plan.changes})
    with caller.held_to(least(off, "apply")):
        assert calls(bench.apply(off, only=only, allow=allow)) == calls(plan)
    assert caller.denied == []
    state = store.capture(bench.world.memory)
    assert bench.apply(off, only=only, allow=allow).changes == []

    bench.at(state)
    assert bench.apply(FULL, only=on).changes != []
    assert bench.diff(FULL, only=on).changes == []


@pytest.mark.parametrize("section", REGIONAL)
def test_a_section_that_is_limited_runs_in_no_other_region(section: str, bench: Bench) -> None:
    text = with_values(section, regions=["eu-west-1"])
    run = bench.run(text, only=asked(bench, section, text))
    where = {
        node.target.region for node in run.graph if node.step.regional and node.step.name in steps_of(section)
    }
    assert where == {"eu-west-1"}
