"""Tests of the KMS key and the SNS topic that the file names for deliveries: missing, unusable, elsewhere, not ours."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.engine.run import Run
from provisioner.model import Finding
from provisioner.sandbox import Fault

from ...conftest import MEMBER, Bench
from .sample import ACCOUNT, config_file, recorder

ONLY = ("config_recorder",)
CHANNEL = "delivery channel default"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0000"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:gone"
WHAT = {"s3_kms_key_arn": "key", "sns_topic_arn": "topic"}
CODES = {"s3_kms_key_arn": "AccessDeniedException", "sns_topic_arn": "AuthorizationError"}
GONE = {
    "s3_kms_key_arn": f"the key `{KEY}` does not exist in us-east-1: make it, or name another",
    "sns_topic_arn": f"the topic `{TOPIC}` does not exist: make it, or name another",
}
MISSING = {"s3_kms_key_arn": KEY, "sns_topic_arn": TOPIC}


def findings(bench: Bench, **channel: Any) -> list[Finding]:
    """What `verify` says of the key and the topic."""
    results = bench.run(config_file(**channel), only=ONLY).verify()
    return [f for r in results for f in r.findings if f.check in {"KMS key", "SNS topic"}]


@pytest.mark.parametrize(("field", "arn"), MISSING.items())
def test_what_is_missing_fails_the_channel_only(bench: Bench, field: str, arn: str) -> None:
    text = config_file(**{field: arn})
    plan = bench.diff(text, only=ONLY)
    (failed,) = plan.failed
    assert [(each.resource, each.message) for each in failed.failures] == [
        (CHANNEL, f"`config.delivery_channel.{field}`: {GONE[field]}")
    ]
    run = bench.run(text, only=ONLY)
    run.send(run.rehearse())
    assert recorder(bench)["name"] == "default"
    assert "PutDeliveryChannel" not in {call.operation for call in bench.world.writes}
    assert [(f.ok, f.detail) for f in findings(bench, **{field: arn})] == [(False, GONE[field])]


@pytest.mark.parametrize(("field", "arn"), MISSING.items())
def test_a_recorder_that_delivers_is_still_started(bench: Bench, field: str, arn: str) -> None:
    bench.apply(config_file(), only=ONLY)
    bench.client("config").stop_configuration_recorder(ConfigurationRecorderName="default")
    run = bench.run(config_file(**{field: arn}), only=ONLY)
    (failed,) = [each for each in run.send(run.rehearse()) if not each.ok]
    assert [each.resource for each in failed.failures] == [CHANNEL]
    (status,) = bench.client("config").describe_configuration_recorder_status()[
        "ConfigurationRecordersStatus"
    ]
    assert status["recording"] is True


@pytest.mark.parametrize("broken", ["disabled", "scheduled"])
def test_a_key_that_encrypts_nothing(bench: Bench, broken: str) -> None:
    kms = bench.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    name = key.rpartition("/")[2]
    assert [(f.check, f.ok) for f in findings(bench, s3_kms_key_arn=key)] == [("KMS key", True)]
    if broken == "disabled":
        kms.disable_key(KeyId=name)
    else:
        kms.schedule_key_deletion(KeyId=name)
    (failed,) = bench.diff(config_file(s3_kms_key_arn=key), only=ONLY).failed
    assert failed.failure is not None
    assert ": enable it, or name another" in failed.failure.message
    assert [f.ok for f in findings(bench, s3_kms_key_arn=key)] == [False]


def test_a_topic_that_exists(bench: Bench) -> None:
    topic = bench.client("sns").create_topic(Name="config")["TopicArn"]
    bench.apply(config_file(sns_topic_arn=topic), only=ONLY)
    assert findings(bench, sns_topic_arn=topic) == [
        Finding(CHANNEL, "SNS topic", ok=True, detail=f"the topic `{topic}` exists")
    ]


def test_a_topic_of_another_region_where_the_file_names_none(bench: Bench) -> None:
    topic = bench.client("sns").create_topic(Name="config")["TopicArn"]
    run = bench.run(config_file(sns_topic_arn=topic).replace('["us-east-1"]', "all"), only=ONLY)
    both = Run(run.cloud, run.baseline, run.identity, run.steps, ["us-east-1", "eu-west-1"])
    failed = {r.target.region: r.failure.message for r in both.rehearse().failed if r.failure}
    assert failed.keys() == {"eu-west-1"}
    assert "write `${region}` in the ARN, and make a topic in each Region" in failed["eu-west-1"]


@pytest.mark.parametrize("field", MISSING)
def test_what_is_in_another_account_or_may_not_be_read_is_unknown(bench: Bench, field: str) -> None:
    other = MISSING[field].replace(ACCOUNT, MEMBER)
    plan = bench.diff(config_file(**{field: other}), only=ONLY)
    assert plan.failed == []
    assert [(f.ok, f.detail) for f in findings(bench, **{field: other})] == [
        (None, f"the {WHAT[field]} `{other}` is in another account and cannot be looked at")
    ]
    codes = dict(zip(("DescribeKey", "GetTopicAttributes"), CODES.values(), strict=True))
    bench.world.interrupt(
        lambda call, phase: (
            Fault(codes[call.operation], 403) if phase == "before" and call.operation in codes else None
        )
    )
    assert bench.diff(config_file(**{field: MISSING[field]}), only=ONLY).failed == []
    assert [(f.ok, f.detail) for f in findings(bench, **{field: MISSING[field]})] == [
        (
            None,
            f"the {WHAT[field]} `{MISSING[field]}` cannot be looked at, AWS answers with {CODES[field]}",
        )
    ]


def test_another_error_is_a_failure(bench: Bench) -> None:
    bench.world.interrupt(
        lambda call, phase: (
            Fault("InternalThing", 400) if phase == "before" and call.operation == "DescribeKey" else None
        )
    )
    (failed,) = bench.diff(config_file(s3_kms_key_arn=KEY), only=ONLY).failed
    assert failed.failure is not None
    assert failed.failure.code == "InternalThing"
