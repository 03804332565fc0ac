"""How often AWS may be asked, and how each service says that it was too often."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ..ask import Ask
from ..rule import before
from ..words import Fault, Refused

_RATE = "Rate exceeded"
# Service: code, status and text; all others say ThrottlingException.
_THROTTLES: Final = {
    "s3": Fault("SlowDown", 503, "Please reduce your request rate."),
    "iam": Fault("Throttling", 400, _RATE),
    "sts": Fault("Throttling", 400, _RATE),
    "sns": Fault("Throttling", 400, _RATE),
    "cloudwatch": Fault("Throttling", 400, _RATE),
    "ec2": Fault("RequestLimitExceeded", 503, "Request limit exceeded."),
    "account": Fault("TooManyRequestsException", 429, "Too Many Requests"),
    "organizations": Fault(
        "TooManyRequestsException",
        400,
        "You have sent too many requests in too short a period of time. Try again later.",
    ),
}
_READS = ("Get", "Describe", "List")
_GENEROUS = 50.0
# Service: calls per second of reads, and of all else. aws.md 1.4, and the quota pages of Account Management; what
# Organizations takes is not published (memory). Each service folder adds its own.
RATES: Final[dict[str, tuple[float, float]]] = {
    "organizations": (10.0, 2.0),
    "account": (5.0, 1.0),
    "iam": (20.0, 10.0),
    "sts": (100.0, 100.0),
    "s3": (100.0, 20.0),
}
# Operations with a rate of their own.
OWN_RATES: Final[dict[tuple[str, str], float]] = {}


def throttle_of(service: str) -> Fault:
    """What the service answers when it is asked too often."""
    return _THROTTLES.get(service, Fault("ThrottlingException", 400, _RATE))


def rate_of(service: str, operation: str) -> tuple[str, float]:
    """The group of operations that share a rate, and how many a second they may be."""
    if own := OWN_RATES.get((service, operation)):
        return operation, own
    reads, others = RATES.get(service, (_GENEROUS, _GENEROUS))
    return ("reads", reads) if operation.startswith((*_READS, "Head")) else ("others", others)


class Limiter:
    """Buckets of tokens, as AWS has them: one second's worth at most, filled as time goes by."""

    def __init__(self) -> None:
        self.given: Counter[tuple[str, str, str]] = Counter()  # throttles, by account, Region and service
        self._levels: dict[tuple[str, str, str, str], tuple[float, float]] = {}

    def takes(self, ask: Ask, now: float) -> bool:
        """The call is within its rate; one that is not is counted."""
        group, rate = rate_of(ask.service, ask.operation)
        where = (ask.account, ask.region, ask.service)
        level, then = self._levels.get((*where, group), (rate, now))
        now = max(now, then)  # a test's threads may each have a time of their own
        level = min(rate, level + (now - then) * rate)
        within = level >= 1
        self._levels[*where, group] = (level - within, now)
        self.given[where] += not within
        return within


@before("throttling.rates", "*:*", row="13.6 throttling anywhere; 1.4")
def rates(ask: Ask) -> None:
    """Where `World.rates` is on, who asks too often in an account and Region is throttled."""
    if ask.world.rates and not ask.world.limiter.takes(ask, ask.world.now()):
        fault = throttle_of(ask.service)
        raise Refused(fault.code, fault.message, fault.status)
