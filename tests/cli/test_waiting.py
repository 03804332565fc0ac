"""Tests that a signal ends a wait of the main thread also where it interrupts no call."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from provisioner.cli.waiting import read_line, sleep


@pytest.mark.parametrize("wait", [read_line, partial(sleep, 30)])
def test_a_signal_that_interrupts_no_call_ends_it(
    monkeypatch: pytest.MonkeyPatch, wait: Callable[[], object]
) -> None:
    """As one that comes just before the call. Here another thread takes it, which interrupts the call as little."""
    leader, follower = os.openpty()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signals = threading.Timer(0.1, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
    types = threading.Timer(30, lambda: os.write(leader, b"yes\n"))  # so that a wait without an end has one
    started = time.monotonic()
    try:
        with os.fdopen(follower) as terminal:
            monkeypatch.setattr(sys, "stdin", terminal)
            signals.start()
            types.start()
            with pytest.raises(KeyboardInterrupt):
                wait()
    finally:
        types.cancel()
        signal.signal(signal.SIGINT, before)
        monkeypatch.undo()
        os.close(leader)
    assert time.monotonic() - started < 20


def test_a_line_of_the_terminal_is_read_after_a_signal_that_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leader, follower = os.openpty()
    seen: list[int] = []

    def type_then(number: int, _: object) -> None:
        seen.append(number)
        os.write(leader, b"yes\n")

    before = signal.signal(signal.SIGUSR1, type_then)
    try:
        with os.fdopen(follower) as terminal:
            monkeypatch.setattr(sys, "stdin", terminal)
            threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
            assert read_line() == "yes\n"
    finally:
        signal.signal(signal.SIGUSR1, before)
        monkeypatch.undo()
        os.close(leader)
    assert seen == [signal.SIGUSR1]
    assert signal.set_wakeup_fd(-1) == -1


def test_a_wait_ends_with_its_time() -> None:
    started = time.monotonic()
    sleep(0.05)
    assert time.monotonic() - started >= 0.05
