"""Bucket policies: which are taken, how they come back, when they are public."""

from __future__ import annotations

import json
from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.buckets import find_bucket, named_bucket, policy_of
from ....sandbox.iam import principal_id
from ....sandbox.policy_eval import many
from ....sandbox.policy_text import check_bucket_policy, is_public, normalised, read_policy
from ....sandbox.rule import after, before, instead
from ....sandbox.words import Answer, Refused


@before(
    "s3.malformed_policy",
    "PutBucketPolicy",
    row="13.3 put_bucket_policy not json, 30 KB, wrong resource, no principal",
)
def malformed_policy(ask: Ask) -> None:
    """A policy that is no JSON, too long, or names a wrong resource or principal is MalformedPolicy."""
    bucket = named_bucket(ask)
    document = read_policy(_text(ask))
    arn = f"arn:{ask.partition}:s3:::{bucket.name}"
    check_bucket_policy(document, arn, lambda name: principal_id(name) is not None)


@before("s3.block_public_policy", "PutBucketPolicy", row="13.3 public policy although BlockPublicPolicy=True")
def block_public_policy(ask: Ask) -> None:
    """A public policy under BlockPublicPolicy is AccessDenied."""
    bucket = named_bucket(ask)
    block = bucket.public_access_block
    try:
        document = json.loads(_text(ask))
    except ValueError:
        return
    if block is not None and block.block_public_policy and isinstance(document, dict) and is_public(document):
        text = (
            "User is not authorized to perform: s3:PutBucketPolicy on resource because public policies are "
            "prevented by the BlockPublicPolicy setting in S3 Block Public Access."
        )
        raise Refused("AccessDenied", text, 403)


@after(
    "s3.policy_normalised",
    "PutBucketPolicy",
    row="13.3 get_bucket_policy after put of scalar/list mix, account-id principal",
)
def policy_principals(ask: Ask, _: dict[str, Any]) -> None:
    """A policy comes back in AWS's own shape (aws.md 1.7), not as it was written."""
    bucket = named_bucket(ask)
    # A role named in a policy is kept by its unique id: deleted and made anew it is another one.
    bucket.strict_principals = {
        name: principal_id(name)
        for statement in many((policy_of(bucket) or {}).get("Statement"))
        if isinstance(statement.get("Principal"), dict)
        for name in many(statement["Principal"].get("AWS"))
        if ":role/" in str(name)
    }


@instead("s3.policy_normalised", "GetBucketPolicy")
def policy_read(ask: Ask) -> Answer:
    """The policy as AWS stores it."""
    bucket = find_bucket(ask.params["Bucket"])
    document = policy_of(bucket) if bucket is not None else None
    if document is None:
        return ask.moto()
    shown = normalised(document, ask.partition)
    for statement in shown["Statement"]:
        _show_lost_roles(statement, getattr(bucket, "strict_principals", {}))
    return Answer(
        200, {"Content-Type": "application/json"}, json.dumps(shown, separators=(",", ":")).encode()
    )


def _show_lost_roles(statement: dict[str, Any], ids: dict[str, str | None]) -> None:
    principal = statement.get("Principal")
    if not isinstance(principal, dict) or "AWS" not in principal:
        return
    shown = [ids[n] if n in ids and principal_id(n) != ids[n] else n for n in many(principal["AWS"])]
    principal["AWS"] = shown[0] if len(shown) == 1 else shown


@instead("s3.policy_status", "GetBucketPolicyStatus", row="13.3 get_bucket_policy_status")
def policy_status(ask: Ask) -> Answer | dict[str, Any]:
    """GetBucketPolicyStatus says whether the policy is public, conditions considered."""
    document = policy_of(named_bucket(ask))
    if document is None:
        return ask.moto()
    return {"PolicyStatus": {"IsPublic": is_public(document)}}


def _text(ask: Ask) -> str:
    policy = ask.params.get("Policy") or ""
    return policy.decode() if isinstance(policy, bytes) else str(policy)
