"""Tests of names, prefixes, buckets and roles that the file changes: what delivered goes on where the move is refused."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from provisioner.sandbox import Fault, open_sandbox, store

from ..conftest import Bench

HAVE = """
log_buckets:
  one: {name: "acme-one-${account_id}"}
  two: {name: "acme-two-${account_id}"}
config:
  role_name: recorder
  delivery_channel: {s3_bucket_name: one, s3_key_prefix: old}
cloudtrail: {name: audit, s3_bucket_name: one, s3_key_prefix: old}
"""
CHANNEL, TRAIL = (
    "{s3_bucket_name: one, s3_key_prefix: old}\ncloud",
    "audit, s3_bucket_name: one, s3_key_prefix: old",
)
# The file after the change, and the calls that are refused.
MOVES = {
    "channel to another prefix": (CHANNEL, CHANNEL.replace("old", "new"), "PutDeliveryChannel PutRolePolicy"),
    "channel to another bucket": (
        CHANNEL,
        CHANNEL.replace("one", "two"),
        "PutDeliveryChannel PutBucketPolicy",
    ),
    "recorder to another role": (
        "recorder",
        "another",
        "CreateRole AttachRolePolicy PutRolePolicy PutConfigurationRecorder",
    ),
    "recorder to the linked role": (
        "  role_name: recorder\n",
        "",
        "CreateServiceLinkedRole PutConfigurationRecorder",
    ),
    "trail to another prefix": (TRAIL, TRAIL.replace("old", "new"), "UpdateTrail PutBucketPolicy"),
    "trail to another bucket": (TRAIL, TRAIL.replace("one", "two"), "UpdateTrail PutBucketPolicy"),
    "trail to another name": (TRAIL, TRAIL.replace("audit", "other"), "CreateTrail StartLogging"),
}


@cache
def applied() -> bytes:
    with open_sandbox(None) as world:
        bench = Bench(world)
        bench.apply(HAVE)
        bench.close()
        return store.capture(world.memory)


def allowed(document: Any, where: str) -> bool:
    """Whether a statement lets somebody put objects below the folder."""
    parsed = json.loads(document) if isinstance(document, str) else document
    return any(
        "s3:PutObject" in str(s["Action"]) and where in str(s["Resource"]) for s in parsed["Statement"]
    )


def broken(bench: Bench) -> list[str]:
    """What does not deliver any more."""
    config, trails, s3 = bench.client("config"), bench.client("cloudtrail"), bench.client("s3")
    [channel] = config.describe_delivery_channels()["DeliveryChannels"]
    [recorder] = config.describe_configuration_recorders()["ConfigurationRecorders"]
    [status] = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    found = [] if status["recording"] else ["the recorder has stopped"]
    role, bucket = recorder["roleARN"].rpartition("/")[2], channel["s3BucketName"]
    where = f"{bucket}/{channel['s3KeyPrefix']}/AWSLogs/"
    documents = {"the bucket": s3.get_bucket_policy(Bucket=bucket)["Policy"]}
    if not role.startswith("AWSServiceRole"):
        iam = bench.client("iam")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        policies = [iam.get_role_policy(RoleName=role, PolicyName=each)["PolicyDocument"] for each in names]
        documents = {
            "the role": {"Statement": [each for one in policies for each in one["Statement"]]}
        }  # enough in one account
    found += [
        f"{who} closes {where} to AWS Config" for who, each in documents.items() if not allowed(each, where)
    ]
    for trail in trails.describe_trails()["trailList"]:
        where = f"{trail['S3BucketName']}/{trail['S3KeyPrefix']}/AWSLogs/"
        document = s3.get_bucket_policy(Bucket=trail["S3BucketName"])["Policy"]
        if not allowed(document, where) or trail["TrailARN"] not in document:
            found.append(f"the bucket closes {where} to {trail['Name']}")
    return found


@pytest.mark.parametrize("move", MOVES)
def test_what_delivered_goes_on_until_the_move_is_made(move: str, request: pytest.FixtureRequest) -> None:
    state = applied()
    bench: Bench = request.getfixturevalue("bench")
    bench.one_process = True
    before, after, operations = MOVES[move]
    text, refused = HAVE.replace(before, after, 1), set[str]()
    bench.world.interrupt(
        lambda call, phase: (
            Fault("AccessDenied", 403) if phase == "before" and call.operation in refused else None
        )
    )
    for operation in operations.split():
        bench.at(state)
        refused |= {operation}
        run = bench.run(text)
        results = run.send(run.rehearse())
        refused.clear()
        assert any(each.operation == operation for r in results for each in r.failures), operation
        assert broken(bench) == [], operation
        bench.apply(text)
        assert (broken(bench), bench.diff(text).changes) == ([], [])
