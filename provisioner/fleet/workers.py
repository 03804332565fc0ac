"""Distribute jobs over workers as these become free, so that thousands of accounts take little memory.

A worker is anything behind a `concurrent.futures.Executor`. The jobs of a worker that is lost are submitted again: every
step compares before it changes, so doing an account twice changes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from itertools import islice
from math import ceil
from queue import Empty, SimpleQueue
from threading import Event
from typing import Protocol

from ..aws import describe
from ..aws.threads import ThreadPool
from ..model import Outcome, Result, Target
from .fleet import ENTRY, Fleet, Job

MANY = 128  # accounts at a time in one process, with one thread for each
TRIES = 3  # of a portion whose worker was lost
ROUNDS = 2  # portions for each worker at least, so that all workers end at about the same time
_POLL = 0.2  # seconds until a stop is noticed


@dataclass(frozen=True)
class JobsDone:
    """The outcomes of a portion, and its numbers of calls, which are 0 if this process counts them itself."""

    outcomes: tuple[Outcome, ...]
    calls: int = 0
    writes: int = 0
    throttled: int = 0


class Workers(Protocol):
    """Workers that run jobs: *width* portions at a time, of *portion* jobs each."""

    width: int
    portion: int

    def expect(self, jobs: int) -> None:
        """Set the size of the portions for that many jobs."""

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        """Run the jobs on a worker."""

    def recover(self, error: BaseException) -> None:
        """Replace what was lost when a portion failed with *error*."""

    def stop(self) -> None:
        """End the jobs that are running, after their calls in flight."""

    def close(self) -> None:
        """Release the workers."""


class Threads:
    """Threads of this process, which share its connections and credentials."""

    portion = 1

    def __init__(self, fleet: Fleet, width: int):
        self.width = width
        self._fleet = fleet
        self._pool = ThreadPool(width, "account")

    def expect(self, jobs: int) -> None:
        """One job at a time: submitting to a thread costs nothing."""

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        """Run the jobs on a thread, one after the other."""
        return self._pool.submit(self._do, jobs)

    def _do(self, jobs: Sequence[Job]) -> JobsDone:
        return JobsDone(tuple(self._fleet.run_job(job) for job in jobs))

    def recover(self, error: BaseException) -> None:
        """Nothing to do: a thread is not lost."""

    def stop(self) -> None:
        """End the jobs that are running, after their calls in flight."""
        self._fleet.cloud.stop.set()

    def close(self) -> None:
        """Cancel the jobs that have not begun, without waiting for those that are running."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class _Portion:
    jobs: tuple[Job, ...]
    tries: int = 1


def run_jobs(
    workers: Workers,
    jobs: Iterable[Job],
    on_done: Callable[[JobsDone], None],
    stop: Event,
    on_begun: Callable[[Job], None] = lambda job: None,
) -> None:
    """Run all jobs. *on_begun* is called with each job, *on_done* with each portion.

    After *stop* no more are submitted, and those that are running end early. A job that did not run has no outcome.
    """
    remaining = iter(jobs)
    running: dict[Future[JobsDone], _Portion] = {}
    retries: list[_Portion] = []
    finished: SimpleQueue[Future[JobsDone]] = SimpleQueue()
    stopped = False
    while True:
        while len(running) < workers.width and not stop.is_set():
            portion = retries.pop() if retries else _Portion(tuple(islice(remaining, workers.portion)))
            if not portion.jobs:
                break
            for job in portion.jobs:
                on_begun(job)
            future = _submit(workers, portion)
            running[future] = portion
            future.add_done_callback(finished.put)
        if not running:
            return
        if stop.is_set() and not stopped:
            workers.stop()
            stopped = True
        try:
            future = finished.get(timeout=None if stopped else _POLL)
        except Empty:
            continue
        portion = running.pop(future)
        error = _error(future)
        if error is None:
            on_done(future.result())
            continue
        workers.recover(error)
        if portion.tries < TRIES:
            retries.append(_Portion(portion.jobs, portion.tries + 1))
        else:
            on_done(JobsDone(tuple(_lost(job, error) for job in portion.jobs)))


def _submit(workers: Workers, portion: _Portion) -> Future[JobsDone]:
    """The future of the portion; if it cannot be submitted, one that has failed."""
    try:
        return workers.submit(portion.jobs)
    except Exception as error:  # noqa: BLE001 - the other portions go on
        failed: Future[JobsDone] = Future()
        failed.set_exception(error)
        return failed


def _error(future: Future[JobsDone]) -> BaseException | None:
    """The error of a portion, if any."""
    try:
        return future.exception()
    except CancelledError as error:  # by Dask, whose cluster is gone
        return error


def _lost(job: Job, error: BaseException) -> Outcome:
    """The outcome of an account whose workers were lost."""
    failure = describe(
        f"running it on a worker, {TRIES} times",
        error if isinstance(error, Exception) else Exception(str(error)),
    )
    return Outcome(job.account, results=(Result(ENTRY, Target(job.account.id, ""), failures=[failure]),))


def portion(jobs: int, slots: int) -> int:
    """How many of the *jobs* a worker gets at a time. *slots*: the number of workers.

    As many as it runs at the same time. These take seconds, so that the cost of sending them does not matter.
    """
    return max(1, min(MANY, ceil(jobs / (ROUNDS * slots))))
