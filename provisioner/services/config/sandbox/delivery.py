"""Config's delivery channel: bucket, role, key and topic are really looked at, when put and afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.buckets import find_bucket, policy_of
from ....sandbox.iam import role_by_arn
from ....sandbox.policy_eval import Act, decide, decide_identity
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.kms import find_key
from ....sandbox.rules.organizations import held_organization, unit_path
from ....sandbox.words import Refused

PRINCIPAL = "config.amazonaws.com"
_CODE = "InsufficientDeliveryPolicyException"


def delivery_fault(ask: Ask, role_arn: str, bucket_name: str, prefix: str | None) -> str | None:
    """Why Config cannot deliver: `NoSuchBucket`, or what it is unable to do; None where it can."""
    bucket = find_bucket(bucket_name)
    if bucket is None:
        return "NoSuchBucket"
    role = role_by_arn(role_arn)
    if role is None or not role.trusts(PRINCIPAL):
        return "assume role"
    linked = role.path == f"/aws-service-role/{PRINCIPAL}/"
    principal = PRINCIPAL if linked else role_arn
    where = f"arn:{ask.partition}:s3:::{bucket_name}"
    below = f"{where}/{prefix}" if prefix else where
    context = _context(ask, role_arn, linked=linked)
    acts = {
        "get bucket acl": Act("s3:GetBucketAcl", where, principal, context),
        "list bucket": Act("s3:ListBucket", where, principal, context),
        "write to bucket": Act(
            "s3:PutObject",
            f"{below}/AWSLogs/{ask.account}/Config/ConfigWritabilityCheckFile",
            principal,
            {**context, "s3:x-amz-acl": "bucket-owner-full-control"},
        ),
    }
    if not linked:
        del acts["list bucket"]
    for what, act in acts.items():
        by_bucket = decide(policy_of(bucket), act)
        by_role = None if linked else decide_identity(role.documents, act)
        own = bucket.account_id == ask.account
        allowed = (
            "allow" in (by_bucket, by_role)
            if own
            else by_bucket == "allow" and (linked or by_role == "allow")
        )
        if "deny" in (by_bucket, by_role) or not allowed:
            return what
    return None


def _context(ask: Ask, role_arn: str, *, linked: bool) -> dict[str, str]:
    """What conditions can know: of the service itself, or of the role that it has assumed."""
    context = {"aws:securetransport": "true"}
    held = held_organization(ask.account, ask.partition)
    if not linked:
        owner = role_arn.split(":")[4]
        context |= {"aws:principalarn": role_arn, "aws:principalaccount": owner}
        return context | ({"aws:principalorgid": held.org.id} if held is not None else {})
    context |= {
        "aws:sourceaccount": ask.account,
        "aws:sourcearn": f"arn:{ask.partition}:config:{ask.region}:{ask.account}:",
        "aws:principalisawsservice": "true",
        "aws:principalservicename": PRINCIPAL,
    }
    if held is not None:  # of a standalone account there is no organization to tell
        context |= {"aws:sourceorgid": held.org.id, "aws:sourceorgpaths": unit_path(held, ask.account)}
    return context


def _recorder(ask: Ask) -> Any | None:
    return next(iter(ask.store().recorders.values()), None)


@before("config.channel_name", "PutDeliveryChannel", row="4 missing name means default")
def channel_name(ask: Ask) -> None:
    """A channel without a name is named default."""
    channel = ask.params.get("DeliveryChannel") or {}
    if not channel.get("name"):
        ask.rewrite(DeliveryChannel={**channel, "name": "default"})


@before(
    "config.channel_delivery",
    "PutDeliveryChannel",
    row="13.2 recorder with ROLE, channel with bucket missing",
)
def channel_delivery(ask: Ask) -> None:
    """A channel is taken only when Config can write to the bucket now."""
    recorder, channel = _recorder(ask), ask.params.get("DeliveryChannel") or {}
    name, prefix = channel.get("s3BucketName") or "", channel.get("s3KeyPrefix")
    if (
        recorder is None
        or not name
        or (channel["name"] not in ask.store().delivery_channels and ask.store().delivery_channels)
    ):
        return  # moto refuses
    fault = delivery_fault(ask, recorder.role_arn, name, prefix)
    if fault == "NoSuchBucket":
        text = f"Cannot find a S3 bucket with an empty bucket name or the bucket does not exist: {name}"
        raise Refused("NoSuchBucketException", text)
    if fault == "assume role":
        text = (
            f"Insufficient delivery policy to s3 bucket: {name}, unable to assume role: {recorder.role_arn}."
        )
        raise Refused(_CODE, text)
    if fault:
        key = channel.get("s3KmsKeyArn")
        text = (
            f"Insufficient delivery policy to s3 bucket: {name}, unable to {fault}, "
            f"provided s3 key prefix is '{prefix or 'null'}', provided kms key is '{key or 'null'}'."
        )
        raise Refused(_CODE, text)


@before(
    "config.channel_key_and_topic",
    "PutDeliveryChannel",
    row="4 PutDeliveryChannel: InvalidS3KmsKeyArn, InvalidSNSTopicARN",
)
def channel_key_and_topic(ask: Ask) -> None:
    """The key must be in the bucket's Region, the topic in the channel's."""
    channel = ask.params.get("DeliveryChannel") or {}
    key, topic = channel.get("s3KmsKeyArn"), channel.get("snsTopicARN")
    bucket = find_bucket(channel.get("s3BucketName") or "")
    if key and (
        bucket is None or not key.startswith("arn:") or find_key(key, ask.account, bucket.region_name) is None
    ):
        raise Refused("InvalidS3KmsKeyArnException", f"The arn '{key}' is not a valid kms key or alias arn.")
    if topic and not _has_topic(ask, topic):
        raise Refused("InvalidSNSTopicARNException", f"The sns topic arn '{topic}' is not valid.")


def _has_topic(ask: Ask, arn: str) -> bool:
    """The topic is there, in whichever account."""
    parts = arn.split(":")
    return len(parts) == 6 and parts[3] == ask.region and arn in ask.store("sns", parts[4]).topics


@after("config.recorder_status", "DescribeConfigurationRecorderStatus", row="13.2 recorder status PENDING")
def recorder_status(ask: Ask, answer: dict[str, Any]) -> None:
    """The status is Pending at first, then Success, or Failure with its error where delivery broke."""
    for shown in answer["ConfigurationRecordersStatus"]:
        recorder = ask.store().recorders[shown["name"]]
        if shown.get("lastStatus") != "PENDING" and not recorder.status.recording:
            continue
        fault = _present_fault(ask, recorder)
        if getattr(recorder.status, "_shown", None) != shown.get("lastStartTime"):
            recorder.status._shown = shown.get("lastStartTime")
            ask.world.dirty = True
            shown["lastStatus"] = "Pending"
        elif fault:
            shown |= {
                "lastStatus": "Failure",
                "lastErrorCode": _error_code(fault),
                "lastErrorMessage": _error_text(fault),
            }
        else:
            shown["lastStatus"] = "Success"


def _present_fault(ask: Ask, recorder: Any) -> str | None:
    channel = next(iter(ask.store().delivery_channels.values()), None)
    if channel is None:
        return "NoSuchDeliveryChannel"
    return delivery_fault(ask, recorder.role_arn, channel.s3_bucket_name, channel.s3_key_prefix)


def _error_code(fault: str) -> str:
    return fault if fault.startswith("NoSuch") else "AccessDenied"


def _error_text(fault: str) -> str:
    return (
        "The specified bucket does not exist"
        if fault == "NoSuchBucket"
        else f"Access Denied: unable to {fault}"
    )


@instead(
    "config.channel_status", "DescribeDeliveryChannelStatus", row="14 config DescribeDeliveryChannelStatus"
)
def channel_status(ask: Ask) -> dict[str, Any]:
    """A channel's status shows whether history, snapshots and the stream arrive."""
    held, names = ask.store().delivery_channels, ask.params.get("DeliveryChannelNames")
    for name in names or []:
        if name not in held:
            raise Refused(
                "NoSuchDeliveryChannelException",
                f"Cannot find delivery channel with specified name '{name}'.",
            )
    return {
        "DeliveryChannelsStatus": [
            _one_status(ask, channel) for n, channel in held.items() if not names or n in names
        ]
    }


def _one_status(ask: Ask, channel: Any) -> dict[str, Any]:
    recorder, now = _recorder(ask), datetime.now(UTC)
    shown: dict[str, Any] = {"name": channel.name}
    if recorder is None or not recorder.status.recording:
        state: dict[str, Any] = {"lastStatus": "Not_Applicable"}
    elif fault := _present_fault(ask, recorder):
        state = {
            "lastStatus": "Failure",
            "lastErrorCode": _error_code(fault),
            "lastErrorMessage": _error_text(fault),
        }
        state["lastAttemptTime"] = now
    else:
        state = {"lastStatus": "Success", "lastAttemptTime": now, "lastSuccessfulTime": now}
    shown["configSnapshotDeliveryInfo"] = shown["configHistoryDeliveryInfo"] = state
    stream = {k: v for k, v in state.items() if k.startswith(("lastStatus", "lastError"))}
    if not channel.sns_topic_arn:
        stream = {"lastStatus": "Not_Applicable"}
    shown["configStreamDeliveryInfo"] = {**stream, "lastStatusChangeTime": now}
    return shown
