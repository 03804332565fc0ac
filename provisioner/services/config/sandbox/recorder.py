"""AWS Config's recorder: defaults, role, recording mode, tags and resource counts."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused, Response
from ....sandbox.rule import after, before, instead
from ..recording_section import OF_SERVICES
from ..resource_types import intended
from .conformance_packs import pack_arn, packs
from .organization import PACK, RULE, made, organization_arn

_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/.+")
_FREQUENCIES = ("CONTINUOUS", "DAILY")


def recorder_arn(request: Request, name: str) -> str:
    """The recorder's ARN, which ends in a random but constant id in AWS."""
    word = hashlib.sha256(f"{request.account}{request.region}{name}".encode()).hexdigest()[:16]
    return f"arn:{request.partition}:config:{request.region}:{request.account}:configuration-recorder/{name}/{word}"


def _recorder(request: Request) -> dict[str, Any]:
    return request.params.get("ConfigurationRecorder") or {}


@before("config.recorder_name", "PutConfigurationRecorder", row="13.2 recorder without name")
def recorder_name(request: Request) -> None:
    """A recorder without a name is named default; the names of service-linked ones are taken."""
    recorder = _recorder(request)
    if str(recorder.get("name")).startswith(OF_SERVICES):
        text = "You have provided a name for the customer managed configuration recorder that is not valid."
        raise Refused("InvalidConfigurationRecorderNameException", text)
    if not recorder.get("name"):
        request.rewrite(ConfigurationRecorder={**recorder, "name": "default"})


@before("config.recorder_role", "PutConfigurationRecorder", row="13.2 recorder without roleARN")
def recorder_role(request: Request) -> None:
    """A recorder needs the ARN of a role of its account: InvalidRoleException, AccessDeniedException."""
    role = _recorder(request).get("roleARN")
    if not role:
        text = "You have provided a null or empty Amazon Resource Name (ARN) for the role assumed by Config."
        raise Refused("InvalidRoleException", text)
    if not _ROLE.fullmatch(role):
        raise Refused("InvalidRoleException", f"Role ARN {role} is not valid.")
    if role.split(":")[4] != request.account:
        raise Refused("AccessDeniedException", "Cross-account pass role is not allowed.")


@before("config.recording_mode", "PutConfigurationRecorder", row="13.2 recordingMode DAILY")
def check_mode(request: Request) -> None:
    """The recording mode is stored; the default is CONTINUOUS. It, and the resource types, are of AWS's lists."""
    group = _recorder(request).get("recordingGroup") or {}
    excluded = (group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or []
    if wrong := [each for each in (*(group.get("resourceTypes") or []), *excluded) if intended(each)]:
        raise Refused("ValidationException", f"Member must satisfy enum value set: {wrong[0]}")
    mode = _recorder(request).get("recordingMode")
    overrides = (mode or {}).get("recordingModeOverrides") or []
    if mode and any(one.get("recordingFrequency") not in _FREQUENCIES for one in (mode, *overrides)):
        text = "Member must satisfy enum value set: [CONTINUOUS, DAILY]"
        raise Refused("ValidationException", text)


@after("config.recording_mode", "PutConfigurationRecorder")
def keep_mode(request: Request, _: dict[str, Any]) -> None:
    """Store the mode in moto's recorder; moto does not return attributes that start with `_`."""
    put = request.params["ConfigurationRecorder"]
    recorder = request.store().recorders[put["name"]]
    mode = put.get("recordingMode") or {"recordingFrequency": "CONTINUOUS"}
    recorder._mode = {"recordingModeOverrides": [], **mode}


@after("config.recording_mode", "DescribeConfigurationRecorders")
def show_mode(request: Request, answer: dict[str, Any]) -> None:
    """Add the mode to each recorder."""
    for shown in answer["ConfigurationRecorders"]:
        recorder = request.store().recorders[shown["name"]]
        default = {"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []}
        shown["recordingMode"] = getattr(recorder, "_mode", default)


@after("config.recorder_fields", "DescribeConfigurationRecorders", row="13.2 read of recorder")
def recorder_fields(request: Request, answer: dict[str, Any]) -> None:
    """A recorder is returned with its ARN and recordingScope PAID."""
    for shown in answer["ConfigurationRecorders"]:
        shown |= {"arn": recorder_arn(request, shown["name"]), "recordingScope": "PAID"}


@instead("config.list_recorders", "ListConfigurationRecorders", row="14 config ListConfigurationRecorders")
def list_recorders(request: Request) -> dict[str, Any]:
    """ListConfigurationRecorders returns the recorder."""
    names = list(request.store().recorders)
    return {
        "ConfigurationRecorderSummaries": [
            {"arn": recorder_arn(request, name), "name": name, "recordingScope": "PAID"} for name in names
        ]
    }


_TAGGED = (
    "configuration-recorder",
    "conformance-pack",
    "organization-config-rule",
    "organization-conformance-pack",
)
_TAG_OPERATIONS = ("TagResource", "UntagResource", "ListTagsForResource")


@instead("config.recorder_tags", *_TAG_OPERATIONS, row="1.8 create-time tags; tags of a recorder")
def recorder_tags(request: Request) -> Response | dict[str, Any]:
    """A recorder, a conformance pack, and a rule and a pack of the organization can be tagged by their ARN."""
    arn = request.params.get("ResourceArn", "")
    if not any(f":{kind}/" in arn for kind in _TAGGED):
        return request.moto()
    recorders = request.store().recorders
    held = [
        recorders[name].__dict__.setdefault("_tags", {})
        for name in recorders
        if recorder_arn(request, name) == arn
    ]
    held += [pack["tags"] for name, pack in packs(request).items() if pack_arn(request, name) == arn]
    held += [
        each["tags"]
        for what in (RULE, PACK)
        for name, each in made(request, what).items()
        if organization_arn(request, what, name) == arn
    ]
    if not held:
        raise Refused("ResourceNotFoundException", f"ResourceArn '{arn}' does not exist")
    [tags] = held
    if request.operation == "TagResource":
        tags.update({tag["Key"]: tag["Value"] for tag in request.params.get("Tags") or []})
    elif request.operation == "UntagResource":
        for key in request.params.get("TagKeys") or []:
            tags.pop(key, None)
    else:
        return {"Tags": [{"Key": k, "Value": v} for k, v in sorted(tags.items())]}
    return {}


@before("config.recorder_tags", "PutConfigurationRecorder")
def remember_tags(request: Request) -> None:
    """Tags in the request count when a recorder is created; later puts ignore them."""
    name = _recorder(request).get("name", "default")
    old = request.store().recorders.get(name)
    given = {tag["Key"]: tag["Value"] for tag in request.params.get("Tags") or []}
    request.scratch["tags"] = getattr(old, "_tags", {}) if old is not None else given


@after("config.recorder_tags", "PutConfigurationRecorder")
def put_tags(request: Request, _: dict[str, Any]) -> None:
    """Restore the tags, because moto creates a new recorder object on each put."""
    request.store().recorders[request.params["ConfigurationRecorder"]["name"]]._tags = request.scratch["tags"]


@instead("config.resource_counts", "GetDiscoveredResourceCounts", row="14 config GetDiscoveredResourceCounts")
def resource_counts(request: Request) -> dict[str, Any]:
    """GetDiscoveredResourceCounts counts what the recorder of the Region records."""
    recorder = next((r for r in request.store().recorders.values() if r.status.recording), None)
    if recorder is None:
        return {"totalDiscoveredResources": 0, "resourceCounts": []}
    counts = {
        "AWS::S3::Bucket": sum(b.region_name == request.region for b in request.store("s3").buckets.values()),
        "AWS::CloudTrail::Trail": len(request.store("cloudtrail").trails),
    }
    if recorder.recording_group.include_global_resource_types:
        counts["AWS::IAM::Role"] = len(request.store("iam").roles)
    shown = [{"resourceType": kind, "count": count} for kind, count in sorted(counts.items()) if count]
    types = request.params.get("resourceTypes")
    shown = [one for one in shown if not types or one["resourceType"] in types]
    return {"totalDiscoveredResources": sum(counts.values()), "resourceCounts": shown}
