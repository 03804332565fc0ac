"""Threads that leave signals to the main thread, and whose lack stops nothing: containers and `ulimit -u` limit their number."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty
from typing import Any, TypeVar

from .reading import SynchronousExecutor

Value = TypeVar("Value")

_ENDS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])}


def leave_signals_to_main() -> None:
    """Block the signals that end a run in this thread.

    The kernel gives a signal to any thread that does not block it, and CPython does not wake the main thread from
    waiting for a lock if it went to another one: Ctrl-C would have an effect only when AWS answers.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)


def try_start(thread: threading.Thread) -> bool:
    """Start the thread, and return whether the system allowed one more."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


class ThreadPool(ThreadPoolExecutor):
    """Up to *workers* threads. Where the system allows fewer, these do all the work; where it allows none, `submit` does it."""

    def __init__(self, workers: int, name: str):
        super().__init__(workers, name, leave_signals_to_main)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have the call made, and return its future."""
        future = super().submit(fn, *args, **kwargs)
        if self._threads:
            return future
        with suppress(Empty):
            self._work_queue.get_nowait()  # this call, which no thread will ever take
        return SynchronousExecutor().submit(fn, *args, **kwargs)

    def _adjust_thread_count(self) -> None:
        with suppress(RuntimeError):
            super()._adjust_thread_count()


def start_daemon(work: Callable[[], Value], *errors: type[Exception]) -> Future[Value]:
    """Begin *work* in a thread that does not keep the program from ending. Its *errors* are the future's.

    Any other error is a mistake of ours, which Python's own hook for threads prints.
    """
    future: Future[Value] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except errors as error:
            future.set_exception(error)

    def run_in_thread() -> None:
        leave_signals_to_main()
        run()

    if not try_start(threading.Thread(target=run_in_thread, name="background", daemon=True)):
        run()
    return future
