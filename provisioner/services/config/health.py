"""Turn AWS Config's status answers into findings. Pure: makes no request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from ...model import Finding
from ...steps.arrivals import format_time
from .state import ConfigState, JsonObject, channel_title, recorder_title

_FIRST_DELIVERY: Final = timedelta(hours=24)  # history comes every 6 hours, snapshots at least daily
_FIRST_COUNT: Final = timedelta(hours=1)  # AWS says "a few minutes"


def recorder_findings(have: ConfigState, now: datetime) -> Iterator[Finding]:
    """The recorder runs, and its last recording succeeded."""
    if have.recorder is None:
        yield Finding("configuration recorder", "recording", False, "there is no recorder")
        return
    title, status = recorder_title(have.recorder["name"]), have.status
    if status.get("recording"):
        yield Finding(title, "recording", True, f"since {_time(status.get('lastStartTime'), now)}")
    else:
        yield Finding(title, "recording", False, f"stopped at {_time(status.get('lastStopTime'), now)}")
    last = str(status.get("lastStatus") or "").lower()
    changed = _time(status.get("lastStatusChangeTime"), now)
    if last == "failure":
        yield Finding(title, "last recording", False, f"failed at {changed}: {_error(status)}")
    elif last == "success":
        yield Finding(title, "last recording", True, f"succeeded at {changed}")
    else:
        yield Finding(title, "last recording", None, "nothing was recorded yet")


def channel_findings(have: ConfigState, status: JsonObject | None, now: datetime) -> Iterator[Finding]:
    """The last deliveries succeeded: of history, and of snapshots and notifications if the channel has them."""
    if have.channel is None or status is None:
        yield Finding("delivery channel", "delivery", False, "there is no delivery channel")
        return
    title = channel_title(have.channel["name"])
    snapshots, topic = "configSnapshotDeliveryProperties" in have.channel, have.channel.get("snsTopicARN")
    for key, check, expected in (
        ("configHistoryDeliveryInfo", "history delivery", True),
        ("configSnapshotDeliveryInfo", "snapshot delivery", snapshots),
        ("configStreamDeliveryInfo", "notification delivery", topic),
    ):
        info = status.get(key) or {}
        last = str(info.get("lastStatus") or "").lower()
        if last == "failure":
            yield Finding(title, check, False, f"failed: {_error(info)}")
        elif last == "success":
            at = info.get("lastSuccessfulTime") or info.get("lastStatusChangeTime")
            yield Finding(title, check, True, f"succeeded at {_time(at, now)}")
        elif expected and key == "configStreamDeliveryInfo":
            yield Finding(title, check, None, "there was nothing to notify of yet")
        elif expected:
            yield _nothing_yet(title, check, "delivered", have, now, _FIRST_DELIVERY)


def count_finding(have: ConfigState, total: Any, now: datetime) -> Finding:
    """The recorder has found resources; *total* is how many."""
    title = recorder_title(have.recorder["name"]) if have.recorder else "configuration recorder"
    if total:
        return Finding(
            title, "resources", True, f"{total} {'resource' if total == 1 else 'resources'} recorded"
        )
    return _nothing_yet(title, "resources", "recorded", have, now, _FIRST_COUNT)


def _nothing_yet(
    title: str, check: str, done: str, have: ConfigState, now: datetime, first_after: timedelta
) -> Finding:
    """The finding if nothing was *done*: a failure if the recorder has run for *first_after* or is stopped."""
    if not have.status.get("recording"):
        return Finding(title, check, False, f"nothing was {done}, and the recorder is stopped")
    started = have.status.get("lastStartTime")
    since = f"the recorder started at {_time(started, now)}"
    if started is None or now - started < first_after:
        return Finding(title, check, None, f"nothing was {done} yet; {since}")
    return Finding(title, check, False, f"nothing was {done} since {since}")


def rule_finding(title: str, status: JsonObject | None, now: datetime) -> Finding:
    """The finding for one rule from its evaluation status, None if there is no such rule."""
    check = "evaluation"
    if status is None:
        return Finding(title, check, False, "there is no such rule")
    succeeded = status.get("LastSuccessfulEvaluationTime")
    failures = (status.get("LastFailedEvaluationTime"), status.get("LastFailedInvocationTime"))
    failed = max(filter(None, failures), default=None)
    error = _error(status)
    if failed is not None and (succeeded is None or failed > succeeded):
        return Finding(title, check, False, f"failed at {format_time(failed, now)}: {error}")
    if succeeded is not None:
        return Finding(title, check, True, f"succeeded at {format_time(succeeded, now)}")
    if status.get("LastErrorCode"):
        return Finding(title, check, False, f"failed: {error}")
    return Finding(title, check, None, "not evaluated yet")


def _error(status: JsonObject) -> str:
    """The last error as AWS reports it, `CODE: MESSAGE`. Rules spell their fields with a capital letter."""
    names = ("lastErrorCode", "LastErrorCode", "lastErrorMessage", "LastErrorMessage")
    return ": ".join(status[name] for name in names if status.get(name)) or "AWS does not say why"


def _time(value: datetime | None, now: datetime) -> str:
    return format_time(value, now) if value else "an unknown time"
