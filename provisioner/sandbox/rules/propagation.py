"""How long AWS takes to see what was just made: counted in calls, where a test asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..callers import caller
from ..policy_eval import many
from ..rule import after, before
from ..wire import Ask
from ..words import READS, Refused

Thing = tuple[str, ...]
_ROLES = ("CreateRole", "CreateServiceLinkedRole", "PutRolePolicy", "AttachRolePolicy")
_DEPENDENTS = (
    "cloudtrail:CreateTrail",
    "cloudtrail:UpdateTrail",
    "cloudtrail:StartLogging",
    "cloudtrail:PutEventSelectors",
    "config:PutDeliveryChannel",
    "config:StartConfigurationRecorder",
    "sts:AssumeRole",
    "s3:*",
)
_TRAILS = "cloudtrail.amazonaws.com"


@after("iam.propagation", "events:record", row="13.4 use of role right after create; 1.1")
def remember(ask: Ask, _: dict[str, Any]) -> None:
    """Where `World.propagation` is n, what was just made is refused n times by what depends on it."""
    if ask.world.propagation:
        ask.note("fresh").update(dict.fromkeys(_made(ask), ask.world.propagation))


def _made(ask: Ask) -> Iterator[Thing]:
    if ask.service == "s3" and ask.operation == "CreateBucket":
        yield from (("bucket in S3", ask.params["Bucket"]), ("bucket", ask.params["Bucket"]))
    if ask.service == "s3" and ask.operation == "PutBucketPolicy":
        yield "policy", ask.params["Bucket"]
    if ask.service == "organizations" and ask.operation == "EnableAWSServiceAccess":
        yield "trust", ask.params["ServicePrincipal"]
    if ask.service == "cloudtrail" and ask.operation == "CreateTrail":
        yield "trail", ask.params["Name"]
    if ask.service == "iam" and ask.operation in _ROLES:
        name = ask.params.get("RoleName")
        if name is None:
            from ..iam import linked_name

            name = linked_name(ask.params["AWSServiceName"])
        yield "role", ask.account, name
    if ask.service == "config" and ask.operation == "PutDeliveryChannel":
        yield "channel", ask.account, ask.region


@before("iam.propagation", *_DEPENDENTS)
def refuse_fresh(ask: Ask) -> None:
    """An attempt is refused for the first thing that is not there yet, and brings it one call nearer."""
    fresh = ask.note("fresh")
    for thing, refusal in _needs(ask) if fresh else ():
        if left := fresh.pop(thing, 0):
            if left > 1:
                fresh[thing] = left - 1
            raise refusal


def _role(arn: str | None) -> Thing:
    parts = (arn or "").split(":", 5)
    return "role", parts[4] if len(parts) == 6 else "", (arn or "").rpartition("/")[2]


def _needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    if ask.service == "cloudtrail":
        yield from _trail_needs(ask)
    elif ask.service == "sts":
        arn = ask.params.get("RoleArn")
        text = f"User: {caller(ask).arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        yield _role(arn), Refused("AccessDenied", text, 403)
    elif ask.operation == "PutDeliveryChannel":
        yield from _channel_needs(ask)
    elif ask.operation == "StartConfigurationRecorder":
        text = "Delivery channel is not available to start configuration recorder."
        yield ("channel", ask.account, ask.region), Refused("NoAvailableDeliveryChannelException", text)
    elif not ask.operation.startswith(READS):
        missing = Refused("NoSuchBucket", "The specified bucket does not exist", 404)
        yield ("bucket in S3", ask.params.get("Bucket", "")), missing
        yield from _policy_needs(ask)


def _policy_needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    try:
        document = json.loads(ask.params.get("Policy") or "{}")
    except ValueError:
        return
    if isinstance(document, dict):
        for statement in many(document.get("Statement")):
            principal = statement.get("Principal")
            for arn in many(principal.get("AWS")) if isinstance(principal, dict) else []:
                yield _role(str(arn)), Refused("MalformedPolicy", "Invalid principal in policy")


def _trail_needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    if ask.operation in ("StartLogging", "PutEventSelectors"):
        name = str(ask.params.get("Name") or ask.params.get("TrailName"))
        yield ("trail", name.rpartition("/")[2]), Refused("TrailNotFoundException", f"Unknown trail: {name}")
        return
    if ask.params.get("IsOrganizationTrail"):
        text = "Trusted access for CloudTrail is not enabled in the organization."
        yield ("trust", _TRAILS), Refused("CloudTrailAccessNotEnabledException", text)
    name = ask.params.get("S3BucketName", "")
    yield ("bucket", name), Refused("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")
    text = f"Incorrect S3 bucket policy is detected for bucket: {name}"
    yield ("policy", name), Refused("InsufficientS3BucketPolicyException", text)
    text = "Access denied. Check the trust relationships for your role."
    denied = Refused("InvalidCloudWatchLogsRoleArnException", text)
    yield _role(ask.params.get("CloudWatchLogsRoleArn")), denied


def _channel_needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    name = (ask.params.get("DeliveryChannel") or {}).get("s3BucketName", "")
    recorder = next(iter(ask.store().recorders.values()), None)
    role = recorder.role_arn if recorder is not None else ""
    yield ("bucket", name), Refused("NoSuchBucketException", f"Cannot find a S3 bucket with the name {name}")
    start = f"Insufficient delivery policy to s3 bucket: {name}, unable to"
    yield _role(role), Refused("InsufficientDeliveryPolicyException", f"{start} assume role: {role}.")
    end = "provided s3 key prefix is 'null', provided kms key is 'null'."
    yield ("policy", name), Refused("InsufficientDeliveryPolicyException", f"{start} write to bucket, {end}")
