"""Read and change the accounts: first the steps that run once in the organization, then every account by itself.

A file for one account is one graph of all steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from rich.text import Text

from ..engine.plan import Plan
from ..fleet.fleet import Command, Job
from ..fleet.results import find_failed_needs
from ..fleet.workers import JobsDone, run_jobs
from ..model import Change, Outcome, Result, Scope
from ..report import json, words
from ..steps.registry import all_steps
from .progress import Progress
from .resume import ONCE
from .work import Work


def read(work: Work, command: Command) -> None:
    """Compare all accounts with the file, or verify them."""
    session, record = work.session, work.record
    session.screen.json_line(session.version_json())
    if work.fleet.single:
        _read_one(work, command)
        return
    if ONCE not in record.done:
        session.screen.status("reading the steps that run once")
        work.once = _read(work, command)
        session.screen.clear_status()
        session.screen.json_line(work.once_json())
        if all(r.ok and not r.changes for r in work.once):
            record.succeeded(ONCE)
    failed_needs = find_failed_needs(work.once)
    accounts = [each for each in work.selected.accounts if each.id not in record.done]
    jobs = [Job(command, x, failed_needs=failed_needs, firing=session.options.fire) for x in accounts]
    _run_jobs(work, [jobs], len(accounts))


def _read(work: Work, command: Command) -> list[Result]:
    run, firing = work.run, work.session.options.fire
    return list(run.rehearse().results) if command == "diff" else run.verify(firing=firing)


def _read_one(work: Work, command: Command) -> None:
    """Read the only account."""
    run, screen = work.run, work.session.screen
    total, done = len(run.graph), count(1)

    def on_step(result: Result) -> None:
        screen.status(f"reading, {next(done)} of {total} steps: {result.step} in {result.target.region}")

    screen.status(f"reading, 0 of {total} steps")
    run.on_step = on_step
    results = _read(work, command)
    run.on_step = lambda _: None
    screen.clear_status()
    _keep(work, results)
    work.session.wait_for_account()


def apply(work: Work, plan: Plan) -> None:
    """Make the changes and read them back: those of the steps that run once, then those of each account."""
    session, run, single = work.session, work.run, work.fleet.single
    screen, options = session.screen, session.options
    session.writing = True
    total, made = len(plan.changes), count(1)
    print_changes = True

    def on_change(result: Result, change: Change) -> None:
        number = next(made)
        result, change = session.record_change(result, change)
        if print_changes:
            where = f"{words.place(result)}  {result.step}  {words.clean(change.resource)}"
            counter = (f"[{number}/{total}] ", "dim")
            screen.message(Text.assemble(counter, f"{where}  {words.operation(change)}"))
        screen.status(f"making changes, {number} of {total}: {result.step} in {result.target.region}")

    run.on_change = work.fleet.on_change = on_change
    screen.status(f"making changes, 0 of {total}")
    of_one = [r for outcome in work.outcomes.values() for r in outcome.results] if single else []
    sent = run.send(Plan((*work.once, *of_one), plan.in_sync), options.allow)
    screen.status("reading back")
    unseen = run.settle(sent)
    screen.clear_status()
    if single:
        _keep(work, sent, unseen, applied=True)
        return
    work.once, work.once_unseen = sent, unseen
    screen.json_line(work.once_json())
    if not work.once_unseen and all(r.ok and not r.withheld for r in work.once):
        work.record.succeeded(ONCE)
    print_changes = options.unfold  # else one line for each account
    _apply_to_accounts(work)


def verify_again(work: Work, results: Sequence[Result]) -> list[Result]:
    """Verify once more, after changes were made, the accounts in which a check failed. Returns the new results."""
    failing = {r.target.account for r in results if any(f.ok is False for f in r.findings)}
    again: list[Result] = []
    if work.fleet.single or any(r in work.once or r.target.account == work.fleet.archive for r in results):
        work.run.refresh()
        again += work.run.verify()
    if work.fleet.single:
        return again
    needs = find_failed_needs(work.once)
    jobs = [Job("verify", each, failed_needs=needs) for each in work.selected.accounts if each.id in failing]

    def keep(done: JobsDone) -> None:
        again.extend(result for outcome in done.outcomes for result in outcome.results)

    run_jobs(work.workers, jobs, keep, work.session.cloud.stop)
    return again


def _apply_to_accounts(work: Work) -> None:
    """Make the changes in each account, wave by wave if the file has a `rollout`."""
    drifted = [outcome for outcome in work.sorted_outcomes if outcome.drifted]
    _run_jobs(work, _waves(work), len(drifted))
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
    _print_json(work, kept)


def _keep(
    work: Work, results: Iterable[Result], unseen: Iterable[Result] = (), *, applied: bool = False
) -> None:
    """Keep and print the results of the only account, those of the steps that run once apart from the others."""
    work.once, others = _split(results)
    work.once_unseen, others_unseen = _split(unseen)
    [account] = work.selected.accounts
    skipped = {each.region for each in work.run.skipped}
    outcome = work.outcomes[account.id] = Outcome(
        account,
        tuple(each for each in work.run.regions if each not in skipped),
        tuple(others),
        tuple(others_unseen),
        skipped=tuple(work.run.skipped),
        seconds=work.session.seconds,
        applied=applied,
    )
    work.session.screen.json_line(work.once_json())
    _print_json(work, outcome)


def _split(results: Iterable[Result]) -> tuple[list[Result], list[Result]]:
    """The results of the steps that run once in an organization, and the others."""
    results, steps = list(results), all_steps()
    once = [each for each in results if steps[each.step].scope is Scope.ONCE]
    return once, [each for each in results if steps[each.step].scope is not Scope.ONCE]


def _run_jobs(work: Work, waves: Iterable[Sequence[Job]], total: int) -> None:
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
    _print_json(work, kept)
    return kept


def _print_json(work: Work, outcome: Outcome) -> None:
    session = work.session
    session.screen.json_line(json.account_json(outcome, session.options.command))


def _print_changed(work: Work, outcome: Outcome, number: int, total: int) -> None:
    made = sum(len(r.changes) for r in outcome.results)
    failed = ", and something failed" if outcome.failed else ""
    text = f"{words.clean(str(outcome.account))}  {words.plural(made, 'change')}{failed}"
    work.session.screen.message(Text.assemble((f"[{number}/{total}] ", "dim"), text))
