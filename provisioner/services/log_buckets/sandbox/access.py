"""Who may use a bucket: its owner, the owner the caller expects, and whom its policy lets in."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.buckets import find_bucket, named_bucket, policy_of
from ....sandbox.callers import caller, principal_context
from ....sandbox.policy_eval import Act, decide
from ....sandbox.rule import before, instead
from ....sandbox.rules.permissions import S3_ACTIONS
from ....sandbox.words import Answer, Refused

_OBJECT_OPERATIONS = ("GetObject", "HeadObject", "PutObject", "DeleteObject", "CopyObject", "DeleteObjects")
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
def wrong_region(ask: Ask) -> None:
    """A bucket answers in its own Region only; elsewhere it is 301, with the Region in a header."""
    bucket = find_bucket(ask.params.get("Bucket", ""))
    if bucket is None or bucket.region_name == ask.region or ask.operation in _ANYWHERE:
        return
    text = "The bucket you are attempting to access must be addressed using the specified endpoint."
    raise Refused("PermanentRedirect", text, 301, x_amz_bucket_region=bucket.region_name)


@before("s3.expected_bucket_owner", "*", row="13.3 ExpectedBucketOwner")
def expected_bucket_owner(ask: Ask) -> None:
    """An ExpectedBucketOwner that is not the owner is 403 AccessDenied."""
    expected = ask.params.get("ExpectedBucketOwner")
    bucket = find_bucket(ask.params.get("Bucket", ""))
    if expected and bucket is not None and bucket.account_id != expected:
        raise _denied(ask, bucket)


@before("s3.foreign_account", "*", row="13.3 another account puts policy / heads bucket")
def foreign_account(ask: Ask) -> None:
    """A bucket of another account is 403 unless its policy lets the caller in; its policy 405."""
    bucket = find_bucket(ask.params.get("Bucket", ""))
    if bucket is None or bucket.account_id == ask.account or ask.operation == "CreateBucket":
        return
    verdict = decide(policy_of(bucket), _act(ask))
    if verdict == "allow":
        if ask.operation in ("PutBucketPolicy", "DeleteBucketPolicy", "GetBucketPolicy"):
            raise Refused(
                "MethodNotAllowed", "The specified method is not allowed against this resource.", 405
            )
        return
    raise _denied(ask, bucket)


@before("s3.policy_denies", "*", row="2 Policy: a deny may lock the operator out")
def policy_denies(ask: Ask) -> None:
    """An explicit deny in the bucket's policy, evaluated with its conditions, is 403 AccessDenied."""
    bucket = find_bucket(ask.params.get("Bucket", ""))
    if bucket is None or ask.operation in (
        "CreateBucket",
        "GetBucketPolicy",
        "PutBucketPolicy",
        "DeleteBucketPolicy",
    ):
        return  # the owner's root user can always get, put and delete the policy
    if decide(policy_of(bucket), _act(ask)) == "deny":
        raise _denied(ask, bucket)


@instead("s3.policy_conditions", *_OBJECT_OPERATIONS, row="13.3 TLS-deny policy, then put_object")
def policy_conditions(ask: Ask) -> Answer:
    """A bucket policy's conditions count for objects too: a deny of plain HTTP denies nothing over TLS."""
    bucket = find_bucket(ask.params.get("Bucket", ""))
    if bucket is None:
        return ask.moto()
    # moto's own check knows no conditions; `policy_denies` has decided already.
    kept, bucket.policy = bucket.policy, None
    try:
        return ask.moto()
    finally:
        bucket.policy = kept


@instead("s3.system_tags", "PutBucketTagging", row="1.8 aws: tags cannot be set or removed, and must be kept")
def system_tags(ask: Ask) -> Answer:
    """A bucket's `aws:` tags are neither set nor removed: who puts its tags sends them as they are."""
    bucket = named_bucket(ask)
    held = {tag["Key"]: tag["Value"] for tag in ask.store().get_bucket_tagging(bucket.name)["Tags"]}
    put = {tag["Key"]: tag["Value"] for tag in ask.params["Tagging"].get("TagSet") or []}
    kept, sent = ({k: v for k, v in tags.items() if k.startswith("aws:")} for tags in (held, put))
    if kept.keys() - sent.keys():
        raise Refused("InvalidTag", "System tags cannot be removed by requester")
    if sent != kept:
        raise Refused("InvalidTag", "System tags cannot be added/updated by requester")
    if not kept:
        return ask.moto()
    ask.store().put_bucket_tagging(bucket.name, put)
    return Answer(204, {}, b"")


def _denied(ask: Ask, bucket: Any) -> Refused:
    """Access denied; a HEAD has no text, but tells where the bucket is."""
    where = {"x_amz_bucket_region": bucket.region_name} if ask.operation == "HeadBucket" else {}
    return Refused("AccessDenied", "Access Denied", 403, **where)


def _act(ask: Ask) -> Act:
    name, key = ask.params.get("Bucket", ""), ask.params.get("Key")
    arn = f"arn:{ask.partition}:s3:::{name}"
    who = caller(ask)
    asked = {
        "s3:x-amz-acl": str(ask.params.get("ACL", "")),
        "s3:x-amz-server-side-encryption": str(ask.params.get("ServerSideEncryption", "")),
    }
    return Act(
        action=f"s3:{_ACTIONS.get(ask.operation, ask.operation)}",
        resource=f"{arn}/{key}" if key else arn,
        principal=who.arn,
        context={**principal_context(ask, who), **{k: v for k, v in asked.items() if v}},
        names=who.names,
    )
