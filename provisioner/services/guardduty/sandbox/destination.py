"""The publishing destination of a detector: GuardDuty takes one to which it can write."""

from __future__ import annotations

from typing import Any, Final

from ....compare.policy_eval import Act, decide
from ....sandbox.ask import Request
from ....sandbox.buckets import find_bucket, policy_of
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.account import must_be_enabled
from ....sandbox.rules.kms import find_key, key_refuses
from ....sandbox.rules.organizations import find_organization
from .state import PRINCIPAL, State, detector, made_id, refused, shown

_RULE: Final = "guardduty.destination"


@instead(_RULE, "CreatePublishingDestination", row="14 guardduty publishing destination")
def create(request: Request) -> dict[str, Any]:
    """A detector has one destination, a bucket and a key of one Region that GuardDuty may use."""
    kept = detector(request)["Destinations"]
    if kept:
        raise refused("a publishing destination already exists for the detector.")
    properties = dict(request.params["DestinationProperties"])
    _check(request, properties)
    made = made_id(request.params["DetectorId"])
    kept[made] = properties
    return {"destinationId": made}


@instead(_RULE, "UpdatePublishingDestination")
def update(request: Request) -> dict[str, Any]:
    """The properties are replaced."""
    found, properties = _destination(request), dict(request.params.get("DestinationProperties") or {})
    _check(request, properties)
    found.clear()
    found.update(properties)
    return {}


@instead(_RULE, "ListPublishingDestinations")
def list_destinations(request: Request) -> dict[str, Any]:
    """Return the destination with its status."""
    kept = detector(request)["Destinations"]
    found = [{"DestinationId": key, **_state(request, each)} for key, each in kept.items()]
    return {"destinations": shown(found)}


@instead(_RULE, "DescribePublishingDestination")
def describe(request: Request) -> dict[str, Any]:
    """Return the destination, whose status tells whether GuardDuty can write to it now."""
    found = _destination(request)
    answer = {
        "DestinationId": request.params["DestinationId"],
        **_state(request, found),
        "PublishingFailureStartTimestamp": 0,
        "DestinationProperties": found,
    }
    return {**shown(answer), "tags": {}}


@instead(_RULE, "DeletePublishingDestination")
def delete(request: Request) -> dict[str, Any]:
    """Findings are no longer exported."""
    _destination(request)
    del detector(request)["Destinations"][request.params["DestinationId"]]
    return {}


def _destination(request: Request) -> State:
    found: State | None = detector(request)["Destinations"].get(request.params["DestinationId"])
    if found is None:
        raise refused("the input destinationId is not owned by the current account.")
    return found


def _state(request: Request, found: State) -> dict[str, str]:
    try:
        _check(request, found)
    except Refused:
        return {"DestinationType": "S3", "Status": "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY"}
    return {"DestinationType": "S3", "Status": "PUBLISHING"}


def _check(request: Request, properties: State) -> None:
    """Raise `Refused` unless GuardDuty may write to the bucket and use the key, both of one Region.

    It writes to no bucket of another Region that must be enabled first. Source: "Exporting generated GuardDuty findings".
    """
    arn = str(properties.get("DestinationArn", ""))
    name, _, prefix = arn.partition(":::")[2].partition("/")
    bucket, key_arn = find_bucket(name), str(properties.get("KmsKeyArn", ""))
    denied = Refused(
        "BadRequestException",
        "The request failed because the GuardDuty service principal does not have permission to the KMS key or the"
        " resource specified by destinationArn parameter.",
    )
    owner = properties.get("ExpectedBucketOwner")
    if bucket is None or (owner and bucket.account_id != owner):
        raise denied
    if bucket.region_name != request.region and must_be_enabled(bucket.region_name):
        raise denied
    key = find_key(key_arn, request.account, bucket.region_name) if key_arn else None
    if key is None or key.key_state != "Enabled":
        raise denied
    principal = _principal(request)
    context, where = _context(request, principal), f"arn:{request.partition}:s3:::{name}"
    below = f"{where}/{prefix.rstrip('/')}/" if prefix else f"{where}/"
    acts = [
        Act("s3:GetBucketLocation", where, principal, context),
        *(
            Act("s3:PutObject", each, principal, {**context, "s3:x-amz-server-side-encryption": "aws:kms"})
            for each in (f"{below}test", f"{below}AWSLogs/{request.account}/GuardDuty/{request.region}/1.gz")
        ),
    ]
    if any(decide(policy_of(bucket), act) != "allow" for act in acts):
        raise denied
    if key_refuses(key, principal, ["kms:GenerateDataKey"], context):
        raise denied


def _principal(request: Request) -> str:
    """As whom GuardDuty writes and encrypts."""
    return f"guardduty.{request.region}.amazonaws.com" if must_be_enabled(request.region) else PRINCIPAL


def _context(request: Request, principal: str) -> dict[str, str]:
    """Condition keys of the service itself."""
    found = detector(request)
    context = {
        "aws:securetransport": "true",
        "aws:sourceaccount": request.account,
        "aws:sourcearn": f"arn:{request.partition}:guardduty:{request.region}:{request.account}:detector/{found['Id']}",
        "aws:principalisawsservice": "true",
        "aws:principalservicename": principal,
    }
    held = find_organization(request.account, request.partition)
    return context | ({"aws:sourceorgid": held.org.id} if held is not None else {})
