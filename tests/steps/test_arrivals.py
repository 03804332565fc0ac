"""Tests of findings on deliveries, and of formatted times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.steps.arrivals import TIME_PATTERN, DeliveryStatus, delivery_finding, format_time

NOW = datetime(2025, 3, 1, 14, 8, 20, tzinfo=UTC)


def ago(**elapsed: float) -> datetime:
    return NOW - timedelta(**elapsed)


@pytest.mark.parametrize(
    ("last", "error", "since", "running", "ok", "detail"),
    [
        (None, None, ago(minutes=3), True, None, "waiting for the first log file; they come each hour"),
        (None, None, ago(minutes=21), True, False, "no log file yet; it runs since 13:47 UTC, 21 min"),
        (ago(minutes=3), None, ago(days=3), True, True, "last log file 14:05 UTC, 3 minutes ago"),
        (ago(hours=25), None, ago(days=3), True, False, "2025-02-28 13:08 UTC, 25 hours ago; it runs"),
        (ago(days=9), None, ago(minutes=2), True, None, "waiting for the next log file; last log file 2025"),
        (ago(hours=5), "AccessDenied", ago(days=3), True, False, "AccessDenied: the bucket's policy"),
        (ago(hours=5), "Odd", ago(days=3), True, False, "Odd; last log file 09:08 UTC, 5 hours ago"),
        (ago(hours=30), None, ago(days=3), False, None, "stopped; last log file"),
        (None, None, None, True, None, "waiting"),
    ],
)  # fmt: skip
def test_finding(
    last: datetime | None,
    error: str | None,
    since: datetime | None,
    running: bool,
    ok: bool | None,
    detail: str,
) -> None:
    arrivals = DeliveryStatus("log file", last, error, since, timedelta(minutes=20), "each hour")
    found = delivery_finding("trail audit", "delivery to S3", arrivals, NOW, running=running)
    assert found.ok is ok
    assert detail in found.detail


def test_times_are_in_utc_with_the_date_of_another_day() -> None:
    assert format_time(ago(seconds=5), NOW) == "14:08 UTC, just now"
    assert format_time(ago(minutes=1), NOW) == "14:07 UTC, 1 minute ago"
    assert format_time(ago(days=3), NOW) == "2025-02-26 14:08 UTC, 3 days ago"


@settings(max_examples=200)
@given(st.timedeltas(timedelta(0), timedelta(days=9000)), st.timedeltas(timedelta(0), timedelta(days=900)))
def test_pattern_matches_every_formatted_time(later: timedelta, elapsed: timedelta) -> None:
    now = NOW + later
    assert (
        TIME_PATTERN.sub("${time}", f"stopped at {format_time(now - elapsed, now)}; more")
        == "stopped at ${time}; more"
    )
