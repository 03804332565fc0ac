"""Bucket policies: validation, normalized form and public status."""

from __future__ import annotations

import json
from typing import Any

from ....compare.policy_eval import as_list
from ....sandbox.ask import Request
from ....sandbox.buckets import find_bucket, named_bucket, policy_of
from ....sandbox.iam import principal_id
from ....sandbox.model import Refused, Response
from ....sandbox.policy_text import check_bucket_policy, is_public, malformed, normalised, read_policy
from ....sandbox.rule import after, before, instead
from ..bucket_policy_rules import wrong_element

# S3's text, by the element of the statement that is wrong.
_TEXTS = {
    "Effect": "Invalid effect",
    "Principal": "Invalid principal in policy",
    "Action": "Policy has invalid action",
    "Condition": "Policy has an invalid condition key",
}


@before("s3.malformed_policy", "PutBucketPolicy", row="13.3 put_bucket_policy not json")
def malformed_policy(request: Request) -> None:
    """A policy that is no JSON, too long, or has a wrong resource or principal is MalformedPolicy."""
    bucket = named_bucket(request)
    document = read_policy(_text(request))
    arn = f"arn:{request.partition}:s3:::{bucket.name}"
    check_bucket_policy(document, arn, lambda name: principal_id(name) is not None)
    for statement in as_list(document["Statement"]):
        _check_words(statement, arn)


def _check_words(statement: dict[str, Any], arn: str) -> None:
    """Raise `Refused` for an element, a principal, an action or a condition that S3 does not take."""
    element = wrong_element(statement, arn)
    if element is not None:
        raise malformed(
            _TEXTS.get(element, f"Unknown field {element}" if element else "Invalid policy syntax.")
        )


@before("s3.block_public_policy", "PutBucketPolicy", row="13.3 public policy although BlockPublicPolicy=True")
def block_public_policy(request: Request) -> None:
    """A public policy under BlockPublicPolicy is AccessDenied."""
    bucket = named_bucket(request)
    block = bucket.public_access_block
    try:
        document = json.loads(_text(request))
    except ValueError:
        return
    if block is not None and block.block_public_policy and isinstance(document, dict) and is_public(document):
        text = (
            "User is not authorized to perform: s3:PutBucketPolicy on resource because public policies are "
            "prevented by the BlockPublicPolicy setting in S3 Block Public Access."
        )
        raise Refused("AccessDenied", text, 403)


@after("s3.policy_normalised", "PutBucketPolicy", row="13.3 get_bucket_policy after put")
def policy_principals(request: Request, _: dict[str, Any]) -> None:
    """A policy is returned in AWS's own form (aws.md 1.7), not as it was written."""
    bucket = named_bucket(request)
    # AWS stores a role by its unique id: a role that is deleted and created again is another one.
    bucket.strict_principals = {
        name: principal_id(name)
        for statement in as_list((policy_of(bucket) or {}).get("Statement"))
        if isinstance(statement.get("Principal"), dict)
        for name in as_list(statement["Principal"].get("AWS"))
        if ":role/" in str(name)
    }


@instead("s3.policy_normalised", "GetBucketPolicy")
def policy_read(request: Request) -> Response:
    """Return the policy as AWS stores it."""
    bucket = find_bucket(request.params["Bucket"])
    document = policy_of(bucket) if bucket is not None else None
    if document is None:
        return request.moto()
    shown = normalised(document, request.partition)
    for statement in shown["Statement"]:
        _show_lost_roles(statement, getattr(bucket, "strict_principals", {}))
    body = json.dumps(shown, separators=(",", ":")).encode()
    return Response(200, {"Content-Type": "application/json"}, body)


def _show_lost_roles(statement: dict[str, Any], ids: dict[str, str | None]) -> None:
    principal = statement.get("Principal")
    if not isinstance(principal, dict) or "AWS" not in principal:
        return
    shown = [ids[n] if n in ids and principal_id(n) != ids[n] else n for n in as_list(principal["AWS"])]
    principal["AWS"] = shown[0] if len(shown) == 1 else shown


@instead("s3.policy_status", "GetBucketPolicyStatus", row="13.3 get_bucket_policy_status")
def policy_status(request: Request) -> Response | dict[str, Any]:
    """GetBucketPolicyStatus returns whether the policy is public, conditions considered."""
    document = policy_of(named_bucket(request))
    if document is None:
        return request.moto()
    return {"PolicyStatus": {"IsPublic": is_public(document)}}


def _text(request: Request) -> str:
    policy = request.params.get("Policy") or ""
    return policy.decode() if isinstance(policy, bytes) else str(policy)
