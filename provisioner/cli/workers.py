"""Who does the accounts: threads of this process, other processes, or a Dask cluster."""

from __future__ import annotations

from ..fleet.workers import MANY, Threads, Workers
from ..model import Refused
from .options import Unable
from .session import Session, to_real_aws

FEW = 8  # accounts at a time in one process, where each asks many questions at once; of many, each asks one


def workers(session: Session, jobs: int) -> Workers:
    """The workers that were asked for, for that many *jobs*. Raises Unable where they cannot be had."""
    asked, fleet = session.asked, session.fleet
    if not (asked.processes or asked.scheduler):
        fleet.alone = jobs >= FEW * 4
        return Threads(fleet, min(MANY if fleet.alone else FEW, jobs))
    from ..fleet.dask import Dask
    from ..fleet.processes import Processes
    from ..fleet.remote import WorkerSetup, versions

    archive = fleet.archive
    setup = WorkerSetup(
        text=session.baseline.text,
        file=session.baseline.file,
        home=fleet.home,
        identity=session.identity,
        options=to_real_aws(asked, many_accounts=True),
        names=asked.steps,
        regions=fleet.only_regions,
        overrides=((archive, fleet.baseline.overrides_of(archive)),),
        versions=versions(),
        width=FEW,
    )
    if asked.scheduler:
        try:
            return Dask(fleet, setup, asked.scheduler, jobs)
        except Refused as error:
            raise Unable(f"--scheduler: {error}") from error
    return Processes(fleet, setup, asked.processes, jobs)
