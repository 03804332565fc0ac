"""The time of the soak: that of the process, moved by hand. Nothing waits."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

import time_machine

MIDDLE: Final = datetime(2027, 1, 7, tzinfo=UTC)  # of the whole time: midnight, as an exception expires then
MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
EVERY: Final = 15 * MINUTE  # of cron
SPLAY: Final = 2 * MINUTE


class SoakClock:
    """The clock of the program and of the sandbox. A sleep moves the time and returns at once."""

    def __init__(self, moved: time_machine.Traveller, start: datetime):
        self._moved, self.start = moved, start
        self._slept = 0.0

    def now(self) -> float:
        """Return the seconds since the soak began."""
        return datetime.now(UTC).timestamp() - self.start.timestamp()

    def monotonic(self) -> float:
        """Return the seconds of the machine's clock, and those that were slept: it never goes back for a session."""
        return time.monotonic() + self._slept

    def of(self, time: str) -> float:
        """Return the seconds of a time in a record."""
        return datetime.fromisoformat(time).timestamp() - self.start.timestamp()

    def sleep(self, seconds: float) -> None:
        """Move the time."""
        if seconds > 0:
            self._slept += seconds
            self._moved.shift(seconds)

    def wait_until(self, seconds: float) -> None:
        """Move the time to a moment, unless it is over."""
        self.sleep(seconds - self.now())


def text(seconds: float) -> str:
    """`3d 07:15:20`."""
    days, rest = divmod(int(seconds), int(DAY))
    return f"{days}d {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


class SessionClock:
    """The same for a session, which counts from another moment."""

    def __init__(self, clock: SoakClock):
        self.now, self.sleep = clock.monotonic, clock.sleep
