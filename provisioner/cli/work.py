"""`Work`: one command over the accounts of a file, and what is known of it so far.

A file for one account is a fleet of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..engine.plan import Plan
from ..engine.run import Run
from ..fleet.accounts import SelectedAccounts
from ..fleet.fleet import Fleet
from ..fleet.results import reportable
from ..fleet.workers import Workers
from ..model import InSyncCounts, Outcome, Result, Skipped
from ..repair.records import Drift
from ..report import json
from ..report.places import View
from ..report.totals import Totals, state
from .exit_codes import CHANGES, ERROR, INTERRUPTED, OK, SOME_FAILED
from .resume import Record
from .session import Session


@dataclass
class Work:
    """One command over the accounts of a fleet. *once* are results of the steps that run once in an organization."""

    session: Session
    selected: SelectedAccounts
    record: Record
    workers: Workers
    run: Run  # of the steps that run once; of one account, of all steps
    once: list[Result] = field(default_factory=list)
    # Of *once*: changed, and AWS does not show it yet.
    once_unseen: list[Result] = field(default_factory=list)
    # Of what `journal` and `notices` of the file name, which belongs to no step.
    destinations: list[Result] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by account id
    printed: set[tuple[Any, ...]] = field(default_factory=set)  # failures that were printed: see `output`
    drifts: list[Drift] = field(default_factory=list)  # of `diff --who`: what differs, and who made it

    def close(self) -> None:
        """Stop the workers and close the record."""
        self.workers.close()
        self.record.close()

    @property
    def fleet(self) -> Fleet:
        """The accounts, and how they are entered."""
        return self.session.fleet

    @property
    def view(self) -> View:
        """How accounts and Regions are printed."""
        names = {each.account: each.name for each in self.selected.skipped}
        names |= {each.id: each.name for each in self.selected.accounts}
        return View(names, self.session.options.unfold)

    @property
    def sorted_outcomes(self) -> list[Outcome]:
        """The outcomes in the order of their account ids."""
        return [outcome for _, outcome in sorted(self.outcomes.items())]

    @property
    def plan(self) -> Plan:
        """Everything that would change, or was changed."""
        results, in_sync = (self.once, InSyncCounts()) if self.fleet.single else reportable(self.once)
        results = [*self.destinations, *results]
        for outcome in self.sorted_outcomes:
            results += outcome.results
            in_sync += outcome.in_sync
        return Plan(tuple(results), in_sync)

    @property
    def totals(self) -> Totals:
        """How many accounts are in which state."""
        if self.fleet.single:
            totals = Totals()
            for outcome in self.outcomes.values():
                results, unseen = (*self.once, *outcome.results), (*self.once_unseen, *outcome.unseen)
                totals.add(replace(outcome, results=results, unseen=unseen))
            return totals
        totals = Totals(
            skipped=len(self.selected.skipped),
            organization=state(self.once, self.once_unseen, applied=self.session.writing),
        )
        for outcome in self.outcomes.values():
            totals.add(outcome)
        return totals

    def once_json(self) -> json.AccountJson:
        """The JSON object of type `organization`."""
        command, applied = self.session.options.command, self.session.writing
        return json.organization_json(
            [*self.destinations, *self.once], command, self.once_unseen, applied=applied
        )

    @property
    def skipped(self) -> list[Skipped]:
        """The accounts that were skipped, and Regions of the others, each once."""
        once = () if self.fleet.single else self.run.skipped
        skipped = [x for outcome in self.outcomes.values() for x in outcome.skipped]
        return [*dict.fromkeys([*self.selected.skipped, *once, *skipped])]

    @property
    def unseen(self) -> list[Result]:
        """What was changed and AWS does not show yet."""
        return [*self.once_unseen, *(x for each in self.outcomes.values() for x in each.unseen)]

    @property
    def unread(self) -> int:
        """How many accounts were neither read now nor done by the run that is resumed."""
        done = len(self.outcomes) + sum(each.id in self.record.done for each in self.selected.accounts)
        return len(self.selected.accounts) - done

    @property
    def interrupted(self) -> bool:
        """The user has asked to stop."""
        return self.session.cloud.stop.is_set()

    @property
    def failed(self) -> bool:
        """Something could not be read or done."""
        once = any(not r.ok or r.without_consent for r in self.once)
        return once or bool(self.once_unseen) or any(each.failed for each in self.outcomes.values())

    @property
    def held(self) -> bool:
        """Something differs and is only told, because the file or a pause says so."""
        return any(r.held for r in self.once) or any(each.held for each in self.outcomes.values())

    @property
    def complete(self) -> bool:
        """All was read, and nothing failed or was left undone."""
        return not self.failed and not self.interrupted and not self.unread

    @property
    def code(self) -> int:
        """The exit code, apart from changes that are left to make."""
        if self.interrupted:
            return INTERRUPTED
        if not self.failed:
            return CHANGES if self.held else OK
        plan = self.plan
        return SOME_FAILED if plan.in_sync.steps or any(r.ok for r in plan.results) else ERROR
