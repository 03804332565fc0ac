"""Files with a section `kms_keys`, and helpers, for the tests of its step."""

from __future__ import annotations

import json
from typing import Any

from provisioner.engine.plan import Plan
from provisioner.sandbox.policy_text import to_policy

from ...conftest import Bench

ACCOUNT = "123456789012"
STRANGER = "999999999999"
ALIAS = "alias/acme-trail"
TITLE = f"key {ALIAS}"
MARK = "provision:kms_key"
KEYS = """
kms_keys:
  trail:
    alias: "alias/${organization_name}-trail"
    rotation_period_in_days: 365
    tags: {team: security}
"""
TRAIL = """
cloudtrail:
  name: audit
  s3_bucket_name: logs
  kms_key_id: trail
"""
BUCKET = """
log_buckets:
  logs:
    name: acme-logs
"""
ENCRYPTED = f"{BUCKET}    server_side_encryption: {{sse_algorithm: 'aws:kms', kms_master_key_id: trail}}\n"
CONFIG = """
config:
  delivery_channel: {s3_bucket_name: logs, s3_kms_key_arn: trail}
"""
USED = KEYS + BUCKET + TRAIL


def shown(plan: Plan) -> list[tuple[str, str, str]]:
    """The differences of a plan in which nothing failed."""
    assert plan.failed == []
    return [(r.step, c.resource, d.field) for r, c in plan.changes for d in c.differences]


def messages(plan: Plan) -> list[tuple[str, str]]:
    return [(r.step, each.message) for r in plan.results for each in r.failures]


def key_of(bench: Bench) -> Any:
    """The metadata of the key that the alias names."""
    return bench.client("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]


def own_keys(bench: Bench) -> list[str]:
    return [each["KeyId"] for each in bench.client("kms").list_keys()["Keys"]]


def policy_of(bench: Bench, key_id: str | None = None) -> dict[str, Any]:
    """The statements of the key's policy, by Sid."""
    kms = bench.client("kms")
    text = kms.get_key_policy(KeyId=key_id or key_of(bench)["KeyId"], PolicyName="default")["Policy"]
    return {each["Sid"]: each for each in json.loads(text)["Statement"]}


def put_policy(bench: Bench, *statements: dict[str, Any]) -> None:
    bench.client("kms").put_key_policy(KeyId=key_of(bench)["KeyId"], Policy=to_policy(*statements))


def make_key(bench: Bench, alias: str = ALIAS, **given: Any) -> str:
    """A key of somebody else with the alias of the file; its id."""
    kms = bench.client("kms")
    key_id: str = kms.create_key(**given)["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias, TargetKeyId=key_id)
    return key_id
