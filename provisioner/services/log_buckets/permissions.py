"""The permissions of the step `log_buckets`: on each bucket by its name, and only for settings that the file states.

IAM actions are named otherwise than the operations: HeadBucket is `s3:ListBucket`, PutBucketEncryption is
`s3:PutEncryptionConfiguration`. Services that deliver logs declare theirs with `@permits_delivery`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.key_use import key_permissions
from ...steps.permission import APPLY, DELIVERY_DECLARATIONS, VERIFY, Permission, allow, permits
from ...steps.principals import principal_permissions
from .section import LogBucket, LogBuckets

_READ = (
    "ListBucket GetBucketPublicAccessBlock GetBucketOwnershipControls GetEncryptionConfiguration"
    " GetBucketVersioning GetBucketPolicy GetBucketAcl GetReplicationConfiguration"
)
_TARGET_READ = "GetBucketLogging GetBucketObjectLockConfiguration"  # of a bucket that gets access logs
# CreateBucket with an ObjectOwnership requires PutBucketOwnershipControls too.
_WRITE = "CreateBucket PutBucketOwnershipControls PutBucketPublicAccessBlock PutBucketPolicy PutBucketAcl"


@permits("log_buckets")
def log_bucket_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and configure each bucket of the file."""
    section = baseline[LogBuckets]
    for bucket in section.root.values():
        on = (arn(target.partition, "s3", "", "", bucket.name),)
        yield from allow("LogBucketsRead", "s3", _READ, on=on)
        yield from allow("LogBucketsWrite", "s3", _WRITE, on=on, purposes=APPLY)
        yield from allow("LogBucketsRead", "s3", _optional_reads(bucket), on=on)
        # Whose the bucket is to which others replicate.
        yield from allow("LogBucketsOwn", "s3", ["ListAllMyBuckets"])
        yield from allow("LogBucketsWrite", "s3", _optional_writes(bucket), on=on, purposes=APPLY)
        key = bucket.server_side_encryption.kms_master_key_id
        yield from key_permissions("LogBucketsKeyRead", target, baseline, key)
        yield from principal_permissions("LogBucketsPrincipals", target, bucket.statements)
        if name := section.log_target(bucket):
            target_arn = (arn(target.partition, "s3", "", "", name),)
            yield from allow("AccessLogsVerify", "s3", _TARGET_READ, on=target_arn, purposes=VERIFY)
            # Of one that the file does not make, to see that it is there.
            if all(name != each.name for each in section.root.values()):
                yield from allow("AccessLogsTarget", "s3", "ListBucket", on=target_arn)
    for declaration in DELIVERY_DECLARATIONS:
        yield from declaration(target, baseline)


def _optional_reads(bucket: LogBucket) -> list[str]:
    needed = {
        "GetBucketObjectLockConfiguration": bucket.concerns_object_lock,
        "GetBucketTagging": bool(bucket.tags),
        "GetLifecycleConfiguration": bucket.has_lifecycle,
        "GetBucketLogging": bucket.logging is not None,
    }
    return [name for name, each in needed.items() if each]


def _optional_writes(bucket: LogBucket) -> list[str]:
    needed = {
        # Suspended is never written unless `exact`: where AWS has Enabled, that is stricter and stays.
        # CreateBucket with Object Lock, which needs Enabled, requires this action too.
        "PutBucketVersioning": bucket.exact or bucket.versioning.status == "Enabled",
        # Encryption is repaired even where the file asks for AES256 only: log services may be unable to use another key.
        "PutEncryptionConfiguration": "sse_algorithm" in bucket.server_side_encryption.model_fields_set,
        "PutBucketObjectLockConfiguration": bucket.object_lock is not None,
        "PutBucketTagging": bool(bucket.tags),
        "PutBucketLogging": bucket.logging is not None,
        "PutLifecycleConfiguration": bool(
            bucket.lifecycle_rules or bucket.transition_default_minimum_object_size
        ),
    }
    return [name for name, each in needed.items() if each]
