"""The fleet as an AWS Lambda function, for the Distributed Map of AWS Step Functions.

`scripts/step-functions.example.json` is the state machine that calls `handler`: once for what exists once, and then with a
slice of the accounts at a time. What an event says is in `event.py`. `apply` changes only what it has found to be different
a moment before, in the same invocation; what loosens, only where the event allows it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any, Protocol

from ..aws import Options
from ..baseline import load, parse
from ..baseline.redact import redacted
from ..engine.plan import Plan
from ..fleet.accounts import AccountFilter
from ..fleet.fleet import ENTRY, Fleet, Job, failed_steps
from ..fleet.remote import open_fleet
from ..fleet.workers import JobsDone, Threads, run_jobs
from ..model import Account, Failure, Outcome, Refused, Result
from ..report.json import account_json, organization_json
from ..steps.registry import all_sections
from .answer import of_organization, of_slice
from .event import Asked, asked_in

ACCOUNTS = 8  # at a time
BEGIN, END = (
    60.0,
    20.0,
)  # seconds left with which no account is begun any more, and with which all under way ends


class Context(Protocol):
    """What Lambda says of the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda ends it."""


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Do one part of a run.

    `organization` answers `accounts`, `lost` and `overrides`, which the slices need, and `result`. `accounts` answers
    `results`, one for each account, a `summary` of them, and as `unfinished` the items that there was no time for.
    Raises Refused or BaselineError where nothing could be done, and AWS's errors where the accounts cannot be listed.
    """
    asked = asked_in(event)
    with _fleet(asked, context) as fleet:
        if asked.part == "organization":
            return _organization(fleet, asked)
        return _accounts(fleet, asked, context)


@contextmanager
def _fleet(asked: Asked, context: Context) -> Iterator[Fleet]:
    """The organization, with the function's own credentials. Shortly before Lambda would end it, all ends by itself."""
    left = _seconds(context)
    if left < BEGIN:
        raise Refused(
            f"{left:.0f} s are left, and with less than {BEGIN:.0f} nothing is begun: set the function's timeout to 900 s"
        )

    def region() -> str | None:
        return os.environ.get("AWS_REGION")

    if asked.baseline is not None:
        baseline = parse(asked.baseline, "the event's baseline", all_sections(), os.environ, region)
    elif "PROVISION_FILE" in os.environ:
        baseline = load(Path(os.environ["PROVISION_FILE"]), all_sections(), os.environ, region)
    else:
        raise Refused("there is no file: set PROVISION_FILE, or give its text as `baseline`")
    fleet = open_fleet(
        baseline, Options(own_connections=True, own_signatures=baseline.general.accounts is not None)
    )
    clock = Timer(left - END, fleet.cloud.stop.set)
    clock.daemon = True
    try:
        allowed = baseline.general.allowed_account_ids
        if allowed is not None and fleet.identity.account not in allowed:
            raise Refused(
                f"the function is in account {fleet.identity.account}, which `allowed_account_ids` does not name"
            )
        clock.start()
        yield fleet
    finally:
        clock.cancel()
        fleet.cloud.close()


def _organization(fleet: Fleet, asked: Asked) -> dict[str, Any]:
    """What exists once is done, and the accounts are found."""
    selected = fleet.select(AccountFilter())
    results, unseen, applied = _once(fleet, asked)
    if fleet.cloud.stop.is_set():
        raise Refused("there was no time for what exists once: set the function's timeout to 900 s")
    overrides = fleet.baseline.overrides_of
    answer: dict[str, Any] = {
        "accounts": [_item(each) for each in selected.accounts],
        "skipped": len(selected.skipped),
        "lost": failed_steps(results),
        "overrides": {each: list(overrides(each)) for each in (fleet.identity.account, fleet.archive)},
    }
    results, unseen = redacted((results, unseen), fleet.baseline.secrets)
    return of_organization(answer, organization_json(results, asked.command, unseen, applied=applied))


def _once(fleet: Fleet, asked: Asked) -> tuple[Sequence[Result], Sequence[Result], bool]:
    """What was found or done of what exists once, what AWS does not show of it, and whether it was changed."""
    run = fleet.once()
    if asked.command == "verify":
        return run.verify(), [], False
    plan = run.rehearse()
    if asked.command == "diff" or not plan.changes:
        return plan.results, [], False
    if asked.max_changes is not None and (why := plan.exceeds(asked.max_changes)):
        raise Refused(f"max_changes: {why}")
    sent = run.send(plan, asked.allow)
    return sent, run.settle(sent), True


def _item(account: Account) -> dict[str, Any]:
    """An account as it goes from state to state: without its name, so that thousands fit."""
    return {"id": account.id, **({"overrides": list(account.overrides)} if account.overrides else {})}


def _accounts(fleet: Fleet, asked: Asked, context: Context) -> dict[str, Any]:
    """The accounts are done as far as there is time."""
    accounts = [Account(each["id"], overrides=tuple(each.get("overrides", ()))) for each in asked.items]
    allowed = fleet.baseline.general.allowed_account_ids
    if bad := [each.id for each in accounts if allowed is not None and each.id not in allowed]:
        raise Refused(f"`allowed_account_ids` does not name {', '.join(bad)}")
    fleet.baseline.override({each: tuple(several) for each, several in asked.overrides.items()})
    fleet.baseline.override({each.id: each.overrides for each in accounts})
    done: dict[str, Outcome] = {}

    def jobs() -> Iterator[Job]:
        for account in accounts:
            if _seconds(context) < BEGIN:
                return
            yield Job(asked.command, account, lost=asked.lost, allowed=asked.allow)

    def on_done(delivered: JobsDone) -> None:
        for outcome in delivered.outcomes:
            if not (fleet.cloud.stop.is_set() and outcome.failed):  # else it was cut short
                done[outcome.account.id] = outcome

    run_jobs(_Rounds(fleet, asked), jobs(), on_done, fleet.cloud.stop)
    if accounts and not done:
        raise Refused("no account could be finished in time: set the function's timeout to 900 s")
    unfinished = [each for each in asked.items if each["id"] not in done]
    found = (redacted(each, fleet.baseline.secrets) for each in done.values())
    return of_slice(asked.results, unfinished, [account_json(each, asked.command) for each in found])


class _Rounds(Threads):
    """Each account is looked at; to apply, it is then changed where it was found to be different."""

    def __init__(self, fleet: Fleet, asked: Asked):
        super().__init__(fleet, ACCOUNTS)
        self._asked = asked

    def _do(self, jobs: Sequence[Job]) -> JobsDone:
        return JobsDone(tuple(self._one(job) for job in jobs))

    def _one(self, job: Job) -> Outcome:
        if job.command != "apply":
            return self._fleet.run_job(job)
        found = self._fleet.run_job(replace(job, command="diff"))
        if not found.drifted:
            return found
        plan = Plan(found.results, found.in_sync)
        if self._asked.max_changes is not None and (why := plan.exceeds(self._asked.max_changes)):
            target = found.results[0].target
            failure = Failure("applying", f"max_changes: {why}")
            return replace(found, results=(Result(ENTRY, target, failures=[failure]),))
        return self._fleet.run_job(Job.to_apply(found, job.lost, job.allowed)).after(found)


def _seconds(context: Context) -> float:
    return context.get_remaining_time_in_millis() / 1000
