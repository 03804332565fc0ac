"""Findings of `verify` on deliveries that AWS makes by itself, such as log files to a bucket. It makes no AWS calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ..model import Finding

# Matches what `moment` returns, in a longer text.
TIME_PATTERN: Final = re.compile(
    r"([0-9-]{10} )?[0-9]{2}:[0-9]{2} UTC, (just now|[0-9]+ (day|hour|minute)s? ago)"
)
STALE: Final = timedelta(hours=24)

_HINTS: Final = {
    "AccessDenied": "the bucket's policy or its key's does not let the service write",
    "NoSuchBucket": "the bucket is gone",
    "KMS.DisabledException": "the bucket's key is disabled",
}


@dataclass(frozen=True)
class DeliveryStatus:
    """The state of a service's deliveries, which are on since *since*. A time is None if AWS does not report it."""

    what: str  # what is delivered, in the singular: `log file`
    last: datetime | None
    error: str | None
    since: datetime | None
    first_after: timedelta  # after *since*; later, a missing first delivery is a failure
    comes: str  # how often: `once an hour`


def utc_now() -> datetime:
    """The current time, as an aware datetime."""
    return datetime.now(UTC)


def delivery_finding(
    resource: str, check: str, found: DeliveryStatus, now: datetime, *, running: bool
) -> Finding:
    """The finding on deliveries: they arrive, do not arrive, or are not due yet. Without *running*, none are due."""
    last = f"last {found.what} {format_time(found.last, now)}" if found.last else f"no {found.what} yet"
    if found.error:
        hint = f": {_HINTS[found.error]}" if found.error in _HINTS else ""
        return Finding(resource, check, ok=False, detail=f"{found.error}{hint}; {last}")
    if not running:
        return Finding(resource, check, ok=None, detail=f"stopped; {last}")
    if found.last and now - found.last <= STALE:
        return Finding(resource, check, ok=True, detail=last)
    if found.since is None or now - found.since < found.first_after:
        which = f"next {found.what}; {last}" if found.last else f"first {found.what}"
        return Finding(resource, check, ok=None, detail=f"waiting for the {which}; they come {found.comes}")
    late = f"{last}; it runs since {format_time(found.since, now)}, and they come {found.comes}"
    return Finding(resource, check, ok=False, detail=late)


def format_time(then: datetime, now: datetime) -> str:
    """Format a time: `14:05 UTC, 3 minutes ago`, with the date if it is not the day of *now*."""
    then = then.astimezone(UTC)
    clock = then.strftime("%H:%M UTC" if then.date() == now.astimezone(UTC).date() else "%Y-%m-%d %H:%M UTC")
    return f"{clock}, {_ago(now - then)}"


def _ago(elapsed: timedelta) -> str:
    minutes = int(elapsed.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    size, unit = (1440, "day") if minutes >= 2880 else (60, "hour") if minutes >= 120 else (1, "minute")
    count = minutes // size
    return f"{count} {unit}{'s' if count > 1 else ''} ago"
