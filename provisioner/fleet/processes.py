"""Workers in other processes of this machine, which inherit its environment. `remote.py` is the code that they run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection

from .fleet import Fleet, Job
from .remote import WorkerSetup, do_jobs, stop_run, without_values
from .workers import JobsDone, portion


class Processes:
    """Up to *count* processes, each with an executor of its own, so that one that is lost takes no other portion with it."""

    def __init__(self, fleet: Fleet, setup: WorkerSetup, count: int, jobs: int):
        self.width = min(count, jobs)
        self.expect(jobs)
        self._setup, self._secrets = setup, fleet.baseline.secrets
        self._slots = [_Slot(setup.run) for _ in range(self.width)]

    def expect(self, jobs: int) -> None:
        """Set the size of the portions for that many jobs."""
        self.portion = portion(jobs, self.width)

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        """Run the jobs on a process that is idle."""
        slot = next(each for each in self._slots if each.idle)
        return slot.take(self._setup, tuple(without_values(job, self._secrets) for job in jobs))

    def recover(self, error: BaseException) -> None:
        """Nothing to do: the slot replaces a lost process when it is used again."""

    def stop(self) -> None:
        """End the jobs that are running, after their calls in flight."""
        for slot in self._slots:
            slot.stop()

    def close(self) -> None:
        """End the processes; jobs that are still running are killed."""
        for slot in self._slots:
            slot.close()


class _Slot:
    """One process, which is replaced if it is lost."""

    def __init__(self, run: str):
        self._run = run
        self._future: Future[JobsDone] | None = None
        self._open()

    def _open(self) -> None:
        """Make the executor, which starts the process with its first portion."""
        context = get_context("spawn")
        receiver, self._pipe = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            1, mp_context=context, initializer=_set_up, initargs=(receiver, self._run)
        )

    @property
    def idle(self) -> bool:
        """Whether no job is running."""
        return self._future is None or self._future.done()

    def take(self, setup: WorkerSetup, jobs: tuple[Job, ...]) -> Future[JobsDone]:
        """Run the jobs."""
        with _sigint_blocked():
            try:
                self._future = self._pool.submit(do_jobs, setup, jobs)
            except BrokenExecutor:
                self.close()
                self._open()
                self._future = self._pool.submit(do_jobs, setup, jobs)
        return self._future

    def stop(self) -> None:
        """End the jobs that are running, after their calls in flight."""
        with suppress(OSError):  # the process has ended
            self._pipe.send(None)

    def close(self) -> None:
        """The process ends; one that is idle has ended on return, so that its semaphores are not left behind."""
        self._pool.shutdown(wait=self.idle, cancel_futures=True)
        self._pipe.close()


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Block SIGINT, so that a process started meanwhile inherits that and ignores Ctrl-C from the beginning."""
    resource_tracker.ensure_running()  # starting it would unblock SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _set_up(pipe: Connection, run: str) -> None:
    """Make this process ignore signals, stop when its parent sends a message, and end with its parent."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_wait_for_stop, args=(pipe, run), name="stop", daemon=True).start()


def _wait_for_stop(pipe: Connection, run: str) -> None:
    while True:
        try:
            pipe.recv()
        except (EOFError, OSError):
            os._exit(1)  # the parent is gone
        stop_run(run)
