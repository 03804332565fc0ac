"""Access to a bucket: Region, owner, ExpectedBucketOwner and bucket policy."""

from __future__ import annotations

from typing import Any

from ....compare.policy_eval import Act, decide
from ....sandbox.ask import Request
from ....sandbox.buckets import named_bucket, policy_of, requested_bucket
from ....sandbox.callers import caller, principal_context
from ....sandbox.model import Refused, Response
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.permissions import S3_ACTIONS
from ..bucket_policy_rules import request_context

_OBJECT_OPERATIONS = ("GetObject", "HeadObject", "PutObject", "DeleteObject", "CopyObject", "DeleteObjects")
_POLICY_OPERATIONS = ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy")
# Operations whose action has another name.
_ACTIONS = {
    **S3_ACTIONS,
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "DeleteObjects": "DeleteObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
}
_ANYWHERE = ("CreateBucket", "GetBucketLocation", "ListBuckets")


@before("s3.wrong_region", "*", row="2 Reading an existing bucket: 301 wrong region")
def wrong_region(request: Request) -> None:
    """A request for a bucket in another Region is 301, with the bucket's Region in a header."""
    bucket = requested_bucket(request)
    if bucket is None or bucket.region_name == request.region or request.operation in _ANYWHERE:
        return
    text = "The bucket you are attempting to access must be addressed using the specified endpoint."
    raise Refused("PermanentRedirect", text, 301, x_amz_bucket_region=bucket.region_name)


@before("s3.expected_bucket_owner", "*", row="13.3 ExpectedBucketOwner")
def expected_bucket_owner(request: Request) -> None:
    """An ExpectedBucketOwner that is not the owner is 403 AccessDenied."""
    expected = request.params.get("ExpectedBucketOwner")
    bucket = requested_bucket(request)
    if expected and bucket is not None and bucket.account_id != expected:
        raise _denied(request, bucket)


@before("s3.foreign_account", "*", row="13.3 another account puts policy / heads bucket")
def foreign_account(request: Request) -> None:
    """A bucket of another account is 403 unless its policy allows the caller; its policy is 405 then."""
    bucket = requested_bucket(request)
    if bucket is None or bucket.account_id == request.account or request.operation == "CreateBucket":
        return
    verdict = decide(policy_of(bucket), _act(request))
    if verdict == "allow":
        if request.operation in _POLICY_OPERATIONS:
            text = "The specified method is not allowed against this resource."
            raise Refused("MethodNotAllowed", text, 405)
        return
    raise _denied(request, bucket)


@before("s3.policy_denies", "*", row="2 Policy: a deny may lock the operator out")
def policy_denies(request: Request) -> None:
    """An explicit deny in the bucket's policy, evaluated with its conditions, is 403 AccessDenied."""
    bucket = requested_bucket(request)
    if bucket is None or request.operation == "CreateBucket":
        return
    who = caller(request)
    if who.is_root and who.account == bucket.account_id and request.operation in _POLICY_OPERATIONS:
        return  # so that an owner cannot lock itself out
    if decide(policy_of(bucket), _act(request)) == "deny":
        raise _denied(request, bucket)


@instead("s3.policy_conditions", *_OBJECT_OPERATIONS, row="13.3 TLS-deny policy, then put_object")
def policy_conditions(request: Request) -> Response:
    """A bucket policy's conditions count for objects too: a deny of plain HTTP denies nothing over TLS."""
    bucket = requested_bucket(request)
    if bucket is None:
        return request.moto()
    # Moto's own check ignores conditions; `policy_denies` has decided already.
    kept, bucket.policy = bucket.policy, None
    try:
        return request.moto()
    finally:
        bucket.policy = kept


@instead("s3.system_tags", "PutBucketTagging", row="1.8 aws: tags cannot be set or removed, and must be kept")
def system_tags(request: Request) -> Response:
    """A bucket's `aws:` tags can be neither set nor removed; a put of its tags must contain them unchanged."""
    bucket = named_bucket(request)
    held = {tag["Key"]: tag["Value"] for tag in request.store().get_bucket_tagging(bucket.name)["Tags"]}
    put = {tag["Key"]: tag["Value"] for tag in request.params["Tagging"].get("TagSet") or []}
    kept, sent = ({k: v for k, v in tags.items() if k.startswith("aws:")} for tags in (held, put))
    if kept.keys() - sent.keys():
        raise Refused("InvalidTag", "System tags cannot be removed by requester")
    if sent != kept:
        raise Refused("InvalidTag", "System tags cannot be added/updated by requester")
    if not kept:
        return request.moto()
    request.store().put_bucket_tagging(bucket.name, put)
    return Response(204, {}, b"")


@instead("s3.tag_values", "GetBucketTagging", row="1.8 a tag's value may be empty, and is returned so")
def tag_values(request: Request) -> Response | dict[str, Any]:
    """A tag with an empty value is returned with that value."""
    tags = request.store().get_bucket_tagging(named_bucket(request).name)["Tags"]
    # Moto reads an empty value as None.
    return {"TagSet": [{**tag, "Value": tag["Value"] or ""} for tag in tags]} if tags else request.moto()


@after("s3.tags_at_create", "CreateBucket", row="settings.md CreateBucket: CreateBucketConfiguration.Tags")
def tags_at_create(request: Request, _: dict[str, Any]) -> None:
    """A bucket can be created with tags."""
    tags = (request.params.get("CreateBucketConfiguration") or {}).get("Tags") or []
    if tags:
        request.store().put_bucket_tagging(
            request.params["Bucket"], {tag["Key"]: tag["Value"] for tag in tags}
        )


def _denied(request: Request, bucket: Any) -> Refused:
    """Access denied; the response to HEAD has the bucket's Region."""
    where = {"x_amz_bucket_region": bucket.region_name} if request.operation == "HeadBucket" else {}
    return Refused("AccessDenied", "Access Denied", 403, **where)


def _act(request: Request) -> Act:
    name, key = request.params.get("Bucket", ""), request.params.get("Key")
    arn = f"arn:{request.partition}:s3:::{name}"
    who = caller(request)
    keys = {
        "s3:x-amz-acl": str(request.params.get("ACL", "")),
        "s3:x-amz-server-side-encryption": str(request.params.get("ServerSideEncryption", "")),
    }
    return Act(
        action=f"s3:{_ACTIONS.get(request.operation, request.operation)}",
        resource=f"{arn}/{key}" if key else arn,
        principal=who.arn,
        context={
            **request_context(),
            **principal_context(request, who),
            **{k: v for k, v in keys.items() if v},
        },
        names=who.names,
    )
