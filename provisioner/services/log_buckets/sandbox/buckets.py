"""S3 buckets: what a new one has, which names are taken, who may read and write them."""

from __future__ import annotations

import re
from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.buckets import find_bucket, named_bucket
from ....sandbox.rule import after, before, instead
from ....sandbox.words import Answer, Refused

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_START = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_END = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3", ".mrap")


@before("s3.bucket_names", "CreateBucket", row="13.3 uppercase name")
def bucket_names(ask: Ask) -> None:
    """A bucket name that breaks S3's naming rules is InvalidBucketName."""
    name = ask.params["Bucket"]
    bad = (
        not _NAME.fullmatch(name)
        or ".." in name
        or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name)
        or name.startswith(_RESERVED_START)
        or name.endswith(_RESERVED_END)
    )
    if bad:
        raise Refused("InvalidBucketName", "The specified bucket is not valid.")


@before("s3.bucket_acl_at_create", "CreateBucket", row="2 Create: never pass an ACL")
def bucket_acl_at_create(ask: Ask) -> None:
    """A bucket cannot be created with an ACL while ACLs are disabled."""
    grants = [k for k in ask.params if k.startswith("Grant")]
    acl = ask.params.get("ACL", "private")
    if (grants or acl != "private") and ask.params.get(
        "ObjectOwnership", "BucketOwnerEnforced"
    ) == "BucketOwnerEnforced":
        text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Refused("InvalidBucketAclWithObjectOwnership", text)


@instead(
    "s3.new_bucket_defaults",
    "CreateBucket",
    row="13.3 get_bucket_encryption, get_public_access_block / ownership on new bucket",
)
def new_bucket_defaults(ask: Ask) -> Answer:
    """A new bucket has AES256, all four public access blocks and BucketOwnerEnforced."""
    from moto.s3.models import PublicAccessBlock

    known = find_bucket(ask.params["Bucket"])
    answer = ask.moto()
    bucket = find_bucket(ask.params["Bucket"])
    if answer.status < 300 and known is None and bucket is not None:
        bucket.encryption = _aes256()
        bucket.public_access_block = PublicAccessBlock("true", "true", "true", "true")
        bucket.ownership_rule = bucket.ownership_rule or "BucketOwnerEnforced"
    return answer


def _aes256() -> dict[str, Any]:
    return {
        "Rule": {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": "false",
        }
    }


@after("s3.encryption_never_off", "DeleteBucketEncryption", row="13.3 delete_bucket_encryption then get")
def encryption_never_off(ask: Ask, _: dict[str, Any]) -> None:
    """Deleting the encryption of a bucket resets it to AES256."""
    named_bucket(ask).encryption = _aes256()


@instead("s3.encryption_kept", "PutBucketEncryption", row="13.3 BlockedEncryptionTypes")
def encryption_kept(ask: Ask) -> Answer:
    """Every field of an encryption rule is given back as it was put."""
    answer = ask.moto()
    if answer.status < 300:
        rules = ask.params["ServerSideEncryptionConfiguration"]["Rules"]
        named_bucket(ask).strict_encryption = [{"BucketKeyEnabled": False, **rule} for rule in rules]
    return answer


@instead("s3.encryption_kept", "GetBucketEncryption")
def encryption_read(ask: Ask) -> Answer | dict[str, Any]:
    """The rules as they were put."""
    bucket = find_bucket(ask.params["Bucket"])
    kept = getattr(bucket, "strict_encryption", None)
    if not kept or not bucket or not bucket.encryption:
        return ask.moto()
    return {"ServerSideEncryptionConfiguration": {"Rules": kept}}


@after("s3.encryption_kept", "DeleteBucketEncryption")
def encryption_forgotten(ask: Ask, _: dict[str, Any]) -> None:
    """What was put is gone."""
    named_bucket(ask).strict_encryption = None


@before("s3.acls_disabled", "PutBucketAcl", "PutObjectAcl", row="13.3 put_bucket_acl on BucketOwnerEnforced")
def acls_disabled(ask: Ask) -> None:
    """PutBucketAcl on a bucket with BucketOwnerEnforced is AccessControlListNotSupported."""
    bucket = named_bucket(ask)
    if ask.params.get("ACL") == "bucket-owner-full-control" and ask.operation == "PutObjectAcl":
        return
    if bucket.ownership_rule == "BucketOwnerEnforced":
        raise Refused("AccessControlListNotSupported", "The bucket does not allow ACLs")


@before("s3.versioning_with_lock", "PutBucketVersioning", row="2 Object Lock")
def versioning_with_lock(ask: Ask) -> None:
    """Versioning of a bucket with Object Lock cannot be suspended."""
    bucket = named_bucket(ask)
    if bucket.object_lock_enabled and ask.params["VersioningConfiguration"].get("Status") == "Suspended":
        text = "An Object Lock configuration is present on this bucket, so versioning cannot be changed."
        raise Refused("InvalidBucketState", text, 409)


@before(
    "s3.logging_target_lock", "PutBucketLogging", row="13.3 log to bucket with object-lock default retention"
)
def logging_target_lock(ask: Ask) -> None:
    """A bucket with a default retention cannot be the target of access logs."""
    target = (ask.params.get("BucketLoggingStatus", {}).get("LoggingEnabled") or {}).get("TargetBucket")
    bucket = find_bucket(target) if target else None
    if bucket is not None and bucket.object_lock_enabled and bucket.default_lock_mode:
        text = "The target bucket for logging has an object lock default retention"
        raise Refused("InvalidTargetBucketForLogging", text)
