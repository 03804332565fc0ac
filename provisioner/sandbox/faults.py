"""Random faults: throttles, outages and broken connections, reproducible by a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .model import Fault, Phase, WireCall
from .rules.rates import throttle_of

_INTERNAL = "We encountered an internal error. Please try again."
# By service; the error of all others is InternalFailure.
_OUTAGES: Final = {
    "s3": Fault("InternalError", 500, _INTERNAL),
    "ec2": Fault("InternalError", 500, _INTERNAL),
    "iam": Fault("ServiceFailure", 500, "Service failure."),
    "organizations": Fault("ServiceException", 500, "AWS Organizations can't complete your request."),
}


def outage_of(service: str) -> Fault:
    """The error of a service that has an outage."""
    return _OUTAGES.get(service, Fault("InternalFailure", 500, _INTERNAL))


@dataclass
class RandomFaults:
    """An interrupt that makes a share of the calls fail: `world.interrupt(RandomFaults(seed=7, throttles=0.1))`.

    Each share is from 0 to 1. *resets* breaks the connection before the call has its effect, *losses* after it, *timeouts* lets
    the caller time out after it. The same call fails at most *most* times in a row, so that enough retries succeed. Which
    calls fail depends on the seed and the call, not on the order of the calls.
    """

    seed: int = 0
    throttles: float = 0.0
    outages: float = 0.0
    resets: float = 0.0
    losses: float = 0.0
    timeouts: float = 0.0
    most: int = 2
    only: Callable[[WireCall], bool] = lambda call: True
    given: Counter[str] = field(default_factory=Counter)  # faults so far, by kind
    _calls: Counter[str] = field(default_factory=Counter)
    _consecutive: Counter[str] = field(default_factory=Counter)
    _kinds: dict[str, str] = field(default_factory=dict)

    def __call__(self, call: WireCall, phase: Phase) -> Fault | None:
        """The fault of this call in this phase, if any. Raises `ConnectionError` or `TimeoutError` for broken connections."""
        if not self.only(call):
            return None
        key = f"{call.account} {call.region} {call.service} {call.operation} {sorted(call.params.items())!r}"
        if phase == "before":
            self._kinds[key] = self._decide(key)
        return self._raise_or_fault(self._kinds.get(key, ""), call.service, phase)

    def _decide(self, key: str) -> str:
        """The kind of fault of the next such call; empty for none."""
        self._calls[key] += 1
        chance = random.Random(f"{self.seed} {self._calls[key]} {key}").random()  # noqa: S311 must be reproducible
        if self._consecutive[key] < self.most:
            for kind in ("throttles", "outages", "resets", "losses", "timeouts"):
                chance -= getattr(self, kind)
                if chance < 0:
                    self._consecutive[key] += 1
                    self.given[kind] += 1
                    return kind
        self._consecutive[key] = 0
        return ""

    def _raise_or_fault(self, kind: str, service: str, phase: Phase) -> Fault | None:
        if (kind, phase) in {("losses", "after"), ("resets", "before")}:
            raise ConnectionError
        if (kind, phase) == ("timeouts", "after"):
            raise TimeoutError
        if phase == "after":
            return None
        if kind == "throttles":
            return throttle_of(service)
        return outage_of(service) if kind == "outages" else None
