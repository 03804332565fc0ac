"""Law 6: killed after any write, the next `apply` converges; each write failing once converges in the same run.

So does each write that another run has just made.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisioner.sandbox import Fault, WireCall
from provisioner.steps.registry import all_sections

from ..conftest import Bench, one_in
from .full import FULL, FirstApply, calls, first_apply_of, request_of, steps_of

SHARDS = 2  # of the writes of a section
SAMPLE = one_in(4)  # after one write in four the run is killed
KILLS = 2  # of the whole file


def throttle() -> Fault:
    return Fault("ThrottlingException", 400, "Rate exceeded")


def outage() -> Fault:
    return Fault("InternalFailure", 500, "We encountered an internal error")


def reset() -> Fault:
    raise ConnectionResetError("connection reset by peer")


Act = Callable[[], Fault]
FAULTS: dict[str, tuple[Act, str]] = {
    "throttled": (throttle, "before"),
    "5xx": (outage, "before"),
    "5xx-after": (outage, "after"),
    "reset": (reset, "before"),
    "reset-after": (reset, "after"),
}


class Interruption:
    """An interruption that acts on the write number *place*; if *dies*, every later request fails to connect."""

    def __init__(self, place: int, act: Act, phase: str, *, dies: bool = False):
        self.place, self.act, self.phase, self.dies = place, act, phase, dies
        self.seen = 0

    def __call__(self, call: WireCall, phase: str) -> Fault | None:
        if self.dies and self.seen >= self.place:
            raise ConnectionError("connection refused")
        if not call.writes or phase != self.phase:
            return None
        self.seen += 1
        return self.act() if self.seen == self.place and not self.dies else None

    @property
    def fired(self) -> bool:
        return self.seen >= self.place


def places(first: FirstApply, section: str, shard: int) -> list[int]:
    """The shard's writes of a section after which a run is killed: all of a few."""
    every = first.of_section(section)
    mine = every[shard::SHARDS]
    return mine if len(every) <= SHARDS * SAMPLE else mine[::SAMPLE]


def converges_after_a_fault(
    bench: Bench, empty: bytes, place: int, text: str = FULL, only: tuple[str, ...] = ()
) -> None:
    """The run in which the write at *place*, counted from 0, fails once in one of the ways ends in sync."""
    bench.at(empty)
    name = [*FAULTS][place % len(FAULTS)]
    interruption = Interruption(place + 1, *FAULTS[name])
    lift = bench.world.interrupt(interruption)
    bench.apply(text, only=only)
    assert interruption.fired, (place, name)
    assert calls(bench.diff(text, only=only)) == [], (place, name)
    lift()


def converges_after_a_kill(
    bench: Bench, empty: bytes, place: int, text: str = FULL, only: tuple[str, ...] = ()
) -> None:
    """The run after one that was killed after the write at *place*, counted from 0, ends in sync."""
    bench.at(empty)
    interruption = Interruption(place + 1, reset, "after", dies=True)
    lift = bench.world.interrupt(interruption)
    run = bench.run(text, only=only)
    run.send(run.rehearse())
    assert interruption.fired, place
    lift()
    bench.apply(text, only=only)
    assert calls(bench.diff(text, only=only)) == [], place


def fault_of(first: FirstApply, turn: int) -> dict[tuple[str, ...], str]:
    """The writes that fail in one of the runs, each with its way: over all runs each write fails once."""
    kinds, found = [*FAULTS], dict[tuple[str, ...], str]()
    for place, request in enumerate(dict.fromkeys(map(request_of, first.writes))):
        if place % len(kinds) == turn:
            found[request] = kinds[place // len(kinds) % len(kinds)]
    return found


SECTIONS = [(key, shard) for key in all_sections() for shard in range(SHARDS)]


@pytest.mark.parametrize("turn", range(0, len(FAULTS), one_in(2)))
def test_each_write_fails_once_and_the_run_converges(first: FirstApply, bench: Bench, turn: int) -> None:
    """In each run one write in five fails, in one of the ways: not each at once, as a step gives up after six failures."""
    failing = {each: FAULTS[kind] for each, kind in fault_of(first, turn).items()}
    failed: set[tuple[str, ...]] = set()

    def fail_once(call: WireCall, now: str) -> Fault | None:
        request = request_of(call)
        if request not in failing or request in failed or now != failing[request][1]:
            return None
        failed.add(request)
        return failing[request][0]()

    lift = bench.world.interrupt(fail_once)
    bench.apply(FULL)
    lift()
    assert failed == {*failing}
    assert calls(bench.diff(FULL)) == []


@pytest.mark.parametrize("turn", range(0, len(FAULTS), one_in(2)))
def test_what_another_run_makes_first_is_no_failure(first: FirstApply, bench: Bench, turn: int) -> None:
    """In each run, another makes one write in five just before ours."""
    others, made = fault_of(first, turn).keys(), set[tuple[str, ...]]()

    def make_first(call: WireCall, phase: str) -> None:
        request = request_of(call)
        if request in others and request not in made and phase == "before":
            made.add(request)
            client = bench.client(call.service, call.region)
            operation = {name: method for method, name in client.meta.method_to_api_mapping.items()}
            getattr(client, operation[call.operation])(**call.params)

    lift = bench.world.interrupt(make_first)
    bench.apply(FULL)
    lift()
    assert made == {*others}
    assert calls(bench.diff(FULL)) == []


@pytest.mark.parametrize(("section", "shard"), SECTIONS)
def test_apply_after_a_kill_at_any_write_converges(
    section: str, shard: int, request: pytest.FixtureRequest
) -> None:
    only = steps_of(section)
    first = first_apply_of(section, only)
    bench: Bench = request.getfixturevalue("bench")
    for place in places(first, section, shard):
        converges_after_a_kill(bench, first.empty, place, only=only)


@pytest.mark.parametrize("part", range(1, KILLS + 1))
def test_apply_of_the_whole_file_after_a_kill_converges(first: FirstApply, bench: Bench, part: int) -> None:
    converges_after_a_kill(bench, first.empty, len(first.writes) * part // (KILLS + 1) - 1)
