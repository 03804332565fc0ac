"""Threads that leave signals to the main thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Value = TypeVar("Value")

_ENDS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])}


def leave_signals_to_main() -> None:
    """Block the signals that end a run in this thread. An initializer for ThreadPoolExecutor.

    The kernel gives a signal to any thread that does not block it, and CPython does not wake the main thread from
    waiting for a lock if it went to another one: Ctrl-C would have an effect only when AWS answers.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)


def start_daemon(work: Callable[[], Value], *errors: type[Exception]) -> Future[Value]:
    """Begin *work* in a thread that does not keep the program from ending. Its *errors* are the future's.

    Any other error is a mistake of ours, which Python's own hook for threads prints.
    """
    future: Future[Value] = Future()

    def run() -> None:
        leave_signals_to_main()
        try:
            future.set_result(work())
        except errors as error:
            future.set_exception(error)

    threading.Thread(target=run, name="background", daemon=True).start()
    return future
