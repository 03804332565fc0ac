"""Rate limits of each service, and its error for calls above them."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ..ask import Request
from ..model import Fault, Refused
from ..rule import before

_RATE = "Rate exceeded"
# By service; the error of all others is ThrottlingException.
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
# Service -> reads per second, and other calls per second: aws.md 1.4, and the quota pages of Account Management; those of
# Organizations are not published (memory). Each service folder adds its own.
RATES: Final[dict[str, tuple[float, float]]] = {
    "organizations": (10.0, 2.0),
    "account": (5.0, 1.0),
    "iam": (20.0, 10.0),
    "sts": (100.0, 100.0),
    "s3": (100.0, 20.0),
}
# (service, operation) -> calls per second, for operations with a rate of their own.
OWN_RATES: Final[dict[tuple[str, str], float]] = {}


def throttle_of(service: str) -> Fault:
    """The error of a service that throttles."""
    return _THROTTLES.get(service, Fault("ThrottlingException", 400, _RATE))


def rate_of(service: str, operation: str) -> tuple[str, float]:
    """The group of operations that share a rate, and how many per second are allowed."""
    if own := OWN_RATES.get((service, operation)):
        return operation, own
    reads, others = RATES.get(service, (_GENEROUS, _GENEROUS))
    return ("reads", reads) if operation.startswith((*_READS, "Head")) else ("others", others)


class Limiter:
    """Token buckets, as AWS has them, that hold one second's worth of calls at most."""

    def __init__(self) -> None:
        self.throttled: Counter[tuple[str, str, str]] = Counter()  # calls, by account, Region and service
        self._levels: dict[tuple[str, str, str, str], tuple[float, float]] = {}

    def allows(self, request: Request, now: float) -> bool:
        """Whether the call is within its rate; those above it are counted."""
        group, rate = rate_of(request.service, request.operation)
        where = (request.account, request.region, request.service)
        level, then = self._levels.get((*where, group), (rate, now))
        now = max(now, then)  # the clocks of a test's threads may differ
        level = min(rate, level + (now - then) * rate)
        within = level >= 1
        self._levels[*where, group] = (level - within, now)
        self.throttled[where] += not within
        return within


@before("throttling.rates", "*:*", row="13.6 throttling anywhere; 1.4")
def rates(request: Request) -> None:
    """With `World.rates`, calls above the rate of an account and Region are throttled."""
    if request.world.rates and not request.world.limiter.allows(request, request.world.now()):
        fault = throttle_of(request.service)
        raise Refused(fault.code, fault.message, fault.status)
