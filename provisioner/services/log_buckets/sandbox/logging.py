"""Access logging of buckets: where S3 writes the logs, and what it needs for that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....compare.policy_eval import Act, decide
from ....sandbox.ask import Request
from ....sandbox.buckets import find_bucket, named_bucket, policy_of
from ....sandbox.model import Refused, Response
from ....sandbox.rule import before, instead
from ....sandbox.rules.propagation import Resource, needs
from ..names import LOG_DELIVERY

_NOT_ALLOWED = (
    "You must either provide the necessary permissions to the logging service using a bucket policy or give the "
    "log-delivery group WRITE and READ_ACP permissions to the target bucket"
)


def _enabled(request: Request) -> dict[str, Any]:
    """The configuration that is put; empty if it turns logging off."""
    found: dict[str, Any] = request.params.get("BucketLoggingStatus", {}).get("LoggingEnabled") or {}
    return found


def _target(request: Request) -> Any:
    """The bucket that is to get the logs. Raises `Refused` if it is not one of the source's owner and Region."""
    source, target = named_bucket(request), find_bucket(_enabled(request)["TargetBucket"])
    if target is None or target.account_id != source.account_id:
        text = "The target bucket for logging does not exist, or is not owned by you"
        raise Refused("InvalidTargetBucketForLogging", text)
    if target.region_name != source.region_name:
        raise Refused("CrossLocationLoggingProhibited", "Cross S3 location logging not allowed.", 403)
    return target


@before("s3.logging_target", "PutBucketLogging", row="16.G target policy naming another source accepted")
def logging_target(request: Request) -> None:
    """The target must be of the same owner and Region, and its policy or ACL must let S3 write there for the source."""
    enabled = _enabled(request)
    if not enabled:
        return
    source, target = named_bucket(request), _target(request)
    where = f"arn:{request.partition}:s3:::{target.name}/{enabled.get('TargetPrefix') or ''}probe"
    context = {
        "aws:sourcearn": f"arn:{request.partition}:s3:::{source.name}",
        "aws:sourceaccount": source.account_id,
        "aws:securetransport": "true",
        "aws:principalisawsservice": "true",
        "aws:principalservicename": LOG_DELIVERY,
    }
    verdict = decide(policy_of(target), Act("s3:PutObject", where, LOG_DELIVERY, context))
    if verdict == "deny" or (verdict != "allow" and not _let_in_by_acl(target)):
        raise Refused("InvalidTargetBucketForLogging", _NOT_ALLOWED)


def _let_in_by_acl(bucket: Any) -> bool:
    grants = bucket.acl.grants if bucket.acl and bucket.ownership_rule != "BucketOwnerEnforced" else []
    grantees = [each.uri or "" for grant in grants for each in grant.grantees if "WRITE" in grant.permissions]
    return any(uri.endswith("/s3/LogDelivery") for uri in grantees)


@before("s3.logging_target_lock", "PutBucketLogging", row="13.3 log to bucket with object-lock")
def logging_target_lock(request: Request) -> None:
    """A bucket with a default retention cannot be the target of access logs."""
    target = find_bucket(_enabled(request).get("TargetBucket", ""))
    if target is not None and target.object_lock_enabled and target.default_lock_mode:
        text = "The target bucket for logging has an object lock default retention"
        raise Refused("InvalidTargetBucketForLogging", text)


@instead("s3.logging_kept", "PutBucketLogging", row="16.G TargetObjectKeyFormat dropped")
def logging_kept(request: Request) -> Response:
    """Every field of the configuration is returned as it was put, the format of keys too; no log is written."""
    named_bucket(request).strict_logging = _enabled(request)
    return Response(200, {}, b"")


@instead("s3.logging_kept", "GetBucketLogging")
def logging_read(request: Request) -> dict[str, Any]:
    """Return the configuration as it was put; without one, nothing."""
    enabled = getattr(named_bucket(request), "strict_logging", None)
    return {"LoggingEnabled": enabled} if enabled else {}


@needs("s3:PutBucketLogging")
def _logging_needs(request: Request) -> Iterator[tuple[Resource, Refused]]:
    if enabled := _enabled(request):
        yield ("policy", enabled["TargetBucket"]), Refused("InvalidTargetBucketForLogging", _NOT_ALLOWED)
