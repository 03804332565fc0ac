"""Who does the accounts: threads of this process, other processes, or a Dask cluster."""

from __future__ import annotations

from ..fleet.fleet import Fleet
from ..fleet.workers import MANY, Threads, Workers
from ..model import Refused
from .scope import Unable
from .session import Session, real

FEW = 8  # accounts at a time in one process, where each asks many questions at once; of many, each asks one


def workers(session: Session, fleet: Fleet, jobs: int) -> Workers:
    """The workers that were asked for, for that many *jobs*. Raises Unable where they cannot be had."""
    asked = session.asked
    if not (asked.processes or asked.scheduler):
        fleet.alone = jobs >= FEW * 4
        return Threads(fleet, min(MANY if fleet.alone else FEW, jobs))
    from ..fleet.dask import Dask
    from ..fleet.processes import Processes
    from ..fleet.remote import Recipe, versions

    archive = fleet.archive
    recipe = Recipe(
        text=session.baseline.text,
        file=session.baseline.file,
        home=fleet.home,
        identity=session.identity,
        options=real(asked),
        names=asked.steps,
        regions=fleet.only_regions,
        overrides=((archive, fleet.baseline.overrides_of(archive)),),
        versions=versions(),
        width=FEW,
    )
    if asked.scheduler:
        try:
            return Dask(fleet, recipe, asked.scheduler, jobs)
        except Refused as error:
            raise Unable(f"--scheduler: {error}") from error
    return Processes(fleet, recipe, asked.processes, jobs)
