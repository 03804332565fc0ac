"""Files, names and helpers of the tests of cloudtrail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from provisioner.compare.policy import document
from provisioner.model import Kind, Result
from provisioner.services.cloudtrail.delivery import CLOUDTRAIL

from ...conftest import Bench
from ...surroundings import kms_log_key, sns_topic

ACCOUNT = "123456789012"
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:audit:*"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/audit"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:audit"
ONLY = ("cloudtrail",)
PLAIN = """
log_buckets: {logs: {name: acme-logs}}
cloudtrail:
  name: audit
  s3_bucket_name: logs
"""
SELECTORS = """
  event_selectors:
    - read_write_type: WriteOnly
    - read_write_type: ReadOnly
      include_management_events: false
      data_resources:
        - {type: "AWS::S3::Object", values: ["arn:aws:s3:::vault/", "arn:aws:s3:::safe/"]}
"""
ADVANCED = """
  advanced_event_selectors:
    - name: who changed what
      field_selectors:
        - {field: eventCategory, equals: [Management]}
        - {field: eventSource, not_equals: [kms.amazonaws.com, rdsdata.amazonaws.com]}
    - name: reads of the vault
      field_selectors:
        - {field: eventCategory, equals: [Data]}
        - {field: resources.type, equals: ["AWS::S3::Object"]}
        - {field: resources.ARN, starts_with: ["arn:aws:s3:::vault/"]}
        - {field: readOnly, equals: ["true"]}
"""
STATED = (
    PLAIN
    + """
  is_multi_region_trail: true
  enable_log_file_validation: true
"""
)
FULL = (
    STATED
    + f"""
  s3_key_prefix: trails
  is_organization_trail: true
  kms_key_id: alias/audit
  sns_topic_name: audit
  cloud_watch_logs_log_group_arn: "{GROUP}"
  cloud_watch_logs_role_arn: {ROLE}
  insight_selectors: [{{insight_type: ApiCallRateInsight}}]
  tags: {{team: security, tier: "1"}}
"""
    + SELECTORS
)


def make_surroundings(bench: Bench) -> None:
    """Make what FULL names and other steps or people make: keys, topics, log groups and roles."""
    kms, iam, sns, logs = (bench.client(service) for service in ("kms", "iam", "sns", "logs"))
    statements = kms_log_key("aws", ACCOUNT, trail_arn=ARN)
    for alias in ("alias/audit", "alias/other"):
        key = kms.create_key(Policy=json.dumps(document(statements)))["KeyMetadata"]
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    for name in ("audit", "other"):
        topic = f"{TOPIC.removesuffix('audit')}{name}"
        policy = json.dumps(document(sns_topic(topic, trail_arn=ARN)))
        sns.create_topic(Name=name, Attributes={"Policy": policy})
        logs.create_log_group(logGroupName=name)
        allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        trust = {"Effect": "Allow", "Principal": {"Service": CLOUDTRAIL}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document([trust])))
        iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=json.dumps(document([allow])))


@contextmanager
def written_by_anyone(s3: Any, bucket: str) -> Iterator[None]:
    """Allow CloudTrail every access to the bucket for a while; then restore the bucket's policy."""
    allow = {"Effect": "Allow", "Principal": {"Service": CLOUDTRAIL}, "Action": "s3:*"}
    everywhere = {**allow, "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}
    try:
        was = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    except s3.exceptions.from_code("NoSuchBucketPolicy"):
        was = None
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document([everywhere])))
    yield
    if was is not None:
        s3.put_bucket_policy(Bucket=bucket, Policy=was)


def result(bench: Bench, text: str = PLAIN) -> Result:
    return next(r for r in bench.diff(text, only=ONLY).results if r.step == "cloudtrail")


def changed(bench: Bench, text: str) -> list[str]:
    found = result(bench, text)
    assert found.ok, found.failure or found.blocked_by
    return [d.field for c in found.changes for d in c.differences]


def notes(bench: Bench, text: str) -> list[tuple[Kind, str]]:
    return [(note.kind, note.text) for note in result(bench, text).notes]


def repaired(bench: Bench, text: str, *allow: str) -> list[str]:
    """The writes of an apply, after which nothing differs."""
    before = len(bench.world.writes)
    bench.apply(text, only=ONLY, allow=allow)
    made = [call.operation for call in bench.world.writes[before:]]
    assert changed(bench, text) == []
    return made


def unallowed_writes(bench: Bench, text: str) -> list[str]:
    """The writes of an apply that is allowed no consent, where a change needs one."""
    before = len(bench.world.writes)
    plan = bench.apply(text, only=ONLY)
    assert [r.step for r in plan.results if r.withheld] == ["cloudtrail"]
    return [call.operation for call in bench.world.writes[before:]]
