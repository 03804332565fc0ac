"""Law 6: killed after any write, the next `apply` converges; each write failing once converges in the same run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisioner.sandbox import Fault, WireCall

from ..conftest import Bench
from .full import FULL, FirstApply, calls

SHARDS = 8


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


def each_place(first: FirstApply, shard: int) -> range:
    """The numbers of this shard's writes in a first apply."""
    return range(1 + shard, len(first.writes) + 1, SHARDS)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_write_that_fails_once_converges_in_the_same_run(first: FirstApply, bench: Bench, shard: int) -> None:
    """Each write fails in one of the ways, in turn."""
    for place in each_place(first, shard):
        bench.at(first.empty)
        name = [*FAULTS][place % len(FAULTS)]
        interruption = Interruption(place, *FAULTS[name])
        lift = bench.world.interrupt(interruption)
        bench.apply(FULL)
        assert interruption.fired, (place, name)
        assert calls(bench.diff(FULL)) == [], (place, name)
        lift()


@pytest.mark.parametrize("turn", range(3))  # not each write at once: a step gives up after six failures
@pytest.mark.parametrize("fault", FAULTS)
def test_every_third_write_fails_once_and_the_run_converges(bench: Bench, fault: str, turn: int) -> None:
    act, phase = FAULTS[fault]
    seen: list[str] = []

    def fail_once(call: WireCall, now: str) -> Fault | None:
        request = f"{call.region} {call.service} {call.operation} {sorted(call.params.items(), key=repr)!r}"
        if not call.writes or now != phase or request in seen:
            return None
        seen.append(request)
        return act() if len(seen) % 3 == turn else None

    bench.world.interrupt(fail_once)
    bench.apply(FULL)
    assert seen
    assert calls(bench.diff(FULL)) == []


@pytest.mark.parametrize("shard", range(SHARDS))
def test_apply_after_a_kill_at_any_write_converges(first: FirstApply, bench: Bench, shard: int) -> None:
    for place in each_place(first, shard):
        bench.at(first.empty)
        interruption = Interruption(place, reset, "after", dies=True)
        lift = bench.world.interrupt(interruption)
        run = bench.run(FULL)
        run.send(run.rehearse())
        assert interruption.fired, place
        lift()
        bench.apply(FULL)
        assert calls(bench.diff(FULL)) == [], place
