"""Wait in the main thread for a line of the terminal, or for some time, such that a signal ends it at once.

Python handles a signal that comes just before a call that blocks only after that call, so that Ctrl-C would wait for the
next key. Source: "Execution of Python signal handlers" and `signal.set_wakeup_fd` in Python's documentation.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_LONGEST: Final = 2**31 - 1  # milliseconds of one poll


def read_line() -> str:
    """Wait for a line on stdin, which is a terminal. Raises what the handler of a signal raises."""
    _wait(None, sys.stdin.fileno())
    return sys.stdin.readline()


def sleep(seconds: float) -> None:
    """Wait for that time. Raises what the handler of a signal raises."""
    _wait(seconds)


def _wait(seconds: float | None, *descriptors: int) -> None:
    """Wait until one of the descriptors can be read, or the time is over; None waits for ever."""
    end = time.monotonic() + (seconds or 0)
    with _signals() as came:
        poll = select.poll()
        for each in (came, *descriptors):
            poll.register(each, select.POLLIN)
        while seconds is None or end > time.monotonic():
            left = None if seconds is None else min((end - time.monotonic()) * 1000 + 1, _LONGEST)
            ready = [number for number, _ in poll.poll(left)]
            if any(each != came for each in ready):
                return
            if ready:
                os.read(came, 1024)  # of a signal whose handler raises nothing


@contextmanager
def _signals() -> Iterator[int]:
    """A descriptor that can be read once a signal with a handler has come."""
    came, tell = os.pipe()
    os.set_blocking(tell, False)
    before = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    try:
        yield came
    finally:
        signal.set_wakeup_fd(before)
        os.close(came)
        os.close(tell)
