"""Bucket policies: which are taken, how they come back, when they are public."""

from __future__ import annotations

import json
import re
from typing import Any

from ....sandbox.policy_eval import many
from ....sandbox.policy_text import check_bucket_policy, is_public, normalised, read_policy
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.organizations import held_organization
from ....sandbox.seed import CLOSED, MANAGEMENT, MEMBERS
from ....sandbox.wire import Ask
from ....sandbox.words import Answer, Refused
from .buckets import find_bucket, named_bucket, policy_of

_ARN = re.compile(r"arn:[a-z0-9-]+:(iam|sts)::(\d{12}):(.+)")


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


def principal_id(name: str) -> str | None:
    """What AWS knows a principal by: a role's unique id, else the name itself; None if there is none.

    Only accounts that the sandbox holds can be looked into; a stranger's role is taken as existing.
    """
    from moto.iam.models import iam_backends

    if re.fullmatch(r"\d{12}|(AROA|AIDA)[A-Z0-9]+", name):
        return name
    if not (parts := _ARN.fullmatch(name)):
        return None
    service, account, resource = parts.groups()
    partition = name.split(":")[1]
    ours = account in {MANAGEMENT, *MEMBERS, CLOSED[0]} or held_organization(account, partition) is not None
    if resource == "root" or service == "sts" or not ours:
        return name
    held = iam_backends[account][partition]
    kind, _, path = resource.partition("/")
    plain = path.rpartition("/")[2]
    if kind == "role":
        return next((str(role.id) for role in held.roles.values() if role.name == plain), None)
    return name if kind == "user" and plain in held.users else None
