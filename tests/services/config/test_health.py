"""Tests of the findings from AWS Config's status answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.services.config.health import (
    channel_findings,
    count_finding,
    recorder_findings,
    rule_finding,
)
from provisioner.services.config.state import ConfigState

from ...conftest import Bench
from .sample import BUCKET, EVERYTHING, recorder_file

ALL = recorder_file(EVERYTHING)
ONLY = ("config_recorder",)
NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
RECENT, OLD = NOW - timedelta(minutes=5), NOW - timedelta(days=3)
CHANNEL = {"name": "default", "s3BucketName": BUCKET}


def state(status: dict[str, Any] | None = None, channel: dict[str, Any] | None = None) -> ConfigState:
    return ConfigState(
        {"name": "default"},
        status or {"recording": True, "lastStartTime": OLD},
        channel or CHANNEL,
        (),
    )


def shown(findings: Any) -> list[tuple[str, bool | None, str]]:
    return [(each.check, each.ok, each.detail) for each in findings]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            {"recording": True, "lastStartTime": RECENT, "lastStatus": "Pending"},
            [
                ("recording", True, "since 11:55 UTC, 5 minutes ago"),
                ("last recording", None, "nothing was recorded yet"),
            ],
        ),
        (
            {
                "recording": True,
                "lastStartTime": OLD,
                "lastStatus": "Success",
                "lastStatusChangeTime": RECENT,
            },
            [
                ("recording", True, "since 2025-12-30 12:00 UTC, 3 days ago"),
                ("last recording", True, "succeeded at 11:55 UTC, 5 minutes ago"),
            ],
        ),
        (
            {
                "recording": False,
                "lastStopTime": RECENT,
                "lastStatus": "Failure",
                "lastStatusChangeTime": RECENT,
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
def test_recorder(status: dict[str, Any], expected: list[Any]) -> None:
    assert shown(recorder_findings(state(status), NOW)) == expected


@pytest.mark.parametrize(
    ("channel", "status", "started", "expected"),
    [
        (
            {},
            {"configHistoryDeliveryInfo": {"lastStatus": "Success", "lastSuccessfulTime": RECENT}},
            OLD,
            [("history delivery", True, "succeeded at 11:55 UTC, 5 minutes ago")],
        ),
        (
            {"configSnapshotDeliveryProperties": {"deliveryFrequency": "One_Hour"}},
            {},
            RECENT,
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
            OLD,
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
            OLD,
            [
                ("history delivery", False, "failed: NoSuchBucket"),
                ("notification delivery", False, "failed: denied"),
            ],
        ),
    ],
)
def test_channel(
    channel: dict[str, Any], status: dict[str, Any], started: datetime, expected: list[Any]
) -> None:
    have = state({"recording": True, "lastStartTime": started}, {**CHANNEL, **channel})
    assert shown(channel_findings(have, status, NOW)) == expected


@pytest.mark.parametrize(
    ("status", "ok", "detail"),
    [
        (None, False, "there is no such rule"),
        ({"FirstEvaluationStarted": False}, None, "not evaluated yet"),
        ({"LastSuccessfulEvaluationTime": RECENT}, True, "succeeded at 11:55 UTC, 5 minutes ago"),
        (
            {
                "LastSuccessfulEvaluationTime": OLD,
                "LastFailedEvaluationTime": RECENT,
                "LastErrorCode": "E",
                "LastErrorMessage": "m",
            },
            False,
            "failed at 11:55 UTC, 5 minutes ago: E: m",
        ),
        (
            {"LastSuccessfulEvaluationTime": RECENT, "LastFailedEvaluationTime": OLD, "LastErrorCode": "E"},
            True,
            "succeeded at 11:55 UTC, 5 minutes ago",
        ),
        (
            {"LastFailedInvocationTime": RECENT},
            False,
            "failed at 11:55 UTC, 5 minutes ago: AWS does not say why",
        ),
        ({"LastErrorCode": "E"}, False, "failed: E"),
    ],
)
def test_rule(status: dict[str, Any] | None, ok: bool | None, detail: str) -> None:
    finding = rule_finding("config rule r", status, NOW)
    assert (finding.ok, finding.detail) == (ok, detail)


def test_count() -> None:
    assert shown([count_finding(state(), 7, NOW)]) == [("resources", True, "7 resources recorded")]
    assert count_finding(state(), 0, NOW).ok is False
    new = state({"recording": True, "lastStartTime": RECENT})
    assert count_finding(new, 0, NOW).ok is None


def test_no_recorder_and_no_channel() -> None:
    nothing = ConfigState(None, {}, None, ())
    findings = [
        *recorder_findings(nothing, NOW),
        *channel_findings(nothing, None, NOW),
        count_finding(nothing, 0, NOW),
    ]
    assert [each.ok for each in findings] == [False, False, False]


def test_verify_of_a_running_and_a_stopped_recorder(bench: Bench) -> None:
    bench.apply(ALL, only=ONLY)
    results = bench.run(ALL, only=ONLY).verify()
    assert [r.failure for r in results if r.failure] == []
    checks = {f.check: f.ok for r in results for f in r.findings if r.step == "config_recorder"}
    assert (checks["recording"], checks["resources"]) == (True, True)
    bench.client("config").stop_configuration_recorder(ConfigurationRecorderName="default")
    bench.client("s3").delete_bucket_policy(Bucket=BUCKET)
    checks = {f.check: f.ok for r in bench.run(ALL, only=ONLY).verify() for f in r.findings}
    assert checks["recording"] is False
