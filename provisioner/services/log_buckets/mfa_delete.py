"""MFA delete of a log bucket: told, and never changed, as S3 takes it from the root user with an MFA code only.

Source: "Configuring MFA delete" in the S3 User Guide.
"""

from __future__ import annotations

from ...model import Change, Changes, Finding, Findings, Refused
from .state import Bucket


def has_mfa_delete(bucket: Bucket) -> bool:
    """Whether MFA delete is on."""
    return bucket.answer("get_bucket_versioning").get("MFADelete") == "Enabled"


def refuse_under_mfa_delete(bucket: Bucket, changes: Changes, why: str) -> Changes:
    """The same changes. Raises Refused for the first one if MFA delete is on, under which S3 takes none of them."""
    for item in changes:
        if isinstance(item, Change) and has_mfa_delete(bucket):
            raise Refused(
                f"MFA delete of {bucket.title} is on, and {why}: {_command(bucket, 'Disabled')} first"
            )
        yield item


def verify_mfa_delete(bucket: Bucket) -> Findings:
    """Find whether MFA delete is on, where the file asks for it or AWS has it."""
    on = has_mfa_delete(bucket)
    if on or bucket.want.versioning.mfa_delete:
        detail = "on" if on else f"off: {_command(bucket, 'Enabled')}"
        yield Finding(bucket.title, "MFA delete", on, detail)


def _command(bucket: Bucket, state: str) -> str:
    return (
        f"as the root user, run `aws s3api put-bucket-versioning --bucket {bucket.want.name} --versioning-configuration"
        f" Status=Enabled,MFADelete={state} --mfa 'DEVICE_ARN CODE'`"
    )
