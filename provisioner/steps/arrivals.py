"""Whether what AWS delivers by itself arrives: states and times, in words. Pure; `verify` uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ..model import Finding

# What `moment` says, wherever it is said.
MOMENT: Final = re.compile(r"([0-9-]{10} )?[0-9]{2}:[0-9]{2} UTC, (just now|[0-9]+ (day|hour|minute)s? ago)")
STALE: Final = timedelta(hours=24)

_HINTS: Final = {
    "AccessDenied": "the bucket's policy or its key's does not let the service write",
    "NoSuchBucket": "the bucket is gone",
    "KMS.DisabledException": "the bucket's key is disabled",
}


@dataclass(frozen=True)
class Arrivals:
    """What a service says of its deliveries, which began at *since*. None is a time it does not tell."""

    what: str  # one of them: `log file`
    last: datetime | None
    error: str | None
    since: datetime | None
    first_after: timedelta  # from then on, none is a failure
    comes: str  # when they usually come: `once an hour`


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def arriving(resource: str, check: str, found: Arrivals, now: datetime, *, running: bool) -> Finding:
    """Deliveries arrive, do not, or cannot have arrived yet. What does not run is not expected to deliver."""
    last = f"last {found.what} {moment(found.last, now)}" if found.last else f"no {found.what} yet"
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
    since = moment(found.since, now)
    return Finding(
        resource, check, ok=False, detail=f"{last}; it runs since {since}, and they come {found.comes}"
    )


def moment(then: datetime, now: datetime) -> str:
    """A time for people: `14:05 UTC, 3 minutes ago`, with the date where that is another day."""
    then = then.astimezone(UTC)
    clock = then.strftime("%H:%M UTC" if then.date() == now.astimezone(UTC).date() else "%Y-%m-%d %H:%M UTC")
    return f"{clock}, {_ago(now - then)}"


def _ago(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    for unit, size in (("day", 24 * 60), ("hour", 60), ("minute", 1)):
        if minutes >= 2 * size or size == 1:
            count = minutes // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    raise AssertionError("unreachable")
