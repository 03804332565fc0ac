"""What the status of AWS Config proves, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.services.config.health import channel_findings, count_findings, recorder_findings
from provisioner.services.config.state import Found

from ...conftest import Bench
from .sample import BUCKET, EVERYTHING, recorder_file

ALL = recorder_file(EVERYTHING)
ONLY = ("config_recorder",)


NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
EARLY, LATE = NOW - timedelta(minutes=5), NOW - timedelta(days=3)
CHANNEL = {"name": "default", "s3BucketName": BUCKET}


def found(status: dict[str, Any] | None = None, channel: dict[str, Any] | None = None) -> Found:
    return Found(
        {"name": "default"},
        status or {"recording": True, "lastStartTime": LATE},
        channel or CHANNEL,
        None,
        (),
    )


def said(findings: Any) -> list[tuple[str, bool | None, str]]:
    return [(each.check, each.ok, each.detail) for each in findings]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            {"recording": True, "lastStartTime": EARLY, "lastStatus": "Pending"},
            [
                ("recording", True, "since 11:55 UTC, 5 minutes ago"),
                ("last recording", None, "nothing was recorded yet"),
            ],
        ),
        (
            {
                "recording": True,
                "lastStartTime": LATE,
                "lastStatus": "Success",
                "lastStatusChangeTime": EARLY,
            },
            [
                ("recording", True, "since 2025-12-30 12:00 UTC, 3 days ago"),
                ("last recording", True, "succeeded at 11:55 UTC, 5 minutes ago"),
            ],
        ),
        (
            {
                "recording": False,
                "lastStopTime": EARLY,
                "lastStatus": "Failure",
                "lastStatusChangeTime": EARLY,
                "lastErrorCode": "AccessDenied",
                "lastErrorMessage": "no",
            },
            [
                ("recording", False, "stopped at 11:55 UTC, 5 minutes ago"),
                ("last recording", False, "failed at 11:55 UTC, 5 minutes ago: AccessDenied: no"),
            ],
        ),
    ],
)
def test_the_recorder(status: dict[str, Any], expected: list[Any]) -> None:
    assert said(recorder_findings(found(status), NOW)) == expected


@pytest.mark.parametrize(
    ("channel", "status", "started", "expected"),
    [
        (
            {},
            {"configHistoryDeliveryInfo": {"lastStatus": "Success", "lastSuccessfulTime": EARLY}},
            LATE,
            [("history delivery", True, "succeeded at 11:55 UTC, 5 minutes ago")],
        ),
        (
            {"configSnapshotDeliveryProperties": {"deliveryFrequency": "One_Hour"}},
            {},
            EARLY,
            [
                (
                    "history delivery",
                    None,
                    "nothing was delivered yet; the recorder started at 11:55 UTC, 5 minutes ago",
                ),
                (
                    "snapshot delivery",
                    None,
                    "nothing was delivered yet; the recorder started at 11:55 UTC, 5 minutes ago",
                ),
            ],
        ),
        (
            {},
            {"configHistoryDeliveryInfo": {"lastStatus": "Not_Applicable"}},
            LATE,
            [
                (
                    "history delivery",
                    False,
                    "nothing was delivered since the recorder started at 2025-12-30 12:00 UTC, 3 days ago",
                )
            ],
        ),
        (
            {"snsTopicARN": "arn:aws:sns:us-east-1:123456789012:config"},
            {
                "configHistoryDeliveryInfo": {"lastStatus": "Failure", "lastErrorCode": "NoSuchBucket"},
                "configStreamDeliveryInfo": {"lastStatus": "Failure", "lastErrorMessage": "denied"},
            },
            LATE,
            [
                ("history delivery", False, "failed: NoSuchBucket"),
                ("notification delivery", False, "failed: denied"),
            ],
        ),
    ],
)
def test_the_channel(
    channel: dict[str, Any], status: dict[str, Any], started: datetime, expected: list[Any]
) -> None:
    have = found({"recording": True, "lastStartTime": started}, {**CHANNEL, **channel})
    assert said(channel_findings(have, status, NOW)) == expected


def test_what_was_found() -> None:
    assert said(count_findings(found(), 7, NOW)) == [("resources", True, "7 resources recorded")]
    assert [ok for _, ok, _ in said(count_findings(found(), 0, NOW))] == [False]
    new = found({"recording": True, "lastStartTime": EARLY})
    assert [ok for _, ok, _ in said(count_findings(new, 0, NOW))] == [None]


def test_nothing_there() -> None:
    nothing = Found(None, {}, None, None, ())
    findings = [
        *recorder_findings(nothing, NOW),
        *channel_findings(nothing, None, NOW),
        *count_findings(nothing, 0, NOW),
    ]
    assert [each.ok for each in findings] == [False, False, False]


def test_on_the_wire(bench: Bench) -> None:
    bench.apply(ALL, only=ONLY)
    results = bench.run(ALL, only=ONLY).verify()
    assert [r.failure for r in results if r.failure] == []
    checks = {f.check: f.ok for r in results for f in r.findings if r.step == "config_recorder"}
    assert (checks["recording"], checks["resources"]) == (True, True)
    bench.client("config").stop_configuration_recorder(ConfigurationRecorderName="default")
    bench.client("s3").delete_bucket_policy(Bucket=BUCKET)
    checks = {f.check: f.ok for r in bench.run(ALL, only=ONLY).verify() for f in r.findings}
    assert checks["recording"] is False
