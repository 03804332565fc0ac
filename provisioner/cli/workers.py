"""Who does the accounts: threads of this process, other processes, or a Dask cluster."""

from __future__ import annotations

from ..fleet import Fleet
from ..spread import Threads, Workers
from .session import Session, real

WIDTH = 8  # accounts at a time in one process; each asks many questions at once


def workers(session: Session, fleet: Fleet, jobs: int) -> Workers:
    """The workers that were asked for, for that many *jobs*. Raises Refused where they cannot be had."""
    asked = session.asked
    if not (asked.processes or asked.scheduler):
        return Threads(fleet, min(WIDTH, jobs))
    from ..elsewhere import Dask, Processes
    from ..remote import Recipe, versions

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
        width=WIDTH,
    )
    if asked.scheduler:
        return Dask(recipe, asked.scheduler, jobs)
    return Processes(recipe, asked.processes, jobs)
