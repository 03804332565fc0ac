"""The step `cloudtrail`: make the trail, bring its settings to the baseline, and keep it logging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ...aws import Aws
from ...baseline import Baseline
from ...compare.policy import arn as make_arn
from ...model import Call, Change, Changes, Difference, Exists, Kind, Note, Scope, Wait, create, update
from ...steps.delivery import Delivery, delivers
from ...steps.organization import read_organization
from ...steps.references import resource_key
from ...steps.registry import hints, rates, step
from ...steps.settings import Strictness, settings
from ...steps.tags import tags, to_pairs
from .delivery import cloudtrail_delivery
from .recording import BUSY, WAITS, ensure_event_selectors, ensure_insight_selectors
from .section import Trail
from .selectors import DEFAULT, management_access, selects_writes_to
from .state import LOGS_PAIR, Have, read_trail, trail_arn, want_settings
from .trails import other_trail_notes, read_trails

# What CreateTrail and UpdateTrail answer until an earlier write is seen everywhere in AWS.
_WAITS = (
    Wait("S3BucketDoesNotExistException", "the new bucket to be seen by CloudTrail", seconds=30),
    Wait("InsufficientS3BucketPolicyException", "the bucket policy to take effect", seconds=60),
    Wait("InsufficientEncryptionPolicyException", "the key policy to take effect", seconds=30),
    Wait("InsufficientSnsTopicPolicyException", "the topic policy to take effect", seconds=30),
    Wait("InvalidCloudWatchLogsRoleArnException", "the role to be usable", "Access denied", 120),
    Wait("InvalidCloudWatchLogsLogGroupArnException", "the role to be usable", "Access denied", 120),
    Wait("CloudWatchLogsDeliveryUnavailableException", "CloudWatch Logs to be available", seconds=60),
    Wait("CloudTrailAccessNotEnabledException", "trusted access to take effect", seconds=60),
    BUSY,
)


hints(
    "cloudtrail",
    {
        "InsufficientS3BucketPolicyException": "CloudTrail may not write to the bucket: is `log_buckets` in this run, and does no foreign Deny statement stand in its way",
        "S3BucketDoesNotExistException": "there is no such bucket: run `log_buckets` too, or name one that exists",
        "MaximumNumberOfTrailsExceededException": "five trails in a Region is the limit, copies included: delete one that nobody needs (`aws cloudtrail list-trails`)",
        "TrailAlreadyExistsException": "a trail of that name exists, here, in another Region or from the organization (`aws cloudtrail list-trails` shows its home): set `home_region` to that, choose another name, or run in the account that owns it",
        "KmsKeyNotFoundException": "no such key in the bucket's Region: give the full key ARN",
        "KmsKeyDisabledException": "the key is disabled: enable it, or name another",
        "KmsException": "the key must be in the bucket's Region, and its policy must let CloudTrail use it",
        "InsufficientEncryptionPolicyException": "the key policy must let cloudtrail.amazonaws.com use kms:GenerateDataKey* and kms:DescribeKey",
        "InsufficientSnsTopicPolicyException": "the topic policy must let cloudtrail.amazonaws.com use sns:Publish",
        "CloudTrailAccessNotEnabledException": "trusted access for cloudtrail.amazonaws.com is off in the organization: leave `cloudtrail_trusted_access` in this run",
        "OrganizationsNotInUseException": "this account is in no organization: set `cloudtrail.is_organization_trail: false`",
        "NotOrganizationMasterAccountException": "an organization trail is made from the management account, or by a delegated administrator",
        "OrganizationNotInAllFeaturesModeException": "the organization has consolidated billing only: enable all features first",
        "InvalidHomeRegionException": "the trail's home is another Region: set `home_region` to it",
    },
)
# "Quotas in AWS CloudTrail": for each account and Region, not adjustable.
rates("cloudtrail", read=10, lookup=2, write=1)


@delivers
def trail_delivery(aws: Aws, baseline: Baseline) -> Iterator[Delivery]:
    """The delivery of the trail: for its owner and, if it is an organization trail, for every account.

    A trail that is an organization trail in AWS only, and stays so as the stricter, keeps the statements for that.
    """
    if Trail not in baseline:
        return
    section, arn = baseline[Trail], trail_arn(aws, baseline)
    for_organization = section.is_organization_trail
    if not for_organization and not section.exact:
        trails = read_trails(aws, baseline.general.home_region)
        for_organization = any(each["TrailARN"] == arn and each.get("IsOrganizationTrail") for each in trails)
    organization = read_organization(aws) if for_organization else None
    statements = partial(
        cloudtrail_delivery,
        prefix=section.s3_key_prefix or None,
        trail_arn=arn,
        owner_account=arn.split(":")[4],
        organization_id=organization.id if organization else None,
    )
    yield Delivery("cloudtrail", section.s3_bucket_name, statements)


@step(
    "cloudtrail",
    Trail,
    Scope.ONCE,
    needs=("log_buckets", "cloudtrail_trusted_access"),
    clients=("cloudtrail",),
)
def ensure_cloudtrail(aws: Aws, baseline: Baseline) -> Changes:
    """Make the trail if it is missing, bring its settings to the baseline, and keep it logging."""
    section = baseline[Trail]
    # Start these reads before waiting for the answer to any other.
    aws.read("cloudtrail").describe_trails()
    if section.kms_key_id and ":key/" not in section.kms_key_id:
        aws.read("kms").describe_key(KeyId=section.kms_key_id)
    arn = trail_arn(aws, baseline)
    have, want = read_trail(aws, section, arn), want_settings(aws, baseline)
    warnings = [*_warnings(aws, section, arn, want)]  # a list, as all reads must precede the first write
    if have is None:
        yield _create(aws, section, want)
    else:
        yield Exists(section.title)
    if have is None or not have.logging:  # before the settings, which may have to wait
        call = aws.write("cloudtrail").start_logging(Name=arn).waiting(*WAITS)
        yield update(section.title, (Difference("logging", have=False, want=True),), call)
    if have is not None:
        yield from _settings(aws, section, arn, have, want)
    yield from ensure_event_selectors(aws, section, arn, have)
    yield from ensure_insight_selectors(aws, section, arn, have)
    if have is not None and have.tags is not None:
        yield from _tags(aws, section, arn, have.tags)
    yield from warnings


def _create(aws: Aws, section: Trail, want: Mapping[str, Any]) -> Change:
    """Make the trail, with its tags. A new trail is not logging."""
    params = {name: value for name, value in want.items() if value not in (None, "")}
    if section.tags:
        params["TagsList"] = to_pairs(section.tags)
    call = aws.write("cloudtrail").create_trail(Name=section.name, **params)
    call = call.waiting(*_WAITS).using(resource_key("bucket", params["S3BucketName"]))
    return create(section.title, params, call.or_done("TrailAlreadyExistsException"))


def _settings(aws: Aws, section: Trail, arn: str, have: Have, want: Mapping[str, Any]) -> Changes:
    """Update the settings that differ; UpdateTrail keeps those that are left out."""

    def put(changed: dict[str, Any]) -> Call:
        params = {name: "" if value is None else value for name, value in changed.items()}
        if params.keys() & set(LOGS_PAIR):
            params |= {name: want[name] for name in LOGS_PAIR}
        call = aws.write("cloudtrail").update_trail(Name=arn, **params).waiting(*_WAITS)
        bucket = changed.get("S3BucketName")
        return call.using(resource_key("bucket", bucket)) if bucket else call

    def warn(repairs: Mapping[str, Difference]) -> Iterator[Note]:
        # A note, not a consent: somebody who changed the bucket must not stop the repair.
        if moved := repairs.get("S3BucketName"):
            text = f"log files so far stay in `{moved.have}`; what reads them there sees no new ones"
            yield Note(Kind.WARNING, section.title, text)

    strictness = Strictness.of(Trail, exact=section.exact)
    yield from settings(section.title, have.settings, want, put, strictness, warn=warn)


def _tags(aws: Aws, section: Trail, arn: str, have: Mapping[str, str]) -> Changes:
    def put(missing: dict[str, str]) -> Call:
        return aws.write("cloudtrail").add_tags(ResourceId=arn, TagsList=to_pairs(missing))

    yield from tags(section.title, have, section.tags, put)


def _warnings(aws: Aws, section: Trail, arn: str, want: Mapping[str, Any]) -> Iterator[Note]:
    """What the file asks for that works, but costs something or leaves something unrecorded."""
    selectors = section.selectors() or DEFAULT
    if section.is_organization_trail and not section.is_multi_region_trail:
        text = f"records {aws.region} only, in all accounts; other Regions go unwatched"
        yield Note(Kind.WARNING, section.title, text)
    bucket = make_arn(aws.partition, "s3", "", "", want["S3BucketName"])
    if selects_writes_to(selectors, bucket):
        text = "records the delivery of its own log files: each makes more events, and all are billed"
        yield Note(Kind.WARNING, section.title, f"{text}; leave `{bucket}/` out of the selectors")
    if management_access(selectors):
        yield from other_trail_notes(aws, arn)
