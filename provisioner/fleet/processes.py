"""Workers in other processes of this machine, which have the environment of this one. `remote.py` is what runs there."""

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
    """Workers in *count* processes of this machine, each with one portion: who is lost takes no other portion with it."""

    def __init__(self, fleet: Fleet, setup: WorkerSetup, count: int, jobs: int):
        self.width = min(count, jobs)
        self.expect(jobs)
        self._setup, self._secrets = setup, fleet.baseline.secrets
        self._slots = [_Slot(setup.run) for _ in range(self.width)]

    def expect(self, jobs: int) -> None:
        """So many jobs come now."""
        self.portion = portion(jobs, self.width)

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        """Have the jobs done by a process that has nothing to do."""
        slot = next(each for each in self._slots if each.free)
        return slot.take(self._setup, tuple(without_values(job, self._secrets) for job in jobs))

    def recover(self, error: BaseException) -> None:
        """Another process takes the place of a lost one when it is needed."""

    def stop(self) -> None:
        """What is under way ends after the call in flight."""
        for slot in self._slots:
            slot.stop()

    def close(self) -> None:
        """Nobody works any more. What is still under way, because this process gave up, ends at once."""
        for slot in self._slots:
            slot.close()


class _Slot:
    """One process, and after it is lost the next one."""

    def __init__(self, run: str):
        self._run = run
        self._future: Future[JobsDone] | None = None
        self._begin()

    def _begin(self) -> None:
        """A process will be started for the first portion."""
        context = get_context("spawn")
        heard, self._line = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            1, mp_context=context, initializer=_set_up, initargs=(heard, self._run)
        )

    @property
    def free(self) -> bool:
        """It has nothing to do."""
        return self._future is None or self._future.done()

    def take(self, setup: WorkerSetup, jobs: tuple[Job, ...]) -> Future[JobsDone]:
        """Do the jobs."""
        with _unheard():
            try:
                self._future = self._pool.submit(do_jobs, setup, jobs)
            except BrokenExecutor:
                self.close()
                self._begin()
                self._future = self._pool.submit(do_jobs, setup, jobs)
        return self._future

    def stop(self) -> None:
        """What is under way ends after the call in flight."""
        with suppress(OSError):  # it has ended by itself
            self._line.send(None)

    def close(self) -> None:
        """The process ends."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._line.close()


@contextmanager
def _unheard() -> Iterator[None]:
    """A process that is started meanwhile does not hear Ctrl-C, not even before it can say so itself."""
    resource_tracker.ensure_running()  # to start it lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _set_up(line: Connection, run: str) -> None:
    """The process stops when the one that started it says so, and ends with it; signals are for that one."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_obey, args=(line, run), name="heed", daemon=True).start()


def _obey(line: Connection, run: str) -> None:
    while True:
        try:
            line.recv()
        except (EOFError, OSError):
            os._exit(1)  # nobody is there any more to tell
        stop_run(run)
