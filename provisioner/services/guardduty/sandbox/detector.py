"""The detector of an account in a Region, with its features and tags."""

from __future__ import annotations

from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.rule import instead
from .state import (
    ALWAYS,
    FEATURES,
    State,
    add_detector,
    administrator_of_member,
    by_name,
    detector,
    find_detector,
    now,
    offered,
    refused,
    shown,
    state,
)

# The older fields, and the feature that each is.
_SOURCES: Final = {
    "s3Logs": ("S3_DATA_EVENTS", ()),
    "kubernetes": ("EKS_AUDIT_LOGS", ("auditLogs",)),
    "malwareProtection": ("EBS_MALWARE_PROTECTION", ("scanEc2InstanceWithFindings", "ebsVolumes")),
}


@instead("guardduty.one_detector", "CreateDetector", row="13.5 create_detector twice")
def create(request: Request) -> dict[str, Any]:
    """A Region has one detector, in which every feature that the request does not name is on."""
    if find_detector(request):
        raise refused("a detector already exists for the current account.")
    asked = by_name(request.params.get("Features"))
    check_offered(request, asked)
    made = add_detector(request, request.account)
    made["Status"] = "ENABLED" if request.params["Enable"] else "DISABLED"
    made["Tags"] = dict(request.params.get("Tags") or {})
    set_features(request, made, asked)
    return {"detectorId": made["Id"]}


@instead("guardduty.one_detector", "ListDetectors")
def list_detectors(request: Request) -> dict[str, Any]:
    """Return the id of the detector, if there is one."""
    found = find_detector(request)
    return {"detectorIds": [found["Id"]] if found else []}


@instead("guardduty.detector_features", "UpdateDetector", row="16.B UpdateDetector drops the others")
def update(request: Request) -> dict[str, Any]:
    """A feature or part that a request leaves out stays; a member cannot change what its administrator sets."""
    found = detector(request)
    if administrator_of_member(request):
        raise refused("the current account cannot alter what its administrator manages.")
    asked = by_name(request.params.get("Features"))
    check_features(request, asked, request.account)
    if "Enable" in request.params:
        if _above(request, request.account):
            raise refused("the detector is managed by an organization policy.")
        found["Status"] = "ENABLED" if request.params["Enable"] else "DISABLED"
    set_features(request, found, asked)
    return {}


@instead("guardduty.detector_features", "GetDetector")
def get(request: Request) -> dict[str, Any]:
    """GetDetector returns the features and, in step with them, the older data sources."""
    found = detector(request)
    fixed = [{"Name": name, "Status": found["Status"]} for name in ALWAYS]
    features = features_of(request, found, request.account)
    return {
        **shown(
            {key: found[key] for key in ("CreatedAt", "UpdatedAt", "Status", "FindingPublishingFrequency")}
        ),
        "serviceRole": f"arn:{request.partition}:iam::{request.account}:role/aws-service-role/"
        "guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty",
        "features": shown([*fixed, *features]),
        "dataSources": sources_of(found),
        "tags": found["Tags"],
    }


@instead("guardduty.delete_detector", "DeleteDetector", row="13.5 delete missing detector")
def delete(request: Request) -> dict[str, Any]:
    """A detector that is not there, or has members, cannot be deleted; its destinations go with it."""
    detector(request)
    if request.account in {
        administrator
        for (_, region), administrator in state(request, "members").items()
        if region == request.region
    }:
        raise refused("cannot delete detector while it has invited or associated members.")
    del state(request, "detectors")[request.account, request.region]
    return {}


@instead("guardduty.tags", "TagResource", row="14 guardduty tagging")
def tag(request: Request) -> dict[str, Any]:
    """Tags are added to a detector; others stay."""
    _of_arn(request)["Tags"] |= request.params["Tags"]
    return {}


@instead("guardduty.tags", "UntagResource")
def untag(request: Request) -> dict[str, Any]:
    """The tags with these keys are removed."""
    tags = _of_arn(request)["Tags"]
    for key in request.params["TagKeys"]:
        tags.pop(key, None)
    return {}


def _of_arn(request: Request) -> State:
    request.params["DetectorId"] = str(request.params["ResourceArn"]).rpartition("/")[2]
    return detector(request)


def _above(request: Request, account: str) -> Any:
    """The features that a policy of the organization sets in an account; tests name them in `above`."""
    return state(request, "above").get((account, request.region), ())


def features_of(request: Request, found: State, account: str) -> list[dict[str, Any]]:
    """The features of an account's detector, with the owner of those that a policy sets."""
    return [
        {
            "Name": name,
            "Status": each["Status"],
            "AdditionalConfiguration": [{"Name": part, "Status": on} for part, on in each["Parts"].items()],
            **({"ManagedBy": "GUARDDUTY_POLICY"} if name in _above(request, account) else {}),
        }
        for name, each in found["Features"].items()
    ]


def check_features(request: Request, asked: dict[str, Any], account: str) -> None:
    """Raise `Refused` for features that AWS does not set in an account's detector."""
    check_offered(request, asked)
    if above := [name for name in asked if name in _above(request, account)]:
        raise refused(f"{above[0]} is managed by an organization policy.")


def check_offered(request: Request, asked: dict[str, Any]) -> None:
    """Raise `Refused` for a feature or part that the Region has not, and for both kinds of Runtime Monitoring.

    Source: API reference, "Specifying both [...] will cause an error"; one that is named to be disabled is specified, too.
    """
    for name, each in asked.items():
        if name not in offered(request):
            raise refused(f"the feature {name} is not supported in this region.")
        for part in by_name(each.get("AdditionalConfiguration")):
            if part not in FEATURES[name]:
                raise refused(f"{part} is no additional configuration of {name}.")
    if asked.keys() >= {"RUNTIME_MONITORING", "EKS_RUNTIME_MONITORING"}:
        raise refused("EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot be specified together.")


def set_features(request: Request, found: State, asked: dict[str, Any]) -> None:
    """Set the features and the frequency of a request."""
    if frequency := request.params.get("FindingPublishingFrequency"):
        if frequency not in {"FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"}:
            raise refused("the findingPublishingFrequency is invalid.")
        found["FindingPublishingFrequency"] = frequency
    for name, each in asked.items():
        kept = found["Features"][name]
        kept["Status"] = each.get("Status", kept["Status"])
        for part, value in by_name(each.get("AdditionalConfiguration")).items():
            kept["Parts"][part] = value["Status"]
    found["UpdatedAt"] = now(request)


def sources_of(found: State) -> dict[str, Any]:
    """The older fields for the same features."""
    answer: dict[str, Any] = {
        key: {"status": found["Status"]} for key in ("cloudTrail", "dnsLogs", "flowLogs")
    }
    for key, (name, path) in _SOURCES.items():
        value: Any = {"status": found["Features"].get(name, {}).get("Status", "DISABLED")}
        for step in reversed(path):
            value = {step: value}
        answer[key] = value
    return answer
