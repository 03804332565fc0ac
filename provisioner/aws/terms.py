"""What a run and its way to AWS speak of: time, options, waiting, and what was counted. Loads nothing of botocore's."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from ..model import Target


class Clock(Protocol):
    """Time, so that a test can make it fly."""

    def now(self) -> float:
        """Seconds since some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""


class RealClock:
    """Real time; a sleep ends when the user interrupts."""

    def __init__(self, stop: threading.Event):
        self._stop = stop

    def now(self) -> float:
        """Seconds since the machine was started, or so."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*, or at once when the user interrupts."""
        self._stop.wait(seconds)


@dataclass(frozen=True)
class Waiting:
    """The run waits: for AWS to see an earlier write, or for its rate. *limit* and *waited* are seconds."""

    target: Target
    operation: str
    until: str
    waited: float
    limit: float


@dataclass(frozen=True)
class Options:
    """Where the credentials and the endpoint come from. None is what every AWS tool does by itself."""

    profile: str | None = None
    endpoint_url: str | None = None
    paced: bool = True  # by AWS's documented rates; what is no AWS has none
    own_connections: bool = (
        False  # `wire/transport`; the sandbox in this process stands where botocore's session does
    )
    own_signatures: bool = False  # `wire/json_reads`, over own connections: worth it where calls are many


@dataclass
class Tally:
    """Calls that left this process, or that another one told of. *writes* are those that can change AWS."""

    calls: int = 0
    writes: int = 0
    throttled: int = 0
    by_operation: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, name: str, *, writes: bool) -> None:
        """One call more. *name* is botocore's, with the service."""
        with self._lock:
            self.calls += 1
            self.writes += writes
            self.by_operation[name] = self.by_operation.get(name, 0) + 1

    def add(self, calls: int, writes: int, throttled: int) -> None:
        """What another process counted."""
        with self._lock:
            self.calls += calls
            self.writes += writes
            self.throttled += throttled
