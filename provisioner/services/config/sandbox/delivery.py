"""AWS Config's delivery channel: its bucket, role, key and topic are checked when it is put, and for its status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ....compare.policy_eval import Act, decide, decide_identity
from ....sandbox.ask import Request
from ....sandbox.buckets import default_key, find_bucket, policy_of
from ....sandbox.iam import role_by_arn
from ....sandbox.model import Refused
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.kms import find_key, key_fault
from ....sandbox.rules.organizations import find_organization, unit_path
from ..principal import principal
from ..section import BEIJING

_CODE = "InsufficientDeliveryPolicyException"


def delivery_fault(
    request: Request, role_arn: str, bucket_name: str, prefix: str | None, key: str | None
) -> str | None:
    """Why AWS Config cannot deliver: `NoSuchBucket`, or the action that fails; None if it can."""
    bucket = find_bucket(bucket_name)
    if bucket is None:
        return "NoSuchBucket"
    role = role_by_arn(role_arn)
    service = principal(request.partition)
    if role is None or not role.trusts(service):
        return "assume role"
    linked = role.path == f"/aws-service-role/{service}/"
    writer = service if linked else role_arn
    where = f"arn:{request.partition}:s3:::{bucket_name}"
    below = f"{where}/{prefix}" if prefix else where
    context = _context(request, role_arn, linked=linked)
    probe = f"{below}/AWSLogs/{request.account}/Config/ConfigWritabilityCheckFile"
    writing = {**context, "s3:x-amz-acl": "bucket-owner-full-control"}
    acts = {"get bucket acl": Act("s3:GetBucketAcl", where, writer, context)}
    if linked:
        acts["list bucket"] = Act("s3:ListBucket", where, writer, context)
    acts["write to bucket"] = Act("s3:PutObject", probe, writer, writing)
    for what, act in acts.items():
        by_bucket = decide(policy_of(bucket), act)
        by_role = None if linked else decide_identity(role.documents, act)
        allowed = by_bucket == "allow" and (linked or by_role == "allow")
        if bucket.account_id == request.account:  # one of the two is enough
            allowed = "allow" in (by_bucket, by_role)
        if "deny" in (by_bucket, by_role) or not allowed:
            return what
    used = key or default_key(bucket)
    if used and key_fault(used, request.account, bucket.region_name):
        return "write to bucket"
    return None


def _context(request: Request, role_arn: str, *, linked: bool) -> dict[str, str]:
    """Condition keys of the service itself, or of the role that it has assumed."""
    context = {"aws:securetransport": "true"}
    held = find_organization(request.account, request.partition)
    if not linked:
        owner = role_arn.split(":")[4]
        context |= {"aws:principalarn": role_arn, "aws:principalaccount": owner}
        return context | ({"aws:principalorgid": held.org.id} if held is not None else {})
    context |= {
        "aws:sourceaccount": request.account,
        "aws:sourcearn": f"arn:{request.partition}:config:{request.region}:{request.account}:",
        "aws:principalisawsservice": "true",
        "aws:principalservicename": principal(request.partition),
    }
    if held is not None:
        context |= {"aws:sourceorgid": held.org.id, "aws:sourceorgpaths": unit_path(held, request.account)}
    return context


def find_recorder(request: Request) -> Any | None:
    """Moto's recorder of the account and Region."""
    return next(iter(request.store().recorders.values()), None)


@before("config.channel_name", "PutDeliveryChannel", row="4 missing name means default")
def channel_name(request: Request) -> None:
    """A channel without a name is named default."""
    channel = request.params.get("DeliveryChannel") or {}
    if not channel.get("name"):
        request.rewrite(DeliveryChannel={**channel, "name": "default"})


@before("config.channel_key_and_topic", "PutDeliveryChannel", row="4 PutDeliveryChannel")
def channel_key_and_topic(request: Request) -> None:
    """The key must be in the bucket's Region, the topic in the channel's."""
    channel = request.params.get("DeliveryChannel") or {}
    key, topic = channel.get("s3KmsKeyArn"), channel.get("snsTopicARN")
    bucket = find_bucket(channel.get("s3BucketName") or "")
    if key and (
        not key.startswith("arn:")
        or (bucket is not None and find_key(key, request.account, bucket.region_name) is None)
    ):
        raise Refused("InvalidS3KmsKeyArnException", f"The arn '{key}' is not a valid kms key or alias arn.")
    if topic and not _has_topic(request, topic):
        raise Refused("InvalidSNSTopicARNException", f"The sns topic arn '{topic}' is not valid.")


@before("config.channel_delivery", "PutDeliveryChannel", row="13.2 channel with bucket missing")
def channel_delivery(request: Request) -> None:
    """A channel is accepted only if AWS Config can write to the bucket now; in Beijing, to a bucket in Beijing only."""
    recorder, channel = find_recorder(request), request.params.get("DeliveryChannel") or {}
    name, prefix = channel.get("s3BucketName") or "", channel.get("s3KeyPrefix")
    if (
        recorder is None
        or not name
        or (channel["name"] not in request.store().delivery_channels and request.store().delivery_channels)
    ):
        return  # moto refuses these itself
    bucket = find_bucket(name)
    if request.region == BEIJING and bucket is not None and bucket.region_name != BEIJING:
        raise Refused(_CODE, f"Insufficient delivery policy to s3 bucket: {name}, which is not in {BEIJING}.")
    fault = delivery_fault(request, recorder.role_arn, name, prefix, channel.get("s3KmsKeyArn"))
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


def _has_topic(request: Request, arn: str) -> bool:
    """Whether the topic exists, in whichever account."""
    parts = arn.split(":")
    return len(parts) == 6 and parts[3] == request.region and arn in request.store("sns", parts[4]).topics


@after("config.recorder_status", "DescribeConfigurationRecorderStatus", row="13.2 recorder status PENDING")
def recorder_status(request: Request, answer: dict[str, Any]) -> None:
    """The status is Pending at first, then Success, or Failure with its error if delivery fails."""
    for shown in answer["ConfigurationRecordersStatus"]:
        recorder = request.store().recorders[shown["name"]]
        if shown.get("lastStatus") != "PENDING" and not recorder.status.recording:
            continue
        fault = _present_fault(request, recorder)
        if getattr(recorder.status, "_shown", None) != shown.get("lastStartTime"):
            recorder.status._shown = shown.get("lastStartTime")
            request.world.dirty = True
            shown["lastStatus"] = "Pending"
        elif fault:
            shown.update(_failure(fault))
        else:
            shown["lastStatus"] = "Success"


def _present_fault(request: Request, recorder: Any) -> str | None:
    channel = next(iter(request.store().delivery_channels.values()), None)
    if channel is None:
        return "NoSuchDeliveryChannel"
    where = (channel.s3_bucket_name, channel.s3_key_prefix, channel.s3_kms_key_arn)
    return delivery_fault(request, recorder.role_arn, *where)


def _failure(fault: str) -> dict[str, Any]:
    """The status fields of a delivery that fails."""
    code = fault if fault.startswith("NoSuch") else "AccessDenied"
    no_bucket, text = "The specified bucket does not exist", f"Access Denied: unable to {fault}"
    message = no_bucket if fault == "NoSuchBucket" else text
    return {"lastStatus": "Failure", "lastErrorCode": code, "lastErrorMessage": message}


@instead(
    "config.channel_status", "DescribeDeliveryChannelStatus", row="14 config DescribeDeliveryChannelStatus"
)
def channel_status(request: Request) -> dict[str, Any]:
    """A channel's status shows whether history, snapshots and the stream are delivered."""
    held, names = request.store().delivery_channels, request.params.get("DeliveryChannelNames")
    for name in names or []:
        if name not in held:
            text = f"Cannot find delivery channel with specified name '{name}'."
            raise Refused("NoSuchDeliveryChannelException", text)
    shown = [_one_status(request, held[name]) for name in held if not names or name in names]
    return {"DeliveryChannelsStatus": shown}


def _one_status(request: Request, channel: Any) -> dict[str, Any]:
    recorder, now = find_recorder(request), datetime.now(UTC)
    shown: dict[str, Any] = {"name": channel.name}
    if recorder is None or not recorder.status.recording:
        state: dict[str, Any] = {"lastStatus": "Not_Applicable"}
    elif fault := _present_fault(request, recorder):
        state = {**_failure(fault), "lastAttemptTime": now}
    else:
        state = {"lastStatus": "Success", "lastAttemptTime": now, "lastSuccessfulTime": now}
    shown["configSnapshotDeliveryInfo"] = shown["configHistoryDeliveryInfo"] = state
    stream = {k: v for k, v in state.items() if k.startswith(("lastStatus", "lastError"))}
    if not channel.sns_topic_arn:
        stream = {"lastStatus": "Not_Applicable"}
    shown["configStreamDeliveryInfo"] = {**stream, "lastStatusChangeTime": now}
    return shown
