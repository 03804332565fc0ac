"""An unattended repair: of everything when a timer starts it, or of the steps that calls of others may have broken.

The event is one of these.

{"command": "repair"}  all steps. It may have `steps`, a list of names, and `allow`, as with `--allow`.
{"Records": [...]}     messages from SQS, each with an event of EventBridge: many calls at once are one repair.
{"detail-type": ...}   such an event itself.

Nothing arrives while no trail is logging, as CloudTrail is what tells EventBridge: the timer stays. Our own writes start no
repair, and if one did, it would find everything in sync and write nothing. Two repairs at a time only repeat each other.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..baseline.redact import redacted
from ..engine.run import Run, possible
from ..fleet.accounts import AccountFilter
from ..fleet.fleet import Fleet
from ..fleet.results import find_failed_needs, not_begun, reportable
from ..model import Account, Outcome, Refused
from ..repair.watched import watched_events
from ..report.json import account_json
from ..steps.registry import all_steps
from .answer import accounts_answer
from .cloudtrail_event import ApiCall, find_steps, parse_call, records_of
from .deployment import Context, open_deployed
from .event import Request
from .keep import Kept
from .parts import Done, do_accounts, do_changes, do_run

_KEYS: Final = frozenset({"command", "steps", "allow"})
_SESSION: Final = "provision"  # the name of the sessions of `aws/keyring.py`
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What an event asks for. *calls* is None if it came from the timer; *bad* are the ids of messages that make no sense."""

    names: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    calls: tuple[ApiCall, ...] | None = None
    bad: tuple[str, ...] = ()
    batch: bool = False


def is_repair(event: Any) -> bool:
    """Whether the event asks for an unattended repair."""
    return isinstance(event, Mapping) and (
        event.get("command") == "repair" or "Records" in event or "detail-type" in event
    )


def do_repair(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Find and repair the drift of the file's accounts, or of what the calls in the event may have broken.

    The answer has `results`, `unfinished` and `summary`; to a batch of messages, `batchItemFailures`, which SQS delivers again.
    Raises Refused if something was not repaired, after everything else was, so that Lambda counts an error and tries again.
    """
    asked = parse_repair(event)
    request = Request("repair", "apply", asked.allow)
    with open_deployed(request, context) as fleet:
        found = _choose(fleet, asked)
        if found is None:
            answer = accounts_answer([], [], [])
        else:
            fleet.names, accounts = found
            kept = Kept.begin(fleet, accounts)
            try:
                outcomes, unfinished = _repair(fleet, request, accounts, context, kept)
                outcomes = [redacted(each, fleet.baseline.secrets) for each in outcomes]
                kept.end(outcomes, unfinished)
            finally:
                kept.close()
            items = [{"id": each.id} for each in unfinished]
            answer = accounts_answer([], items, (account_json(each, "apply") for each in outcomes))
    _log.info("%s", json.dumps(answer))
    summary, unfinished_ids = answer["summary"], [each["id"] for each in answer["unfinished"]]
    if bad := [*summary["failed"], *unfinished_ids]:
        raise Refused(
            f"not everything is repaired in {', '.join(bad[:20])}: the log has the reasons; if the time was too short, use"
            " Step Functions"
        )
    if asked.batch:
        return {"batchItemFailures": [{"itemIdentifier": each} for each in asked.bad]}
    return answer


def parse_repair(event: Mapping[str, Any]) -> Asked:
    """Check the event. Raises Refused if it asks for nothing that can be done; a message of a batch is only left out."""
    if "Records" in event:
        calls, bad = list[ApiCall](), list[str]()
        for message, body in records_of(event):
            try:
                call = parse_call(_decoded(body))
            except Refused as error:
                _log.warning("message %r: %r", message, str(error))
                bad.append(message)
            else:
                calls += [call] if call else []
        return Asked(calls=tuple(calls), bad=tuple(bad), batch=True)
    if "detail-type" in event:
        call = parse_call(event)
        return Asked(calls=(call,) if call else ())
    if unknown := [key for key in event if key not in _KEYS]:
        raise Refused(f"the event has a {unknown[0]!r}; with `repair` known are {', '.join(sorted(_KEYS))}")
    return Asked(_names(event, "steps"), _names(event, "allow"))


def _decoded(body: Any) -> Any:
    try:
        return json.loads(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused("want an event of EventBridge, in JSON") from error


def _names(event: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = event.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Refused(f"the event's `{key}`: want a list of texts, got {value!r}")
    return tuple(value)


def _choose(fleet: Fleet, asked: Asked) -> tuple[tuple[str, ...], Collection[str] | None] | None:
    """The steps to repair, none for all, and the accounts, None for all. None if there is nothing to do."""
    baseline, who = fleet.baseline, fleet.identity
    if asked.calls is None:
        of_file = {step.name for step in possible(all_steps(), baseline)}
        if unknown := [name for name in asked.names if name not in of_file]:
            raise Refused(
                f"the event's `steps`: the file has no step {unknown[0]!r}; it has {', '.join(sorted(of_file))}"
            )
        return asked.names, None
    calls = [call for call in asked.calls if not call.is_own(_own_callers(fleet, call.account))]
    names = find_steps(calls, watched_events(baseline, who.account, who.partition))
    return (tuple(sorted(names)), {call.account for call in calls}) if names else None


def _own_callers(fleet: Fleet, account: str) -> list[str]:
    """The ARNs under which this function's calls are recorded in the account."""
    callers = [fleet.identity.arn]
    if role := fleet.cloud.keyring.role:
        name = role.arn(account).rpartition("/")[2]
        callers.append(f"arn:{fleet.identity.partition}:sts::{account}:assumed-role/{name}/{_SESSION}")
    return callers


def _repair(
    fleet: Fleet, request: Request, only: Collection[str] | None, context: Context, kept: Kept
) -> tuple[list[Outcome], list[Account]]:
    """The outcomes, first of what exists once, and the accounts for which there was no time.

    The accounts that no run has reached for longest come first, so that each gets its turn.
    """
    own = Account(fleet.identity.account)
    started = time.monotonic()
    if fleet.single:
        return [_outcome(own, do_run(fleet.whole(), request, kept.plan), started)], []
    selected = [x for x in fleet.select(AccountFilter()).accounts if only is None or x.id in only]
    selected.sort(key=lambda each: kept.run.earlier.last_reached(each.id))
    run = fleet.once()
    once = do_run(run, request, kept.plan, accounts_follow=True)
    members = Request("repair", "apply", request.allow, failed_needs=find_failed_needs(once.results))
    done = do_accounts(fleet, members, selected, context, kept.plan)
    once = _with_late(once, run, request, stopped=fleet.cloud.stop.is_set())
    outcomes = [_outcome(Account(own.id, "organization"), once, started), *done.values()]
    return outcomes, [each for each in selected if each.id not in done]


def _with_late(once: Done, run: Run, request: Request, *, stopped: bool) -> Done:
    """What was done once in the organization, with what is changed after the accounts."""
    if not once.late:
        return once
    no_time = Done(not_begun(once.late, "there was no time"))
    late = no_time if stopped else do_changes(run, request, once.late)
    return Done([*once.results, *late.results], [*once.unseen, *late.unseen], applied=True)


def _outcome(account: Account, done: Done, started: float) -> Outcome:
    kept, in_sync = reportable(done.results)
    seconds = time.monotonic() - started
    return Outcome(
        account, (), kept, tuple(done.unseen), in_sync=in_sync, seconds=seconds, applied=done.applied
    )
