"""Runs over accounts: first what exists once in the organization, then each account.

The account is the unit of work. A failure in one does not stop the others; of results in sync only counts are kept. A file
for one account is a fleet of one, whose steps are one graph. `workers.py` distributes the accounts over workers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from ..aws import Aws, Identity, ReadCache, SynchronousExecutor, describe
from ..aws.cloud import Cloud
from ..aws.errors import DENIED, BotoCoreError, ClientError, code_of
from ..aws.keyring import Role
from ..baseline import Baseline, BaselineError
from ..baseline.accounts import Accounts
from ..engine.controls import Controls
from ..engine.plan import Plan
from ..engine.run import Run, chosen
from ..model import (
    Account,
    Change,
    Failure,
    Outcome,
    Refused,
    Result,
    Scope,
    Skipped,
    Step,
    Target,
)
from ..steps.regions import enabled_regions
from ..steps.registry import all_steps
from .accounts import AccountFilter, SelectedAccounts, select_accounts, why_unusable
from .results import reportable, without_bases

Command = Literal["diff", "apply", "verify"]
ENTRY: Final = "account"  # stands for a step in the failure of an account that could not be entered


@dataclass(frozen=True)
class Job:
    """A command to run in one account. *regions* is empty for those of the file.

    *failed_needs*: the steps of the organization that failed, each with the step that is the cause. For `apply`, *planned* is what
    may be changed, and *allowed* are the consents that were given. For `verify`, *firing* sets off once what can be.
    """

    command: Command
    account: Account
    regions: tuple[str, ...] = ()
    failed_needs: Mapping[str, str] = field(default_factory=dict)
    planned: tuple[Result, ...] = ()
    allowed: tuple[str, ...] = ()
    firing: bool = False

    @classmethod
    def to_apply(cls, found: Outcome, failed_needs: Mapping[str, str], allowed: tuple[str, ...] = ()) -> Job:
        """The job that makes the changes in *found*, and no others."""
        planned = tuple(r for r in found.results if r.changes or not r.ok)
        return cls("apply", found.account, found.regions, failed_needs, planned, allowed)


@dataclass
class Fleet:
    """The accounts of a run: the connections to AWS, the file, and the caller. *names*: the only steps to run, if any."""

    cloud: Cloud
    baseline: Baseline
    identity: Identity
    names: tuple[str, ...] = ()
    only_regions: tuple[str, ...] = ()
    on_change: Callable[[Result, Change], None] = lambda result, change: None
    single_threaded: bool = False  # one thread for each account, as there are many accounts
    controls: Controls = field(default_factory=Controls)

    @property
    def single(self) -> bool:
        """Whether the file is only for the caller's own account."""
        return self.baseline.general.accounts is None

    @property
    def accounts(self) -> Accounts:
        """The section `accounts` of the file, or one that names only the caller's account."""
        return self.baseline.general.accounts or Accounts(ids=[self.identity.account])

    @property
    def archive(self) -> str:
        """The account with the log buckets."""
        return self.accounts.log_archive or self.identity.account

    @property
    def home(self) -> str:
        """The Region of what exists once."""
        return self.baseline.general.home_region

    def select(self, only: AccountFilter) -> SelectedAccounts:
        """Select the accounts and apply their overrides to the file. Raises Refused, BaselineError or AWS's errors."""
        if self.single:
            return SelectedAccounts((Account(self.identity.account),), ())
        aws = Aws(self._target(self.identity.account, self.home), self.cloud, ReadCache())
        found = select_accounts(aws, self.baseline.general, only)
        self.baseline.override({each.id: each.overrides for each in found.accounts if each.overrides})
        return found

    def whole(self) -> Run:
        """A run of all steps of a file for one account. Raises AWS's errors if its Regions cannot be listed."""
        run = self._run_at_home(chosen(all_steps(), self.baseline, self.names))
        run.lenient = not self.baseline.general.named_regions
        return run

    def once(self) -> Run:
        """A run of the steps for what exists once in the organization. Raises AWS's errors as `whole` does."""
        steps = [step for step in chosen(all_steps(), self.baseline, self.names) if step.scope is Scope.ONCE]
        if not any(step.regional for step in steps):
            return self._run(steps, self.identity.account, [self.home])
        run = self._run_at_home(steps)
        run.lenient = True
        return run

    def _run_at_home(self, steps: Iterable[Step]) -> Run:
        """A run in the caller's account and its Regions."""
        account = Account(self.identity.account)
        regions, skipped = self.regions_of(account)
        run = self._run(steps, account.id, regions)
        run.skipped.extend(skipped)
        return run

    def member(self, account: Account, regions: Sequence[str], failed_needs: Mapping[str, str]) -> Run:
        """A run of the steps that each account has for itself. *failed_needs*: the steps of the organization that failed."""
        filled = self.baseline.at(account_id=account.id, region=self.home, partition=self.identity.partition)
        steps = chosen(all_steps(), filled, self.names)
        run = self._run([step for step in steps if step.scope is not Scope.ONCE], account.id, regions)
        run.failed_needs, run.lenient, run.single_threaded = failed_needs, True, self.single_threaded
        return run

    def _run(self, steps: Iterable[Step], account: str, regions: Sequence[str]) -> Run:
        def places(step: Step) -> Iterable[Target]:
            where = self.archive if step.archive else account
            for region in regions if step.regional else [self.home]:
                yield self._target(where, region)

        return Run(
            self.cloud,
            self.baseline,
            self.identity,
            steps,
            regions,
            places=places,
            on_change=self.on_change,
            controls=self.controls,
            list_enabled=self._list_enabled,
        )

    def regions_of(self, account: Account) -> tuple[list[str], list[Skipped]]:
        """The Regions of a run in the account, and those that are skipped because the account has not enabled them."""
        named, skipped = self.baseline.general.named_regions, list[Skipped]()
        if not named:
            aws = Aws(self._target(account.id, self.home), self.cloud, ReadCache())
            named, skipped = enabled_regions(aws, self.home)
        if only := self.only_regions:
            return [r for r in named if r in only], [x for x in skipped if x.region in only]
        return list(named), skipped

    def _list_enabled(self, account: str) -> list[str]:
        """The Regions that AWS lists as enabled in the account; none if the caller may not list them."""
        aws = Aws(self._target(account, self.home), self.cloud, ReadCache(), SynchronousExecutor())
        try:
            return enabled_regions(aws, self.home)[0]
        except (ClientError, BotoCoreError):
            return []

    def run_job(self, job: Job) -> Outcome:
        """Run the command in one account. Never raises: an error is a failure in the outcome."""
        started = time.monotonic()
        account = job.account
        try:
            self._enter(account)
        except Exception as error:  # noqa: BLE001 - the other accounts go on
            return self._not_entered(account, error, started)
        try:
            if job.command == "apply":
                return self._apply(job, started)
            return self._compare(job, started)
        except Exception as error:  # noqa: BLE001 - the same
            doing = "filling in the file" if isinstance(error, BaselineError) else "finding its Regions"
            return self._not_done(account, describe(doing, error), started)
        finally:
            self.cloud.leave(account.id)

    def _enter(self, account: Account) -> None:
        """Get credentials of the account. Raises AWS's errors, and Refused if the file has no role to assume there."""
        caller = self.identity.account
        if account.id != caller and self.cloud.keyring.role is None:
            raise Refused(
                f"the file is for one account, and the credentials are of account {caller}: add `accounts` to the file"
            )
        self.cloud.enter(account.id)

    def _compare(self, job: Job, started: float) -> Outcome:
        regions, skipped = self.regions_of(job.account)
        run = self.member(job.account, regions, job.failed_needs)
        results = run.rehearse().results if job.command == "diff" else tuple(run.verify(firing=job.firing))
        kept, in_sync = reportable(results)
        skipped_regions = {each.region for each in run.skipped}
        return Outcome(
            job.account,
            tuple(region for region in regions if region not in skipped_regions),
            kept,
            skipped=(*skipped, *run.skipped),
            in_sync=in_sync,
            seconds=time.monotonic() - started,
        )

    def _apply(self, job: Job, started: float) -> Outcome:
        run = self.member(job.account, job.regions, job.failed_needs)
        sent = run.send(Plan(job.planned), job.allowed)
        unseen = run.settle(sent)
        kept, in_sync = reportable(sent)
        seconds = time.monotonic() - started
        return Outcome(
            job.account,
            job.regions,
            kept,
            tuple(map(without_bases, unseen)),
            in_sync=in_sync,
            seconds=seconds,
            applied=True,
        )

    def _not_entered(self, account: Account, error: Exception, started: float) -> Outcome:
        if self.accounts.listed and code_of(error) in DENIED:  # else AWS has listed the account as active
            aws = Aws(self._target(self.identity.account, self.home), self.cloud, ReadCache())
            if why := why_unusable(aws, account.id):
                seconds = time.monotonic() - started
                skipped = (Skipped(account.id, "", why, account.name),)
                return Outcome(account, (), (), skipped=skipped, seconds=seconds)
        role = self.cloud.keyring.role
        doing = f"assuming {role.arn(account.id)}" if role else f"entering account {account.id}"
        return self._not_done(account, describe(doing, error), started)

    def not_begun(self, found: Outcome, why: str) -> Outcome:
        """The outcome of an account that differs as *found*, and in which nothing was done because of *why*."""
        failure = Failure("making the changes", f"not begun: {why}", hint="go on with `--resume`")
        return replace(
            self._not_done(found.account, failure, time.monotonic()).after(found), regions=found.regions
        )

    def _not_done(self, account: Account, failure: Failure, started: float) -> Outcome:
        """The outcome of an account in which nothing was done."""
        result = Result(ENTRY, self._target(account.id, self.home), failures=[failure])
        return Outcome(account, (), (result,), seconds=time.monotonic() - started)

    def _target(self, account: str, region: str) -> Target:
        who = self.identity
        central = () if self.single else (who.account, self.archive)
        return Target(account, region, who.partition, region == self.home, *central)


def member_role(accounts: Accounts | None, who: Identity, home: str) -> Role | None:
    """The role that *who* assumes in the other accounts, or None if the file is for one account."""
    if accounts is None:
        return None
    settings = accounts.role_name, accounts.external_id, accounts.session_tags
    return Role(who.account, who.partition, home, *settings)
