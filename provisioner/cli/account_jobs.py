"""What is done in many accounts: the jobs on the workers, in waves if the file has them, and what becomes of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rich.text import Text

from ..fleet.fleet import Job
from ..fleet.results import find_failed_needs
from ..fleet.workers import JobsDone, run_jobs
from ..model import Outcome
from ..report import json, words
from .progress import Progress
from .work import Work


def apply_to_accounts(work: Work) -> None:
    """Make the changes in each account, wave by wave if the file has a `rollout`."""
    drifted = [outcome for outcome in work.sorted_outcomes if outcome.drifted]
    do_jobs(work, _waves(work), len(drifted))
    for each in drifted:
        if work.outcomes[each.account.id] is each:
            _keep_not_begun(work, each, "the run was interrupted")


def _waves(work: Work) -> Iterator[list[Job]]:
    """The jobs of one wave after the other, each when the one before is done, until too many accounts have failed.

    An account that could not be read is in a wave, too, and is one that failed.
    """
    rollout, allowed = work.fleet.accounts.rollout, work.session.options.allow
    failed_needs = find_failed_needs(work.once)
    turn = {each.id: number for number, each in enumerate(work.selected.accounts)}
    found = [each for each in work.sorted_outcomes if each.drifted or each.failed]
    waves = rollout.split(found) if rollout else [sorted(found, key=lambda each: turn[each.account.id])]
    done = 0  # accounts
    for number, wave in enumerate(waves, 1):
        if work.interrupted:
            return
        failed = sum(work.outcomes[each.account.id].failed for each in found[:done])
        if rollout and not rollout.allows(failed, done):
            until = f"wave 1 of {len(waves)}" if number == 2 else f"waves 1 to {number - 1} of {len(waves)}"
            why = f"in {until}, {failed} of {words.plural(done, 'account')} failed, and {rollout.limit}"
            for each in found[done:]:
                if each.drifted:
                    _keep_not_begun(work, each, why)
            return
        if rollout:
            work.session.screen.message(
                f"wave {number} of {len(waves)}: {words.plural(len(wave), 'account')}"
            )
        yield [Job.to_apply(each, failed_needs, allowed) for each in wave if each.drifted]
        done += len(wave)


def _keep_not_begun(work: Work, found: Outcome, why: str) -> None:
    """Keep and print that nothing was done in an account that differs, and why."""
    kept = work.outcomes[found.account.id] = work.fleet.not_begun(found, why)
    print_json(work, kept)


def do_jobs(work: Work, waves: Iterable[Sequence[Job]], total: int) -> None:
    """Run the jobs of each wave on the workers, *total* in all, and keep and print each outcome as it comes."""
    session, tally = work.session, work.session.cloud.tally
    applying = session.writing

    def on_done(done: JobsDone) -> None:
        tally.add(done.calls, done.writes, done.throttled)
        for outcome in done.outcomes:
            kept = _keep_outcome(work, outcome, applying=applying)
            progress.finished(kept)
            if applying and not session.options.unfold:
                _print_changed(work, kept, progress.totals.accounts, total)

    if not total:
        return
    session.graceful = True
    with Progress(session.screen, total, lambda: (tally.calls, tally.throttled)) as progress:
        for jobs in waves:
            work.workers.expect(len(jobs))
            run_jobs(
                work.workers, jobs, on_done, session.cloud.stop, lambda job: progress.started(job.account)
            )
    session.graceful = False


def _keep_outcome(work: Work, outcome: Outcome, *, applying: bool) -> Outcome:
    """Keep, record, log and print the outcome of one job. Returns it together with what was read before."""
    options, account = work.session.options, outcome.account.id
    before = work.outcomes.get(account)
    kept = work.outcomes[account] = outcome.after(before) if before else outcome
    if not kept.failed and (applying or not kept.drifted or not options.writes):
        work.record.succeeded(account)
    if applying and (options.processes or options.scheduler):
        for result in kept.results:  # changes made by other processes are known only now
            for change, request_id in zip(result.changes, result.request_ids, strict=False):
                work.fleet.on_change(replace(result, request_ids=[request_id]), change)
    print_json(work, kept)
    return kept


def print_json(work: Work, outcome: Outcome) -> None:
    """Print the line of an account, if lines of JSON are asked for."""
    session = work.session
    session.screen.json_line(json.account_json(outcome, session.options.command))


def _print_changed(work: Work, outcome: Outcome, number: int, total: int) -> None:
    made = sum(len(r.changes) for r in outcome.results)
    failed = ", and something failed" if outcome.failed else ""
    text = f"{words.clean(str(outcome.account))}  {words.plural(made, 'change')}{failed}"
    work.session.screen.message(Text.assemble((f"[{number}/{total}] ", "dim"), text))
