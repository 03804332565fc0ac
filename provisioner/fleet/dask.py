"""Workers of a Dask cluster. `remote.py` is the code that they run.

No credentials are sent: a worker finds its own, as every AWS tool does, and assumes the roles itself. TLS needs no option
here: `distributed` reads certificates and keys from its own configuration (`distributed.comm.tls`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from .. import install_command
from ..model import Refused
from .fleet import Fleet, Job
from .remote import WorkerSetup, do_jobs, stop_run, versions, versions_text, without_values
from .workers import JobsDone, portion

if TYPE_CHECKING:
    from distributed import Client

TIMEOUT = 10.0  # seconds to connect to a scheduler


class Dask:
    """Workers of a Dask cluster. Raises Refused if it cannot be reached or its workers have other versions installed."""

    def __init__(
        self, fleet: Fleet, setup: WorkerSetup, address: str, jobs: int, *, timeout: float = TIMEOUT
    ):
        self._setup, self._secrets = setup, fleet.baseline.secrets
        self._address, self._timeout = address, timeout
        self._lost_scheduler: Refused | None = None
        self._client = self._connect()
        self._slots = sum(self._client.nthreads().values())
        self.width = 2 * self._slots  # a worker gets its next portion before it has returned the last one
        self.expect(jobs)

    def expect(self, jobs: int) -> None:
        """Set the size of the portions for that many jobs."""
        self.portion = portion(jobs, self._slots)

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        """Run the jobs on a worker. Raises Refused if the scheduler is lost. Dask replaces a lost worker itself."""
        if self._lost_scheduler is not None:
            raise self._lost_scheduler
        # Not pure: the same jobs may run again. No retries: `run_jobs` has its own.
        work = self._client.get_executor(pure=False, retries=0)
        future: Future[JobsDone] = work.submit(
            do_jobs, self._setup, tuple(without_values(job, self._secrets) for job in jobs)
        )
        return future

    def recover(self, error: BaseException) -> None:  # noqa: ARG002 - the client tells more
        """Connect again, once, if the scheduler was lost."""
        if self._lost_scheduler is not None or self._client.status == "running":
            return
        self.close()
        try:
            self._client = self._connect()
        except Refused as gone:
            self._lost_scheduler = gone

    def stop(self) -> None:
        """End the jobs that are running, after their calls in flight."""
        if self._client.status == "running":
            with suppress(OSError):  # the scheduler may be gone
                self._client.run(partial(stop_run, self._setup.run), on_error="ignore")

    def close(self) -> None:
        """Cancel the jobs that have not begun. The cluster keeps running."""
        with suppress(TimeoutError):  # the scheduler may be gone
            self._client.close()

    def _connect(self) -> Client:
        """A client of the scheduler, after a check of its workers."""
        try:
            import distributed
        except ModuleNotFoundError as missing:
            raise Refused(
                f"a Dask cluster needs the package `{missing.name}`: `{install_command('dask')}`"
            ) from missing
        try:
            asyncio.run(self._check_reachable())
            client = distributed.Client(
                self._address, timeout=self._timeout, set_as_default=False, name="provision"
            )
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            why = str(error) or type(error).__name__
            raise Refused(f"the Dask scheduler `{self._address}` cannot be reached: {why}") from error
        try:
            self._check_workers(client)
        except BaseException:
            client.close()
            raise
        return client

    async def _check_reachable(self) -> None:
        """Raises an error if nothing listens there: a `Client` would leave threads behind."""
        from distributed import Security
        from distributed.comm import connect

        arguments = Security().get_connection_args("client")
        comm = await connect(self._address, timeout=self._timeout, **arguments)
        await comm.close()

    def _check_workers(self, client: Client) -> None:
        """Raises Refused if there are no workers, or if a worker has other versions than this process."""
        found = client.run(versions, on_error="return")
        if not found:
            raise Refused(f"the Dask scheduler `{self._address}` has no workers: start some")
        if wrong := [
            f"{worker} has {_versions_text(theirs)}"
            for worker, theirs in sorted(found.items())
            if theirs != self._setup.versions
        ]:
            raise Refused(
                f"not all workers have {versions_text(self._setup.versions)}: {'; '.join(wrong)}; install the same on each"
            )


def _versions_text(found: object) -> str:
    """The versions of a worker, or the error that it gave instead."""
    return versions_text(found) if isinstance(found, tuple) else f"no `provision`: {found}"
