"""AWS Config: what its status answers prove. From answers to findings; asks nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from ...model import Finding
from ...steps.arrivals import moment
from .state import Found, Thing, recorder_title

FIRST_DELIVERY: Final = timedelta(
    hours=24
)  # history comes every six hours, and snapshots once a day at least
FIRST_COUNT: Final = timedelta(hours=1)  # AWS says "a few minutes"
_STREAMS: Final = {
    "configHistoryDeliveryInfo": "history delivery",
    "configSnapshotDeliveryInfo": "snapshot delivery",
    "configStreamDeliveryInfo": "notification delivery",
}


def recorder_findings(found: Found, now: datetime) -> Iterator[Finding]:
    """The recorder runs, and what it did last succeeded."""
    if found.recorder is None:
        yield Finding("configuration recorder", "recording", False, "there is no recorder")
        return
    title, status = recorder_title(str(found.recorder["name"])), found.status
    if status.get("recording"):
        yield Finding(title, "recording", True, f"since {_time(status.get('lastStartTime'), now)}")
    else:
        yield Finding(title, "recording", False, f"stopped at {_time(status.get('lastStopTime'), now)}")
    last = str(status.get("lastStatus") or "")
    changed = _time(status.get("lastStatusChangeTime"), now)
    if last.lower() == "failure":
        yield Finding(title, "last recording", False, f"failed at {changed}: {_error(status)}")
    elif last.lower() == "success":
        yield Finding(title, "last recording", True, f"succeeded at {changed}")
    else:
        yield Finding(title, "last recording", None, "nothing was recorded yet")


def channel_findings(found: Found, status: Thing | None, now: datetime) -> Iterator[Finding]:
    """What is recorded arrives: history, and snapshots and notifications where the channel has them."""
    if found.channel is None or status is None:
        yield Finding("delivery channel", "delivery", False, "there is no delivery channel")
        return
    title = f"delivery channel {found.channel['name']}"
    used = {
        "configHistoryDeliveryInfo": True,
        "configSnapshotDeliveryInfo": "configSnapshotDeliveryProperties" in found.channel,
        "configStreamDeliveryInfo": bool(found.channel.get("snsTopicARN")),
    }
    for key, check in _STREAMS.items():
        info = status.get(key) or {}
        last = str(info.get("lastStatus") or "").lower()
        if last == "failure":
            yield Finding(title, check, False, f"failed: {_error(info)}")
        elif last == "success":
            at = info.get("lastSuccessfulTime") or info.get("lastStatusChangeTime")
            yield Finding(title, check, True, f"succeeded at {_time(at, now)}")
        elif used[key] and key != "configStreamDeliveryInfo":
            yield _never(title, check, "delivered", found, now, FIRST_DELIVERY)
        elif used[key]:
            yield Finding(title, check, None, "there was nothing to tell yet")


def count_findings(found: Found, total: Any, now: datetime) -> Iterator[Finding]:
    """The recorder has found resources."""
    title = recorder_title(str(found.recorder["name"])) if found.recorder else "configuration recorder"
    if total:
        resources = "resource" if total == 1 else "resources"
        yield Finding(title, "resources", True, f"{total} {resources} recorded")
    else:
        yield _never(title, "resources", "recorded", found, now, FIRST_COUNT)


def _never(title: str, check: str, done: str, found: Found, now: datetime, patience: timedelta) -> Finding:
    """Nothing came yet: no finding in the beginning, and a failure later."""
    started = found.status.get("lastStartTime")
    if not found.status.get("recording"):
        return Finding(title, check, False, f"nothing was {done}, and the recorder is stopped")
    if started is None or now - started < patience:
        return Finding(
            title, check, None, f"nothing was {done} yet; the recorder started at {_time(started, now)}"
        )
    return Finding(
        title, check, False, f"nothing was {done} since the recorder started at {_time(started, now)}"
    )


def error_text(code: str | None, message: str | None) -> str:
    """What AWS says of the last failure."""
    return ": ".join(filter(None, (code, message))) or "AWS does not say why"


def _error(status: Thing) -> str:
    return error_text(status.get("lastErrorCode"), status.get("lastErrorMessage"))


def _time(value: datetime | None, now: datetime) -> str:
    return moment(value, now) if value else "a time that AWS does not tell"
