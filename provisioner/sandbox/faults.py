"""Bad weather: throttles, outages and broken connections at random, the same each time for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .rules.rates import throttle_of
from .words import Fault, Phase, WireCall

_INTERNAL = "We encountered an internal error. Please try again."
# Service: what it says when it is broken; all others say InternalFailure.
_OUTAGES: Final = {
    "s3": Fault("InternalError", 500, _INTERNAL),
    "ec2": Fault("InternalError", 500, _INTERNAL),
    "iam": Fault("ServiceFailure", 500, "Service failure."),
    "organizations": Fault("ServiceException", 500, "AWS Organizations can't complete your request."),
}


def outage_of(service: str) -> Fault:
    """What the service answers when it is broken."""
    return _OUTAGES.get(service, Fault("InternalFailure", 500, _INTERNAL))


@dataclass
class Weather:
    """An interrupt that makes a share of the calls fail: `world.interrupt(Weather(seed=7, throttles=0.1))`.

    Each share is from 0 to 1. *resets* breaks the connection before the call has its effect, *losses* after it,
    *timeouts* lets the caller wait in vain after it. The same call fails at most *most* times in a row, so that who
    asks often enough is answered. What fails depends on the seed and the call, not on the order of the calls.
    """

    seed: int = 0
    throttles: float = 0.0
    outages: float = 0.0
    resets: float = 0.0
    losses: float = 0.0
    timeouts: float = 0.0
    most: int = 2
    only: Callable[[WireCall], bool] = lambda call: True
    given: Counter[str] = field(default_factory=Counter)  # how often, by kind
    _asked: Counter[str] = field(default_factory=Counter)
    _in_row: Counter[str] = field(default_factory=Counter)
    _fate: dict[str, str] = field(default_factory=dict)

    def __call__(self, call: WireCall, phase: Phase) -> Fault | None:
        """The fault of this call, if it has one in this phase. Raises what breaks its connection."""
        if not self.only(call):
            return None
        key = f"{call.account} {call.region} {call.service} {call.operation} {sorted(call.params.items())!r}"
        if phase == "before":
            self._fate[key] = self._decide(key)
        return self._strike(self._fate.get(key, ""), call.service, phase)

    def _decide(self, key: str) -> str:
        """The fate of the next call of that kind; empty for a good one."""
        self._asked[key] += 1
        chance = random.Random(f"{self.seed} {self._asked[key]} {key}").random()  # noqa: S311 it shall be foreseeable
        if self._in_row[key] < self.most:
            for kind in ("throttles", "outages", "resets", "losses", "timeouts"):
                chance -= getattr(self, kind)
                if chance < 0:
                    self._in_row[key] += 1
                    self.given[kind] += 1
                    return kind
        self._in_row[key] = 0
        return ""

    def _strike(self, kind: str, service: str, phase: Phase) -> Fault | None:
        if phase == "after":
            if kind == "losses":
                raise ConnectionError
            if kind == "timeouts":
                raise TimeoutError
            return None
        if kind == "resets":
            raise ConnectionError
        if kind == "throttles":
            return throttle_of(service)
        return outage_of(service) if kind == "outages" else None
