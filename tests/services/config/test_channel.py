"""Tests of the delivery channel: drift, stricter settings, warnings, and waits."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.sandbox import Fault, WireCall

from ...conftest import Bench
from .sample import BUCKET, EVERYTHING, allow_config, config_file, fields, notes, put_channel, recorder_file

ALL = recorder_file(EVERYTHING)
ONLY = ("config_recorder",)
TEXT = config_file(s3_key_prefix="aws", delivery_frequency="Six_Hours")


@pytest.mark.parametrize(
    ("by_hand", "expected"),
    [
        ({"s3KeyPrefix": None}, [("s3KeyPrefix", None, "aws")]),
        (
            {"configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"}},
            [("configSnapshotDeliveryProperties.deliveryFrequency", "TwentyFour_Hours", "Six_Hours")],
        ),
        (
            {"configSnapshotDeliveryProperties": None},
            [("configSnapshotDeliveryProperties.deliveryFrequency", None, "Six_Hours")],
        ),
    ],
)
def test_drift_is_shown_and_repaired(bench: Bench, by_hand: dict[str, Any], expected: list[Any]) -> None:
    bench.apply(TEXT, only=ONLY)
    allow_config(bench, BUCKET)
    put_channel(bench, **by_hand)
    assert [f for f in fields(bench.diff(TEXT, only=ONLY)) if "policy" not in f[0]] == expected
    bench.apply(TEXT, only=ONLY)


def test_another_bucket_is_repaired_with_a_warning(bench: Bench) -> None:
    bench.apply(TEXT, only=ONLY)
    allow_config(bench, "acme-other")
    put_channel(bench, s3BucketName="acme-other")
    plan = bench.diff(TEXT, only=ONLY)
    (change,) = (c for r, c in plan.changes if r.step == "config_recorder")
    assert [(d.field, d.have, d.want) for d in change.differences] == [("s3BucketName", "acme-other", BUCKET)]
    assert change.consent is None
    assert "history so far stays in `acme-other`; its readers get nothing new there" in [
        n.text for _, n in plan.notes()
    ]
    bench.apply(TEXT, only=ONLY)


def test_prefix_is_removed_with_a_warning(bench: Bench) -> None:
    bench.apply(TEXT, only=ONLY)
    none = config_file(s3_key_prefix="")
    plan = bench.diff(none, only=ONLY)
    assert ("s3KeyPrefix", "aws", None) in fields(plan)
    assert [kind for kind, _ in notes(plan)] == ["WARNING"]
    bench.apply(none, only=ONLY)
    assert fields(bench.diff(none)) == []


def test_a_prefix_that_the_file_leaves_out_stays_and_may_be_delivered_to(bench: Bench) -> None:
    bench.apply(TEXT)
    bench.client("s3").delete_bucket_policy(Bucket=BUCKET)
    bench.apply(config_file())
    channel = bench.client("config").describe_delivery_channels()["DeliveryChannels"][0]
    assert channel["s3KeyPrefix"] == "aws"
    assert f"{BUCKET}/aws/AWSLogs/" in bench.client("s3").get_bucket_policy(Bucket=BUCKET)["Policy"]
    assert fields(bench.diff(config_file())) == []


def test_more_frequent_snapshots_are_kept_unless_exact(bench: Bench) -> None:
    bench.apply(TEXT, only=ONLY)
    put_channel(bench, configSnapshotDeliveryProperties={"deliveryFrequency": "One_Hour"})
    plan = bench.diff(TEXT, only=ONLY)
    assert fields(plan) == []
    assert notes(plan) == [
        (
            "STRICTER",
            "delivery channel default: deliveryFrequency is One_Hour; the baseline asks for Six_Hours",
        )
    ]
    exact = config_file({"exact": True}, s3_key_prefix="aws", delivery_frequency="Six_Hours")
    ((_, change),) = bench.diff(exact, only=ONLY).changes
    assert [(d.have, d.want) for d in change.differences] == [("One_Hour", "Six_Hours")]
    assert (change.consent, change.loses) == (
        "record-less",
        "snapshots are delivered less often: deliveryFrequency is One_Hour; the baseline asks for Six_Hours",
    )

    allow_config(bench, BUCKET)
    put_channel(bench, s3KeyPrefix=None, configSnapshotDeliveryProperties={"deliveryFrequency": "One_Hour"})
    changes = [c for r, c in bench.diff(exact, only=ONLY).changes if r.step == "config_recorder"]
    assert [([d.field for d in c.differences], c.consent) for c in changes] == [
        (["s3KeyPrefix"], None),
        (["configSnapshotDeliveryProperties.deliveryFrequency"], "record-less"),
    ]
    bench.apply(exact, only=ONLY)
    (have,) = bench.client("config").describe_delivery_channels()["DeliveryChannels"]
    assert (have["s3KeyPrefix"], have["configSnapshotDeliveryProperties"]) == (
        "aws",
        {"deliveryFrequency": "One_Hour"},
    )
    bench.apply(exact, only=ONLY, allow=("record-less",))
    assert [f for f in fields(bench.diff(exact, only=ONLY)) if "policy" not in f[0]] == []


def test_key_and_topic_are_set_and_kept_if_the_file_has_none(bench: Bench) -> None:
    key = bench.client("kms").create_key()["KeyMetadata"]["Arn"]
    topic = bench.client("sns").create_topic(Name="config")["TopicArn"]
    stated = config_file(s3_kms_key_arn=key, sns_topic_arn=topic)
    bench.apply(config_file(), only=ONLY)
    assert [name for name, _, _ in fields(bench.diff(stated, only=ONLY))] == [
        "s3KmsKeyArn",
        "snsTopicARN",
    ]
    bench.apply(stated, only=ONLY)
    assert fields(bench.diff(config_file(), only=ONLY)) == []
    put_channel(bench, s3KmsKeyArn=None)
    assert fields(bench.diff(stated, only=ONLY)) == [("s3KmsKeyArn", None, key)]


def test_waits_for_the_bucket_and_its_policy(bench: Bench) -> None:
    left = ["NoSuchBucketException", *["InsufficientDeliveryPolicyException"] * 2]

    def not_yet(call: WireCall, phase: str) -> Fault | None:
        fails = call.operation == "PutDeliveryChannel" and phase == "before" and left
        return Fault(left.pop()) if fails else None

    bench.world.interrupt(not_yet)
    bench.apply(ALL, only=ONLY)
    assert [w.until for w in bench.waits if w.operation == "put_delivery_channel"] == [
        f"AWS Config to be allowed to write to bucket {BUCKET}",
        f"AWS Config to be allowed to write to bucket {BUCKET}",
        f"AWS Config to see bucket {BUCKET}",
    ]


def test_bucket_by_its_aws_name(bench: Bench) -> None:
    plan = bench.diff(config_file(s3_bucket_name=BUCKET), only=ONLY)
    assert ("s3BucketName", None, BUCKET) in fields(plan)
    assert any("AWSConfigBucketDelivery" in name for name, _, _ in fields(plan))
