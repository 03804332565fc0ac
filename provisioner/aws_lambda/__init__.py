"""An AWS Lambda function that does a part of a run, for the Distributed Map of AWS Step Functions.

`scripts/step-functions.example.json` is the state machine that calls `handler`: once for the steps that run once in the
organization, and then with a slice of the accounts at a time. `event.py` describes the event. `apply` makes only changes
that it has found in the same invocation; it loosens something only if the event allows it.

The deployment decides what whoever may invoke the function cannot, by the environment variables of the function:

PROVISION_FILE   the file, which is packaged with the function.
PROVISION_ENV    the names of the environment variables that the file may read as `${env:NAME}`, separated by commas.
PROVISION_ALLOW_EVENT_BASELINE  `1`: an event may bring a file of its own, as `baseline`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any, Protocol

from ..aws import Options
from ..baseline import Baseline, load, parse
from ..baseline.placeholders import Environment
from ..baseline.redact import redacted
from ..engine.plan import Plan
from ..fleet.accounts import AccountFilter
from ..fleet.fleet import ENTRY, Fleet, Job, find_failed_needs
from ..fleet.remote import open_fleet
from ..fleet.workers import JobsDone, Threads, run_jobs
from ..model import Account, Failure, Outcome, Refused, Result
from ..report.json import account_json, organization_json
from ..steps.registry import all_sections
from .answer import accounts_answer, organization_answer
from .event import Request, parse_event

WIDTH = 8  # accounts at a time
MIN_TO_START = 60.0  # no account is started with fewer seconds left
FILE = "PROVISION_FILE"
NAMES = "PROVISION_ENV"
ALLOW_BASELINE = "PROVISION_ALLOW_EVENT_BASELINE"
MIN_TO_STOP = 20.0  # with fewer seconds left, accounts in flight are stopped


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """The time until Lambda ends the invocation."""


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Do one part of a run.

    The answer to `organization` has `accounts`, `failed_needs` and `overrides`, which the slices need, and `result`. That to
    `accounts` has `results`, one for each account, a `summary` of them, and `unfinished`: the items that there was no
    time for. Raises Refused or BaselineError if nothing could be done, and AWS's errors if the accounts cannot be listed.
    """
    request = parse_event(event)
    with _open_fleet(request, context) as fleet:
        if request.part == "organization":
            return _organization(fleet, request)
        return _accounts(fleet, request, context)


@contextmanager
def _open_fleet(request: Request, context: Context) -> Iterator[Fleet]:
    """Open the fleet with the function's own credentials, and stop it shortly before Lambda ends the invocation."""
    left = _seconds_left(context)
    if left < MIN_TO_START:
        raise Refused(
            f"{left:.0f} s are left, and with less than {MIN_TO_START:.0f} nothing is started: set the function's timeout to 900 s"
        )
    baseline = _baseline(request)
    general = baseline.general
    if request.command == "apply" and general.accounts and general.accounts.rollout:
        raise Refused(
            "`accounts.rollout` is not done by this function, because Step Functions runs all slices beside each other:"
            " use `provision apply`, or deploy the file without `rollout`"
        )
    fleet = open_fleet(baseline, Options(own_connections=True, own_signatures=general.accounts is not None))
    timer = Timer(left - MIN_TO_STOP, fleet.cloud.stop.set)
    timer.daemon = True
    try:
        account, allowed = fleet.identity.account, general.allowed_account_ids
        if allowed is not None and account not in allowed:
            raise Refused(f"the function is in account {account}, which `allowed_account_ids` does not name")
        timer.start()
        yield fleet
    finally:
        timer.cancel()
        fleet.cloud.close()


def _baseline(request: Request) -> Baseline:
    """The file of the deployment or, if the deployment allows that, of the event. Raises Refused or BaselineError."""
    variables = os.environ
    names = [each for each in re.split(r"[,\s]+", variables.get(NAMES, "")) if each]
    env = Environment(variables, names, NAMES)

    def region() -> str | None:
        return variables.get("AWS_REGION")

    if request.baseline is not None:
        if variables.get(ALLOW_BASELINE) != "1":
            raise Refused(
                f"the event has a `baseline`, which this deployment does not allow: leave it out, or set"
                f" {ALLOW_BASELINE}=1 on the function, and then whoever may invoke it decides what it writes"
            )
        return parse(request.baseline, "the event's baseline", all_sections(), env, region)
    if FILE in variables:
        return load(Path(variables[FILE]), all_sections(), env, region)
    raise Refused(f"there is no file: package one with the function, and set {FILE} to its path")


def _organization(fleet: Fleet, request: Request) -> dict[str, Any]:
    """Do the steps that run once in the organization, and list the accounts."""
    selected = fleet.select(AccountFilter())
    results, unseen, applied = _once(fleet, request)
    if fleet.cloud.stop.is_set():
        raise Refused("there was no time for the steps that run once: set the function's timeout to 900 s")
    overrides = fleet.baseline.overrides_of
    answer: dict[str, Any] = {
        "accounts": [_item(each) for each in selected.accounts],
        "skipped": len(selected.skipped),
        "failed_needs": find_failed_needs(results),
        "overrides": {each: list(overrides(each)) for each in (fleet.identity.account, fleet.archive)},
    }
    results, unseen = redacted((results, unseen), fleet.baseline.secrets)
    return organization_answer(answer, organization_json(results, request.command, unseen, applied=applied))


def _once(fleet: Fleet, request: Request) -> tuple[Sequence[Result], Sequence[Result], bool]:
    """The results of the steps that run once, those of them that AWS does not show yet, and whether changes were made."""
    run = fleet.once()
    if request.command == "verify":
        return run.verify(), [], False
    plan = run.rehearse()
    if request.command == "diff" or not plan.changes:
        return plan.results, [], False
    if request.max_changes is not None and (why := plan.exceeds(request.max_changes)):
        raise Refused(f"max_changes: {why}")
    sent = run.send(plan, request.allow)
    return sent, run.settle(sent), True


def _item(account: Account) -> dict[str, Any]:
    """An account as an item of Step Functions: without its name, so that thousands fit in a state."""
    return {"id": account.id, **({"overrides": list(account.overrides)} if account.overrides else {})}


def _accounts(fleet: Fleet, request: Request, context: Context) -> dict[str, Any]:
    """Do the accounts for which there is time."""
    accounts = [Account(each["id"], overrides=tuple(each.get("overrides", ()))) for each in request.items]
    _check_accounts(fleet, request, accounts)
    fleet.baseline.override({each: tuple(several) for each, several in request.overrides.items()})
    fleet.baseline.override({each.id: each.overrides for each in accounts})
    done: dict[str, Outcome] = {}

    def jobs() -> Iterator[Job]:
        for account in accounts:
            if _seconds_left(context) < MIN_TO_START:
                return
            yield Job(
                request.command, account, failed_needs=request.failed_needs, allowed=tuple(request.allow)
            )

    def on_done(delivered: JobsDone) -> None:
        for outcome in delivered.outcomes:
            # After a stop, an account may have failed only because it was stopped.
            if not (fleet.cloud.stop.is_set() and outcome.failed):
                done[outcome.account.id] = outcome

    run_jobs(_Threads(fleet, request.max_changes), jobs(), on_done, fleet.cloud.stop)
    if accounts and not done:
        raise Refused("no account could be finished in time: set the function's timeout to 900 s")
    unfinished = [each for each in request.items if each["id"] not in done]
    found = (redacted(each, fleet.baseline.secrets) for each in done.values())
    return accounts_answer(
        request.results, unfinished, [account_json(each, request.command) for each in found]
    )


def _check_accounts(fleet: Fleet, request: Request, accounts: Sequence[Account]) -> None:
    """Raise Refused if the event names accounts or overrides that the file does not have.

    This costs no call: which accounts are in a unit, or have a tag, only the answer to `organization` tells.
    """
    general, want = fleet.baseline.general, fleet.accounts
    allowed = general.allowed_account_ids
    if allowed is not None and (bad := [each.id for each in accounts if each.id not in allowed]):
        raise Refused(f"`allowed_account_ids` does not name {', '.join(bad)}")
    bad = [x.id for x in accounts if (want.listed and x.id not in want.ids) or x.id in want.exclude.ids]
    if bad:
        raise Refused(
            f"the file is not for account {', '.join(bad)}, and nothing was done: name only accounts that the answer"
            " to `organization` has"
        )
    numbers = {n for each in (*request.overrides.values(), *(x.overrides for x in accounts)) for n in each}
    if numbers and max(numbers) >= len(general.overrides):
        raise Refused(
            f"the event names override {max(numbers)}, and the file has {len(general.overrides)}: begin with"
            " `organization` again, after the file has changed"
        )


class _Threads(Threads):
    """Workers that do both parts of `apply` in one job: compare, and then change what differs."""

    def __init__(self, fleet: Fleet, max_changes: str | None):
        super().__init__(fleet, WIDTH)
        self._max_changes = max_changes

    def _do(self, jobs: Sequence[Job]) -> JobsDone:
        return JobsDone(tuple(self._run_job(job) for job in jobs))

    def _run_job(self, job: Job) -> Outcome:
        if job.command != "apply":
            return self._fleet.run_job(job)
        found = self._fleet.run_job(replace(job, command="diff"))
        if not found.drifted:
            return found
        plan = Plan(found.results, found.in_sync)
        if self._max_changes is not None and (why := plan.exceeds(self._max_changes)):
            failure = Failure("applying", f"max_changes: {why}")
            return replace(found, results=(Result(ENTRY, found.results[0].target, failures=[failure]),))
        return self._fleet.run_job(Job.to_apply(found, job.failed_needs, job.allowed)).after(found)


def _seconds_left(context: Context) -> float:
    return context.get_remaining_time_in_millis() / 1000
