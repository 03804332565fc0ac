"""Files with a section `config`, and helpers, for the tests of its three steps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from provisioner.engine.plan import Plan
from provisioner.services.config.recording import without_empty_lists

from ...conftest import Bench

ACCOUNT = "123456789012"
BUCKET = "acme-config"
IAM = ["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"]
S3, EC2, RDS = "AWS::S3::Bucket", "AWS::EC2::Instance", "AWS::RDS::DBInstance"
EVERYTHING = {"all_supported": True, "include_global_resource_types": True}
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
SERVICE_ROLE = f"{ROLE}/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


def config_file(
    config: dict[str, Any] | None = None, *, regions: Sequence[str] = ("us-east-1",), **channel: Any
) -> str:
    """A file: *config* is its section without the channel, *channel* the channel's fields beside its bucket."""
    made = {"delivery_channel": {"s3_bucket_name": "config", **channel}, **(config or {})}
    return "\n".join(
        [
            f"regions: {json.dumps(list(regions))}",
            f"log_buckets: {{config: {{name: {BUCKET}}}, other: {{name: acme-other}}}}",
            f"config: {json.dumps(made)}",
        ]
    )


def recorder_file(
    group: dict[str, Any] | None = None, mode: dict[str, Any] | None = None, **given: Any
) -> str:
    """A file with a recorder of this group and mode; *given* is the rest of `config`, and `regions`."""
    regions = given.pop("regions", ("us-east-1",))
    recorder = {"recording_group": group, "recording_mode": mode}
    stated = {key: value for key, value in recorder.items() if value is not None}
    return config_file({"recorder": stated, **given}, regions=regions)


def fields(plan: Plan) -> list[tuple[str, Any, Any]]:
    """Every difference of the plan as (field, have, want)."""
    return [(d.field, d.have, d.want) for _, c in plan.changes for d in c.differences]


def notes(plan: Plan) -> list[tuple[str, str]]:
    """Every note of the plan as (kind, text)."""
    return [(note.kind.name, f"{note.resource}: {note.text}") for _, note in plan.notes()]


def recorder(bench: Bench, region: str = "us-east-1") -> dict[str, Any]:
    (have,) = bench.client("config", region).describe_configuration_recorders()["ConfigurationRecorders"]
    return dict(have)


def put_recorder(bench: Bench, region: str = "us-east-1", **changed: Any) -> None:
    """Change the recorder as another user."""
    have = recorder(bench, region)
    kept = {key: have[key] for key in ("name", "roleARN", "recordingMode")}
    full = {**kept, "recordingGroup": without_empty_lists(have["recordingGroup"]), **changed}
    bench.client("config", region).put_configuration_recorder(ConfigurationRecorder=full)


def put_channel(bench: Bench, **changed: Any) -> None:
    """Change the channel as another user."""
    config = bench.client("config")
    (have,) = config.describe_delivery_channels()["DeliveryChannels"]
    full = {key: value for key, value in {**have, **changed}.items() if value is not None}
    config.put_delivery_channel(DeliveryChannel=full)


def allow_config(bench: Bench, bucket: str) -> None:
    """Let AWS Config deliver anywhere in the bucket, by a statement of another user."""
    text = (
        '{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Action":"s3:*",'
        '"Principal":{"Service":"config.amazonaws.com"},'
        f'"Resource":["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"]}}]}}'
    )
    bench.client("s3").put_bucket_policy(Bucket=bucket, Policy=text)
