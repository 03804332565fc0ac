"""The Config recorder: its defaults, its role, what it says of itself."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.rule import after, before, instead
from ....sandbox.words import Answer, Refused

_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/.+")
_FREQUENCIES = ("CONTINUOUS", "DAILY")


def recorder_arn(ask: Ask, name: str) -> str:
    """The recorder's ARN: AWS ends it in a random word that stays."""
    word = hashlib.sha256(f"{ask.account}{ask.region}{name}".encode()).hexdigest()[:16]
    return f"arn:{ask.partition}:config:{ask.region}:{ask.account}:configuration-recorder/{name}/{word}"


@before("config.recorder_name", "PutConfigurationRecorder", row="13.2 recorder without name")
def recorder_name(ask: Ask) -> None:
    """A recorder without a name is named default."""
    recorder = ask.params.get("ConfigurationRecorder") or {}
    if not recorder.get("name"):
        ask.rewrite(ConfigurationRecorder={**recorder, "name": "default"})


@before("config.recorder_role", "PutConfigurationRecorder", row="13.2 recorder without roleARN")
def recorder_role(ask: Ask) -> None:
    """A recorder needs a role ARN: InvalidRoleException."""
    role = (ask.params.get("ConfigurationRecorder") or {}).get("roleARN")
    if not role:
        text = "You have provided a null or empty Amazon Resource Name (ARN) for the role assumed by Config."
        raise Refused("InvalidRoleException", text)
    if not _ROLE.fullmatch(role):
        raise Refused("InvalidRoleException", f"Role ARN {role} is not valid.")


@before("config.recording_mode", "PutConfigurationRecorder", row="13.2 recordingMode DAILY")
def check_mode(ask: Ask) -> None:
    """The recording mode is kept, CONTINUOUS where none was given."""
    mode = (ask.params.get("ConfigurationRecorder") or {}).get("recordingMode")
    overrides = (mode or {}).get("recordingModeOverrides") or []
    if mode and any(one.get("recordingFrequency") not in _FREQUENCIES for one in (mode, *overrides)):
        text = "Member must satisfy enum value set: [CONTINUOUS, DAILY]"
        raise Refused("ValidationException", text)


@after("config.recording_mode", "PutConfigurationRecorder")
def keep_mode(ask: Ask, _: dict[str, Any]) -> None:
    """Moto's recorder holds the mode; an attribute that begins with _ does not show in its own answers."""
    put = ask.params["ConfigurationRecorder"]
    recorder = ask.store().recorders[put["name"]]
    mode = put.get("recordingMode") or {"recordingFrequency": "CONTINUOUS"}
    recorder._mode = {"recordingModeOverrides": [], **mode}


@after("config.recording_mode", "DescribeConfigurationRecorders")
def show_mode(ask: Ask, answer: dict[str, Any]) -> None:
    """Every recorder shows its mode."""
    for shown in answer["ConfigurationRecorders"]:
        recorder = ask.store().recorders[shown["name"]]
        default = {"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []}
        shown["recordingMode"] = getattr(recorder, "_mode", default)


@after(
    "config.recorder_fields",
    "DescribeConfigurationRecorders",
    row="13.2 read of recorder: no arn, recordingMode, recordingScope",
)
def recorder_fields(ask: Ask, answer: dict[str, Any]) -> None:
    """A recorder shows its ARN and recordingScope PAID."""
    for shown in answer["ConfigurationRecorders"]:
        shown |= {"arn": recorder_arn(ask, shown["name"]), "recordingScope": "PAID"}


@instead("config.list_recorders", "ListConfigurationRecorders", row="14 config ListConfigurationRecorders")
def list_recorders(ask: Ask) -> dict[str, Any]:
    """ListConfigurationRecorders names the recorder."""
    names = list(ask.store().recorders)
    return {
        "ConfigurationRecorderSummaries": [
            {"arn": recorder_arn(ask, name), "name": name, "recordingScope": "PAID"} for name in names
        ]
    }


_TAG_OPERATIONS = ("TagResource", "UntagResource", "ListTagsForResource")


@instead("config.recorder_tags", *_TAG_OPERATIONS, row="1.8 create-time tags; tags of a recorder")
def recorder_tags(ask: Ask) -> Answer | dict[str, Any]:
    """A recorder takes tags by its ARN."""
    arn = ask.params.get("ResourceArn", "")
    if ":configuration-recorder/" not in arn:
        return ask.moto()
    known = [name for name in ask.store().recorders if recorder_arn(ask, name) == arn]
    if not known:
        raise Refused("ResourceNotFoundException", f"ResourceArn '{arn}' does not exist")
    tags = ask.store().recorders[known[0]].__dict__.setdefault("_tags", {})
    if ask.operation == "TagResource":
        tags.update({tag["Key"]: tag["Value"] for tag in ask.params.get("Tags") or []})
    elif ask.operation == "UntagResource":
        for key in ask.params.get("TagKeys") or []:
            tags.pop(key, None)
    else:
        return {"Tags": [{"Key": k, "Value": v} for k, v in sorted(tags.items())]}
    return {}


@before("config.recorder_tags", "PutConfigurationRecorder")
def remember_tags(ask: Ask) -> None:
    """Tags given with the recorder count when it is made; on a later put they are ignored."""
    name = (ask.params.get("ConfigurationRecorder") or {}).get("name", "default")
    old = ask.store().recorders.get(name)
    given = {tag["Key"]: tag["Value"] for tag in ask.params.get("Tags") or []}
    ask.carried["tags"] = getattr(old, "_tags", {}) if old is not None else given


@after("config.recorder_tags", "PutConfigurationRecorder")
def put_tags(ask: Ask, _: dict[str, Any]) -> None:
    """Moto makes a new recorder object on each put."""
    ask.store().recorders[ask.params["ConfigurationRecorder"]["name"]]._tags = ask.carried["tags"]


@instead("config.resource_counts", "GetDiscoveredResourceCounts", row="14 config GetDiscoveredResourceCounts")
def resource_counts(ask: Ask) -> dict[str, Any]:
    """GetDiscoveredResourceCounts counts what the recorder of the Region records."""
    recording = next((r for r in ask.store().recorders.values() if r.status.recording), None)
    if recording is None:
        return {"totalDiscoveredResources": 0, "resourceCounts": []}
    counts = {
        "AWS::S3::Bucket": sum(b.region_name == ask.region for b in ask.store("s3").buckets.values()),
        "AWS::CloudTrail::Trail": len(ask.store("cloudtrail").trails),
    }
    if recording.recording_group.include_global_resource_types:
        counts["AWS::IAM::Role"] = len(ask.store("iam").roles)
    shown = [{"resourceType": kind, "count": count} for kind, count in sorted(counts.items()) if count]
    wanted = ask.params.get("resourceTypes")
    shown = [one for one in shown if not wanted or one["resourceType"] in wanted]
    return {"totalDiscoveredResources": sum(counts.values()), "resourceCounts": shown}
