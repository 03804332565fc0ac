"""Options, clock, waits and call counts of a run. Imports nothing of botocore, so that it is fast to import."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from ..model import Target


class Clock(Protocol):
    """The time, which tests replace. All times are seconds."""

    def now(self) -> float:
        """Return the seconds since some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""


class RealClock:
    """The machine's clock. A sleep ends when *stop* is set, which is when the user interrupts."""

    def __init__(self, stop: threading.Event):
        self._stop = stop

    def now(self) -> float:
        """Return the seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*, or at once when the user interrupts."""
        self._stop.wait(seconds)


@dataclass(frozen=True)
class Waiting:
    """A wait of the run before a call: *until* says for what; *waited* and *limit* are seconds."""

    target: Target
    operation: str
    until: str
    waited: float
    limit: float


@dataclass(frozen=True)
class Options:
    """Where credentials and endpoint come from, and how calls are sent. None is the default of every AWS tool."""

    profile: str | None = None
    endpoint_url: str | None = None
    use_documented_rates: bool = (
        True  # keep to AWS's documented rates, which an endpoint that is not AWS does not have
    )
    own_connections: bool = (
        False  # `wire/transport`; the sandbox in this process replaces botocore's connections
    )
    own_signatures: bool = False  # `wire/json_reads`, over own connections: faster where there are many calls


@dataclass
class Tally:
    """Counts of the calls of this process and its workers. *writes* are those that can change AWS."""

    calls: int = 0
    writes: int = 0
    throttled: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, *, writes: bool) -> None:
        """Count one call."""
        with self._lock:
            self.calls += 1
            self.writes += writes

    def add(self, calls: int, writes: int, throttled: int) -> None:
        """Add the counts of another process."""
        with self._lock:
            self.calls += calls
            self.writes += writes
            self.throttled += throttled
