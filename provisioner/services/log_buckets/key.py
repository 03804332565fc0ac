"""The KMS key that the file names for a log bucket. S3 takes any key, and then delivers nothing where it cannot use it."""

from __future__ import annotations

from ...model import Finding, Findings
from ...steps import existing
from ...steps.existing import Existing
from .state import Bucket


def read_key(bucket: Bucket) -> Existing | None:
    """Look at the key that the file names; None if it names none."""
    arn = bucket.want.server_side_encryption.kms_master_key_id
    if arn is None:
        return None
    found = existing.key(bucket.aws, arn)()
    if found.ok is None:
        return found._replace(
            remedy="allow `kms:DescribeKey`, and see that its policy lets log services use it"
        )
    return found


def verify_key(bucket: Bucket) -> Findings:
    """Find whether the key that the file names can be used."""
    if key := read_key(bucket):
        yield Finding(bucket.title, "encryption key", key.ok, key.text)
