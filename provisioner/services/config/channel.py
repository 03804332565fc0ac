"""Ensure the delivery channel of AWS Config: a part of the step `config_recorder`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from ...aws import Aws
from ...baseline import Baseline
from ...compare.values import differences
from ...model import Call, Change, Changes, Difference, Exists, Kind, Note, Refused, Wait
from ...steps.key_use import unknown_key
from ...steps.references import resolve, resource_key
from .destinations import Destination
from .rule_section import more_often
from .section import Config
from .state import ConfigState, JsonObject, adopted, channel_title

_SNAPSHOTS: Final = "configSnapshotDeliveryProperties"
_PREFIX_MAY_STAY: Final = (
    "AWS may keep a prefix that a request leaves out: if `diff` still shows it, stop the recorder, delete the"
    " channel (`aws configservice delete-delivery-channel`), and run again"
)


def ensure_channel(
    aws: Aws, baseline: Baseline, state: ConfigState, destinations: Sequence[Destination]
) -> Changes:
    """Create or repair the channel, in one request that holds all its fields.

    Raises Refused if its key or topic does not exist or cannot be used here.

    With `exact`, snapshots that come more often are made rarer in a second change, for that one needs consent.
    """
    section, have = baseline[Config], state.channel
    name = section.delivery_channel.name
    title = channel_title(have["name"] if have else name)
    if have:
        yield Exists(title)
    yield from adopted(title, have, name)
    if trouble := next(filter(None, (each.trouble for each in destinations)), ""):
        raise Refused(trouble)
    bucket = resolve(aws, baseline, "bucket", section.delivery_channel.s3_bucket_name).name
    want, stricter = _channel_settings(section, bucket, have)
    key = next((each.found for each in destinations if each.is_key), None)
    if key and key.answer:
        want["s3KmsKeyArn"] = key.answer["Arn"]
    uses = key.uses if key else ()
    if key is None:
        yield from unknown_key(
            aws, title, (have or {}).get("s3KmsKeyArn"), "config.delivery_channel.s3_kms_key_arn"
        )
    if stricter and not section.exact:
        yield Note(Kind.STRICTER, title, stricter)
    # AWS may answer an empty prefix, which means none.
    present = {key: value for key, value in (have or {}).items() if value != ""}
    full = {key: value for key, value in ({"name": name} | present | want).items() if value is not None}
    if changed := differences(present, want):
        yield from _repair_warnings(title, present, bucket, changed)
        action: Literal["create", "update"] = "update" if have else "create"
        undo = _put(aws, have, have["s3BucketName"], state) if have else None
        call = _put(aws, full, bucket, state).using(*uses)
        yield Change(title, changed, call, action, undo=undo)
    if stricter and section.exact:
        rarer = {_SNAPSHOTS: {"deliveryFrequency": section.delivery_channel.delivery_frequency}}
        yield Change(
            title,
            differences(full, rarer),
            _put(aws, full | rarer, bucket, state).using(*uses),
            consent="record-less",
            loses=f"snapshots are delivered less often: {stricter}",
        )


def _put(aws: Aws, full: JsonObject, bucket: str, state: ConfigState) -> Call:
    call = aws.write("config").put_delivery_channel(DeliveryChannel=full)
    call = call.waiting(
        Wait("InsufficientDeliveryPolicyException", f"AWS Config to be allowed to write to bucket {bucket}"),
        Wait("NoSuchBucketException", f"AWS Config to see bucket {bucket}"),
        Wait("NoAvailableConfigurationRecorderException", "AWS Config to see its recorder", seconds=30),
    )
    call = call.using(resource_key("bucket", bucket)).based_on(state.channels_read).recording()
    # A channel that somebody created since we read is adopted.
    return call.or_done("MaxNumberOfDeliveryChannelsExceededException")


def _repair_warnings(
    title: str, present: JsonObject, bucket: str, changed: tuple[Difference, ...]
) -> Iterator[Note]:
    """Warn of what the repair may not achieve, and of what it leaves behind."""
    if any(each.want is None for each in changed):
        yield Note(Kind.WARNING, title, _PREFIX_MAY_STAY)
    old = present.get("s3BucketName")
    if old is not None and old != bucket:
        # This needs no consent: an attacker who points the channel at their own bucket must not stop the repair.
        text = f"history so far stays in `{old}`; its readers get nothing new there"
        yield Note(Kind.WARNING, title, text)


def _channel_settings(section: Config, bucket: str, have: JsonObject | None) -> tuple[dict[str, Any], str]:
    """The channel's fields to set, None for one to remove; and, not among them, what is stricter in AWS."""
    channel = section.delivery_channel
    want: dict[str, Any] = {"s3BucketName": bucket}
    if channel.s3_key_prefix is not None:
        want["s3KeyPrefix"] = channel.s3_key_prefix or None
    if channel.s3_kms_key_arn:
        want["s3KmsKeyArn"] = channel.s3_kms_key_arn
    if channel.sns_topic_arn:
        want["snsTopicARN"] = channel.sns_topic_arn
    frequency = channel.delivery_frequency
    present = ((have or {}).get(_SNAPSHOTS) or {}).get("deliveryFrequency")
    if frequency and more_often(present, frequency):
        return want, f"deliveryFrequency is {present}; the baseline asks for {frequency}"
    if frequency:
        want[_SNAPSHOTS] = {"deliveryFrequency": frequency}
    return want, ""
