"""What a trail delivers to: bucket, key, topic and log group are really looked at."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.buckets import find_bucket, policy_of
from ....sandbox.iam import role_by_arn, service_linked
from ....sandbox.policy_eval import Act, decide, decide_identity
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.kms import find_key, key_refuses
from ....sandbox.rules.organizations import held_organization
from ....sandbox.words import Refused
from .home_region import target
from .trails import PRINCIPAL, described, known_trails, unknown, visible_trails

_CHANGES = ("CreateTrail", "UpdateTrail")


def bucket_fault(name: str, prefix: str | None, arn: str, organization: str | None) -> str | None:
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
    if held := held_organization(account, partition):
        context["aws:sourceorgid"] = held.org.id
    writing = {**context, "s3:x-amz-acl": "bucket-owner-full-control"}
    acts += [
        Act("s3:PutObject", f"{below}/{one}/CloudTrail/probe", PRINCIPAL, writing)
        for one in (account, organization)
        if one
    ]
    document = policy_of(bucket)
    return None if all(decide(document, act) == "allow" for act in acts) else "AccessDenied"


def _wanted(ask: Ask) -> dict[str, Any]:
    """The trail's fields as they will be: for an update, what it has with what the request changes."""
    have = described(target(ask)) if ask.operation == "UpdateTrail" else {}
    return {**have, **ask.params}


def _arn(ask: Ask) -> str:
    if ask.operation == "UpdateTrail":
        return str(target(ask).arn)
    return (
        f"arn:{ask.partition}:cloudtrail:{ask.region}:{ask.acting or ask.account}:trail/{ask.params['Name']}"
    )


@before("cloudtrail.bucket_exists", *_CHANGES, row="13.1 update_trail to a missing bucket")
def bucket_exists(ask: Ask) -> None:
    """A trail cannot be pointed at a bucket that is not there: S3BucketDoesNotExistException."""
    name = _wanted(ask).get("S3BucketName", "")
    if find_bucket(name) is None:
        raise Refused("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")


@before(
    "cloudtrail.bucket_policy",
    *_CHANGES,
    row="13.1 create_trail, no bucket policy; Deny s3:PutObject unless SSE header",
)
def bucket_policy(ask: Ask) -> None:
    """The bucket policy must let CloudTrail write, for an organization trail to both paths."""
    wanted = _wanted(ask)
    name = wanted["S3BucketName"]
    held = held_organization(ask.account, ask.partition) if wanted.get("IsOrganizationTrail") else None
    if bucket_fault(name, wanted.get("S3KeyPrefix"), _arn(ask), held.org.id if held else None):
        text = f"Incorrect S3 bucket policy is detected for bucket: {name}"
        raise Refused("InsufficientS3BucketPolicyException", text)


@before("cloudtrail.kms_key", *_CHANGES, row="13.1 KmsKeyId='alias/nope'")
def kms_key(ask: Ask) -> None:
    """The key must exist where the bucket is and let CloudTrail use it; it comes back as an ARN."""
    name = ask.params.get("KmsKeyId")
    if not name:
        return
    bucket = find_bucket(_wanted(ask)["S3BucketName"])
    key = find_key(name, ask.account, bucket.region_name if bucket is not None else ask.region)
    if key is None:
        raise Refused("KmsKeyNotFoundException", f"KMS key not found: {name}")
    if key.key_state != "Enabled":
        raise Refused("KmsKeyDisabledException", f"KMS key is disabled: {name}")
    context = {"aws:sourcearn": _arn(ask), "kms:encryptioncontext:aws:cloudtrail:arn": _arn(ask)}
    if key_refuses(key, PRINCIPAL, ("kms:GenerateDataKey", "kms:DescribeKey"), context):
        text = f"Insufficient permissions to access S3 bucket or KMS key {key.arn}."
        raise Refused("InsufficientEncryptionPolicyException", text)
    ask.rewrite(KmsKeyId=key.arn)


@before("cloudtrail.sns_topic", *_CHANGES, row="13.1 SnsTopicName=<topic ARN>")
def sns_topic(ask: Ask) -> None:
    """A topic is taken by name or ARN, and its policy must let CloudTrail publish."""
    name = ask.params.get("SnsTopicName")
    if not name:
        return
    plain = name.rpartition(":")[2]
    arn = f"arn:{ask.partition}:sns:{ask.region}:{ask.account}:{plain}"
    topic = ask.store("sns").topics.get(name if name.startswith("arn:") else arn)
    act = Act(
        "SNS:Publish",
        topic.arn if topic else arn,
        PRINCIPAL,
        {"aws:sourcearn": _arn(ask), "aws:sourceaccount": ask.account},
    )
    policy = (
        json.loads(topic.policy)
        if topic and isinstance(topic.policy, str)
        else topic.policy
        if topic
        else None
    )
    if decide(policy, act) != "allow":
        text = "SNS Topic does not exist or the topic policy is incorrect!"
        raise Refused("InsufficientSnsTopicPolicyException", text)
    ask.rewrite(SnsTopicName=plain)


@before("cloudtrail.log_group", *_CHANGES, row="13.1 log group ARN bogus, no :*, no role")
def log_group(ask: Ask) -> None:
    """A log group must exist, end in :*, and come with a role that CloudTrail can assume and write with."""
    group, role = ask.params.get("CloudWatchLogsLogGroupArn"), ask.params.get("CloudWatchLogsRoleArn")
    if not group and not role:
        return
    bad_group, bad_role = "InvalidCloudWatchLogsLogGroupArnException", "InvalidCloudWatchLogsRoleArnException"
    found = re.fullmatch(r"arn:[a-z-]+:logs:([a-z0-9-]+):(\d{12}):log-group:([^:*]+):\*", group or "")
    if not group or not found:
        raise Refused(bad_group, "You must specify a valid ARN for the CloudWatch Logs log group.")
    if not role:
        raise Refused(bad_role, "You must specify a role ARN along with the log group ARN.")
    if found[3] not in ask.store("logs", found[2], found[1]).groups:
        raise Refused(bad_group, "Access denied. Check the permissions for your role.")
    held = role_by_arn(role)
    stream = f"{group.removesuffix(':*')}:log-stream:{ask.account}_CloudTrail_{ask.region}"
    acts = [Act(a, stream, "", {}) for a in ("logs:CreateLogStream", "logs:PutLogEvents")]
    documents = held.documents if held is not None and held.trusts(PRINCIPAL) else ()
    if any(decide_identity(documents, act) != "allow" for act in acts):
        raise Refused(bad_role, "Access denied. Check the trust relationships for your role.")


@after("cloudtrail.organization_role", *_CHANGES, row="3 Organization trail: SLR created on the way")
def organization_role(ask: Ask, _: dict[str, Any]) -> None:
    """With an organization trail the account has the role AWSServiceRoleForCloudTrail."""
    if ask.params.get("IsOrganizationTrail"):
        service_linked(ask.acting or ask.account, ask.partition, PRINCIPAL)


@after("cloudtrail.answers", *_CHANGES, row="3 Defaults / diff noise")
def answers(_: Ask, answer: dict[str, Any]) -> None:
    """What is not set is not in the answer."""
    for key in [k for k, v in answer.items() if v in (None, "")]:
        del answer[key]


@instead("cloudtrail.status", "GetTrailStatus", row="3 Status checks after enabling")
def status(ask: Ask) -> dict[str, Any]:
    """The status shows a delivery where CloudTrail can write, and its error where it cannot."""
    name = ask.params["Name"]
    known = [t for t in known_trails(ask) if t.arn == name]
    known += [
        t
        for t in visible_trails(ask)
        if t.trail_name == name and t.account_id == ask.account and t.region_name == ask.region
    ]
    if not known:
        raise unknown(ask, name)
    trail, now = known[0], datetime.now(UTC)
    state = trail.status
    shown: dict[str, Any] = {"IsLogging": state.is_logging}
    if state.started is not None:
        shown |= {
            "StartLoggingTime": state.started,
            "TimeLoggingStarted": f"{state.started:%Y-%m-%dT%H:%M:%SZ}",
        }
        shown |= _deliveries(trail, state.started if not state.is_logging else now, state)
    if state.stopped is not None:
        shown |= {
            "StopLoggingTime": state.stopped,
            "TimeLoggingStopped": f"{state.stopped:%Y-%m-%dT%H:%M:%SZ}",
        }
    return shown


def _deliveries(trail: Any, when: datetime, state: Any) -> dict[str, Any]:
    held = held_organization(trail.account_id, trail.partition) if trail.is_org_trail else None
    fault = bucket_fault(trail.bucket_name, trail.s3_key_prefix, trail.arn, held.org.id if held else None)
    if fault is None and trail.kms_key_id:
        key = find_key(trail.kms_key_id, trail.account_id, trail.region_name)
        bucket = find_bucket(trail.bucket_name)
        where = bucket.region_name if bucket is not None else trail.region_name
        key = key or find_key(trail.kms_key_id, trail.account_id, where)
        fault = None if key is not None and key.key_state == "Enabled" else "KMS.DisabledException"
    good = when if fault is None else state.started
    shown: dict[str, Any] = {
        "LatestDeliveryTime": good,
        "LatestDeliveryAttemptTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "LatestDeliveryAttemptSucceeded": f"{good:%Y-%m-%dT%H:%M:%SZ}",
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
