"""Rate limiter for each account, Region, service and kind of call, which is how AWS counts.

It starts at AWS's documented rate, if there is one; halves when AWS throttles; and grows back with each call that succeeds.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import Final, NamedTuple

Where = tuple[str, str, str]  # account, Region, service


class Rate(NamedTuple):
    """Calls a second, and how many may come at once after a pause."""

    per_second: float
    burst: float


# AWS's documented rates that cannot be raised, by service and kind of call. Each service folder adds its own.
DOCUMENTED: Final[dict[tuple[str, str], Rate]] = {
    ("sts", "read"): Rate(500, 500),  # of 600, which the account's other callers need too
}
# Calls a second:
_START: Final = 8.0  # after AWS throttled a call that had no limit
_MIN: Final = 0.5
_UNLIMITED: Final = 40.0  # from here on a call without a documented rate has no limit any more
_GROWTH: Final = 0.25  # more for each call that succeeds


@dataclass
class _Bucket:
    """The limit of one kind of call, as a virtual schedule (GCRA): *due* is when the next call would be on time."""

    rate: Rate | None
    documented: Rate | None
    due: float = 0.0
    halved: float = -math.inf  # when AWS last throttled it
    lock: threading.Lock = field(default_factory=threading.Lock)


class RateLimiter:
    """The limits of all calls of a run. Without *documented*, only AWS's throttling limits them. Times are in seconds."""

    def __init__(self, *, documented: bool = True) -> None:
        self._documented = documented
        self._buckets: dict[str, dict[tuple[str, str, str], _Bucket]] = {}  # by account
        self._lock = threading.Lock()

    def reserve(self, where: Where, kind: str, now: float) -> float:
        """Count the next call, and return the seconds to wait before it."""
        bucket = self._bucket(where, kind)
        with bucket.lock:
            if bucket.rate is None:
                return 0.0
            bucket.due = max(bucket.due, now)
            pause = bucket.due - now - (bucket.rate.burst - 1) / bucket.rate.per_second
            bucket.due += 1 / bucket.rate.per_second
            return max(pause, 0.0)

    def throttled(self, where: Where, kind: str, now: float, reserved: float | None = None) -> None:
        """Halve the rate, and allow no burst.

        A refusal of a call that was *reserved* before the rate was last halved says nothing about the rate of now: AWS
        refuses all calls that are under way at the same time.
        """
        bucket = self._bucket(where, kind)
        with bucket.lock:
            if reserved is not None and reserved <= bucket.halved:
                return
            bucket.halved = now
            per_second = max(bucket.rate.per_second / 2, _MIN) if bucket.rate else _START
            bucket.rate, bucket.due = Rate(per_second, 1), max(bucket.due, now)

    def succeeded(self, where: Where, kind: str) -> None:
        """Raise the rate a little where it was lowered."""
        bucket = self._bucket(where, kind)
        if bucket.rate is bucket.documented:
            return
        with bucket.lock:
            if bucket.rate is None or bucket.rate is bucket.documented:
                return
            per_second = bucket.rate.per_second + _GROWTH
            top = bucket.documented.per_second if bucket.documented else _UNLIMITED
            bucket.rate = bucket.documented if per_second >= top else Rate(per_second, 1)

    def forget(self, account: str) -> None:
        """Drop the account's limits, once the run is done with it."""
        with self._lock:
            self._buckets.pop(account, None)

    def _bucket(self, where: Where, kind: str) -> _Bucket:
        account, region, service = where
        key = (region, service, kind)
        bucket = self._buckets.get(account, {}).get(key)
        if bucket is None:
            with self._lock:
                documented = DOCUMENTED.get((service, kind)) if self._documented else None
                buckets = self._buckets.setdefault(account, {})
                bucket = buckets.setdefault(key, _Bucket(documented, documented))
        return bucket


def kind_of(operation: str, reads: tuple[str, ...]) -> str:
    """Return the kind of call that AWS counts *operation* as; *reads* are the prefixes of reads."""
    if operation.startswith("Lookup"):
        return "lookup"
    return "read" if operation.startswith(reads) else "write"
