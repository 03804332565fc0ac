"""Workers of a Dask cluster. `remote.py` is what runs there.

Credentials stay where they are: a worker finds its own, as every AWS tool does, and assumes the roles itself. A cluster
behind TLS needs no option here: `distributed` reads certificates and keys from its own configuration
(`distributed.comm.tls`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ..model import Refused
from .fleet import Fleet, Job
from .remote import WorkerSetup, do_jobs, stop_run, versions, without_values
from .workers import JobsDone, portion

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 10.0  # seconds that a scheduler may take to answer


class Dask:
    """Workers of a Dask cluster. Raises Refused where it cannot be reached, or where something else is installed there."""

    def __init__(
        self, fleet: Fleet, setup: WorkerSetup, address: str, jobs: int, *, patience: float = PATIENCE
    ):
        self._setup, self._secrets = setup, fleet.baseline.secrets
        self._address, self._patience = address, patience
        self._lost_scheduler: Refused | None = None
        self._client = self._connected()
        self._slots = sum(self._client.nthreads().values())
        self.width = 2 * self._slots  # the next portion is there before the last one has come back
        self.expect(jobs)

    def expect(self, jobs: int) -> None:
        """So many jobs come now."""
        self.portion = portion(jobs, self._slots)

    def submit(self, jobs: Sequence[Job]) -> Future[JobsDone]:
        """Have the jobs done. Those of a worker that is lost, Dask itself gives to another one."""
        if self._lost_scheduler is not None:
            raise self._lost_scheduler
        # The same accounts again are to be done again; and `run_jobs` tries again what failed.
        work = self._client.get_executor(pure=False, retries=0)
        future: Future[JobsDone] = work.submit(
            do_jobs, self._setup, tuple(without_values(job, self._secrets) for job in jobs)
        )
        return future

    def recover(self, error: BaseException) -> None:  # noqa: ARG002 - it tells less than the client
        """The scheduler is sought again, once, if it was lost."""
        if self._lost_scheduler is not None or self._client.status == "running":
            return
        self.close()
        try:
            self._client = self._connected()
        except Refused as gone:
            self._lost_scheduler = gone

    def stop(self) -> None:
        """What is under way ends after the call in flight."""
        if self._client.status == "running":
            with suppress(OSError):  # without a scheduler, nobody can be told
                self._client.run(partial(stop_run, self._setup.run), on_error="ignore")

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
            asyncio.run(self._check_reachable())
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

    async def _check_reachable(self) -> None:
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
            if theirs != self._setup.versions
        ]:
            raise Refused(
                f"not all workers have {_told(self._setup.versions)}: {'; '.join(wrong)}; install the same on each"
            )


def _told(found: object) -> str:
    """Versions as a reader wants them, or why a worker has none."""
    if isinstance(found, tuple):
        return ", ".join(f"{name} {version}" for name, version in found)
    return f"no `provision`: {found}"
