"""Tests of recorders that exist before the first run, and of IAM types in several Regions."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.aws.cloud import Cloud

from ...conftest import Bench
from .sample import (
    BUCKET,
    EVERYTHING,
    IAM,
    S3,
    SERVICE_ROLE,
    fields,
    notes,
    put_recorder,
    recorder,
    recorder_file,
)

ONLY = ("config_recorder",)
ALL = recorder_file(EVERYTHING)
REGIONS = ("us-east-1", "eu-west-1")
GROUP = "recordingGroup"


@pytest.mark.parametrize("running", [True, False])
def test_recorder_of_another_name_is_adopted(bench: Bench, running: bool) -> None:
    bench.apply(ALL, only=("config_role", "log_buckets"))
    config = bench.client("config")
    bare = {"name": "theirs", "roleARN": SERVICE_ROLE, GROUP: {"allSupported": True}}
    config.put_configuration_recorder(ConfigurationRecorder=bare)
    config.put_delivery_channel(DeliveryChannel={"name": "their-channel", "s3BucketName": BUCKET})
    if running:
        config.start_configuration_recorder(ConfigurationRecorderName="theirs")
    plan = bench.diff(ALL, only=ONLY)
    started = [] if running else [("recording", False, True)]
    assert fields(plan) == [*started, (f"{GROUP}.includeGlobalResourceTypes", False, True)]
    text = "was there, and is adopted under its own name; the baseline's is default"
    assert notes(plan) == [
        ("FOREIGN", f"configuration recorder theirs: {text}"),
        ("FOREIGN", f"delivery channel their-channel: {text}"),
    ]
    bench.apply(ALL, only=ONLY)
    assert [recorder(bench)["name"]] == ["theirs"]


def test_recorder_created_meanwhile_is_adopted_by_the_next_run(bench: Bench) -> None:
    bench.apply(ALL, only=("config_role", "log_buckets"))
    run = bench.run(ALL, only=ONLY)
    plan = run.rehearse()
    bare = {"name": "theirs", "roleARN": SERVICE_ROLE, GROUP: {"allSupported": True}}
    bench.client("config").put_configuration_recorder(ConfigurationRecorder=bare)
    failures = [r.failure for r in run.send(plan) if r.failure]
    # The changes to that recorder were not in the plan, so this run must not make them.
    assert ["run again" in each.message for each in failures] == [True]
    bench.apply(ALL, only=ONLY)


@pytest.mark.parametrize(
    "linked",
    [
        {
            "name": "AWSConfigurationRecorderForSecurityHub_Assets",
            "servicePrincipal": "securityhub.amazonaws.com",
        },
        {"name": "azure", "connectorArn": "arn:aws:config:us-east-1:123456789012:connector/azure"},
    ],
)
def test_recorder_of_a_service_is_left_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, linked: dict[str, str]
) -> None:
    bench.apply(ALL, only=ONLY)
    add_recorder(monkeypatch, linked)
    plan = bench.diff(ALL, only=ONLY)
    assert fields(plan) == []
    text = f"configuration recorder {linked['name']}: belongs to an AWS service; left alone"
    assert notes(plan) == [("FOREIGN", text)]


def test_recorder_of_control_tower_is_left_alone(bench: Bench) -> None:
    bench.apply(ALL, only=("config_role", "log_buckets"))
    config, name = bench.client("config"), "aws-controltower-BaselineConfigRecorder"
    bare = {"name": name, "roleARN": SERVICE_ROLE, GROUP: {"resourceTypes": [S3]}}
    config.put_configuration_recorder(ConfigurationRecorder=bare)
    plan = bench.apply(ALL, only=ONLY)
    assert fields(plan) == []
    assert notes(plan) == [
        ("FOREIGN", f"configuration recorder {name}: managed by Control Tower; left alone")
    ]


def add_recorder(monkeypatch: pytest.MonkeyPatch, linked: dict[str, str]) -> None:
    """Add a recorder to what AWS answers: moto creates none for a service."""
    real = Cloud.read

    def read(
        self: Any, target: Any, service: str, region: str, operation: str, params: Any, *more: Any
    ) -> Any:
        answer = real(self, target, service, region, operation, params, *more)
        if operation == "describe_configuration_recorders":
            return {**answer, "ConfigurationRecorders": [linked, *answer["ConfigurationRecorders"]]}
        return answer

    monkeypatch.setattr(Cloud, "read", read)


def test_iam_is_recorded_in_the_home_region_only(bench: Bench) -> None:
    text = recorder_file(EVERYTHING, regions=REGIONS)
    bench.apply(text, only=ONLY)
    recorded_iam = [recorder(bench, region)[GROUP]["includeGlobalResourceTypes"] for region in REGIONS]
    assert recorded_iam == [True, False]


def test_iam_is_excluded_in_other_regions(bench: Bench) -> None:
    text = recorder_file({"exclusion_by_resource_types": [S3]}, regions=REGIONS)
    bench.apply(text, only=ONLY)
    excluded = [
        recorder(bench, region)[GROUP]["exclusionByResourceTypes"]["resourceTypes"] for region in REGIONS
    ]
    assert excluded == [[S3], [*IAM, S3]]
    assert fields(bench.diff(text, only=ONLY)) == []


def test_iam_in_another_region_is_stricter(bench: Bench) -> None:
    text = recorder_file(EVERYTHING, regions=REGIONS)
    bench.apply(text, only=ONLY)
    put_recorder(
        bench, "eu-west-1", recordingGroup={"allSupported": True, "includeGlobalResourceTypes": True}
    )
    plan = bench.diff(text, only=ONLY)
    assert fields(plan) == []
    text = f"records every type; the baseline asks for every type but {', '.join(IAM)}"
    assert notes(plan) == [("STRICTER", f"configuration recorder default: {text}")]
    exact = recorder_file(EVERYTHING, regions=REGIONS, exact=True)
    bench.apply(exact, only=ONLY, allow=("record-less",))
    assert recorder(bench, "eu-west-1")[GROUP]["includeGlobalResourceTypes"] is False


def test_home_region_without_iam_types_is_a_warning(bench: Bench) -> None:
    bench.world.enable("me-central-1")
    text = "home_region: me-central-1\n" + recorder_file(EVERYTHING, regions=("me-central-1",))
    plan = bench.diff(text, only=ONLY)
    assert [kind for kind, _ in notes(plan)] == ["WARNING"]
    assert (f"{GROUP}.includeGlobalResourceTypes", None, False) in fields(plan)
