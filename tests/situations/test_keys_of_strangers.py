"""Tests of KMS keys of an unknown account: told where the file leaves the key to AWS, replaced where it names another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.model import Kind

from ..conftest import Bench

STRANGER = "999999999999"
FILE = """
regions: [us-east-1]
log_buckets: {logs: {name: acme-logs}}
cloudtrail: {name: audit, s3_bucket_name: logs}
config: {recorder: {}, delivery_channel: {s3_bucket_name: logs}}
alarms:
  cis: tampering
  log_group: {name: events}
  topic: {name: heard, subscriptions: [{protocol: sqs, endpoint: "arn:aws:sqs:us-east-1:123456789012:heard"}]}
"""
SERVICES = [
    f"{each}.amazonaws.com" for each in ("cloudtrail", "config", "logs.us-east-1", "sns", "cloudwatch")
]
# By the resource that has the key: how somebody sets it.
SET = {
    "trail audit": lambda b, key: b.client("cloudtrail").update_trail(Name="audit", KmsKeyId=key),
    "delivery channel default": lambda b, key: b.client("config").put_delivery_channel(
        DeliveryChannel={"name": "default", "s3BucketName": "acme-logs", "s3KmsKeyArn": key}
    ),
    "log group events": lambda b, key: b.client("logs").associate_kms_key(
        logGroupName="events", kmsKeyId=key
    ),
    "topic heard": lambda b, key: b.client("sns").set_topic_attributes(
        TopicArn="arn:aws:sns:us-east-1:123456789012:heard",
        AttributeName="KmsMasterKeyId",
        AttributeValue=key,
    ),
    "bucket acme-logs": lambda b, key: b.client("s3").put_bucket_encryption(
        Bucket="acme-logs",
        ServerSideEncryptionConfiguration={
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
            ]
        },
    ),
}


def kms_of_stranger(bench: Bench) -> Any:
    """A client of an account that is in no organization."""
    bench.world.standalone(STRANGER)
    role = f"arn:aws:iam::{STRANGER}:role/OrganizationAccountAccessRole"
    answer = bench.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return bench.client(
        "kms",
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"],
    )


def policy(principal: Any) -> str:
    """A key policy that lets somebody use the key, beside its own account."""
    root = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
    statements = [
        {"Effect": "Allow", "Principal": each, "Action": "kms:*", "Resource": "*"}
        for each in (root, principal)
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.mark.parametrize("resource", SET)
def test_the_key_of_a_stranger_is_told_and_stays(bench: Bench, resource: str) -> None:
    bench.apply(FILE)
    theirs = kms_of_stranger(bench).create_key(Policy=policy({"Service": SERVICES}))["KeyMetadata"]["Arn"]
    SET[resource](bench, theirs)
    plan = bench.diff(FILE)
    assert (plan.changes, plan.failed) == ([], [])
    told = [note.resource for _, note in plan.notes(Kind.WARNING) if theirs in note.text]
    assert told == [resource]


@pytest.mark.parametrize("want", ["alias/aws/ebs", "alias/own"])
def test_the_default_key_of_a_stranger_that_nobody_may_look_at_is_replaced(bench: Bench, want: str) -> None:
    own = bench.client("kms")
    own.create_alias(AliasName="alias/own", TargetKeyId=own.create_key()["KeyMetadata"]["KeyId"])
    text = f"regions: [us-east-1]\naccount: {{ebs_encryption_by_default: true, ebs_default_kms_key_id: {want}}}\n"
    bench.apply(text)
    kms = kms_of_stranger(bench)
    theirs = kms.create_key(Policy=policy("*"))["KeyMetadata"]["Arn"]
    bench.client("ec2").modify_ebs_default_kms_key_id(KmsKeyId=theirs)
    kms.put_key_policy(KeyId=theirs, PolicyName="default", Policy=policy({"Service": SERVICES}))
    bench.apply(text)
    assert bench.client("ec2").get_ebs_default_kms_key_id()["KmsKeyId"] != theirs
    assert bench.diff(text).changes == []
