"""`Work`: one command over the accounts of a file, what was found so far, and who does it. One account is one of many.

What exists once comes first, then every account by itself. Of one account, all steps are one graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace

from rich.text import Text

from ..aws import describe
from ..aws.errors import BotoCoreError, ClientError
from ..engine.plan import Plan
from ..engine.run import Run
from ..fleet.accounts import AccountFilter, NotInOrganization, SelectedAccounts
from ..fleet.fleet import Command, Fleet, Job, failed_steps, reportable
from ..fleet.workers import JobsDone, Workers, run_jobs
from ..model import Account, Change, InSyncCounts, Outcome, Refused, Result, Scope, Skipped
from ..report import json, words
from ..report.places import View
from ..report.totals import Totals, state
from ..steps.registry import all_steps
from .codes import ERROR, INTERRUPTED, OK, SOME_FAILED
from .options import Unable
from .progress import Progress
from .resume import ONCE, Record, read_record
from .session import Session
from .workers import workers


@dataclass
class Work:
    """One command over the accounts of a fleet, and what is known of it so far."""

    session: Session
    selected: SelectedAccounts
    record: Record
    workers: Workers
    run: Run  # of what exists once, or of the only account
    once: list[Result] = field(default_factory=list)  # of what exists once
    once_unseen: list[Result] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by account
    made: int = 0  # changes

    def close(self) -> None:
        """Nothing more comes."""
        self.workers.close()
        self.record.close()

    @property
    def fleet(self) -> Fleet:
        """The accounts, and the way there."""
        return self.session.fleet

    @property
    def view(self) -> View:
        """How places are shown."""
        names = {each.account: each.name for each in self.selected.skipped}
        names |= {each.id: each.name for each in self.selected.accounts}
        return View(names, self.session.asked.unfold)

    @property
    def plan(self) -> Plan:
        """All that would change, or was changed, in the order of the accounts."""
        results, in_sync = (self.once, InSyncCounts()) if self.fleet.single else reportable(self.once)
        results = [*results]
        for _, outcome in sorted(self.outcomes.items()):
            results += outcome.results
            in_sync += outcome.in_sync
        return Plan(tuple(results), in_sync)

    @property
    def totals(self) -> Totals:
        """How the accounts are."""
        if self.fleet.single:
            found = Totals()
            for outcome in self.outcomes.values():
                results, unseen = (*self.once, *outcome.results), (*self.once_unseen, *outcome.unseen)
                found.add(replace(outcome, results=results, unseen=unseen))
            return found
        found = Totals(
            skipped=len(self.selected.skipped),
            organization=state(self.once, self.once_unseen, applied=self.session.writing),
        )
        for outcome in self.outcomes.values():
            found.add(outcome)
        return found

    def once_json(self) -> json.AccountJson:
        """What became of what exists once."""
        shown = self.session.shown
        return json.organization_json(
            shown(self.once), self.session.command, shown(self.once_unseen), applied=self.session.writing
        )

    @property
    def skipped(self) -> list[Skipped]:
        """The accounts that were skipped, and Regions of the others."""
        once = () if self.fleet.single else self.run.skipped
        found = [*self.selected.skipped, *once, *(x for each in self.outcomes.values() for x in each.skipped)]
        return [*dict.fromkeys(found)]

    @property
    def unseen(self) -> list[Result]:
        """What was changed, and AWS does not show yet."""
        return [*self.once_unseen, *(x for each in self.outcomes.values() for x in each.unseen)]

    @property
    def left(self) -> int:
        """The accounts that were not come to."""
        done = len(self.outcomes) + sum(each.id in self.record.done for each in self.selected.accounts)
        return len(self.selected.accounts) - done

    @property
    def interrupted(self) -> bool:
        """The user has asked to stop."""
        return self.session.cloud.stop.is_set()

    @property
    def failed(self) -> bool:
        """Something was not read or done, somewhere."""
        once = any(not r.ok or r.withheld for r in self.once)
        return once or bool(self.once_unseen) or any(each.failed for each in self.outcomes.values())

    @property
    def code(self) -> int:
        """The exit code of what was done, were there no changes left to make."""
        if self.interrupted:
            return INTERRUPTED
        if not self.failed:
            return OK
        plan = self.plan
        return SOME_FAILED if plan.in_sync.steps or any(r.ok for r in plan.results) else ERROR

    # --- reading ---

    def look(self, command: Command) -> None:
        """Read what exists once, and then every account."""
        session, record = self.session, self.record
        session.graceful = not self.fleet.single
        session.screen.line(session.version())
        if self.fleet.single:
            self._look_at_one(command)
            return
        if ONCE not in record.done:
            session.screen.busy("reading what exists once")
            self.once = list(self.run.rehearse().results) if command == "diff" else self.run.verify()
            session.screen.idle()
            session.screen.line(self.once_json())
            if all(r.ok and not r.changes for r in self.once):
                record.succeeded(ONCE)
        lost = failed_steps(self.once)
        accounts = [each for each in self.selected.accounts if each.id not in record.done]
        self._run_jobs([Job(command, each, lost=lost) for each in accounts])

    def _look_at_one(self, command: Command) -> None:
        run, screen = self.run, self.session.screen
        total, done = len(run.graph), 0

        def on_step(_: Result) -> None:
            nonlocal done
            done += 1
            screen.busy(f"reading, {done} of {total} steps")

        screen.busy(f"reading, 0 of {total} steps")
        run.on_step = on_step
        results = list(run.rehearse().results) if command == "diff" else run.verify()
        run.on_step = lambda _: None
        screen.idle()
        self._keep(results)
        self.session.introduced()

    def _keep(
        self, results: Iterable[Result], unseen: Iterable[Result] = (), *, applied: bool = False
    ) -> None:
        """Take note of the results of the only account: those of what exists once, and the others."""
        results, unseen = list(results), list(unseen)
        self.once, self.once_unseen = _of_once(results), _of_once(unseen)
        [account] = self.selected.accounts
        passed_over = {each.region for each in self.run.skipped}
        self.outcomes[account.id] = Outcome(
            account,
            tuple(each for each in self.run.regions if each not in passed_over),
            tuple(each for each in results if each not in self.once),
            tuple(each for each in unseen if each not in self.once_unseen),
            skipped=tuple(self.run.skipped),
            seconds=self.session.seconds,
            applied=applied,
        )
        self.session.screen.line(self.once_json())
        self._line(self.outcomes[account.id])

    def _line(self, outcome: Outcome) -> None:
        session = self.session
        session.screen.line(json.account_json(session.shown(outcome), session.command))

    # --- writing ---

    def carry_out(self, plan: Plan) -> None:
        """Change and read back what exists once, and then every account that differs."""
        session = self.session
        run, allowed = self.run, session.asked.allow
        session.writing = True
        total, spreading = len(plan.changes), False

        def on_change(result: Result, change: Change) -> None:
            self.made += 1
            result, change = session.changed(result, change)
            if not spreading or session.asked.unfold:  # of many accounts, each is told in one line
                where = f"{words.place(result)}  {result.step}  {words.clean(change.resource)}"
                counter = (f"[{self.made}/{total}] ", "dim")
                session.screen.say(Text.assemble(counter, f"{where}  {words.operation(change)}"))
            session.screen.busy(f"making changes, {self.made} of {total}")

        run.on_change = self.fleet.on_change = on_change
        session.screen.busy(f"making changes, 0 of {total}")
        sent = run.send(Plan((*self.once, *self._of_one()), plan.in_sync), allowed)
        session.screen.busy("reading back")
        unseen = run.settle(sent)
        session.screen.idle()
        if self.fleet.single:
            self._keep(sent, unseen, applied=True)
            return
        self.once, self.once_unseen = sent, unseen
        session.screen.line(self.once_json())
        if not self.once_unseen and all(r.ok and not r.withheld for r in self.once):
            self.record.succeeded(ONCE)
        lost, spreading = failed_steps(self.once), True
        drifted = [each for _, each in sorted(self.outcomes.items()) if each.drifted]
        self._run_jobs([Job.to_apply(each, lost, allowed) for each in drifted])

    def _of_one(self) -> tuple[Result, ...]:
        """The results of the only account, which are sent in one graph with what exists once."""
        if not self.fleet.single:
            return ()
        return tuple(result for outcome in self.outcomes.values() for result in outcome.results)

    # --- many accounts ---

    def _run_jobs(self, jobs: list[Job]) -> None:
        """Have the jobs done, and take note of each as it comes."""
        session, tally = self.session, self.session.cloud.tally
        applying = any(job.command == "apply" for job in jobs)

        def on_done(done: JobsDone) -> None:
            tally.add(done.calls, done.writes, done.throttled)
            for outcome in done.outcomes:
                self._done(outcome, applying=applying)
                progress.delivered(self.outcomes[outcome.account.id])
                if applying and not session.asked.unfold:
                    self._tell(self.outcomes[outcome.account.id], progress.totals.accounts, len(jobs))

        if not jobs:
            return
        self.workers.expect(len(jobs))
        with Progress(session.screen, len(jobs), session.asked_so_far) as progress:
            run_jobs(self.workers, jobs, on_done, session.cloud.stop, lambda job: progress.begun(job.account))

    def _done(self, outcome: Outcome, *, applying: bool) -> None:
        before = self.outcomes.get(outcome.account.id)
        done = self.outcomes[outcome.account.id] = outcome.after(before) if before else outcome
        if not done.failed and (applying or not done.drifted or self.session.command != "apply"):
            self.record.succeeded(outcome.account.id)
        if applying and (self.session.asked.processes or self.session.asked.scheduler):
            for result in done.results:  # what other processes did is known only now
                for change, request_id in zip(result.changes, result.request_ids, strict=False):
                    self.fleet.on_change(replace(result, request_ids=[request_id]), change)
        self._line(done)

    def _tell(self, outcome: Outcome, place: int, total: int) -> None:
        made = sum(len(r.changes) for r in outcome.results)
        failed = ", and something failed" if outcome.failed else ""
        text = f"{words.clean(str(outcome.account))}  {words.plural(made, 'change')}{failed}"
        self.session.screen.say(Text.assemble((f"[{place}/{total}] ", "dim"), text))


def _of_once(results: Iterable[Result]) -> list[Result]:
    """The results of steps that run once in an organization."""
    return [each for each in results if all_steps()[each.step].scope is Scope.ONCE]


def open_work(session: Session) -> closing[Work]:
    """The accounts are found, and the record is open until the block ends. Raises Unable, or BaselineError."""
    asked, fleet = session.asked, session.fleet
    session.screen.busy("finding the accounts")
    try:
        selected = _selected(session)
        run = _run(fleet)
    finally:
        session.screen.idle()
    key = session.key
    path = session.record_path
    done = read_record(path, key) if asked.resume else set()
    if done is None:
        raise Unable(
            f"--resume: the last `{asked.command}` was of another file, or with other flags: leave `--resume` out"
        )
    if not fleet.single:
        session.introduced()
        _introduce(session, selected, done)
    those = workers(session, len(selected.accounts))
    return closing(Work(session, selected, Record(path, key, done), those, run))


def _introduce(session: Session, selected: SelectedAccounts, done: set[str]) -> None:
    resumed = f"; {len(done - {ONCE})} succeeded last time" if session.asked.resume else ""
    skipped = f", {len(selected.skipped)} skipped" if selected.skipped else ""
    session.screen.say(f"{words.plural(len(selected.accounts), 'account')}{skipped}{resumed}")
    if session.asked.resume and done >= {ONCE, *(each.id for each in selected.accounts)}:
        text = "nothing is left to go on with; without `--resume` all is done again"
        session.screen.say(text, always=True)


def _run(fleet: Fleet) -> Run:
    try:
        return fleet.whole() if fleet.single else fleet.once()
    except (ClientError, BotoCoreError) as error:
        doing = "asking AWS which Regions the account has enabled, for `regions: all`"
        raise Unable("; ".join(words.failure(describe(doing, error)))) from error


def _selected(session: Session) -> SelectedAccounts:
    """The accounts of the run, at least one."""
    asked = session.asked
    try:
        selected = session.fleet.select(AccountFilter(asked.accounts, asked.not_accounts, asked.units))
    except NotInOrganization as error:
        raise session.baseline.mistakes(error.found) from error
    except Refused as error:
        raise Unable(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        doing = "finding the accounts of the organization"
        raise Unable("; ".join(words.failure(describe(doing, error)))) from error
    if not selected.accounts:
        none = f"{session.baseline.place(('accounts',))}: accounts: the organization has none of these"
        if asked.narrows:
            none = f"{' and '.join(asked.narrows)}: no account of those that the file is for is left"
        skipped = (f"{Account(x.account, x.name)} {x.why}" for x in selected.skipped[:3])
        raise Unable("; ".join([none, *skipped]))
    return selected
