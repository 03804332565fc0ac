"""The KMS key that the file names for a log bucket. S3 takes any key, and then delivers nothing where it cannot use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ...aws import Aws
from ...baseline import Baseline
from ...model import Finding, Findings
from ...steps.delivery import DELIVERERS
from ...steps.existing import Existing, Look
from ...steps.key_use import KeyUse, look_at_key, uses_key
from ...steps.references import find
from .section import LogBuckets
from .state import Bucket


def look_at_keys(aws: Aws, baseline: Baseline) -> dict[str, Look]:
    """Start to look at the key that the file names for each bucket, by the bucket's key in the file."""
    named = {
        key: each.server_side_encryption.kms_master_key_id for key, each in baseline[LogBuckets].root.items()
    }
    return {key: look_at_key(aws, baseline, name) for key, name in named.items() if name}


@uses_key
def bucket_keys(aws: Aws, baseline: Baseline) -> Iterator[KeyUse]:
    """The keys with which the buckets encrypt by default, used by what delivers there."""
    buckets = baseline[LogBuckets].root if LogBuckets in baseline else {}
    encrypted = {key: each.server_side_encryption.kms_master_key_id for key, each in buckets.items()}
    for deliverer in DELIVERERS if any(encrypted.values()) else ():
        for delivery in deliverer(aws, baseline):
            found = find(baseline, "bucket", delivery.bucket)
            if found and (name := encrypted[found.key]):
                bucket, in_use = found.resource.name, delivery.in_use
                yield KeyUse(name, delivery.key_statements, partial(_delivers, in_use, bucket))


def _delivers(in_use: Callable[[str, str], bool], bucket: str, source: str, _: str) -> bool:
    return in_use(source, bucket)


def read_key(bucket: Bucket) -> Existing | None:
    """The key that the file names; None if it names none."""
    if bucket.key is None:
        return None
    found = bucket.key()
    if found.ok is None:
        return found._replace(
            remedy="allow `kms:DescribeKey`, and see that its policy lets log services use it"
        )
    return found


def verify_key(bucket: Bucket) -> Findings:
    """Find whether the key that the file names can be used."""
    if key := read_key(bucket):
        yield Finding(bucket.title, "encryption key", key.ok, key.text)
