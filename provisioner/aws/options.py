"""Options, limits, clock, waits and call counts of a run. Imports nothing of botocore, so that it is fast to import."""

from __future__ import annotations

import os
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
class Limits:
    """The limits of one exchange with AWS, so that no server can hold a call for ever or fill the memory."""

    connect: float = 10.0  # seconds until there is a connection
    # Seconds without a byte. A read that hangs is soon asked again; a write whose answer is lost must first be read back.
    read: float = 15.0
    write: float = 60.0
    answer: int = 32 * 1024 * 1024  # bytes of a response; AWS's largest answers to a read are a few MB

    def silence(self, *, writes: bool) -> float:
        """Return the longest time in seconds without a byte."""
        return self.write if writes else self.read

    def total(self, *, writes: bool) -> float:
        """Return the longest time in seconds of the whole exchange: a byte now and then does not extend it."""
        return 2 * self.silence(writes=writes)


def new_run_id() -> str:
    """Return an id for a run."""
    return os.urandom(6).hex()


@dataclass(frozen=True)
class Options:
    """Where credentials and endpoint come from, and how calls are sent. None is the default of every AWS tool."""

    profile: str | None = None
    endpoint_url: str | None = None
    # Keep to AWS's documented rates, which an endpoint that is not AWS does not have.
    use_documented_rates: bool = True
    # Use `wire/transport`. The sandbox in this process replaces botocore's connections instead.
    own_connections: bool = False
    # Use `wire/direct_reads`, over own connections: faster where there are many calls.
    own_signatures: bool = False
    limits: Limits = field(default_factory=Limits)
    # Letters, digits, `.`, `_` and `-`. It is in the user agent of each call, and so in CloudTrail's events.
    run_id: str = field(default_factory=new_run_id)


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
