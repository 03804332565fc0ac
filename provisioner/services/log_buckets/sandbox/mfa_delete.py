"""MFA delete: only the root user switches it, with a code of its MFA device, and it excludes a lifecycle."""

from __future__ import annotations

import re
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.buckets import named_bucket
from ....sandbox.callers import caller
from ....sandbox.model import Refused, Response
from ....sandbox.rule import after, before, instead

_DEVICE_AND_CODE = re.compile(r"\S+ \d{6}")  # the header x-amz-mfa
_NEEDED = "Mfa Authentication must be used for this request"


def _state(bucket: Any) -> str | None:
    """`Enabled` or `Disabled`; None if MFA delete was never set."""
    state: str | None = getattr(bucket, "strict_mfa_delete", None)
    return state


def _authenticate(request: Request) -> None:
    """Raise `Refused` unless the caller is the root user and has sent a code."""
    if not _DEVICE_AND_CODE.fullmatch(request.params.get("MFA") or ""):
        raise Refused("AccessDenied", _NEEDED, 403)
    if not caller(request).is_root:
        # AWS's own words for a caller that is not the root user.
        raise Refused("InvalidRequest", "DevPay and Mfa are mutually exclusive authorization methods.")


@before("s3.mfa_delete", "PutBucketVersioning", row="2 Versioning: MFA-delete needs root")
def mfa_delete(request: Request) -> None:
    """MFA delete is set, and versioning suspended under it, by the root user with an MFA code only."""
    bucket, asked = named_bucket(request), request.params["VersioningConfiguration"]
    have, want = _state(bucket), asked.get("MFADelete")
    changes = (want or have or "Disabled") != (have or "Disabled")
    if changes or (have == "Enabled" and asked.get("Status") != bucket.versioning_status):
        _authenticate(request)
    if changes and want == "Enabled" and (bucket.rules or getattr(bucket, "strict_lifecycle", None)):
        text = (
            "Mfa Authentication is not supported on a bucket with lifecycle configuration."
            " Delete lifecycle configuration before enabling Mfa Authentication."
        )
        raise Refused("InvalidBucketState", text, 409)


@after("s3.mfa_delete", "PutBucketVersioning")
def mfa_delete_kept(request: Request, _: dict[str, Any]) -> None:
    """Store the state."""
    if state := request.params["VersioningConfiguration"].get("MFADelete"):
        named_bucket(request).strict_mfa_delete = state


@instead("s3.mfa_delete", "GetBucketVersioning")
def mfa_delete_read(request: Request) -> Response | dict[str, Any]:
    """Return the state beside that of versioning."""
    bucket = named_bucket(request)
    if _state(bucket) is None:
        return request.moto()
    return {"Status": bucket.versioning_status, "MFADelete": _state(bucket)}


@before("s3.mfa_delete", "DeleteObject", "DeleteObjects")
def mfa_delete_version(request: Request) -> None:
    """A version is deleted by the root user with an MFA code only."""
    listed = (request.params.get("Delete") or {}).get("Objects") or [request.params]
    if _state(named_bucket(request)) == "Enabled" and any(each.get("VersionId") for each in listed):
        _authenticate(request)


@before("s3.mfa_delete", "PutBucketLifecycleConfiguration")
def mfa_delete_or_lifecycle(request: Request) -> None:
    """A bucket with MFA delete cannot have a lifecycle."""
    if _state(named_bucket(request)) == "Enabled":
        raise Refused(
            "InvalidBucketState", "Lifecycle configuration is not supported on a bucket with MFA delete.", 409
        )
