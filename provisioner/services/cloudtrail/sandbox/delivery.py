"""A trail's bucket, key, topic and log group: checked when it is changed, and for its status."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from ....compare.policy_eval import Act, decide, decide_identity
from ....sandbox.ask import Request
from ....sandbox.buckets import default_key, find_bucket, policy_of
from ....sandbox.iam import ensure_linked_role, role_by_arn
from ....sandbox.model import Refused
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.kms import find_key, key_fault, key_refuses
from ....sandbox.rules.organizations import find_organization
from .home_region import requested_trail
from .trails import PRINCIPAL, described, find_trail, trail_arn

_CHANGES = ("CreateTrail", "UpdateTrail")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def bucket_fault(name: str, prefix: str | None, arn: str, *, organization: bool) -> str | None:
    """Why CloudTrail cannot write the trail *arn* to a bucket: `NoSuchBucket`, `AccessDenied`, or None."""
    bucket = find_bucket(name)
    if bucket is None:
        return "NoSuchBucket"
    _, partition, _, _, account, _ = arn.split(":", 5)
    where = f"arn:{partition}:s3:::{name}"
    below = f"{where}/{prefix}/AWSLogs" if prefix else f"{where}/AWSLogs"
    context = {
        "aws:sourcearn": arn,
        "aws:sourceaccount": account,
        "aws:securetransport": "true",
        "aws:principalisawsservice": "true",
        "aws:principalservicename": PRINCIPAL,
    }
    acts = [Act("s3:GetBucketAcl", where, PRINCIPAL, context)]
    if held := find_organization(account, partition):
        context["aws:sourceorgid"] = held.org.id
    writing = {**context, "s3:x-amz-acl": "bucket-owner-full-control"}
    owners = [account, held.org.id] if held and organization else [account]
    acts += [Act("s3:PutObject", f"{below}/{owner}/CloudTrail/probe", PRINCIPAL, writing) for owner in owners]
    document = policy_of(bucket)
    return None if all(decide(document, act) == "allow" for act in acts) else "AccessDenied"


def _new_fields(request: Request) -> dict[str, Any]:
    """The trail's fields after the request."""
    have = described(requested_trail(request)) if request.operation == "UpdateTrail" else {}
    return {**have, **request.params}


def _arn(request: Request) -> str:
    if request.operation == "UpdateTrail":
        return str(requested_trail(request).arn)
    return trail_arn(request, request.params["Name"], request.acting_account or request.account)


@before("cloudtrail.bucket_exists", *_CHANGES, row="13.1 update_trail to a missing bucket")
def bucket_exists(request: Request) -> None:
    """A trail with a bucket that does not exist is S3BucketDoesNotExistException."""
    name = _new_fields(request).get("S3BucketName", "")
    if find_bucket(name) is None:
        raise Refused("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")


@before("cloudtrail.bucket_policy", *_CHANGES, row="13.1 create_trail, no bucket policy")
def bucket_policy(request: Request) -> None:
    """The bucket policy must let CloudTrail write, for an organization trail to both paths."""
    fields = _new_fields(request)
    name, organization = fields["S3BucketName"], bool(fields.get("IsOrganizationTrail"))
    if bucket_fault(name, fields.get("S3KeyPrefix"), _arn(request), organization=organization):
        text = f"Incorrect S3 bucket policy is detected for bucket: {name}"
        raise Refused("InsufficientS3BucketPolicyException", text)


@before("cloudtrail.kms_key", *_CHANGES, row="13.1 KmsKeyId='alias/nope'")
def kms_key(request: Request) -> None:
    """The key must exist in the bucket's Region and let CloudTrail use it; it is returned as an ARN."""
    name = request.params.get("KmsKeyId")
    if not name:
        return
    bucket = find_bucket(_new_fields(request)["S3BucketName"])
    key = find_key(name, request.account, bucket.region_name if bucket is not None else request.region)
    if key is None:
        raise Refused("KmsKeyNotFoundException", f"KMS key not found: {name}")
    if key.key_state != "Enabled":
        raise Refused("KmsKeyDisabledException", f"KMS key is disabled: {name}")
    context = {"aws:sourcearn": _arn(request), "kms:encryptioncontext:aws:cloudtrail:arn": _arn(request)}
    if key_refuses(key, PRINCIPAL, ("kms:GenerateDataKey", "kms:DescribeKey"), context):
        text = f"Insufficient permissions to access S3 bucket or KMS key {key.arn}."
        raise Refused("InsufficientEncryptionPolicyException", text)
    request.rewrite(KmsKeyId=key.arn)


@before("cloudtrail.sns_topic", *_CHANGES, row="13.1 SnsTopicName=<topic ARN>")
def sns_topic(request: Request) -> None:
    """A topic is given by name or ARN, and its policy must let CloudTrail publish."""
    name = request.params.get("SnsTopicName")
    if not name:
        return
    plain = name.rpartition(":")[2]
    arn = f"arn:{request.partition}:sns:{request.region}:{request.account}:{plain}"
    topic = request.store("sns").topics.get(name if name.startswith("arn:") else arn)
    act = Act(
        "SNS:Publish",
        topic.arn if topic else arn,
        PRINCIPAL,
        {"aws:sourcearn": _arn(request), "aws:sourceaccount": request.account},
    )
    policy = topic.policy if topic else None
    policy = json.loads(policy) if isinstance(policy, str) else policy
    if decide(policy, act) != "allow":
        text = "SNS Topic does not exist or the topic policy is incorrect!"
        raise Refused("InsufficientSnsTopicPolicyException", text)
    request.rewrite(SnsTopicName=plain)


@before("cloudtrail.log_group", *_CHANGES, row="13.1 log group ARN bogus, no :*, no role")
def log_group(request: Request) -> None:
    """A log group must exist, end in :*, and have a role that CloudTrail can assume and write with."""
    group, role = request.params.get("CloudWatchLogsLogGroupArn"), request.params.get("CloudWatchLogsRoleArn")
    if not group and not role:
        return
    bad_group, bad_role = "InvalidCloudWatchLogsLogGroupArnException", "InvalidCloudWatchLogsRoleArnException"
    found = re.fullmatch(r"arn:[a-z-]+:logs:([a-z0-9-]+):(\d{12}):log-group:([^:*]+):\*", group or "")
    if not group or not found:
        raise Refused(bad_group, "You must specify a valid ARN for the CloudWatch Logs log group.")
    if not role:
        raise Refused(bad_role, "You must specify a role ARN along with the log group ARN.")
    if found[3] not in request.store("logs", found[2], found[1]).groups:
        raise Refused(bad_group, "Access denied. Check the permissions for your role.")
    held = role_by_arn(role)
    stream = f"{group.removesuffix(':*')}:log-stream:{request.account}_CloudTrail_{request.region}"
    acts = [Act(a, stream, "", {}) for a in ("logs:CreateLogStream", "logs:PutLogEvents")]
    documents = held.documents if held is not None and held.trusts(PRINCIPAL) else ()
    if any(decide_identity(documents, act) != "allow" for act in acts):
        raise Refused(bad_role, "Access denied. Check the trust relationships for your role.")


@before(
    "cloudtrail.log_group_tags",
    "logs:ListTagsForResource",
    row="CloudWatch Logs API, ListTagsForResource: errors",
)
def log_group_tags(request: Request) -> None:
    """The tags of a log group that does not exist are ResourceNotFoundException (API ListTagsForResource)."""
    found = re.fullmatch(r"arn:[a-z-]+:logs:[^:]*:\d{12}:log-group:([^:*]+)", request.params["resourceArn"])
    if found and found[1] not in request.store("logs").groups:
        raise Refused("ResourceNotFoundException", "The specified log group does not exist.")


@after("cloudtrail.organization_role", *_CHANGES, row="3 Organization trail: SLR created on the way")
def organization_role(request: Request, _: dict[str, Any]) -> None:
    """An organization trail creates the service-linked role AWSServiceRoleForCloudTrail."""
    if request.params.get("IsOrganizationTrail"):
        ensure_linked_role(request.acting_account or request.account, request.partition, PRINCIPAL)


@after("cloudtrail.answers", *_CHANGES, row="3 Defaults / diff noise")
def answers(_: Request, answer: dict[str, Any]) -> None:
    """Unset fields are not in the result."""
    for key in [k for k, v in answer.items() if v in (None, "")]:
        del answer[key]


@instead("cloudtrail.status", "GetTrailStatus", row="3 Status checks after enabling")
def status(request: Request) -> dict[str, Any]:
    """The status shows a delivery if CloudTrail can write, or its error if it cannot."""
    trail, now = find_trail(request, request.params["Name"]), datetime.now(UTC)
    state = trail.status
    shown: dict[str, Any] = {"IsLogging": state.is_logging}
    if state.started is not None:
        shown |= {"StartLoggingTime": state.started, "TimeLoggingStarted": f"{state.started:{_TIME}}"}
        shown |= _deliveries(trail, state.started if not state.is_logging else now, state)
    if state.stopped is not None:
        shown |= {"StopLoggingTime": state.stopped, "TimeLoggingStopped": f"{state.stopped:{_TIME}}"}
    return shown


def _deliveries(trail: Any, when: datetime, state: Any) -> dict[str, Any]:
    organization = bool(trail.is_org_trail)
    fault = bucket_fault(trail.bucket_name, trail.s3_key_prefix, trail.arn, organization=organization)
    bucket = find_bucket(trail.bucket_name)
    if fault is None and trail.kms_key_id:
        regions = [trail.region_name, *([bucket.region_name] if bucket is not None else [])]
        keys = (find_key(trail.kms_key_id, trail.account_id, region) for region in regions)
        key = next((key for key in keys if key is not None), None)
        fault = None if key is not None and key.key_state == "Enabled" else "KMS.DisabledException"
    elif fault is None and bucket is not None and (name := default_key(bucket)):
        refusal = key_fault(name, trail.account_id, bucket.region_name)
        fault = refusal.code if refusal else None
    good = when if fault is None else state.started
    shown: dict[str, Any] = {
        "LatestDeliveryTime": good,
        "LatestDeliveryAttemptTime": f"{when:{_TIME}}",
        "LatestDeliveryAttemptSucceeded": f"{good:{_TIME}}",
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
    }
    if fault:
        shown["LatestDeliveryError"] = fault
    if trail.log_validation:
        shown["LatestDigestDeliveryTime"] = good
        if fault:
            shown["LatestDigestDeliveryError"] = fault
    if trail.cw_log_group_arn:
        shown["LatestCloudWatchLogsDeliveryTime"] = good
    return shown
