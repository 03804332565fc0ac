"""AWS Config: what is recorded in each Region, where it is delivered, and the proof that both work."""

from __future__ import annotations

from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...compare.values import differences
from ...model import Call, Change, Changes, Difference, Exists, Findings, Kind, Note, Scope, Wait
from ...steps.arrivals import utc_now
from ...steps.registry import hints, step, verify
from .channel import check_topic, ensure_channel, ensure_retention
from .health import channel_findings, count_findings, recorder_findings
from .recording import (
    EXCLUSION,
    GROUP_KEYS,
    Types,
    continuous,
    recorded,
    recording_group,
    recording_mode,
    sendable,
    shown_group,
    shown_mode,
)
from .role import role_arn
from .section import Config
from .state import Thing, adopted, read_config, recorder_title

_READ_ONLY: Final = {"arn", "recordingScope", "servicePrincipal", "connectorArn", "scopeConfiguration"}
# Regions that came after February 2022 know no IAM types.
_NO_IAM: Final = {
    *("ap-east-2", "ap-south-2", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7"),
    *("ca-west-1", "eu-central-2", "eu-south-2", "il-central-1", "me-central-1", "mx-central-1"),
}


hints(
    "config",
    {
        "InsufficientDeliveryPolicyException": "AWS Config may not write to the bucket: look at its policy, the prefix, the KMS key and the role",
        "InvalidRoleException": "AWS Config cannot assume the role: its trust policy must name config.amazonaws.com",
        "MaxNumberOfConfigurationRecordersExceededException": "an account has one recorder in a Region: the one that is there is adopted; run again",
        "NoAvailableDeliveryChannelException": "the recorder has nowhere to deliver to: run again",
    },
)


@step("config_recorder", Config, Scope.REGION, needs=("config_role", "log_buckets"), clients=("config",))
def ensure_config_recorder(aws: Aws, baseline: Baseline) -> Changes:
    """AWS Config records what the file asks for, and delivers it.

    A recorder and a channel that are there are adopted under their own names, for AWS has one of each in a
    Region. A recorder is never stopped. What Control Tower set up is left alone.
    """
    section = baseline[Config]
    check_topic(aws, section)
    have = read_config(aws, retention=section.retention_period_in_days is not None)
    for name in have.others:
        yield Note(Kind.FOREIGN, recorder_title(name), "belongs to an AWS service; left alone")
    if have.control_tower is not None:
        yield Note(Kind.FOREIGN, have.control_tower, "managed by Control Tower; left alone")
        return
    name = str(have.recorder["name"]) if have.recorder else section.recorder.name
    yield from ensure_retention(aws, section, have)
    yield from _ensure_recorder(aws, baseline, have.recorder, name)
    yield from ensure_channel(aws, baseline, have.channel)
    if not have.status.get("recording"):
        # The channel may not show yet.
        wait = Wait(
            "NoAvailableDeliveryChannelException", "AWS Config to see its delivery channel", seconds=30
        )
        call = aws.write("config").start_configuration_recorder(ConfigurationRecorderName=name).waiting(wait)
        yield Change(
            recorder_title(name), (Difference("recording", have.status.get("recording"), True),), call
        )


def _ensure_recorder(aws: Aws, baseline: Baseline, have: Thing | None, name: str) -> Changes:
    """The recorder is there and records what is asked for, in one request that holds the whole of it.

    With `exact`, what it records besides is ended in a second request, which the repair does not wait for.
    """
    section, title = baseline[Config], recorder_title(name)
    if have:
        yield Exists(title)
    yield from adopted(title, have, section.recorder.name)
    asked = section.recorder.recording_group
    if asked and asked.include_global_resource_types and aws.target.home and aws.region in _NO_IAM:
        text = f"AWS records no IAM types in {aws.region}: nobody records them, take another `home_region`"
        yield Note(Kind.WARNING, title, text)
    iam, role = aws.target.home and aws.region not in _NO_IAM, role_arn(aws, baseline)
    want, more = _wanted(section, have, role, iam=iam, exact=False)
    then = have
    if changed := differences(_shown(have) if have else None, want):
        then = {**(have or {}), "name": name, **_whole(have or {}, want)}
        yield Change(title, changed, _put(aws, then, role), "update" if have else "create")
    if not (more and section.exact):
        for text in more:
            yield Note(Kind.STRICTER, title, text)
    elif then:
        want, _ = _wanted(section, then, role, iam=iam, exact=True)
        full = {"name": name, **_whole(then, want)}
        changed = differences(_shown(then), want)
        yield Change(
            title,
            changed,
            _put(aws, full, role),
            consent="record-less",
            loses=f"what is recorded beyond the file: {'; '.join(more)}",
        )


def _put(aws: Aws, recorder: Thing, role: str) -> Call:
    full = {key: value for key, value in recorder.items() if key not in _READ_ONLY}
    wait = Wait("InvalidRoleException", f"AWS Config to be let into the role {role.rpartition('/')[2]}")
    call = aws.write("config").put_configuration_recorder(ConfigurationRecorder=full).waiting(wait)
    # Somebody made one since it was looked for: it is adopted.
    return call.or_done("MaxNumberOfConfigurationRecordersExceededException")


def _wanted(
    section: Config, have: Thing | None, role: str, *, iam: bool, exact: bool
) -> tuple[dict[str, Any], list[str]]:
    """The fields of the recorder to set, and what it records beyond the file, which stays unless *exact*."""
    group, more_types = _group(section, have, iam=iam, exact=exact)
    mode, more_often = _mode(section, have, exact=exact)
    want: dict[str, Any] = {"roleARN": role}
    for key, value in (("recordingGroup", group), ("recordingMode", mode)):
        if value:
            want[key] = value if have else sendable(value)
    return want, [text for text in (more_types, more_often) if text]


def _shown(have: Thing) -> dict[str, Any]:
    """What the file may have a say in, what AWS leaves out filled in."""
    return {
        "roleARN": have.get("roleARN"),
        "recordingGroup": shown_group(have.get("recordingGroup")),
        "recordingMode": shown_mode(have.get("recordingMode")),
    }


def _group(section: Config, have: Thing | None, *, iam: bool, exact: bool) -> tuple[dict[str, Any], str]:
    """The `recordingGroup` to set, empty where nothing has to be; and what AWS records beyond the file.

    What is recorded already stays recorded, unless *exact*. *iam*: this is the Region that records IAM.
    """
    asked = section.recorder.recording_group
    if asked is None:
        return {}, ""
    now = recorded(have.get("recordingGroup")) if have else Types()
    want = asked.types(now, iam=iam)
    final = want if exact else want | now
    text = f"records {final}; the baseline asks for {want}" if final != want else ""
    if have and final == now:
        return {}, text
    return recording_group(final, by_exclusion=asked.exclusion_by_resource_types is not None), text


def _mode(section: Config, have: Thing | None, *, exact: bool) -> tuple[dict[str, Any], str]:
    """The `recordingMode` to set, empty where nothing has to be; and what is recorded too often."""
    asked = section.recorder.recording_mode
    if asked is None:
        return {}, ""
    now = continuous(have.get("recordingMode")) if have else Types()
    final = asked.types if exact else asked.types | now
    text = (
        f"records {final} at each change; the baseline asks for {asked.types}" if final != asked.types else ""
    )
    described = next((each.description for each in asked.recording_mode_overrides), None)
    overrides = shown_mode(have.get("recordingMode") if have else None)["recordingModeOverrides"]
    present = next((each.get("description") for each in overrides), None)
    if have and final == now and (text or described in {None, present}):
        return {}, text
    return recording_mode(final, described or present), text


def _whole(have: Thing, want: Thing) -> dict[str, Any]:
    """The recorder as PutConfigurationRecorder takes it: what it is not told, it forgets."""
    full = {key: value for key, value in have.items() if key not in _READ_ONLY} | dict(want)
    if "recordingGroup" in full:
        group = shown_group(full["recordingGroup"])
        by_exclusion = group["recordingStrategy"]["useOnly"] == EXCLUSION
        clean = recording_group(recorded(group), by_exclusion=by_exclusion)
        others = (have.get("recordingGroup") or {}).items()
        unknown = {key: value for key, value in others if key not in GROUP_KEYS}
        full["recordingGroup"] = unknown | sendable(clean)
    return full


@verify("config_recorder")
def verify_config_recorder(aws: Aws, baseline: Baseline) -> Findings:
    """AWS Config records in this Region, has found resources, and what it records arrives."""
    read = aws.read("config")
    counts = read.get_discovered_resource_counts()
    delivery = read.describe_delivery_channel_status()
    found = read_config(aws, retention=False)
    now = utc_now()
    yield from recorder_findings(found, now)
    statuses = delivery.get("DeliveryChannelsStatus")
    yield from channel_findings(found, statuses[0] if statuses else None, now)
    yield from count_findings(found, counts.all().get("totalDiscoveredResources"), now)
