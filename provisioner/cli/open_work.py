"""Find the accounts of a run, and the workers for them: threads of this process, other processes, or a Dask cluster."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from ..fleet.accounts import AccountFilter, NotInOrganization, SelectedAccounts
from ..fleet.workers import MANY, Threads, Workers
from ..model import Account, Refused
from ..report import words
from .open_session import aws_errors, aws_options
from .options import CommandError
from .resume import ONCE, Record, read_record
from .session import Session
from .work import Work

FEW = 8  # accounts at a time in one process, each with many calls at a time; of MANY, each has one


def open_work(session: Session) -> closing[Work]:
    """Find the accounts, and open the record until the block ends. Raises CommandError or BaselineError."""
    options, fleet = session.options, session.fleet
    session.screen.status("finding the accounts")
    try:
        selected = _select_accounts(session)
        with aws_errors("asking AWS which Regions the account has enabled, for `regions: all`"):
            run = fleet.whole() if fleet.single else fleet.once()
    finally:
        session.screen.clear_status()
    path, key = session.record_path, session.record_key
    done = read_record(path, key) if options.resume else set()
    if done is None:
        raise CommandError(
            f"--resume: the last `{options.command}` was of another file, or with other flags: leave `--resume` out"
        )
    if options.unattended and not options.resume:
        # What a run did not get to that was cut short, or failed, comes first: the next one may be cut short, too.
        before = read_record(path, key) or set()
        in_turn = sorted(selected.accounts, key=lambda each: each.id in before)
        selected = replace(selected, accounts=tuple(in_turn))
    if not fleet.single:
        session.wait_for_account()
        _print_selected(session, selected, done)
    workers = _open_workers(session, len(selected.accounts))
    record = Record(None if fleet.single else path, key, done)
    return closing(Work(session, selected, record, workers, run))


def _print_selected(session: Session, selected: SelectedAccounts, done: set[str]) -> None:
    resume = session.options.resume
    resumed = f"; {len(done - {ONCE})} succeeded last time" if resume else ""
    skipped = f", {len(selected.skipped)} skipped" if selected.skipped else ""
    session.screen.message(f"{words.plural(len(selected.accounts), 'account')}{skipped}{resumed}")
    if resume and done >= {ONCE, *(each.id for each in selected.accounts)}:
        text = "nothing is left to resume; leave `--resume` out to run on all accounts again"
        session.screen.message(text, always=True)


def _select_accounts(session: Session) -> SelectedAccounts:
    """The accounts of the run, at least one."""
    options = session.options
    only = AccountFilter(options.accounts, options.not_accounts, options.units)
    try:
        with aws_errors("finding the accounts of the organization"):
            selected = session.fleet.select(only)
    except NotInOrganization as error:
        raise session.baseline.problems_at(error.found) from error
    except Refused as error:
        raise CommandError(str(error)) from error
    if not selected.accounts:
        none = f"{session.baseline.place(('accounts',))}: accounts: the organization has none of these"
        if options.account_filters:
            none = f"{' and '.join(options.account_filters)}: none of the file's accounts is left"
        skipped = (f"{Account(x.account, x.name)} {x.why}" for x in selected.skipped[:3])
        raise CommandError("; ".join([none, *skipped]))
    return selected


def _open_workers(session: Session, jobs: int) -> Workers:
    """The workers that the options ask for, for that many *jobs*. Raises CommandError."""
    options, fleet = session.options, session.fleet
    if not (options.processes or options.scheduler):
        fleet.single_threaded = jobs >= FEW * 4
        return Threads(fleet, min(MANY if fleet.single_threaded else FEW, jobs))
    from ..fleet.dask import Dask
    from ..fleet.processes import Processes
    from ..fleet.remote import WorkerSetup, versions

    archive = fleet.archive
    setup = WorkerSetup(
        text=session.baseline.text,
        file=session.baseline.file,
        home=fleet.home,
        identity=session.identity,
        options=aws_options(options, many_accounts=True),
        names=options.steps,
        regions=fleet.only_regions,
        overrides=((archive, fleet.baseline.overrides_of(archive)),),
        versions=versions(),
        width=FEW,
        controls=fleet.controls,
    )
    if not options.scheduler:
        return Processes(fleet, setup, options.processes, jobs)
    try:
        return Dask(fleet, setup, options.scheduler, jobs)
    except Refused as error:
        raise CommandError(f"--scheduler: {error}") from error
