"""S3 buckets: names, defaults, encryption, ACLs and Object Lock."""

from __future__ import annotations

import re
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.buckets import default_key, find_bucket, named_bucket
from ....sandbox.model import Refused, Response
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.kms import key_fault
from ..names import BUCKET_NAME, RESERVED_ENDS, RESERVED_STARTS


@before("s3.bucket_names", "CreateBucket", row="13.3 uppercase name")
def bucket_names(request: Request) -> None:
    """A bucket name that breaks S3's naming rules is InvalidBucketName."""
    name = request.params["Bucket"]
    bad = (
        not BUCKET_NAME.fullmatch(name)
        or ".." in name
        or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name)
        or name.startswith(RESERVED_STARTS)
        or name.endswith(RESERVED_ENDS)
    )
    if bad:
        raise Refused("InvalidBucketName", "The specified bucket is not valid.")


@before("s3.bucket_acl_at_create", "CreateBucket", row="2 Create: never pass an ACL")
def bucket_acl_at_create(request: Request) -> None:
    """A bucket cannot be created with an ACL while ACLs are disabled."""
    grants = [k for k in request.params if k.startswith("Grant")]
    acl = request.params.get("ACL", "private")
    ownership = request.params.get("ObjectOwnership", "BucketOwnerEnforced")
    if (grants or acl != "private") and ownership == "BucketOwnerEnforced":
        text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Refused("InvalidBucketAclWithObjectOwnership", text)


@instead("s3.new_bucket_defaults", "CreateBucket", row="13.3 get_bucket_encryption on new bucket")
def new_bucket_defaults(request: Request) -> Response:
    """A new bucket has AES256, all four public access blocks and BucketOwnerEnforced."""
    from moto.s3.models import PublicAccessBlock

    known = find_bucket(request.params["Bucket"])
    answer = request.moto()
    bucket = find_bucket(request.params["Bucket"])
    if answer.status < 300 and known is None and bucket is not None:
        bucket.encryption = _aes256()
        bucket.public_access_block = PublicAccessBlock("true", "true", "true", "true")
        bucket.ownership_rule = bucket.ownership_rule or "BucketOwnerEnforced"
    return answer


def _aes256() -> dict[str, Any]:
    default = {"SSEAlgorithm": "AES256"}
    return {"Rule": {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": "false"}}


@after("s3.encryption_never_off", "DeleteBucketEncryption", row="13.3 delete_bucket_encryption then get")
def encryption_never_off(request: Request, _: dict[str, Any]) -> None:
    """Deleting the encryption of a bucket resets it to AES256."""
    named_bucket(request).encryption = _aes256()


@instead("s3.encryption_kept", "PutBucketEncryption", row="13.3 BlockedEncryptionTypes")
def encryption_kept(request: Request) -> Response:
    """Every field of an encryption rule is returned as it was put."""
    answer = request.moto()
    if answer.status < 300:
        rules = request.params["ServerSideEncryptionConfiguration"]["Rules"]
        named_bucket(request).strict_encryption = [{"BucketKeyEnabled": False, **rule} for rule in rules]
    return answer


@instead("s3.encryption_kept", "GetBucketEncryption")
def encryption_read(request: Request) -> Response | dict[str, Any]:
    """Return the rules as they were put."""
    bucket = find_bucket(request.params["Bucket"])
    kept = getattr(bucket, "strict_encryption", None)
    if not kept or not bucket or not bucket.encryption:
        return request.moto()
    return {"ServerSideEncryptionConfiguration": {"Rules": kept}}


@after("s3.encryption_kept", "DeleteBucketEncryption")
def encryption_forgotten(request: Request, _: dict[str, Any]) -> None:
    """Remove the stored rules."""
    named_bucket(request).strict_encryption = None


@before("s3.object_keys", "PutObject", "CopyObject", row="2 Encryption: failures come later, at delivery")
def object_keys(request: Request) -> None:
    """An object cannot be put if its KMS key, or the bucket's, is missing, disabled or of another Region."""
    bucket = named_bucket(request)
    algorithm = request.params.get("ServerSideEncryption")
    name = request.params.get("SSEKMSKeyId") or (default_key(bucket) if algorithm != "AES256" else None)
    if name and (fault := key_fault(name, request.account, bucket.region_name)):
        raise fault


@before("s3.acls_disabled", "PutBucketAcl", "PutObjectAcl", row="13.3 put_bucket_acl on BucketOwnerEnforced")
def acls_disabled(request: Request) -> None:
    """PutBucketAcl on a bucket with BucketOwnerEnforced is AccessControlListNotSupported."""
    bucket = named_bucket(request)
    if request.params.get("ACL") == "bucket-owner-full-control" and request.operation == "PutObjectAcl":
        return
    if bucket.ownership_rule == "BucketOwnerEnforced":
        raise Refused("AccessControlListNotSupported", "The bucket does not allow ACLs")


@before("s3.versioning_with_lock", "PutBucketVersioning", row="2 Object Lock")
def versioning_with_lock(request: Request) -> None:
    """Versioning of a bucket with Object Lock cannot be suspended."""
    bucket = named_bucket(request)
    if bucket.object_lock_enabled and request.params["VersioningConfiguration"].get("Status") == "Suspended":
        text = "An Object Lock configuration is present on this bucket, so versioning cannot be changed."
        raise Refused("InvalidBucketState", text, 409)


@instead(
    "s3.lock_kept",
    "PutObjectLockConfiguration",
    row="16.G DefaultRetention gained DefaultEventHold; 2 Object Lock on existing buckets",
)
def lock_kept(request: Request) -> Response:
    """A bucket with objects takes an Object Lock configuration, too, and every field is returned as it was put."""
    bucket = named_bucket(request)
    objects, bucket.keys = bucket.keys, type(bucket.keys)()
    try:
        answer = request.moto()
    finally:
        bucket.keys = objects
    if answer.status < 300:
        bucket.strict_lock = request.params["ObjectLockConfiguration"]
    return answer


@instead("s3.lock_kept", "GetObjectLockConfiguration")
def lock_read(request: Request) -> Response | dict[str, Any]:
    """Return the configuration as it was put."""
    kept = getattr(named_bucket(request), "strict_lock", None)
    return {"ObjectLockConfiguration": kept} if kept else request.moto()
