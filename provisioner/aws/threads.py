"""Threads that leave signals to the main thread."""

from __future__ import annotations

import signal

_ENDS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])}


def leave_signals_to_main() -> None:
    """Block the signals that end a run in this thread. An initializer for ThreadPoolExecutor.

    The kernel gives a signal to any thread that does not block it, and CPython does not wake the main thread from
    waiting for a lock if it went to another one: Ctrl-C would have an effect only when AWS answers.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
