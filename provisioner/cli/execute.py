"""Read and change the accounts: first the steps that run once in the organization, then every account by itself.

A file for one account is one graph of all steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from threading import Lock

from rich.text import Text

from ..engine.plan import Plan
from ..fleet.fleet import Command, Job
from ..fleet.results import changed_after_accounts, find_failed_needs, not_begun, results_of
from ..fleet.workers import JobsDone, run_jobs
from ..model import Change, Outcome, Result, Scope
from ..repair.destinations import as_warnings, look_at_destinations
from ..report import words
from ..steps.registry import all_steps
from .account_jobs import apply_to_accounts, do_jobs, print_json
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
    do_jobs(work, [jobs], len(accounts))


def _read(work: Work, command: Command) -> list[Result]:
    session, run = work.session, work.run
    look = look_at_destinations(session.cloud, session.baseline, session.identity)
    found = list(run.rehearse().results) if command == "diff" else run.verify(firing=session.options.fire)
    work.destinations = [*as_warnings(look())] if command == "diff" else look()
    return found


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
    total, made, printed = len(plan.changes), count(1), count(1)
    one_by_one = (
        single or options.unfold
    )  # else a line for each change of what exists once, and for each account
    lines = total if one_by_one else sum(len(each.changes) for each in work.once)
    print_changes, in_order = True, Lock()

    def on_change(result: Result, change: Change) -> None:
        number = next(made)
        result, change = session.record_change(result, change)
        if print_changes:
            where = f"{words.place(result)}  {result.step}  {words.clean(change.resource)}"
            with in_order:
                counter = (f"[{next(printed)}/{lines}] ", "dim")
                screen.message(Text.assemble(counter, f"{where}  {words.operation(change)}"))
        screen.status(f"making changes, {number} of {total}: {result.step} in {result.target.region}")

    run.on_change = work.fleet.on_change = on_change
    screen.status(f"making changes, 0 of {total}")
    if single:
        of_one = [r for outcome in work.outcomes.values() for r in outcome.results]
        _keep(work, *_send(work, [*work.once, *of_one]), applied=True)
        return
    late = changed_after_accounts(work.once)
    early = [r for r in work.once if r not in late]
    sent, work.once_unseen = _send(work, early)
    work.once = [*results_of(sent, early), *late]
    if not late:
        _end_once(work)
    print_changes = one_by_one
    apply_to_accounts(work)
    if late:
        print_changes = True
        sent, unseen = (
            _send(work, late) if not work.interrupted else (not_begun(late, "the run was interrupted"), [])
        )
        work.once = [*results_of(work.once, early), *results_of(sent, late)]
        work.once_unseen += unseen
        _end_once(work)


def _send(work: Work, results: Sequence[Result]) -> tuple[list[Result], list[Result]]:
    """Make the changes of these results and read them back: what was done, and what AWS does not show yet."""
    sent = work.run.send(Plan(tuple(results)), work.session.options.allow)
    work.session.screen.status("reading back")
    unseen = work.run.settle(sent)
    work.session.screen.clear_status()
    return sent, unseen


def _end_once(work: Work) -> None:
    """Print and record what was done once in the organization."""
    work.session.screen.json_line(work.once_json())
    if not work.once_unseen and all(r.ok and not r.withheld for r in work.once):
        work.record.succeeded(ONCE)


def verify_again(work: Work, results: Sequence[Result]) -> list[Result]:
    """Verify once more, after changes were made, the accounts in which a check failed. Returns the new results."""
    failing = {r.target.account for r in results if any(f.ok is False for f in r.findings)}
    again = [*work.destinations]
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
    print_json(work, outcome)


def _split(results: Iterable[Result]) -> tuple[list[Result], list[Result]]:
    """The results of the steps that run once in an organization, and the others."""
    results, steps = list(results), all_steps()
    once = [each for each in results if steps[each.step].scope is Scope.ONCE]
    return once, [each for each in results if steps[each.step].scope is not Scope.ONCE]
