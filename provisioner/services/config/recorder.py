"""AWS Config: what is recorded in each Region, where it is delivered, and the proof that both work."""

from __future__ import annotations

from typing import Any, Final, Literal

from ...aws import Aws
from ...baseline import Baseline
from ...compare.values import differences
from ...model import Call, Change, Changes, Difference, Exists, Findings, Kind, Note, Part, Scope, Wait
from ...steps.arrivals import utc_now
from ...steps.registry import consents, harmful_actions, hints, step, verify
from .channel import ensure_channel
from .destinations import read_destinations
from .health import channel_findings, count_finding, recorder_findings
from .other_remediations import look_at_other_remediations
from .recording import (
    EXCLUSION,
    Types,
    continuous_types,
    normal_group,
    normal_mode,
    recorded_types,
    recording_group,
    recording_mode,
    without_empty_lists,
)
from .role import role_arn
from .section import Config
from .state import ConfigState, JsonObject, adopted, channel_title, read_config, recorder_title

_READ_ONLY: Final = {"arn", "recordingScope", "servicePrincipal", "connectorArn", "scopeConfiguration"}
# Regions that opened after February 2022 record no IAM types.
_NO_IAM: Final = {
    *("ap-east-2", "ap-south-2", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7"),
    *("ca-west-1", "eu-central-2", "eu-south-2", "il-central-1", "me-central-1", "mx-central-1"),
}


consents("record-less", "shorten-config-history")
harmful_actions(
    Config,
    *(
        "config:StopConfigurationRecorder",
        "config:DeleteConfigurationRecorder",
        "config:PutConfigurationRecorder",
    ),
    *(
        "config:DeleteDeliveryChannel",
        "config:PutDeliveryChannel",
        "config:DeleteConfigRule",
        "config:PutConfigRule",
        "config:DeleteRemediationConfiguration",
    ),
)
hints(
    "config",
    {
        "InsufficientDeliveryPolicyException": "AWS Config may not write to the bucket: look at its policy, the prefix, the KMS key and the role",
        "InvalidRoleException": "AWS Config cannot assume the role: its trust policy must name config.amazonaws.com",
        "MaxNumberOfConfigurationRecordersExceededException": "an account has one recorder in a Region: the one that is there is adopted; run again",
        "InsufficientPermissionsException": "AWS Config may not do that: a Lambda function lets it in with `aws lambda add-permission --principal config.amazonaws.com`",
        "NoAvailableDeliveryChannelException": "the recorder has nowhere to deliver to: run again",
    },
)


@step(
    "config_recorder",
    Config,
    Scope.REGION,
    needs=("config_role", "log_buckets"),
    clients=("config",),
    refers_to=("key",),
)
def ensure_config_recorder(aws: Aws, baseline: Baseline) -> Changes:
    """Ensure the recorder and its delivery channel, and start the recorder.

    AWS has one recorder and one channel in a Region: those that exist are adopted under their own names.
    A recorder is never stopped. What Control Tower set up is left alone.
    """
    section = baseline[Config]
    have, destinations = read_config(aws), read_destinations(aws, baseline)
    for name in have.service_recorders:
        yield Note(Kind.FOREIGN, recorder_title(name), "belongs to an AWS service; left alone")
    if have.control_tower is not None:
        yield Note(Kind.FOREIGN, have.control_tower, "managed by Control Tower; left alone")
        return
    name = str(have.recorder["name"]) if have.recorder else section.recorder.name
    channel = channel_title(have.channel["name"] if have.channel else section.delivery_channel.name)
    ready = have.channel or not any(each.trouble for each in destinations)
    recording = have.status.get("recording")
    if not recording and have.recorder and have.channel:  # before the settings, which may have to wait
        yield _start(aws, name, recording)
        recording = True
    yield from _ensure_recorder(aws, baseline, have, name)
    yield Part(channel, ensure_channel(aws, baseline, have, destinations))
    if not recording and ready:  # AWS starts no recorder without a channel
        yield _start(aws, name, recording)


def _start(aws: Aws, name: str, have: Any) -> Change:
    call = aws.write("config").start_configuration_recorder(ConfigurationRecorderName=name)
    # AWS Config may see neither a new channel nor a new recorder at once.
    call = call.waiting(
        Wait("NoAvailableDeliveryChannelException", "AWS Config to see its delivery channel", seconds=30),
        Wait("NoSuchConfigurationRecorderException", "AWS Config to see its recorder", seconds=30),
    )
    changed = (Difference("recording", have, want=True),)
    return Change(recorder_title(name), changed, call.recording())


def _ensure_recorder(aws: Aws, baseline: Baseline, state: ConfigState, name: str) -> Changes:
    """Create or repair the recorder, in one request that holds all its fields.

    With `exact`, what it records beyond the file is ended in a second change, for that one needs consent.
    """
    section, title, have = baseline[Config], recorder_title(name), state.recorder
    if have:
        yield Exists(title)
    yield from adopted(title, have, section.recorder.name)
    group = section.recorder.recording_group
    iam = aws.target.home and aws.region not in _NO_IAM
    if group and group.include_global_resource_types and aws.target.home and not iam:
        text = f"AWS records no IAM types in {aws.region}: nobody records them, take another `home_region`"
        yield Note(Kind.WARNING, title, text)
    role = role_arn(aws, baseline)
    want, stricter = _recorder_settings(section, have, role, iam=iam, exact=False)
    full = have
    if changed := differences(_normal(have) if have else None, want):
        full = {"name": name, **_full_recorder(have or {}, want)}
        action: Literal["create", "update"] = "update" if have else "create"
        undo = _put(aws, have, role, state) if have else None
        call = _put(aws, full, role, state)
        if have and section.role_name and "roleARN" in {each.field for each in changed}:
            # The role that works stays until the other one does.
            call = call.using(f"config_role/role {section.role_name}")
        yield Change(title, changed, call, action, undo=undo)
    if not section.exact:
        for text in stricter:
            yield Note(Kind.STRICTER, title, text)
    elif stricter and full:
        want, _ = _recorder_settings(section, full, role, iam=iam, exact=True)
        yield Change(
            title,
            differences(_normal(full), want),
            _put(aws, _full_recorder(full, want), role, state),
            consent="record-less",
            loses=f"what is recorded beyond the file: {'; '.join(stricter)}",
        )


def _put(aws: Aws, recorder: JsonObject, role: str, state: ConfigState) -> Call:
    full = {key: value for key, value in recorder.items() if key not in _READ_ONLY}
    wait = Wait("InvalidRoleException", f"AWS Config to be let into the role {role.rpartition('/')[2]}")
    call = aws.write("config").put_configuration_recorder(ConfigurationRecorder=full).waiting(wait)
    call = call.based_on(state.recorders_read).recording()
    # A recorder that somebody created since we read is adopted.
    return call.or_done("MaxNumberOfConfigurationRecordersExceededException")


def _recorder_settings(
    section: Config, have: JsonObject | None, role: str, *, iam: bool, exact: bool
) -> tuple[dict[str, Any], list[str]]:
    """The recorder's fields to set; and, in words, what AWS records beyond the file, which stays unless *exact*."""
    group, more_types = _group(section, have, iam=iam, exact=exact)
    mode, more_often = _mode(section, have, exact=exact)
    want: dict[str, Any] = {"roleARN": role}
    for key, value in (("recordingGroup", group), ("recordingMode", mode)):
        if value:
            want[key] = value if have else without_empty_lists(value)
    return want, [text for text in (more_types, more_often) if text]


def _normal(have: JsonObject) -> dict[str, Any]:
    """The recorder's fields that the file can set, with AWS's defaults filled in."""
    return {
        "roleARN": have.get("roleARN"),
        "recordingGroup": normal_group(have.get("recordingGroup")),
        "recordingMode": normal_mode(have.get("recordingMode")),
    }


def _group(section: Config, have: JsonObject | None, *, iam: bool, exact: bool) -> tuple[dict[str, Any], str]:
    """The `recordingGroup` to set, empty if none; and, in words, what AWS records beyond the file.

    What is recorded already stays recorded, unless *exact*. *iam*: this is the Region that records IAM.
    """
    group = section.recorder.recording_group
    if group is None:
        return {}, ""
    present = recorded_types(have.get("recordingGroup")) if have else Types()
    want = group.types(present, iam=iam)
    final = want if exact else want | present
    text = f"records {final}; the baseline asks for {want}" if final != want else ""
    if have and final == present:
        return {}, text
    return recording_group(final, by_exclusion=group.exclusion_by_resource_types is not None), text


def _mode(section: Config, have: JsonObject | None, *, exact: bool) -> tuple[dict[str, Any], str]:
    """The `recordingMode` to set, empty if none; and, in words, what AWS records more often than the file asks."""
    mode = section.recorder.recording_mode
    if mode is None:
        return {}, ""
    have_mode = have.get("recordingMode") if have else None
    present, want = continuous_types(have_mode) if have else Types(), mode.types
    final = want if exact else want | present
    text = f"records {final} at each change; the baseline asks for {want}" if final != want else ""
    description = next((each.description for each in mode.recording_mode_overrides), None)
    overrides = normal_mode(have_mode)["recordingModeOverrides"]
    have_description = next((each.get("description") for each in overrides), None)
    if have and final == present and (text or description in {None, have_description}):
        return {}, text
    return recording_mode(final, description or have_description), text


def _full_recorder(have: JsonObject, want: JsonObject) -> dict[str, Any]:
    """All fields of the recorder, because PutConfigurationRecorder resets those that it does not get."""
    full = {**have, **want}
    if "recordingGroup" in full:
        group = normal_group(full["recordingGroup"])
        by_exclusion = group["recordingStrategy"]["useOnly"] == EXCLUSION
        clean = recording_group(recorded_types(group), by_exclusion=by_exclusion)
        # Fields that AWS may add to a group are kept.
        unknown = {
            key: value for key, value in (have.get("recordingGroup") or {}).items() if key not in clean
        }
        full["recordingGroup"] = unknown | without_empty_lists(clean)
    return full


@verify("config_recorder")
def verify_config_recorder(aws: Aws, baseline: Baseline) -> Findings:
    """AWS Config records in this Region, has found resources, and delivers what it records."""
    read = aws.read("config")
    counts = read.get_discovered_resource_counts()
    delivery = read.describe_delivery_channel_status()
    destinations = read_destinations(aws, baseline)
    find_remediations = look_at_other_remediations(aws, baseline)
    have, now = read_config(aws), utc_now()
    yield from recorder_findings(have, now)
    statuses = delivery.get("DeliveryChannelsStatus")
    yield from channel_findings(have, statuses[0] if statuses else None, now)
    for each in destinations:
        name = have.channel["name"] if have.channel else baseline[Config].delivery_channel.name
        yield each.finding(channel_title(name))
    yield count_finding(have, counts.all().get("totalDiscoveredResources"), now)
    yield from find_remediations()
