"""Tests of the key, topic, log group and role that the file names: what is missing is told, and stops nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioner.model import Kind
from provisioner.sandbox import Fault

from ...conftest import Bench
from .sample import ACCOUNT, ARN, FULL, GROUP, ONLY, PLAIN, ROLE, TOPIC, changed, make_surroundings, result
from .test_others import make_trail

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
FOREIGN = KEY.replace(ACCOUNT, "999988887777")
# What the file names, without what it needs, and what is told.
MISSING = [
    (
        "kms_key_id: alias/nope",
        "the key `alias/nope` does not exist in us-east-1: make it, or correct `cloudtrail.kms_key_id`",
    ),
    (f"kms_key_id: {KEY}", f"the key `{KEY}` does not exist"),
    ("sns_topic_name: nope", f"the topic `{TOPIC.replace('audit', 'nope')}` does not exist"),
    (f"sns_topic_name: {TOPIC}", f"the topic `{TOPIC}` does not exist"),
    (
        f"cloud_watch_logs_log_group_arn: '{GROUP}'\n  cloud_watch_logs_role_arn: {ROLE}",
        f"the log group `{GROUP}` does not exist",
    ),
]


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize(("line", "text"), MISSING)
def test_what_is_missing_is_told_and_stops_nothing_else(
    bench: Bench, line: str, text: str, exists: bool
) -> None:
    if exists:
        bench.apply(PLAIN, only=ONLY)
        bench.client("cloudtrail").stop_logging(Name=ARN)
    file = f"{PLAIN}  {line}\n"
    for found in (result(bench, file), *bench.run(file, only=ONLY).verify()):
        if found.step == "cloudtrail":
            assert [each.message.startswith(text) for each in found.failures] == [True], found.failures
    run = bench.run(file, only=ONLY)
    sent = {each.step: each for each in run.send(run.rehearse())}
    assert [each.message.startswith(text) for each in sent["cloudtrail"].failures] == [True]
    assert bench.client("cloudtrail").get_trail_status(Name=ARN)["IsLogging"]
    assert changed(bench, PLAIN) == []


def disabled(bench: Bench) -> None:
    bench.client("kms").disable_key(
        KeyId=bench.client("kms").describe_key(KeyId="alias/audit")["KeyMetadata"]["KeyId"]
    )


def deleted(service: str, operation: str, **params: Any) -> Callable[[Bench], None]:
    return lambda bench: getattr(bench.client(service), operation)(**params)


def without_role(bench: Bench) -> None:
    bench.client("iam").delete_role_policy(RoleName="audit", PolicyName="logs")
    bench.client("iam").delete_role(RoleName="audit")


@pytest.mark.parametrize(
    ("remove", "text"),
    [
        (disabled, "the key `alias/audit` is Disabled"),
        (deleted("sns", "delete_topic", TopicArn=TOPIC), f"the topic `{TOPIC}` does not exist"),
        (
            deleted("logs", "delete_log_group", logGroupName="audit"),
            f"the log group `{GROUP}` does not exist",
        ),
        (without_role, f"the role `{ROLE}` does not exist"),
    ],
)
def test_what_is_removed_later_is_seen_by_diff_and_verify(
    bench: Bench, remove: Callable[[Bench], None], text: str
) -> None:
    make_surroundings(bench)
    bench.apply(FULL, only=ONLY)
    remove(bench)
    for found in (result(bench, FULL), *bench.run(FULL, only=ONLY).verify()):
        if found.step == "cloudtrail":
            assert [each.message.startswith(text) for each in found.failures] == [True], found.failures
            assert found.changes == []


@pytest.mark.parametrize("key", [KEY, FOREIGN])
def test_a_key_that_cannot_be_looked_at_is_a_note(bench: Bench, key: str) -> None:
    bench.world.interrupt(
        lambda call, phase: Fault("AccessDeniedException") if call.operation == "DescribeKey" else None
    )
    found = result(bench, f"{PLAIN}  kms_key_id: {key}\n")
    assert found.failures == []
    assert [c.call.params["KmsKeyId"] for c in found.changes if "KmsKeyId" in c.call.params] == [key]
    assert [n.kind for n in found.notes if "cannot be looked at" in n.text] == [Kind.WARNING]


def test_an_adopted_trail_needs_its_log_group_at_its_home(bench: Bench) -> None:
    make_surroundings(bench)
    text = PLAIN + f"  cloud_watch_logs_log_group_arn: '{GROUP}'\n  cloud_watch_logs_role_arn: {ROLE}\n"
    make_trail(bench, "audit", "eu-west-1")
    [failure] = result(bench, text).failures
    assert "the log group is in us-east-1, and CloudTrail takes one in eu-west-1" in failure.message
