"""The parts of a run: what exists once in the organization, and then accounts, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from ..engine.plan import Plan
from ..engine.run import Run
from ..fleet.fleet import ENTRY, Fleet, Job
from ..fleet.results import changed_after_accounts, results_of
from ..fleet.workers import JobsDone, Threads, run_jobs
from ..model import Account, Failure, Outcome, Refused, Result
from .deployment import MIN_TO_START, Context, seconds_left
from .event import Request

WIDTH: Final = 8  # accounts at a time

OnPlan = Callable[[Sequence[Result]], None]  # is told what is about to be changed


def _ignore(results: Sequence[Result]) -> None:
    """Nobody is told."""


class Done(NamedTuple):
    """The results of a run, those of them that AWS does not show yet, and whether changes were made.

    *late* are the results whose changes are still to be made, after those of the accounts.
    """

    results: Sequence[Result]
    unseen: Sequence[Result] = ()
    applied: bool = False
    late: Sequence[Result] = ()


def do_run(run: Run, request: Request, on_plan: OnPlan = _ignore, *, accounts_follow: bool = False) -> Done:
    """Do a run. Where *accounts_follow*, what is to be changed after them is not yet changed."""
    if request.command == "verify":
        return Done(run.verify())
    plan = run.rehearse()
    if request.command == "diff" or not plan.changes:
        return Done(plan.results)
    if request.max_changes is not None and (why := plan.exceeds(request.max_changes)):
        raise Refused(f"max_changes: {why}")
    on_plan(plan.results)
    late = changed_after_accounts(plan.results) if accounts_follow else []
    early = [each for each in plan.results if each not in late]
    return do_changes(run, request, early)._replace(late=late)


def do_changes(run: Run, request: Request, results: Sequence[Result]) -> Done:
    """Make the changes of some of a run's results."""
    sent = run.send(Plan(tuple(results)), request.allow)
    return Done(results_of(sent, results), run.settle(sent), applied=True)


def do_accounts(
    fleet: Fleet,
    request: Request,
    accounts: Iterable[Account],
    context: Context,
    on_plan: OnPlan = _ignore,
) -> dict[str, Outcome]:
    """Do the accounts for which there is time. Returns the outcome of each that was finished, by id.

    *on_plan* is called by several threads.
    """
    done: dict[str, Outcome] = {}

    def jobs() -> Iterator[Job]:
        for account in accounts:
            if seconds_left(context) < MIN_TO_START:
                return
            yield Job(
                request.command, account, failed_needs=request.failed_needs, allowed=tuple(request.allow)
            )

    def on_done(delivered: JobsDone) -> None:
        for outcome in delivered.outcomes:
            # After a stop, an account may have failed only because it was stopped.
            if not (fleet.cloud.stop.is_set() and outcome.failed):
                done[outcome.account.id] = outcome

    run_jobs(_Threads(fleet, request.max_changes, on_plan), jobs(), on_done, fleet.cloud.stop)
    return done


class _Threads(Threads):
    """Workers that do both parts of `apply` in one job: compare, and then change what differs."""

    def __init__(self, fleet: Fleet, max_changes: str | None, on_plan: OnPlan):
        super().__init__(fleet, WIDTH)
        self._max_changes, self._on_plan = max_changes, on_plan

    def _do(self, jobs: Sequence[Job]) -> JobsDone:
        return JobsDone(tuple(self._run_job(job) for job in jobs))

    def _run_job(self, job: Job) -> Outcome:
        if job.command != "apply":
            return self._fleet.run_job(job)
        found = self._fleet.run_job(replace(job, command="diff"))
        if not found.drifted:
            return found
        plan = Plan(found.results, found.in_sync)
        if self._max_changes is not None and (why := plan.exceeds(self._max_changes)):
            failure = Failure("applying", f"max_changes: {why}")
            return replace(found, results=(Result(ENTRY, found.results[0].target, failures=[failure]),))
        self._on_plan(found.results)
        return self._fleet.run_job(Job.to_apply(found, job.failed_needs, job.allowed)).after(found)
