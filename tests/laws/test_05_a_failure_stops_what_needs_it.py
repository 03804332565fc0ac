"""Law 5: a failure stops only what needs it, and a failed read is never an absence."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

from provisioner.engine.graph import Node
from provisioner.model import Changes, Step
from provisioner.sandbox import Fault, WireCall, open_sandbox, store
from provisioner.steps.registry import all_sections, all_steps

from ..conftest import Bench, one_in
from .full import (
    AWS_ID,
    FULL,
    applied,
    calls,
    failures,
    first_apply,
    first_apply_of,
    related,
    request_of,
    steps_of,
    without_token,
)

READS, WRITES = one_in(4), one_in(8)  # that are refused
REFUSED = Fault("AccessDenied", 403, "no")


def without_aws(step: Step, broken: str) -> Step:
    """The step as one that changes nothing, or that fails."""

    def ensure(aws: Any, baseline: Any) -> Changes:
        if step.name == broken:
            raise ValueError("no")
        yield from ()

    return Step(step.name, step.scope, step.needs, step.section, ensure)


def dependents(steps: Iterable[Step], name: str) -> set[str]:
    found = {name}
    for step in steps:  # in the order of their needs
        if found & set(step.needs):
            found.add(step.name)
    return found - {name}


@pytest.mark.parametrize("name", all_steps())
def test_failed_step_blocks_only_its_dependents(bench: Bench, name: str) -> None:
    run = bench.run(FULL)
    renewed = {node: Node(without_aws(node.step, name), node.target) for node in run.graph}
    run.graph = {renewed[node]: {renewed[each] for each in before} for node, before in run.graph.items()}
    results = run.rehearse().results
    assert {r.step for r in results if r.failure} == {name}
    assert {r.step for r in results if r.blocked_by} == dependents((node.step for node in run.graph), name)
    assert {r.blocked_by for r in results} <= {name, None}


@cache
def reads_of(section: str, state: str) -> frozenset[tuple[str, str]]:
    """The reads of a `diff` of the section's steps and what they need. Call it while no sandbox is open."""
    start = getattr(first_apply(), state)
    with open_sandbox(None) as world:
        bench = Bench(world)
        bench.one_process = True
        bench.at(start)
        bench.diff(FULL, only=steps_of(section))
        bench.close()
        return frozenset((c.service, c.operation) for c in world.calls if c.service != "sts")


def own_reads(section: str, state: str) -> set[tuple[str, str]]:
    """The reads of a section that none before it makes."""
    before = all_sections()
    earlier = [*before][: [*before].index(section)]
    return set(reads_of(section, state).difference(*(reads_of(each, state) for each in earlier)))


@pytest.mark.parametrize("state", ["empty", "applied"])
@pytest.mark.parametrize("section", all_sections())
def test_denied_read_is_no_absence(section: str, state: str, request: pytest.FixtureRequest) -> None:
    reads, start = own_reads(section, state), getattr(first_apply(), state)
    bench: Bench = request.getfixturevalue("bench")
    only = related(section) if state == "applied" else steps_of(section)
    bench.at(start)
    expected = calls(bench.diff(FULL, only=only))
    denied: list[tuple[str, str]] = []

    def deny(call: WireCall, phase: str) -> Fault | None:
        return REFUSED if (call.service, call.operation) in denied else None

    bench.world.interrupt(deny)
    for read in sorted(reads)[::READS]:
        denied[:] = [read]
        plan = bench.diff(FULL, only=only)
        assert plan.failed or state == "empty", f"{read} was denied, and nothing failed"
        assert [each for each in calls(plan) if each not in expected] == [], (
            f"{read} was denied, and became a change"
        )


class Refusing:
    """An interruption that refuses one request each time."""

    def __init__(self, refused: tuple[str, str, str, str]):
        self.refused = refused

    def __call__(self, call: WireCall, phase: str) -> Fault | None:
        return REFUSED if phase == "before" and request_of(call) == self.refused else None


def accepts(bench: Bench, call: WireCall) -> bool:
    """Tell whether AWS accepts the whole request in the present state, which is restored afterwards.

    One that names what AWS made in the first run, and has not made here, needs that, even where AWS takes any name.
    """
    before = store.capture(bench.world.memory)
    if any(each.group().encode() not in before for each in AWS_ID.finditer(repr(without_token(call)))):
        return False
    client = bench.client(call.service, call.region)
    operation = {name: method for method, name in client.meta.method_to_api_mapping.items()}[call.operation]
    try:
        answer = getattr(client, operation)(**call.params)
    except client.exceptions.ClientError:
        return False
    finally:
        bench.world.memory = store.restore(before)
    return not any(answer[key] for key in answer if key.startswith("Unprocessed"))


@pytest.mark.parametrize("section", all_sections())
def test_refused_write_stops_only_what_needs_it(section: str, request: pytest.FixtureRequest) -> None:
    only, wrong = related(section), []
    first = first_apply_of(section, only)
    bench: Bench = request.getfixturevalue("bench")
    writes = [call for call in first.writes if call.code is None]
    refused = [first.writes[place] for place in first.of_section(section)]
    for write in [each for each in refused if each.code is None][::WRITES]:
        bench.at(first.empty)
        lift = bench.world.interrupt(Refusing(request_of(write)))
        run = bench.run(FULL, only=only)
        sent = run.send(run.rehearse())
        if not failures(sent):  # a rule of the organization gives AWS Config trusted access by itself
            needed = {change.call.name for _, change in bench.diff(FULL, only=only).changes}
            assert write.operation not in needed, f"{write.operation} was refused, and nothing failed"
        lift()
        made = {request_of(each) for each in bench.world.writes if each.code is None}
        left = [each for each in writes if request_of(each) not in made and each is not write]
        wrong += [
            f"{write.operation} was refused, and {each.operation} in {each.region} not tried"
            for each in left
            if accepts(bench, each)
        ]
    assert wrong == []


def failed_findings(bench: Bench, only: tuple[str, ...]) -> set[tuple[Any, ...]]:
    """The findings of `verify` that something does not work."""
    results = bench.run(FULL, only=only).verify()
    return {(r.step, r.target, f.resource, f.check) for r in results for f in r.findings if f.ok is False}


def renamed(text: str) -> list[tuple[str, str]]:
    """The file with one name or prefix changed, for each of them, beside the section that has it."""
    lines, section = text.splitlines(), ""
    found = []
    for at, line in enumerate(lines):
        key, _, value = line.strip().partition(":")
        section = section if line.startswith((" ", "#")) else key
        if key in {"name", "s3_key_prefix"} and "$" not in value:
            found.append((section, "\n".join([*lines[:at], f"{line}-2", *lines[at + 1 :]])))
    return found


def test_refused_write_ends_no_delivery(request: pytest.FixtureRequest) -> None:
    """What is adopted keeps its name, so not each new name is written."""
    start, tried, wrong = applied(), 0, []
    bench: Bench = request.getfixturevalue("bench")
    for section, text in renamed(FULL):
        only = related(section)
        bench.at(start)
        before = failed_findings(bench, only)
        bench.apply(text, only=only)
        for write in [request_of(call) for call in bench.world.writes if call.code is None][:: one_in(4)]:
            bench.at(start)
            lift = bench.world.interrupt(Refusing(write))
            run = bench.run(text, only=only)
            run.send(run.rehearse())
            lift()
            tried += 1
            if lost := failed_findings(bench, only) - before:
                wrong.append((section, write[2], lost))
    assert wrong == []
    assert tried > len(renamed(FULL))
