"""Jobs over workers, wherever these are: given out as workers get free, so that thousands of accounts need no memory.

A worker is anything behind a `concurrent.futures.Executor`. One that is lost in mid-run loses nothing: what it had is given
out again, and since every step compares before it changes, doing an account twice changes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from math import ceil
from queue import Empty, SimpleQueue
from threading import Event
from typing import Protocol

from ..aws import describe
from ..model import Outcome, Result, Target
from .fleet import ENTRY, Fleet, Job

MANY = 128  # accounts at a time in one process, where each is done by one thread
TRIES = 3  # of jobs whose worker was lost
ROUNDS = 2  # portions for each worker at least, so that all end at about the same time
_BLINK = 0.2  # seconds until the user's wish to stop is noticed


@dataclass(frozen=True)
class JobsDone:
    """What a worker did: the accounts, and what it cost. The counts are 0 where this process counts itself."""

    outcomes: tuple[Outcome, ...]
    calls: int = 0
    writes: int = 0
    throttled: int = 0


class Workers(Protocol):
    """Those who do jobs. *width* portions are with them at a time, of *portion* jobs each."""

    width: int
    portion: int

    def expect(self, jobs: int) -> None:
        """So many jobs come now; portions are made for that."""

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        """Have the jobs done."""

    def recover(self, error: BaseException) -> None:
        """A portion came back with an error; whatever can be done to go on is done."""

    def stop(self) -> None:
        """What is under way ends after the call in flight."""

    def close(self) -> None:
        """Nobody works any more."""


class Threads:
    """Workers in this process: they share its connections, and its credentials."""

    portion = 1

    def __init__(self, fleet: Fleet, width: int):
        self.width = width
        self._fleet = fleet
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="account")

    def expect(self, jobs: int) -> None:
        """The way to a thread costs nothing: one job at a time."""

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        """Have the jobs done, one after the other."""
        return self._pool.submit(self._do, jobs)

    def _do(self, jobs: Sequence[Job]) -> JobsDone:
        return JobsDone(tuple(self._fleet.run_job(job) for job in jobs))

    def recover(self, error: BaseException) -> None:
        """A thread cannot be lost."""

    def stop(self) -> None:
        """What is under way ends after the call in flight."""
        self._fleet.cloud.stop.set()

    def close(self) -> None:
        """No job is begun any more; those under way are not waited for."""
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
    """Have all *jobs* done; what becomes of them is told as it comes.

    After *stop*, no more are given out, and those under way are halted: what is not done then has no outcome.
    """
    portions = _portions(jobs, workers.portion)
    under_way: dict[Future[JobsDone], _Portion] = {}
    again: list[_Portion] = []
    finished: SimpleQueue[Future[JobsDone]] = SimpleQueue()
    halted = False
    while True:
        while len(under_way) < workers.width and not stop.is_set():
            portion = again.pop() if again else next(portions, None)
            if portion is None:
                break
            for job in portion.jobs:
                on_begun(job)
            future = _submitted(workers, portion)
            under_way[future] = portion
            future.add_done_callback(finished.put)
        if not under_way:
            return
        if stop.is_set() and not halted:
            workers.stop()
            halted = True
        try:
            future = finished.get(timeout=None if halted else _BLINK)
        except Empty:
            continue
        portion = under_way.pop(future)
        error = _error(future)
        if error is None:
            on_done(future.result())
            continue
        workers.recover(error)
        if portion.tries < TRIES:
            again.append(_Portion(portion.jobs, portion.tries + 1))
        else:
            on_done(JobsDone(tuple(_lost(job, error) for job in portion.jobs)))


def _submitted(workers: Workers, portion: _Portion) -> Future[JobsDone]:
    """The portion under way, or failed already: there may be nobody to take it."""
    try:
        return workers.submit(portion.jobs)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other portions are not lost with it
        failed: Future[JobsDone] = Future()
        failed.set_exception(error)
        return failed


def _error(future: Future[JobsDone]) -> BaseException | None:
    """Why nothing was delivered."""
    try:
        return future.exception()
    except CancelledError as error:  # by a cluster that has gone
        return error


def _portions(jobs: Iterable[Job], size: int) -> Iterator[_Portion]:
    jobs = iter(jobs)
    while portion := tuple(islice(jobs, size)):
        yield _Portion(portion)


def _lost(job: Job, error: BaseException) -> Outcome:
    """The account was not done, because those who should have done it were lost."""
    failure = describe(
        f"doing it elsewhere, {TRIES} times", error if isinstance(error, Exception) else Exception(str(error))
    )
    return Outcome(job.account, results=(Result(ENTRY, Target(job.account.id, ""), failures=[failure]),))


def portion(jobs: int, seats: int) -> int:
    """How many accounts a worker gets at a time, where *seats* workers share that many *jobs*.

    As many as it does at the same time, which takes seconds: beside that, the way there costs nothing.
    """
    return max(1, min(MANY, ceil(jobs / (ROUNDS * seats))))
