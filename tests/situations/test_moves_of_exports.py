"""Tests of exports and access logs that the file moves: they go on until the new place works, and stay where it says nothing."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from provisioner.compare.policy import listed, statements
from provisioner.sandbox import Fault

from ..conftest import Bench

REGIONS = ("us-east-1", "eu-west-1")
FILE = """
regions: [us-east-1, eu-west-1]
log_buckets:
  one: {name: acme-one}
  two: {name: acme-two}
  source: {name: acme-source, logging: {target_bucket: one, target_prefix: "logs/"}}
kms_keys: {first: {alias: alias/first}, second: {alias: alias/second}}
guardduty:
  publishing_destination: {s3_bucket_name: one, s3_key_prefix: "a", kms_key_arn: first}
macie:
  classification_export: {bucket_name: one, key_prefix: "a", kms_key_arn: first}
"""
BARE = FILE.replace('prefix: "a"', 'prefix: ""')
# The file before and after, by what it moves, and the call that the move is made with.
MOVES = {
    "findings to a prefix": (BARE, FILE, "UpdatePublishingDestination"),
    "findings to another prefix": (FILE, FILE.replace('"a"', '"b"'), "UpdatePublishingDestination"),
    "findings to no prefix": (FILE, BARE, "UpdatePublishingDestination"),
    "findings to another bucket": (
        FILE,
        FILE.replace("s3_bucket_name: one", "s3_bucket_name: two"),
        "UpdatePublishingDestination",
    ),
    "findings to another key": (FILE, FILE.replace(": first}", ": second}"), "UpdatePublishingDestination"),
    "results to a prefix": (BARE, FILE, "PutClassificationExportConfiguration"),
    "results to another bucket": (
        FILE,
        FILE.replace("{bucket_name: one", "{bucket_name: two"),
        "PutClassificationExportConfiguration",
    ),
    "results to another key": (
        FILE,
        FILE.replace(": first}", ": second}"),
        "PutClassificationExportConfiguration",
    ),
    "access logs to another bucket": (
        FILE,
        FILE.replace("target_bucket: one", "target_bucket: two"),
        "PutBucketLogging",
    ),
    "access logs to another prefix": (FILE, FILE.replace('"logs/"', '"x/"'), "PutBucketLogging"),
}


def lets(document: Any, service: str, action: str, resource: str = "") -> bool:
    """Whether a statement lets the service do something with the resource, or with that which has the policy."""
    return any(
        any(each.startswith(f"{service}.") for each in listed(statement["Principal"].get("Service")))
        and any(fnmatchcase(action, each) for each in listed(statement["Action"]))
        and (not resource or any(fnmatchcase(resource, each) for each in listed(statement["Resource"])))
        for statement in statements(document)
        if isinstance(statement["Principal"], dict)
    )


def cut_off(bench: Bench) -> list[str]:
    """What may not write any more where it still delivers to."""
    places = []
    for region in REGIONS:
        guardduty = bench.client("guardduty", region)
        [detector] = guardduty.list_detectors()["DetectorIds"]
        [listed_one] = guardduty.list_publishing_destinations(DetectorId=detector)["Destinations"]
        found = guardduty.describe_publishing_destination(
            DetectorId=detector, DestinationId=listed_one["DestinationId"]
        )["DestinationProperties"]
        places.append(("guardduty", found["DestinationArn"].rpartition(":")[2], found["KmsKeyArn"]))
        macie = bench.client("macie2", region).get_classification_export_configuration()
        found = macie["configuration"]["s3Destination"]
        prefix = found.get("keyPrefix") or ""
        places.append(("macie", f"{found['bucketName']}/{prefix}", found["kmsKeyArn"]))
    found = bench.client("s3").get_bucket_logging(Bucket="acme-source")["LoggingEnabled"]
    places.append(("logging.s3", f"{found['TargetBucket']}/{found['TargetPrefix']}", ""))
    broken = []
    for service, path, key in places:
        bucket, _, prefix = path.partition("/")
        document = bench.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
        folder = f"{prefix}/".lstrip("/")
        if not lets(document, service, "s3:PutObject", f"arn:aws:s3:::{bucket}/{folder}AWSLogs/1/file"):
            broken.append(f"{service} in {path}")
        if key:
            document = bench.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
            if not lets(document, service, "kms:GenerateDataKey"):
                broken.append(f"{service} with {key}")
    return broken


@pytest.mark.parametrize("move", MOVES)
def test_exports_go_on_until_the_move_is_made(bench: Bench, move: str) -> None:
    before, after, operation = MOVES[move]
    bench.apply(before)
    assert cut_off(bench) == []
    refused = {"PutBucketPolicy", "PutKeyPolicy", "CreateBucket"}
    bench.world.interrupt(
        lambda call, phase: (
            Fault("AccessDenied", 403) if phase == "before" and call.operation in refused else None
        )
    )
    for each in ({operation}, {"PutBucketPolicy"}, {"PutKeyPolicy"}):
        refused.clear()
        refused.update(each)
        run = bench.run(after)
        run.send(run.rehearse())
        assert cut_off(bench) == [], each
    refused.clear()
    bench.apply(after)
    assert (cut_off(bench), bench.diff(after).changes) == ([], [])


def test_a_region_that_the_file_leaves_out_goes_on_to_export(bench: Bench) -> None:
    text = FILE.replace("eu-west-1]", "ap-east-1]").partition("macie:")[0]
    bench.world.enable("ap-east-1")
    bench.apply(text)
    left_out = text.replace(", ap-east-1]", "]")
    bench.apply(left_out)
    policy = bench.client("s3").get_bucket_policy(Bucket="acme-one")["Policy"]
    kms = bench.client("kms")
    key_id = kms.describe_key(KeyId="alias/first")["KeyMetadata"]["KeyId"]
    key = kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
    assert all("guardduty.ap-east-1.amazonaws.com" in json.dumps(each) for each in (policy, key))
    assert bench.diff(left_out).changes == []
