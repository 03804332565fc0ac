"""Accounts: what exists once first, then every account by itself, several at the same time.

The account is the unit of work. What fails in one stays there; of an account in sync only counts are kept. A file for one
account is a fleet of one, whose steps are one graph. Where the work is done is for `workers.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from ..aws import Aws, Identity, Memory, describe
from ..aws.cloud import Cloud
from ..aws.keyring import Role
from ..baseline import Baseline, BaselineError
from ..baseline.general import Accounts
from ..engine.plan import Plan
from ..engine.run import Run, chosen
from ..model import Account, Change, Failure, InSyncCounts, Outcome, Result, Scope, Skipped, Step, Target
from ..steps.regions import enabled_regions
from ..steps.registry import all_steps
from .accounts import AccountFilter, SelectedAccounts, select_accounts

Command = Literal["diff", "apply", "verify"]
ENTRY: Final = "account"  # the name of the step that getting into an account is


@dataclass(frozen=True)
class Job:
    """One account to be done. *regions* are those to go to, or empty for those of the file.

    *lost* are the steps of the organization that failed, each with the step at the root of it. To apply, *planned* is what
    may be changed, and *allowed* the consents that were given.
    """

    command: Command
    account: Account
    regions: tuple[str, ...] = ()
    lost: Mapping[str, str] = field(default_factory=dict)
    planned: tuple[Result, ...] = ()
    allowed: tuple[str, ...] = ()

    @classmethod
    def to_apply(cls, found: Outcome, lost: Mapping[str, str], allowed: tuple[str, ...] = ()) -> Job:
        """The job that makes what *found* shows as it should be, and no more."""
        planned = tuple(r for r in found.results if r.changes or not r.ok)
        return cls("apply", found.account, found.regions, lost, planned, allowed)


@dataclass
class Fleet:
    """The accounts of a run: the way there, the file, and who asks. *names* are the only steps to take, or none."""

    cloud: Cloud
    baseline: Baseline
    identity: Identity
    names: tuple[str, ...] = ()
    only_regions: tuple[str, ...] = ()
    on_change: Callable[[Result, Change], None] = lambda result, change: None
    alone: bool = False  # each account is done by one thread, for there are many

    @property
    def single(self) -> bool:
        """The file is for the caller's own account, and no other."""
        return self.baseline.general.accounts is None

    @property
    def accounts(self) -> Accounts:
        """What the file says of accounts."""
        found = self.baseline.general.accounts
        return found if found is not None else Accounts(ids=[self.identity.account])

    @property
    def archive(self) -> str:
        """The account that has the log buckets."""
        return self.accounts.log_archive or self.identity.account

    @property
    def home(self) -> str:
        """The Region of what exists once."""
        return self.baseline.general.home_region

    def select(self, only: AccountFilter) -> SelectedAccounts:
        """The accounts to go to; their overrides apply from here on. Raises Refused, BaselineError or AWS's errors."""
        if self.single:
            return SelectedAccounts((Account(self.identity.account),), ())
        aws = Aws(self._target(self.identity.account, self.home), self.cloud, Memory())
        found = select_accounts(aws, self.baseline.general, only)
        self.baseline.override({each.id: each.overrides for each in found.accounts if each.overrides})
        return found

    def whole(self) -> Run:
        """All steps of a file for one account, in one graph. Raises AWS's errors where its Regions cannot be listed."""
        account = Account(self.identity.account)
        regions, skipped = self.regions_of(account)
        run = self._run(chosen(all_steps(), self.baseline, self.names), account.id, regions)
        run.lenient = not self.baseline.general.named_regions
        run.skipped.extend(skipped)
        return run

    def once(self) -> Run:
        """What exists once in the organization, each part in the account that has it. Raises AWS's errors as `whole`."""
        steps = [step for step in chosen(all_steps(), self.baseline, self.names) if step.scope is Scope.ONCE]
        account = Account(self.identity.account)
        if not any(step.regional for step in steps):
            return self._run(steps, account.id, [self.home])
        regions, skipped = self.regions_of(account)
        run = self._run(steps, account.id, regions)
        run.lenient = True
        run.skipped.extend(skipped)
        return run

    def member(self, account: Account, regions: Sequence[str], lost: Mapping[str, str]) -> Run:
        """What each account has of its own."""
        filled = self.baseline.at(account_id=account.id, region=self.home, partition=self.identity.partition)
        names = [name for name in self.names if all_steps()[name].section in filled]
        steps = chosen(all_steps(), filled, names) if names or not self.names else []
        run = self._run([step for step in steps if step.scope is not Scope.ONCE], account.id, regions)
        run.lost, run.lenient, run.alone = lost, True, self.alone
        return run

    def _run(self, steps: Iterable[Step], account: str, regions: Sequence[str]) -> Run:
        def places(step: Step) -> Iterable[Target]:
            where = self.archive if step.archive else account
            for region in regions if step.regional else [self.home]:
                yield self._target(where, region)

        return Run(
            self.cloud, self.baseline, self.identity, steps, regions, places=places, on_change=self.on_change
        )

    def regions_of(self, account: Account) -> tuple[list[str], list[Skipped]]:
        """The Regions to go to in the account, and those that it has not enabled."""
        named, skipped = self.baseline.general.named_regions, list[Skipped]()
        if not named:
            aws = Aws(self._target(account.id, self.home), self.cloud, Memory())
            named, skipped = enabled_regions(aws, self.home)
        only = self.only_regions
        return [r for r in named if not only or r in only], [
            x for x in skipped if not only or x.region in only
        ]

    def run_job(self, job: Job) -> Outcome:
        """Do one account, whatever happens in it."""
        started = time.monotonic()
        account = job.account
        try:
            self.cloud.enter(account.id)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is of this account only
            return self._not_entered(account, error, started)
        try:
            if job.command == "apply":
                return self._applied(job, started)
            return self._looked(job, started)
        except Exception as error:  # noqa: BLE001 - the same
            doing = "filling in the file" if isinstance(error, BaselineError) else "finding its Regions"
            return self._not_done(account, describe(doing, error), started)
        finally:
            self.cloud.leave(account.id)

    def _looked(self, job: Job, started: float) -> Outcome:
        regions, skipped = self.regions_of(job.account)
        run = self.member(job.account, regions, job.lost)
        results = run.rehearse().results if job.command == "diff" else tuple(run.verify())
        kept, in_sync = reportable(results)
        passed_over = {each.region for each in run.skipped}
        return Outcome(
            job.account,
            tuple(region for region in regions if region not in passed_over),
            kept,
            skipped=(*skipped, *run.skipped),
            in_sync=in_sync,
            seconds=time.monotonic() - started,
        )

    def _applied(self, job: Job, started: float) -> Outcome:
        run = self.member(job.account, job.regions, job.lost)
        sent = run.send(Plan(job.planned), job.allowed)
        unseen = run.settle(sent)
        kept, in_sync = reportable(sent)
        seconds = time.monotonic() - started
        return Outcome(
            job.account, job.regions, kept, tuple(unseen), in_sync=in_sync, seconds=seconds, applied=True
        )

    def _not_entered(self, account: Account, error: Exception, started: float) -> Outcome:
        role = self.cloud.keyring.role
        doing = f"assuming {role.arn(account.id)}" if role else "getting in"
        return self._not_done(account, describe(doing, error), started)

    def _not_done(self, account: Account, failure: Failure, started: float) -> Outcome:
        """Nothing was done in the account."""
        result = Result(ENTRY, self._target(account.id, self.home), failures=[failure])
        return Outcome(account, (), (result,), seconds=time.monotonic() - started)

    def _target(self, account: str, region: str) -> Target:
        who = self.identity
        if self.single:
            return Target(account, region, who.partition, region == self.home)
        return Target(account, region, who.partition, region == self.home, who.account, self.archive)


def member_role(accounts: Accounts | None, who: Identity, home: str) -> Role | None:
    """The role that *who* assumes in the other accounts; None where the file is for one account."""
    if accounts is None:
        return None
    return Role(
        who.account,
        who.partition,
        home,
        accounts.role_name,
        accounts.external_id,
        accounts.session_tags,
    )


def reportable(results: Iterable[Result]) -> tuple[tuple[Result, ...], InSyncCounts]:
    """The results with something to report, and counts of the others and of what they saw: thousands need no memory."""
    kept: list[Result] = []
    steps = resources = proofs = 0
    for each in results:
        proofs += sum(f.ok is True for f in each.findings)
        findings = [f for f in each.findings if f.ok is not True]
        if each.changes or each.notes or each.withheld or not each.ok or findings:
            kept.append(replace(each, findings=findings, seen=each.seen if each.changes else []))
            resources += 0 if each.changes else len(set(each.seen))
        else:
            steps += 1
            resources += len(set(each.seen))
    return tuple(kept), InSyncCounts(steps, resources, proofs)


def failed_steps(results: Iterable[Result]) -> dict[str, str]:
    """The steps of the organization that did not come to an end, each with the step at the root of it."""
    return {r.step: r.blocked_by or r.step for r in results if not r.ok}
