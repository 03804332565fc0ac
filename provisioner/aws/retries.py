"""Which refusals are worth another try, for how long, and what the user reads meanwhile. Makes no call itself."""

from __future__ import annotations

from typing import Final

from ..model import Call, Wait
from .errors import BUSY, code_of, is_outage, is_persistent, is_throttle
from .options import Clock

DEADLINE: Final = (
    60.0  # seconds after its first refusal for which a call is retried for throttling and outages
)
_BUSY_DEADLINE: Final = 300.0  # the same while another operation on the same resource is under way
_ATTEMPTS: Final = 8  # of a read
_PERSISTENT_ATTEMPTS: Final = 3  # of a read that gets no answer in time, no connection, or no answer of AWS's


class Stopwatch:
    """The clock, without the time for which our own rate limiter has held a call back: AWS did not refuse it then."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self.held = 0.0  # seconds

    def now(self) -> float:
        """Return the seconds since some fixed moment."""
        return self._clock.now() - self.held


def read_attempts(error: Exception) -> int:
    """Return how often a read that ends in *error* is tried, the first time included."""
    if not (is_throttle(error) or is_outage(error) or code_of(error) in BUSY):
        return 1
    return _PERSISTENT_ATTEMPTS if is_persistent(error) else _ATTEMPTS


def write_wait(error: Exception, call: Call) -> Wait | None:
    """Return what the retry of a write after *error* waits for, or None where no retry helps."""
    code = code_of(error)
    named = next((each for each in call.waits if each.code == code and each.text in str(error)), None)
    if named is not None:
        return named
    if code in call.done:  # before BUSY: Access Analyzer's ConflictException is that the analyzer exists
        return None
    if code in BUSY:
        return Wait(code, until(error), seconds=_BUSY_DEADLINE)
    return Wait(code, until(error), seconds=DEADLINE) if is_throttle(error) else None


def until(error: Exception) -> str:
    """Return what a retry after *error* waits for, as a user reads it."""
    if code_of(error) in BUSY:
        return "AWS to finish another operation on the same resource"
    if is_throttle(error):
        return "AWS's rate limit to pass"
    return f"AWS to answer after {code_of(error) or 'a broken connection'}"
