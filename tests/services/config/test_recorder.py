"""Tests of the recorder: drift, stricter settings, and what the file leaves out."""

from __future__ import annotations

from typing import Any

import pytest

from ...conftest import EXAMPLE, Bench
from .sample import (
    EC2,
    EVERYTHING,
    RDS,
    S3,
    SERVICE_ROLE,
    config_file,
    fields,
    notes,
    put_recorder,
    recorder,
    recorder_file,
)

ONLY = ("config_recorder",)
ALL = recorder_file(EVERYTHING)
REGIONS = ("us-east-1", "eu-west-1")
DAILY = {"recordingFrequency": "DAILY", "recordingModeOverrides": []}
GROUP = "recordingGroup"
STRATEGY = f"{GROUP}.recordingStrategy.useOnly"


def test_new_recorder_is_started(bench: Bench) -> None:
    plan = bench.apply(recorder_file(EVERYTHING, {"recording_frequency": "CONTINUOUS"}), only=ONLY)
    made = [(c.call.operation, c.action) for r, c in plan.changes if r.step == "config_recorder"]
    assert made == [
        ("put_configuration_recorder", "create"),
        ("put_delivery_channel", "create"),
        ("start_configuration_recorder", "update"),
    ]
    have = recorder(bench)
    assert (have["name"], have["roleARN"]) == ("default", SERVICE_ROLE)
    assert have[GROUP]["includeGlobalResourceTypes"] is True
    (status,) = bench.client("config").describe_configuration_recorder_status()[
        "ConfigurationRecordersStatus"
    ]
    assert status["recording"] is True


def test_what_the_file_leaves_out_is_kept(bench: Bench) -> None:
    bench.apply(config_file(), only=ONLY)
    assert recorder(bench)[GROUP]["includeGlobalResourceTypes"] is False
    put_recorder(
        bench,
        recordingGroup={"allSupported": True, "includeGlobalResourceTypes": True},
        recordingMode=DAILY,
    )
    assert fields(bench.diff(config_file(), only=ONLY)) == []


@pytest.mark.parametrize(
    ("group", "mode", "by_hand", "expected"),
    [
        (
            EVERYTHING,
            None,
            {GROUP: {"allSupported": True, "includeGlobalResourceTypes": False}},
            [(f"{GROUP}.includeGlobalResourceTypes", False, True)],
        ),
        (
            EVERYTHING,
            None,
            {GROUP: {"resourceTypes": [S3]}},
            [
                (f"{GROUP}.allSupported", False, True),
                (f"{GROUP}.includeGlobalResourceTypes", False, True),
                (f"{GROUP}.resourceTypes", [S3], []),
                (STRATEGY, "INCLUSION_BY_RESOURCE_TYPES", "ALL_SUPPORTED_RESOURCE_TYPES"),
            ],
        ),
        (
            {"resource_types": [S3, EC2]},
            None,
            {GROUP: {"resourceTypes": [S3]}},
            [(f"{GROUP}.resourceTypes", [S3], [EC2, S3])],
        ),
        (
            {"resource_types": [S3, EC2]},
            None,
            {GROUP: {"resourceTypes": [S3, RDS]}},  # what is recorded stays recorded
            [(f"{GROUP}.resourceTypes", [RDS, S3], [EC2, RDS, S3])],
        ),
        (
            {"exclusion_by_resource_types": [S3]},
            None,
            {
                GROUP: {
                    "exclusionByResourceTypes": {"resourceTypes": [S3, EC2]},
                    "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                }
            },
            [(f"{GROUP}.exclusionByResourceTypes.resourceTypes", [EC2, S3], [S3])],
        ),
        (
            None,
            {"recording_frequency": "CONTINUOUS"},
            {"recordingMode": DAILY},
            [("recordingMode.recordingFrequency", "DAILY", "CONTINUOUS")],
        ),
        (
            None,
            {
                "recording_frequency": "DAILY",
                "recording_mode_overrides": [
                    {
                        "resource_types": [EC2, S3],
                        "recording_frequency": "CONTINUOUS",
                        "description": "watch",
                    }
                ],
            },
            {"recordingMode": DAILY},
            [
                (
                    "recordingMode.recordingModeOverrides",
                    [],
                    [
                        {
                            "resourceTypes": [EC2, S3],
                            "recordingFrequency": "CONTINUOUS",
                            "description": "watch",
                        }
                    ],
                )
            ],
        ),
    ],
)
def test_drift_is_shown_and_repaired(
    bench: Bench,
    group: dict[str, Any] | None,
    mode: dict[str, Any] | None,
    by_hand: dict[str, Any],
    expected: list[Any],
) -> None:
    text = recorder_file(group, mode)
    bench.apply(text, only=ONLY)
    put_recorder(bench, **by_hand)
    assert fields(bench.diff(text, only=ONLY)) == expected
    bench.apply(text, only=ONLY)


def test_description_of_an_override_is_compared_only_if_the_file_has_one(bench: Bench) -> None:
    override = {"resource_types": [S3], "recording_frequency": "DAILY"}

    def text(**more: str) -> str:
        return recorder_file(None, {"recording_mode_overrides": [{**override, **more}]})

    bench.apply(text(description="cheap"), only=ONLY)
    assert fields(bench.diff(text(), only=ONLY)) == []
    ((name, _, _),) = fields(bench.diff(text(description="dear"), only=ONLY))
    assert name == "recordingMode.recordingModeOverrides"
    bench.apply(text(description="dear"), only=ONLY)


def test_another_role_is_drift(bench: Bench) -> None:
    own = config_file({"role_name": "recorder"})
    bench.apply(own, only=ONLY)
    role = f"arn:aws:iam::{bench.world.account_id}:role/recorder"
    assert recorder(bench)["roleARN"] == role
    bench.client("iam").create_service_linked_role(AWSServiceName="config.amazonaws.com")
    assert fields(bench.diff(config_file(), only=ONLY)) == [("roleARN", role, SERVICE_ROLE)]
    bench.apply(config_file(), only=ONLY)


def test_stopped_recorder_is_repaired_and_started(bench: Bench) -> None:
    bench.apply(ALL, only=ONLY)
    bench.client("config").stop_configuration_recorder(ConfigurationRecorderName="default")
    put_recorder(bench, recordingGroup={"resourceTypes": [S3]})
    before = len(bench.world.writes)
    assert ("recording", False, True) in fields(bench.diff(ALL, only=ONLY))
    bench.apply(ALL, only=ONLY)
    assert [call.operation for call in bench.world.writes[before:]] == [
        "StartConfigurationRecorder",
        "PutConfigurationRecorder",
    ]


def test_request_keeps_what_the_file_leaves_out(bench: Bench) -> None:
    bench.apply(config_file(), only=ONLY)
    put_recorder(bench, recordingMode=DAILY)
    bench.apply(recorder_file(EVERYTHING), only=ONLY)
    assert recorder(bench)["recordingMode"] == DAILY
    sent = next(c for c in reversed(bench.world.writes) if c.operation == "PutConfigurationRecorder")
    assert sorted(sent.params["ConfigurationRecorder"]) == [
        "name",
        "recordingGroup",
        "recordingMode",
        "roleARN",
    ]


@pytest.mark.parametrize(
    ("group", "mode", "by_hand", "text"),
    [
        (
            {"resource_types": [S3]},
            None,
            {GROUP: {"resourceTypes": [S3, EC2]}},
            f"records {EC2}, {S3}; the baseline asks for {S3}",
        ),
        (
            {"resource_types": [S3]},
            None,
            {GROUP: {"allSupported": True, "includeGlobalResourceTypes": True}},
            f"records every type; the baseline asks for {S3}",
        ),
        (
            {"exclusion_by_resource_types": [S3, EC2]},
            None,
            {GROUP: {"allSupported": True, "includeGlobalResourceTypes": True}},
            f"records every type; the baseline asks for every type but {EC2}, {S3}",
        ),
        (
            None,
            {"recording_frequency": "DAILY"},
            {"recordingMode": {"recordingFrequency": "CONTINUOUS"}},
            "records every type at each change; the baseline asks for nothing",
        ),
    ],
)
def test_recording_more_is_stricter_and_kept_unless_exact(
    bench: Bench,
    group: dict[str, Any] | None,
    mode: dict[str, Any] | None,
    by_hand: dict[str, Any],
    text: str,
) -> None:
    file = recorder_file(group, mode)
    bench.apply(file, only=ONLY)
    put_recorder(bench, **by_hand)
    plan = bench.diff(file, only=ONLY)
    assert fields(plan) == []
    assert notes(plan) == [("STRICTER", f"configuration recorder default: {text}")]
    exact = recorder_file(group, mode, exact=True)
    ((_, change),) = bench.diff(exact, only=ONLY).changes
    assert (change.consent, change.loses) == ("record-less", f"what is recorded beyond the file: {text}")
    before = len(bench.world.writes)
    bench.apply(exact, only=ONLY)
    assert bench.world.writes[before:] == []
    bench.apply(exact, only=ONLY, allow=("record-less",))
    plan = bench.diff(exact, only=ONLY)
    assert (fields(plan), notes(plan)) == ([], [])


def test_repair_does_not_wait_for_consent(bench: Bench) -> None:
    group, mode = {"resource_types": [S3, EC2]}, {"recording_frequency": "DAILY"}
    bench.apply(recorder_file(group, mode), only=ONLY)
    put_recorder(
        bench,
        recordingGroup={"resourceTypes": [S3, RDS]},
        recordingMode={"recordingFrequency": "CONTINUOUS"},
    )
    exact = recorder_file(group, mode, exact=True)
    repair, loosening = (change for _, change in bench.diff(exact, only=ONLY).changes)
    assert (repair.consent, [(d.have, d.want) for d in repair.differences]) == (
        None,
        [([RDS, S3], [EC2, RDS, S3])],
    )
    assert (loosening.consent, [(d.have, d.want) for d in loosening.differences]) == (
        "record-less",
        [([EC2, RDS, S3], [EC2, S3]), ("CONTINUOUS", "DAILY")],
    )
    bench.apply(exact, only=ONLY)
    have = recorder(bench)
    assert sorted(have[GROUP]["resourceTypes"]) == sorted([S3, EC2, RDS])
    assert have["recordingMode"]["recordingFrequency"] == "CONTINUOUS"
    bench.apply(exact, only=ONLY, allow=("record-less",))
    have = recorder(bench)
    assert sorted(have[GROUP]["resourceTypes"]) == sorted([S3, EC2])
    assert have["recordingMode"]["recordingFrequency"] == "DAILY"


def test_new_recorder_needs_no_consent(bench: Bench) -> None:
    exact = recorder_file({"resource_types": [S3]}, {"recording_frequency": "DAILY"}, exact=True)
    plan = bench.apply(exact, only=ONLY)
    assert {change.consent for _, change in plan.changes} == {None}
    assert fields(bench.diff(exact, only=ONLY)) == []


def test_no_pause_holds_what_is_recorded_and_where_to(bench: Bench) -> None:
    bench.apply(EXAMPLE)
    client = bench.client("config")
    [recorder] = client.describe_configuration_recorders()["ConfigurationRecorders"]
    [channel] = client.describe_delivery_channels()["DeliveryChannels"]
    fewer = {"allSupported": False, "resourceTypes": ["AWS::EC2::Volume"]}
    client.put_configuration_recorder(
        ConfigurationRecorder={
            "name": recorder["name"],
            "roleARN": recorder["roleARN"],
            "recordingGroup": fewer,
        }
    )
    client.put_delivery_channel(
        DeliveryChannel={
            **channel,
            "configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"},
        }
    )
    changes = [change for result, change in bench.diff(EXAMPLE).changes if result.step == "config_recorder"]
    assert [change.call.operation for change in changes if change.is_vital] == [
        "put_configuration_recorder",
        "put_delivery_channel",
    ]
