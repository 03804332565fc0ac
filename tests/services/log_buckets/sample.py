"""A file with a section `log_buckets`, and helpers, for the tests of its step."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from provisioner.engine.plan import Plan
from provisioner.model import Kind

from ...conftest import Bench

NAME = "acme-logs-123456789012"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
FILE = """
log_buckets:
  logs:
    name: "${organization_name}-logs-${account_id}"
    versioning: {status: Enabled}
    server_side_encryption: {sse_algorithm: AES256}
    public_access_block: {block_public_acls: true, ignore_public_acls: true, block_public_policy: true, restrict_public_buckets: true}
    object_ownership: BucketOwnerEnforced
    tags: {team: security, cost: "12"}
    lifecycle_rules:
      - id: archive
        prefix: AWSLogs/
        transitions: [{days: 30, storage_class: STANDARD_IA}, {days: 90, storage_class: GLACIER}]
        expiration: {days: 2555}
        noncurrent_version_transitions: [{noncurrent_days: 30, storage_class: STANDARD_IA}]
        noncurrent_version_expiration: {noncurrent_days: 365}
        abort_incomplete_multipart_upload: {days_after_initiation: 7}
    policy_statements:
      - Sid: DenyOldTls
        Effect: Deny
        Principal: "*"
        Action: "s3:*"
        Resource: ["arn:${partition}:s3:::acme-logs-${account_id}/*"]
        Condition: {NumericLessThan: {"s3:TlsVersion": 1.2}}
"""
LOCKED = FILE + "    object_lock: {mode: GOVERNANCE, days: 30}\n"
EXACT = "    exact: true\n"
FOREIGN_RULE = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 9}}
FOREIGN_STATEMENT = {
    "Sid": "Auditors",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{NAME}/*",
}


def fields(plan: Plan) -> list[str]:
    assert plan.failed == []
    return [d.field for _, c in plan.changes for d in c.differences]


def policy(s3: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"])
    return found


def texts(plan: Plan, kind: Kind) -> list[str]:
    return [note.text for _, note in plan.notes(kind)]


def rules(bench: Bench) -> dict[str, Any]:
    found = bench.client("s3").get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    return {rule["ID"]: rule for rule in found}


def put_rules(bench: Bench, *given: Any) -> None:
    bench.client("s3").put_bucket_lifecycle_configuration(
        Bucket=NAME, LifecycleConfiguration={"Rules": list(given)}
    )


def set_up_by_others(bench: Bench) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=NAME)
    s3.put_bucket_policy(
        Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Statement": [FOREIGN_STATEMENT]})
    )


def change_rule(**given: Any) -> Callable[[Any], None]:
    def change(s3: Any) -> None:
        found = s3.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
        found[0] |= given
        s3.put_bucket_lifecycle_configuration(Bucket=NAME, LifecycleConfiguration={"Rules": found})

    return change


def make_key(bench: Bench, **given: Any) -> str:
    """Create a KMS key that can be used, and return its ARN."""
    made: str = bench.client("kms", **given).create_key()["KeyMetadata"]["Arn"]
    return made


def with_line(line: str) -> str:
    """The file with this line of the bucket instead of the one with the same key."""
    key, colon, _ = line.partition(":")
    lines = FILE.splitlines()
    [place] = [index for index, each in enumerate(lines) if each.startswith(f"    {key}{colon}")]
    return "\n".join([*lines[:place], f"    {line}", *lines[place + 1 :]]) + "\n"


def encrypted(key: str) -> str:
    """The file with a KMS key."""
    return with_line(f"server_side_encryption: {{sse_algorithm: 'aws:kms', kms_master_key_id: '{key}'}}")


def encrypt(bench: Bench, algorithm: str, key: str | None) -> None:
    default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": algorithm == "aws:kms"}
    bench.client("s3").put_bucket_encryption(Bucket=NAME, ServerSideEncryptionConfiguration={"Rules": [rule]})
