"""diff, apply and verify over many accounts: what exists once first, then every account by itself."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace

from rich.text import Text

from ..aws import describe
from ..aws.errors import BotoCoreError, ClientError
from ..engine.plan import Plan, count
from ..fleet.accounts import Census, Mistaken, Narrowed
from ..fleet.fleet import Command, Fleet, Job, lost_steps, telling
from ..fleet.workers import Delivered, Workers, spread
from ..model import Change, Outcome, Refused, Result, Skipped
from ..report import failing, grouped, lines, text, words
from ..report.places import who
from ..report.totals import Totals, state
from .codes import CHANGES, ERROR, INTERRUPTED, OK, SOME_FAILED
from .gate import asks, gate
from .lock import locked
from .progress import Progress
from .resume import CENTRAL, Record, read_record
from .session import Session, Unable
from .workers import workers


@dataclass
class Work:
    """One command over the accounts of a fleet, and what is known of it so far."""

    session: Session
    fleet: Fleet
    census: Census
    record: Record
    workers: Workers
    central: list[Result] = field(default_factory=list)
    unseen: list[Result] = field(default_factory=list)  # of what exists once
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by account
    spreading: bool = False  # what exists once is done, and the accounts are being changed

    def close(self) -> None:
        """Nothing more comes."""
        self.workers.close()
        self.record.close()

    @property
    def names(self) -> dict[str, str]:
        """What the accounts are called."""
        skipped = {each.account: each.name for each in self.census.skipped}
        return skipped | {each.id: each.name for each in self.census.accounts}

    @property
    def plan(self) -> Plan:
        """All that would change, or was changed, in the order of the accounts."""
        told, others = telling(self.central)
        results = [*told]
        for _, outcome in sorted(self.outcomes.items()):
            results += outcome.results
            others += outcome.in_sync
        return Plan(tuple(results), others)

    @property
    def standing(self) -> Totals:
        """How the accounts stand."""
        found = Totals(skipped=len(self.census.skipped), organization=state(self.central, self.unseen))
        for outcome in self.outcomes.values():
            found.add(outcome)
        return found

    @property
    def left(self) -> int:
        """The accounts that were not come to."""
        done = len(self.outcomes) + sum(each.id in self.record.done for each in self.census.accounts)
        return len(self.census.accounts) - done

    @property
    def interrupted(self) -> bool:
        """The user has asked to stop."""
        return self.session.cloud.stop.is_set()

    @property
    def code(self) -> int:
        """The exit code of what was done, were there no changes left to make."""
        if self.interrupted:
            return INTERRUPTED
        if not self.failed:
            return OK
        plan = self.plan
        return SOME_FAILED if plan.in_sync.steps or any(r.ok for r in plan.results) else ERROR

    @property
    def failed(self) -> bool:
        """Something was not read or done, somewhere."""
        central = any(not r.ok or r.withheld for r in self.central)
        return central or bool(self.unseen) or any(each.failed for each in self.outcomes.values())


def diff(session: Session, fleet: Fleet) -> int:
    """Show what would change in every account; make no write."""
    with closing_work(session, fleet) as work:
        _look(work, "diff")
        plan = work.plan
        _show(work, plan)
        _finish(work, plan)
        counted = count(plan.results)
        session.journal.failures(session.shown(plan.failed))
        session.journal.write("compared", add=counted.add, change=counted.change, failed=len(plan.failed))
        return work.code or (CHANGES if plan.changes else OK)


def apply(session: Session, fleet: Fleet) -> int:
    """Show, ask, send, read back: what exists once, then every account that differs."""
    asked = session.asked
    with locked(session.lock_path, asked.lock_timeout), closing_work(session, fleet) as work:
        _look(work, "diff")
        plan = work.plan
        if not asked.quiet or (plan.changes and asks(asked)):
            _show(work, plan)
        if work.interrupted:
            session.screen.say("interrupted; nothing was changed", always=True)
        elif plan.changes:
            gate(session, plan, f"{words.plural(_places(work), 'account')}")
            with session.among_writes():
                _carry_out(work, plan)
            plan = work.plan
            _tell(work, plan)
        elif asked.quiet:
            _show_failures(work, session.shown(plan).results)
        session.journal.failures(session.shown(plan.failed))
        _finish(work, plan)
        return work.code


def verify(session: Session, fleet: Fleet) -> int:
    """Prove in every account that what is configured works."""
    with closing_work(session, fleet) as work:
        _look(work, "verify")
        plan = session.shown(work.plan)
        bad = [r for r in plan.results if r.changes or not r.ok or any(f.ok is False for f in r.findings)]
        if bad or not session.asked.quiet:
            unfold, names = session.asked.unfold, work.names
            session.screen.lines(failing.verified(plan.results, names, unfold=unfold))
            session.screen.report(grouped.skipped(_left_out(work), names, unfold=unfold))
            told = failing.checks(plan.results, plan.in_sync)
            session.screen.lines([f"{told}. {work.standing.line(session.cost)}"])
        _finish(work, plan)
        session.journal.write("verified", failed=sorted({r.step for r in bad}))
        return work.code or (CHANGES if bad else OK)


def closing_work(session: Session, fleet: Fleet) -> closing[Work]:
    """The accounts are found, and the record is open until the block ends. Raises Unable, or BaselineError."""
    asked = session.asked
    session.screen.busy("finding the accounts")
    try:
        census = _census(session, fleet)
    finally:
        session.screen.idle()
    key = session.key
    path = session.record_path
    done = read_record(path, key) if asked.resume else set()
    if done is None:
        raise Unable(
            f"--resume: the last `{asked.command}` was of another file, or with other flags: leave `--resume` out"
        )
    session.introduced()
    resumed = f"; {len(done - {CENTRAL})} succeeded last time" if asked.resume else ""
    left = f", {len(census.skipped)} left out" if census.skipped else ""
    session.screen.say(f"{words.plural(len(census.accounts), 'account')}{left}{resumed}")
    if asked.resume and done >= {CENTRAL, *(each.id for each in census.accounts)}:
        session.screen.say("nothing is left to go on with; without `--resume` all is done again", always=True)
    those = workers(session, fleet, len(census.accounts))
    return closing(Work(session, fleet, census, Record(path, key, done), those))


def _census(session: Session, fleet: Fleet) -> Census:
    """The accounts of the run, at least one."""
    asked = session.asked
    try:
        census = fleet.census(Narrowed(asked.accounts, asked.not_accounts, asked.units))
    except Mistaken as error:
        raise session.baseline.mistakes(error.found) from error
    except Refused as error:
        raise Unable(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        doing = "finding the accounts of the organization"
        raise Unable("; ".join(words.failure(describe(doing, error)))) from error
    if not census.accounts:
        none = f"{session.baseline.place(('accounts',))}: accounts: the organization has none of these"
        if asked.narrows:
            none = f"{' and '.join(asked.narrows)}: no account of those that the file is for is left"
        raise Unable(
            "; ".join([none, *(f"{who(x.account, {x.account: x.name})} {x.why}" for x in census.skipped[:3])])
        )
    return census


def _look(work: Work, command: Command) -> None:
    """What exists once is looked at, and then every account."""
    session, record = work.session, work.record
    session.graceful = True
    session.screen.event(lines.version(session.header()))
    if CENTRAL not in record.done:
        session.screen.busy("reading what exists once")
        run = session.run
        work.central = list(run.rehearse().results) if command == "diff" else run.verify()
        session.screen.idle()
        session.screen.event(lines.organization(session.shown(work.central), session.asked.command))
        if all(r.ok and not r.changes for r in work.central):
            record.succeeded(CENTRAL)
    lost = lost_steps(work.central)
    accounts = [each for each in work.census.accounts if each.id not in record.done]
    _spread(work, [Job(command, each, lost=lost) for each in accounts])


def _spread(work: Work, jobs: list[Job]) -> None:
    """Have the jobs done, and take note of each as it comes."""
    session, record, tally = work.session, work.record, work.session.cloud.tally
    applying = any(job.command == "apply" for job in jobs)

    def on_delivered(delivered: Delivered) -> None:
        tally.add(delivered.calls, delivered.writes, delivered.throttled, delivered.depth)
        for outcome in delivered.outcomes:
            before = work.outcomes.get(outcome.account.id)
            done = outcome.after(before) if before else outcome
            work.outcomes[outcome.account.id] = done
            if not done.failed and (applying or not done.drifted or session.asked.command != "apply"):
                record.succeeded(outcome.account.id)
            progress.delivered(done)
            if applying and not session.asked.unfold:
                _tell_account(session, done, progress.standing.accounts, len(jobs))
            if applying and (session.asked.processes or session.asked.scheduler):
                _retell(work.fleet, done)  # what other processes did is known only now
            session.screen.event(lines.account(session.shown(done), session.asked.command))

    if not jobs:
        return
    word = "changed" if applying else "drifted"
    work.workers.expect(len(jobs))
    with Progress(session.screen, len(jobs), session.asked_so_far, drifted=word) as progress:
        spread(work.workers, jobs, on_delivered, session.cloud.stop, lambda job: progress.begun(job.account))


def _tell_account(session: Session, outcome: Outcome, place: int, total: int) -> None:
    made = sum(len(r.changes) for r in outcome.results)
    failed = ", and something failed" if outcome.failed else ""
    said = f"{words.clean(str(outcome.account))}  {words.plural(made, 'change')}{failed}"
    session.screen.say(Text.assemble((f"[{place}/{total}] ", "dim"), said))


def _retell(fleet: Fleet, outcome: Outcome) -> None:
    """Each change is told, as if it had been made here."""
    for result in outcome.results:
        for change, request_id in zip(result.changes, result.request_ids, strict=False):
            fleet.on_change(replace(result, request_ids=[request_id]), change)


def _carry_out(work: Work, plan: Plan) -> None:
    """What exists once is changed and read back, and then every account that differs."""
    session = work.session
    run, allowed = session.run, session.asked.allow
    session.writing = True
    made, total = 0, len(plan.changes)

    def on_change(result: Result, change: Change) -> None:
        nonlocal made
        made += 1
        result, change = session.changed(result, change)
        if work.spreading and not session.asked.unfold:
            return  # of many accounts, each is told in one line
        where = f"{words.place(result)}  {result.step}  {words.clean(change.resource)}"
        session.screen.say(
            Text.assemble((f"[{made}/{total}] ", "dim"), f"{where}  {words.operation(change)}")
        )

    run.on_change = work.fleet.on_change = on_change
    work.central = run.send(Plan(tuple(work.central)), allowed)
    work.unseen = run.settle(work.central)
    if not work.unseen and all(r.ok and not r.withheld for r in work.central):
        work.record.succeeded(CENTRAL)
    lost, work.spreading = lost_steps(work.central), True
    drifted = [each for _, each in sorted(work.outcomes.items()) if each.drifted]
    _spread(work, [Job.to_apply(each, lost, allowed) for each in drifted])


def _places(work: Work) -> int:
    """The accounts in which something is to be changed."""
    return len({r.target.account for r, _ in work.plan.changes})


def _left_out(work: Work) -> list[Skipped]:
    return [*work.census.skipped, *(x for each in work.outcomes.values() for x in each.skipped)]


def _show(work: Work, plan: Plan) -> None:
    session = work.session
    screen, unfold, names = session.screen, session.asked.unfold, work.names
    if screen.quiet and not plan.changes and not plan.failed:
        return
    shown = session.shown(plan)
    screen.lines(grouped.changes(shown, names, unfold=unfold))
    if not screen.quiet:
        screen.report(grouped.notes(shown, names, unfold=unfold))
        screen.report(grouped.skipped(_left_out(work), names, unfold=unfold))
    _show_failures(work, shown.results)
    if work.interrupted:
        left = words.plural(work.left, "account")
        screen.say(f"interrupted; {left} not looked at, and `--resume` goes on from here", always=True)
    screen.lines(grouped.summary(shown, plan.digest, work.standing, session.cost))


def _show_failures(work: Work, results: Iterable[Result]) -> None:
    table = failing.failures(results, work.names, unfold=work.session.asked.unfold)
    if table.row_count:
        work.session.screen.trouble(table)


def _tell(work: Work, plan: Plan) -> None:
    """What was changed, what AWS does not show yet, and what failed."""
    session, names = work.session, work.names
    screen, unfold = session.screen, session.asked.unfold
    shown = session.shown(plan)
    unseen = session.shown([*work.unseen, *(x for each in work.outcomes.values() for x in each.unseen)])
    if screen.quiet:
        screen.lines(text.repaired(result, change) for result, change in shown.changes)
    screen.report(grouped.withheld(shown.results, names, unfold=unfold))
    _show_failures(work, [*shown.results, *(r for r in unseen if not r.ok)])
    screen.report(grouped.unseen(unseen, names, unfold=unfold))
    if work.interrupted:
        screen.say(
            "interrupted; what was done until then is told, and `--resume` goes on from here", always=True
        )
    if not screen.quiet:
        screen.lines([grouped.applied(shown.results, work.standing, session.cost)])
    counted = count(plan.results)
    session.journal.write(
        "applied",
        added=counted.add,
        changed=counted.change,
        failed=len(plan.failed),
        withheld=sum(len(r.withheld) for r in plan.results),
        not_seen=len(unseen),
        interrupted=work.interrupted,
    )


def _finish(work: Work, plan: Plan) -> None:
    """The machine's side of the report."""
    session, command = work.session, work.session.asked.command
    shown = session.shown(plan)
    counted = failing.checks(shown.results, shown.in_sync) if command == "verify" else count(shown.results)
    summary = lines.summary(
        command, counted, work.standing, session.cost, digest=plan.digest, skipped=_left_out(work)
    )
    session.screen.event(summary)
    if session.screen.as_json:
        outcomes = [each for _, each in sorted(work.outcomes.items())]
        central = lines.organization(session.shown(work.central), command, session.shown(work.unseen))
        accounts = [lines.account(session.shown(each), command) for each in outcomes]
        session.screen.document(
            {**session.header(), **summary, "organization": central, "accounts": accounts}
        )
