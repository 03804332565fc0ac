"""Verify that the trail works: it is logging, and its log files arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...aws import Aws
from ...baseline import Baseline
from ...model import Finding, Findings
from ...steps.arrivals import DeliveryStatus, delivery_finding, format_time, utc_now
from ...steps.registry import verify
from . import steps as _steps  # noqa: F401 - registers the step that is verified here
from .prerequisites import LOGS_PAIR
from .section import Trail
from .state import trail_arn
from .trails import Home, find_trail


@verify("cloudtrail")
def verify_cloudtrail(aws: Aws, baseline: Baseline, *, now: Callable[[], datetime] = utc_now) -> Findings:
    """Find whether the trail is logging, and delivering to each destination; and the newest event of the account."""
    section, read, time = baseline[Trail], aws.read("cloudtrail"), now()
    newest = read.lookup_events(PaginationConfig={"MaxItems": 1, "PageSize": 1})
    read.describe_trails()
    arn = trail_arn(aws, baseline)
    reading = read.get_trail_status(Name=arn)
    trail = find_trail(aws, arn, every_region=section.is_multi_region_trail)
    if trail and trail["TrailARN"] != arn:
        reading = aws.read("cloudtrail", Home.of(trail["TrailARN"]).region).get_trail_status(
            Name=trail["TrailARN"]
        )
    if trail is None:
        yield Finding(section.title, "logging", ok=False, detail="there is no such trail")
        return
    status, running = reading.all(), bool(reading.get("IsLogging"))
    yield _logging(section.title, status, time, running=running)
    for check, arrivals in _deliveries(trail, status, section):
        yield delivery_finding(section.title, check, arrivals, time, running=running)
    yield _newest(newest.get("Events"), time)


def _logging(title: str, status: Mapping[str, Any], now: datetime, *, running: bool) -> Finding:
    since = status.get("StartLoggingTime" if running else "StopLoggingTime")
    if running:
        detail = f"since {format_time(since, now)}" if since else "on"
    else:
        detail = f"stopped {format_time(since, now)}: nothing is recorded" if since else "never started"
    return Finding(title, "logging", running, detail)


def _deliveries(
    trail: Mapping[str, Any], status: Mapping[str, Any], section: Trail
) -> Iterator[tuple[str, DeliveryStatus]]:
    """Each destination of the trail, with the arrivals there that the status reports."""
    soon, hourly = (timedelta(minutes=20), "within 5 to 15 minutes"), (timedelta(hours=2), "once an hour")
    stated = "enable_log_file_validation" in section.model_fields_set
    validated = (stated and section.enable_log_file_validation) or trail.get("LogFileValidationEnabled")
    for check, what, name, (first_after, comes), expected in (
        ("delivery to S3", "log file", "Delivery", soon, True),
        ("log file validation", "digest", "DigestDelivery", hourly, validated),
        ("delivery to CloudWatch Logs", "event", "CloudWatchLogsDelivery", soon, trail.get(LOGS_PAIR[0])),
        ("notification by SNS", "notification", "Notification", soon, trail.get("SnsTopicARN")),
    ):
        if expected:
            last, error = status.get(f"Latest{name}Time"), status.get(f"Latest{name}Error")
            yield check, DeliveryStatus(what, last, error, status.get("StartLoggingTime"), first_after, comes)


def _newest(events: list[Mapping[str, Any]], now: datetime) -> Finding:
    """The newest event of the event history, which every account has without a trail."""
    ok, detail = None, "none in 90 days; CloudTrail shows an event within about 15 minutes"
    if events:
        event = events[0]
        who = event.get("Username") or event.get("EventSource")
        ok, detail = True, f"{event['EventName']} by {who}, {format_time(event['EventTime'], now)}"
    return Finding("event history", "newest event", ok, detail)
