"""An AWS Lambda function that does a part of a run, for the Distributed Map of AWS Step Functions.

`scripts/step-functions.example.json` is the state machine that calls `handler`: once for the steps that run once in the
organization, then with a slice of the accounts at a time, and at last for the steps that run once after the accounts. `event.py` describes the event. `apply` makes only changes
that it has found in the same invocation; it loosens something only if the event allows it.

`{"command": "repair"}`, or the event of a call that breaks the baseline, is a whole run for which nobody waits: `repair.py`
does it. `scripts/deploy/` has the templates for that. `deployment.py` says what only the deployment decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..baseline.redact import redacted
from ..engine.run import possible
from ..fleet.accounts import AccountFilter
from ..fleet.fleet import Fleet
from ..fleet.results import find_failed_needs
from ..model import Account, Refused
from ..report.json import account_json, organization_json
from ..steps.registry import all_steps
from .answer import accounts_answer, organization_answer
from .clean_output import with_clean_output
from .deployment import Context, open_deployed
from .event import Request, parse_event
from .parts import Done, do_accounts, do_run
from .repair import do_repair, is_repair


@with_clean_output
def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Do one part of a run.

    The answer to `organization` has `accounts`, `failed_needs` and `overrides`, which the slices need, and `result`, which is
    all that the answer to `after_accounts` has. That to
    `accounts` has `results`, one for each account, a `summary` of them, and `unfinished`: the items that there was no
    time for. Raises Refused or BaselineError if nothing could be done, and AWS's errors if the accounts cannot be listed.
    """
    if is_repair(event):
        return do_repair(event, context)
    request = parse_event(event)
    with open_deployed(request, context) as fleet:
        if request.part == "organization":
            return _organization(fleet, request)
        if request.part == "after_accounts":
            return _after_accounts(fleet, request)
        return _accounts(fleet, request, context)


def _organization(fleet: Fleet, request: Request) -> dict[str, Any]:
    """Do the steps that run once in the organization, but for changes to make after the accounts, which it lists."""
    selected = fleet.select(AccountFilter())
    results, unseen, applied, _ = do_run(fleet.once(), request, accounts_follow=True)
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


def _after_accounts(fleet: Fleet, request: Request) -> dict[str, Any]:
    """Make the changes of steps that run once after the accounts. `diff` and `verify` have shown them before."""
    fleet.select(AccountFilter())  # which applies the overrides
    late = [each for each in possible(all_steps(), fleet.baseline) if each.after_accounts]
    done = Done(())
    if late and request.command == "apply":
        fleet.names = tuple(each.name for each in late)
        done = do_run(fleet.once(), request)
    results, unseen = redacted((done.results, done.unseen), fleet.baseline.secrets)
    return organization_answer({}, organization_json(results, request.command, unseen, applied=done.applied))


def _item(account: Account) -> dict[str, Any]:
    """An account as an item of Step Functions: without its name, so that thousands fit in a state."""
    return {"id": account.id, **({"overrides": list(account.overrides)} if account.overrides else {})}


def _accounts(fleet: Fleet, request: Request, context: Context) -> dict[str, Any]:
    """Do the accounts for which there is time."""
    accounts = [Account(each["id"], overrides=tuple(each.get("overrides", ()))) for each in request.items]
    _check_accounts(fleet, request, accounts)
    fleet.baseline.override({each: tuple(several) for each, several in request.overrides.items()})
    fleet.baseline.override({each.id: each.overrides for each in accounts})
    done = do_accounts(fleet, request, accounts, context)
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
