"""What the step `log_buckets` asks to be allowed: each bucket by its name, and no setting that the file does not state.

The operations are not the actions: HeadBucket is `s3:ListBucket`, PutBucketEncryption is `s3:PutEncryptionConfiguration`.
What log services ask of the step meanwhile (see `@delivers`) is declared beside them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.permission import APPLY, DELIVERING, Permission, allow, permits
from .section import LogBucket, LogBuckets

_READ = (
    "ListBucket GetBucketPublicAccessBlock GetBucketOwnershipControls GetEncryptionConfiguration"
    " GetBucketVersioning GetBucketPolicy"
)
# CreateBucket that states the ownership asks for PutBucketOwnershipControls too.
# Encryption that log services cannot use is set back, even where the file asks for no more than AES256.
_WRITE = "CreateBucket PutBucketOwnershipControls PutBucketPublicAccessBlock PutEncryptionConfiguration PutBucketPolicy"


@permits("log_buckets")
def log_bucket_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Look at each bucket of the file, make it, and set it right."""
    for bucket in baseline[LogBuckets].root.values():
        name = (arn(target.partition, "s3", "", "", bucket.name),)
        yield from allow("LogBucketsRead", "s3", _READ, on=name)
        yield from allow("LogBucketsWrite", "s3", _WRITE, on=name, purposes=APPLY)
        yield from allow("LogBucketsRead", "s3", _stated_reads(bucket), on=name)
        yield from allow("LogBucketsWrite", "s3", _stated_writes(bucket), on=name, purposes=APPLY)
    for declaration in DELIVERING:
        yield from declaration(target, baseline)


def _stated_reads(bucket: LogBucket) -> list[str]:
    stated = {
        "GetBucketObjectLockConfiguration": bucket.object_lock is not None,
        "GetBucketTagging": bool(bucket.tags),
        "GetLifecycleConfiguration": bucket.lifecycle_rules is not None,
    }
    return [name for name, asked in stated.items() if asked]


def _stated_writes(bucket: LogBucket) -> list[str]:
    """The writes that can be called for: where the file asks for the weakest, AWS can only be stricter."""
    stated = {
        # A bucket that is made with Object Lock asks for this one too.
        "PutBucketVersioning": bucket.exact or bucket.versioning.status == "Enabled",
        "PutBucketObjectLockConfiguration": bucket.object_lock is not None,
        "PutBucketTagging": bool(bucket.tags),
        "PutLifecycleConfiguration": bool(bucket.lifecycle_rules),
    }
    return [name for name, asked in stated.items() if asked]
