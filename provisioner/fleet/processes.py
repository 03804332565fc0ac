"""Workers in other processes: of this machine, or of a Dask cluster. `remote.py` is what runs there.

Credentials stay where they are. A process of this machine has the environment of this one; a worker of a cluster finds
its own, as every AWS tool does, and assumes the roles itself. A cluster behind TLS needs no option here: `distributed`
reads certificates and keys from its own configuration (`distributed.comm.tls`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from math import ceil
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from ..model import Refused
from .fleet import Fleet, Job
from .remote import Recipe, deliver, halt, sealed, versions
from .workers import MANY, Delivered

if TYPE_CHECKING:
    from distributed import Client

ROUNDS = 2  # portions for each worker at least, so that all end at about the same time
PATIENCE = 10.0  # seconds that a scheduler may take to answer


def portion(jobs: int, seats: int) -> int:
    """How many accounts a worker gets at a time, where *seats* workers share that many *jobs*.

    As many as it does at the same time, which takes seconds: beside that, the way there costs nothing.
    """
    return max(1, min(MANY, ceil(jobs / (ROUNDS * seats))))


class Processes:
    """Workers in *count* processes of this machine, each with one portion: who is lost takes no other portion with it."""

    def __init__(self, fleet: Fleet, recipe: Recipe, count: int, jobs: int):
        self.width = min(count, jobs)
        self.expect(jobs)
        self._recipe, self._secrets = recipe, fleet.baseline.secrets
        self._seats = [_Seat(recipe.run) for _ in range(self.width)]

    def expect(self, jobs: int) -> None:
        """So many jobs come now."""
        self.portion = portion(jobs, self.width)

    def submit(self, jobs: Sequence[Job]) -> Future[Delivered]:
        """Have the jobs done by a process that has nothing to do."""
        seat = next(each for each in self._seats if each.free)
        return seat.take(self._recipe, tuple(sealed(job, self._secrets) for job in jobs))

    def mend(self, error: BaseException) -> None:
        """Another process takes the place of a lost one when it is needed."""

    def halt(self) -> None:
        """What is under way ends after the call in flight."""
        for seat in self._seats:
            seat.halt()

    def close(self) -> None:
        """Nobody works any more. What is still under way, because this process gave up, ends at once."""
        for seat in self._seats:
            seat.close()


class _Seat:
    """One process, and after it is lost the next one."""

    def __init__(self, run: str):
        self._run = run
        self._future: Future[Delivered] | None = None
        self._begin()

    def _begin(self) -> None:
        """A process will be started for the first portion."""
        context = get_context("spawn")
        heard, self._line = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            1, mp_context=context, initializer=_settle_in, initargs=(heard, self._run)
        )

    @property
    def free(self) -> bool:
        """It has nothing to do."""
        return self._future is None or self._future.done()

    def take(self, recipe: Recipe, jobs: tuple[Job, ...]) -> Future[Delivered]:
        """Do the jobs."""
        with _unheard():
            try:
                self._future = self._pool.submit(deliver, recipe, jobs)
            except BrokenExecutor:
                self.close()
                self._begin()
                self._future = self._pool.submit(deliver, recipe, jobs)
        return self._future

    def halt(self) -> None:
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


def _settle_in(line: Connection, run: str) -> None:
    """The process stops when the one that started it says so, and ends with it; signals are for that one."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_heed, args=(line, run), name="heed", daemon=True).start()


def _heed(line: Connection, run: str) -> None:
    while True:
        try:
            line.recv()
        except (EOFError, OSError):
            os._exit(1)  # nobody is there any more to tell
        halt(run)


class Dask:
    """Workers of a Dask cluster. Raises Refused where it cannot be reached, or where something else is installed there."""

    def __init__(self, fleet: Fleet, recipe: Recipe, address: str, jobs: int, *, patience: float = PATIENCE):
        self._recipe, self._secrets = recipe, fleet.baseline.secrets
        self._address, self._patience = address, patience
        self._gone: Refused | None = None
        self._client = self._connected()
        self._seats = sum(self._client.nthreads().values())
        self.width = 2 * self._seats  # the next portion is there before the last one has come back
        self.expect(jobs)

    def expect(self, jobs: int) -> None:
        """So many jobs come now."""
        self.portion = portion(jobs, self._seats)

    def submit(self, jobs: Sequence[Job]) -> Future[Delivered]:
        """Have the jobs done. Those of a worker that is lost, Dask itself gives to another one."""
        if self._gone is not None:
            raise self._gone
        # The same accounts again are to be done again; and `spread` tries again what failed.
        work = self._client.get_executor(pure=False, retries=0)
        future: Future[Delivered] = work.submit(
            deliver, self._recipe, tuple(sealed(job, self._secrets) for job in jobs)
        )
        return future

    def mend(self, error: BaseException) -> None:  # noqa: ARG002 - it tells less than the client
        """The scheduler is sought again, once, if it was lost."""
        if self._gone is not None or self._client.status == "running":
            return
        self.close()
        try:
            self._client = self._connected()
        except Refused as gone:
            self._gone = gone

    def halt(self) -> None:
        """What is under way ends after the call in flight."""
        if self._client.status == "running":
            with suppress(OSError):  # without a scheduler, nobody can be told
                self._client.run(partial(halt, self._recipe.run), on_error="ignore")

    def close(self) -> None:
        """No job is begun any more. The cluster stays."""
        with suppress(TimeoutError):  # there may be nobody to take leave of
            self._client.close()

    def _connected(self) -> Client:
        """A client of the scheduler, whose workers have been looked at."""
        try:
            import distributed
        except ModuleNotFoundError as missing:
            raise Refused(
                f"a Dask cluster needs the package `{missing.name}`: pip install 'provision-baseline[dask]'"
            ) from missing
        try:
            asyncio.run(self._knock())
            client = distributed.Client(
                self._address, timeout=self._patience, set_as_default=False, name="provision"
            )
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            why = str(error) or type(error).__name__
            raise Refused(f"the Dask scheduler `{self._address}` cannot be reached: {why}") from error
        try:
            self._check(client)
        except BaseException:
            client.close()
            raise
        return client

    async def _knock(self) -> None:
        """Somebody is there. A client that finds nobody leaves threads behind."""
        from distributed import Security
        from distributed.comm import connect

        arguments = Security().get_connection_args("client")
        comm = await connect(self._address, timeout=self._patience, **arguments)
        await comm.close()

    def _check(self, client: Client) -> None:
        """Every worker there is has what this process has."""
        found = client.run(versions, on_error="return")
        if not found:
            raise Refused(f"the Dask scheduler `{self._address}` has no workers: start some")
        if wrong := [
            f"{worker} has {_told(theirs)}"
            for worker, theirs in sorted(found.items())
            if theirs != self._recipe.versions
        ]:
            raise Refused(
                f"not all workers have {_told(self._recipe.versions)}: {'; '.join(wrong)}; install the same on each"
            )


def _told(found: object) -> str:
    """Versions as a reader wants them, or why a worker has none."""
    if isinstance(found, tuple):
        return ", ".join(f"{name} {version}" for name, version in found)
    return f"no `provision`: {found}"
