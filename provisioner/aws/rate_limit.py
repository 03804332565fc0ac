"""How fast one account is asked in one Region: never faster than AWS allows, and slower where AWS says so.

AWS counts by account, Region and service, and so does this. A throttled account does not slow the others down.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final, NamedTuple

Where = tuple[str, str, str]  # account, Region, service


class Rate(NamedTuple):
    """Calls a second, and how many may come at once after a pause."""

    each: float
    burst: float


# AWS's documented rates, which nobody can have raised, by service and kind of call. Each service folder adds its own.
DOCUMENTED: Final[dict[tuple[str, str], Rate]] = {
    ("sts", "read"): Rate(500, 500),  # of 600, which the account's other callers need too
}
_FIRST, _LEAST, _FREE = (
    8.0,
    0.5,
    40.0,
)  # calls a second: after the first refusal, at least, and no limit any more
_GROWTH: Final = 0.25  # calls a second more for each call that is let through


@dataclass
class _Lane:
    """One kind of call in one place, as a virtual schedule (GCRA): *due* is when the next call would be on time."""

    rate: Rate | None
    limit: Rate | None  # the documented one
    due: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Pace:
    """The lanes of every account, Region and service that was asked. Without *documented*, AWS's refusals alone count."""

    def __init__(self, *, documented: bool = True) -> None:
        self._documented = documented
        self._lanes: dict[str, dict[tuple[str, str, str], _Lane]] = {}  # by account
        self._lock = threading.Lock()

    def wait(self, where: Where, kind: str, now: float) -> float:
        """The seconds to wait before the next call, which is counted from now on."""
        lane = self._lane(where, kind)
        with lane.lock:
            if lane.rate is None:
                return 0.0
            lane.due = max(lane.due, now)
            pause = lane.due - now - (lane.rate.burst - 1) / lane.rate.each
            lane.due += 1 / lane.rate.each
            return max(pause, 0.0)

    def refused(self, where: Where, kind: str, now: float) -> None:
        """AWS refused a call for its rate: half as many come from here on, and none that were saved up."""
        lane = self._lane(where, kind)
        with lane.lock:
            each = max(lane.rate.each / 2, _LEAST) if lane.rate else _FIRST
            lane.rate, lane.due = Rate(each, 1), max(lane.due, now)

    def passed(self, where: Where, kind: str) -> None:
        """A call went through: where AWS had refused some, a little faster again."""
        lane = self._lane(where, kind)
        if lane.rate is lane.limit:
            return
        with lane.lock:
            if lane.rate is None or lane.rate is lane.limit:
                return
            each = lane.rate.each + _GROWTH
            top = lane.limit.each if lane.limit else _FREE
            lane.rate = lane.limit if each >= top else Rate(each, 1)

    def forget(self, account: str) -> None:
        """The account is done with."""
        with self._lock:
            self._lanes.pop(account, None)

    def _lane(self, where: Where, kind: str) -> _Lane:
        account, region, service = where
        key = (region, service, kind)
        lane = self._lanes.get(account, {}).get(key)
        if lane is None:
            with self._lock:
                limit = DOCUMENTED.get((service, kind)) if self._documented else None
                lane = self._lanes.setdefault(account, {}).setdefault(key, _Lane(limit, limit))
        return lane


def kind_of(operation: str, reads: tuple[str, ...]) -> str:
    """What AWS counts the call as."""
    if operation.startswith("Lookup"):
        return "lookup"
    return "read" if operation.startswith(reads) else "write"
