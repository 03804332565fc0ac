"""AWS Config: where a Region's recorder delivers, and how long its history is kept. No step of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...baseline.general import Accounts
from ...compare.values import differences
from ...model import Call, Change, Changes, Difference, Exists, Kind, Note, Refused, Wait
from ...steps.delivery import Delivery, delivers
from ...steps.organization import read_organization
from ...steps.references import resolve
from .delivery import config_delivery
from .rule_section import more_often
from .section import Config
from .state import Found, Thing, adopted, channel_title

LISTED: Final = 100  # accounts by name in a bucket's policy, which takes 20 KB; beyond, the organization
NEVER_SET: Final = 2557  # days that AWS Config keeps its history where nobody said otherwise
_SNAPSHOTS: Final = "configSnapshotDeliveryProperties"
_PREFIX_MAY_STAY: Final = (
    "AWS may keep a prefix that a request leaves out: if `diff` still shows it, stop the recorder, delete the"
    " channel (`aws configservice delete-delivery-channel`), and run again"
)


@delivers
def config_deliveries(aws: Aws, baseline: Baseline) -> Iterator[Delivery]:
    """AWS Config delivers what it records in this account, or in every account that the file is for.

    Which accounts these are, the file alone says: a run that is narrowed to a few must not lock the others out.
    """
    if Config not in baseline:
        return
    channel, fleet = baseline[Config].delivery_channel, baseline.general.accounts
    accounts, organization_id = [aws.account], None
    if fleet is not None and by_name(fleet):
        accounts = fleet.ids
    elif fleet is not None:
        organization = read_organization(aws)
        if organization is None:
            raise Refused(
                "`accounts` is for an organization, and this account is in none: leave it out, or run this elsewhere"
            )
        organization_id = organization.id
    statements = partial(
        config_delivery,
        prefix=channel.s3_key_prefix,
        account_ids=accounts,
        organization_id=organization_id,
    )
    yield Delivery("config", channel.s3_bucket_name, statements)


def by_name(accounts: Accounts) -> bool:
    """A bucket's policy names each of the accounts: the file lists them, and they are not too many."""
    return accounts.listed and len(accounts.ids) <= LISTED


def check_topic(aws: Aws, section: Config) -> None:
    """Raise Refused where the topic is in another Region than the channel."""
    topic = section.delivery_channel.sns_topic_arn
    region = topic.split(":")[3] if topic else aws.region
    if region != aws.region:
        raise Refused(
            f"`config.delivery_channel.sns_topic_arn` is in {region}, and AWS Config takes a topic of its own"
            f" Region, here {aws.region}: write `${{region}}` in the ARN, and make a topic in each Region"
        )


def ensure_retention(aws: Aws, section: Config, found: Found) -> Changes:
    """History is kept as long as the file says, or longer.

    To be called before a new recorder is made: to have set none means seven years where there is a recorder.
    """
    want, resource = section.retention_period_in_days, "AWS Config history"
    kept = found.retention or (NEVER_SET if found.recorder else None)
    if want is None or kept == want:
        return
    if kept is not None and kept > want and not section.exact:
        yield Note(Kind.STRICTER, resource, f"is kept for {kept} days; the baseline asks for {want}")
        return
    shorter = kept is not None and kept > want
    yield Change(
        resource,
        (Difference("RetentionPeriodInDays", found.retention, want),),
        aws.write("config").put_retention_configuration(RetentionPeriodInDays=want),
        "create" if found.retention is None else "update",
        consent="shorten-config-history" if shorter else None,
        loses=f"configuration history older than {want} days" if shorter else "",
    )


def ensure_channel(aws: Aws, baseline: Baseline, have: Thing | None) -> Changes:
    """The channel is there and delivers to the bucket, in one request that holds the whole of it.

    With `exact`, snapshots that come more often are made rarer in a second request, which the repair does not wait for.
    """
    section = baseline[Config]
    name = section.delivery_channel.name
    title = channel_title(str(have["name"]) if have else name)
    if have:
        yield Exists(title)
    yield from adopted(title, have, name)
    bucket = resolve(aws, baseline, "bucket", section.delivery_channel.s3_bucket_name).name
    want, stricter = wanted_channel(section, bucket, have)
    if stricter and not section.exact:
        yield Note(Kind.STRICTER, title, stricter)
    # A prefix of no characters is none.
    present = {key: value for key, value in (have or {}).items() if value != ""}
    full = {key: value for key, value in ({"name": name} | present | want).items() if value is not None}
    if changed := differences(present, want):
        yield from _before_repair(title, present, bucket, changed)
        yield Change(title, changed, _put(aws, full, bucket), "update" if have else "create")
    if stricter and section.exact:
        rarer = {_SNAPSHOTS: {"deliveryFrequency": section.delivery_channel.delivery_frequency}}
        yield Change(
            title,
            differences(full, rarer),
            _put(aws, full | rarer, bucket),
            consent="record-less",
            loses=f"snapshots are delivered less often: {stricter}",
        )


def _put(aws: Aws, full: Thing, bucket: str) -> Call:
    call = aws.write("config").put_delivery_channel(DeliveryChannel=full)
    call = call.waiting(
        Wait("InsufficientDeliveryPolicyException", f"AWS Config to be allowed to write to bucket {bucket}"),
        Wait("NoSuchBucketException", f"AWS Config to see bucket {bucket}"),
        Wait("NoAvailableConfigurationRecorderException", "AWS Config to see its recorder", seconds=30),
    )
    # Somebody made one since it was looked for: it is adopted.
    return call.or_done("MaxNumberOfDeliveryChannelsExceededException")


def _before_repair(
    title: str, present: Thing, bucket: str, changed: tuple[Difference, ...]
) -> Iterator[Note]:
    """What a repair may not achieve, and what it leaves behind."""
    if any(each.want is None for each in changed):
        yield Note(Kind.WARNING, title, _PREFIX_MAY_STAY)
    old = present.get("s3BucketName")
    if old is not None and old != bucket:
        # No flag for it: who points the channel at a bucket of theirs must not stop the repair from cron.
        text = f"history so far stays in `{old}`; what reads it there sees no more"
        yield Note(Kind.WARNING, title, text)


def wanted_channel(section: Config, bucket: str, have: Thing | None) -> tuple[dict[str, Any], str]:
    """The fields of the channel to hold, None for one to remove; and what is stricter, and not among them."""
    asked = section.delivery_channel
    want: dict[str, Any] = {"s3BucketName": bucket, "s3KeyPrefix": asked.s3_key_prefix}
    if asked.s3_kms_key_arn:
        want["s3KmsKeyArn"] = asked.s3_kms_key_arn
    if asked.sns_topic_arn:
        want["snsTopicARN"] = asked.sns_topic_arn
    frequency = asked.delivery_frequency
    present = ((have or {}).get(_SNAPSHOTS) or {}).get("deliveryFrequency")
    if frequency and more_often(present, frequency):
        return want, f"deliveryFrequency is {present}; the baseline asks for {frequency}"
    if frequency:
        want[_SNAPSHOTS] = {"deliveryFrequency": frequency}
    return want, ""
