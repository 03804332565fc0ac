"""What a run has not looked at, of which it cannot say that it is resolved or in sync."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..steps.registry import all_steps
from .records import Address, RunReport


@dataclass(frozen=True)
class Unread:
    """What a run has not looked at."""

    report: RunReport
    accounts: frozenset[str] = frozenset()
    places: frozenset[str] = field(default_factory=frozenset)  # `ACCOUNT/REGION`, `ACCOUNT/REGION/STEP`

    @classmethod
    def of(cls, report: RunReport) -> Unread:
        """From the failures of the run and what it was limited to. What is no step is the way into an account."""
        steps = all_steps()
        failures = report.ended.failures
        return cls(
            report,
            frozenset(each.account for each in failures if each.step not in steps),
            frozenset(
                [*report.ended.not_read, *(f"{each.account}/{each.region}/{each.step}" for each in failures)]
            ),
        )

    def has_reached(self, account: str) -> bool:
        """Whether the run has looked at the account."""
        limit = self.report.started.only_accounts
        named = not limit or account in limit
        return named and account not in self.accounts and account not in self.places

    def was_read(self, place: Address, *, check: bool = False) -> bool:
        """Whether the run would have found a difference there, or with *check* a check of `verify` that failed."""
        ended, started = self.report.ended, self.report.started
        if ended.exit_code in {1, 130}:
            return False
        counts = ended.counts
        if check and not (counts.checks_passed or counts.checks_failed or counts.checks_pending):
            return False  # of `--no-verify`
        account, region, step = place.account, place.region, place.step
        if not region:
            return True
        limits = ((account, started.only_accounts), (step, started.steps), (region, started.regions))
        if any(limit and each not in limit and "all" not in limit for each, limit in limits):
            return False
        names = {account, f"{account}/{region}", f"{account}/{region}/{step}"}
        return account not in self.accounts and names.isdisjoint(self.places)
