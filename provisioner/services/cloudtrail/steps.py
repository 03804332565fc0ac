"""CloudTrail: one trail that always records, into a bucket where nobody can quietly change what it wrote."""

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
from ...steps.registry import hints, rates, step
from ...steps.settings import Strictness, settings
from ...steps.tags import tags, to_pairs
from .delivery import cloudtrail_delivery
from .recording import READY, ensure_event_selectors, ensure_insight_selectors
from .section import Trail
from .selectors import DEFAULT, management_sides, records_writes_to
from .state import PAIR, Have, read_trail, trail_arn, wanted
from .trails import other_copies, read_trails

__all__ = ["Trail", "ensure_cloudtrail", "trail_delivery"]

# What CloudTrail answers until everywhere in AWS an earlier write is seen.
_WAITS = (
    Wait("S3BucketDoesNotExistException", "the new bucket to be seen by CloudTrail", seconds=30),
    Wait("InsufficientS3BucketPolicyException", "the bucket policy to take effect", seconds=60),
    Wait("InsufficientEncryptionPolicyException", "the key policy to take effect", seconds=30),
    Wait("InsufficientSnsTopicPolicyException", "the topic policy to take effect", seconds=30),
    Wait("InvalidCloudWatchLogsRoleArnException", "the role to be usable", "Access denied", 120),
    Wait("InvalidCloudWatchLogsLogGroupArnException", "the role to be usable", "Access denied", 120),
    Wait("CloudWatchLogsDeliveryUnavailableException", "CloudWatch Logs to be available", seconds=60),
    Wait("CloudTrailAccessNotEnabledException", "trusted access to take effect", seconds=60),
    Wait("ConflictException", "CloudTrail to end what it does with the trail", seconds=180),
)


hints(
    "cloudtrail",
    {
        "InsufficientS3BucketPolicyException": "CloudTrail may not write to the bucket: is `log_buckets` in this run, and does no foreign Deny statement stand in its way",
        "S3BucketDoesNotExistException": "the bucket is not there: let `log_buckets` make it, or name one that exists",
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
    """The trail delivers for its owner and, if it is the organization's, for every account of it.

    A trail that is the organization's in AWS, and stays it as the stricter, keeps what it needs for that.
    """
    if Trail not in baseline:
        return
    section, arn = baseline[Trail], trail_arn(aws, baseline)
    for_organization = section.is_organization_trail
    if not for_organization and not section.exact:
        listed = read_trails(aws, baseline.general.home_region)
        for_organization = any(each["TrailARN"] == arn and each.get("IsOrganizationTrail") for each in listed)
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
    """Make the trail or adopt it, bring its settings to the baseline, and keep it logging."""
    section, title = baseline[Trail], f"trail {baseline[Trail].name}"
    aws.read("cloudtrail").describe_trails()  # on its way before anything else is waited for
    if section.kms_key_id and ":key/" not in section.kms_key_id:
        aws.read("kms").describe_key(KeyId=section.kms_key_id)
    arn = trail_arn(aws, baseline)
    have, want = read_trail(aws, section, arn), wanted(aws, baseline)
    # Every question is answered before the first change: a write makes the answers old.
    warnings = [*_warnings(aws, section, arn, want)]
    if have is None:
        yield _make(aws, section, title, want)
    else:
        yield Exists(title)
        yield from _settings(aws, section, arn, have, want)
    if have is None or not have.logging:
        call = aws.write("cloudtrail").start_logging(Name=arn).waiting(*READY)
        yield update(title, (Difference("logging", have=False, want=True),), call)
    yield from ensure_event_selectors(aws, section, arn, have)
    yield from ensure_insight_selectors(aws, section, arn, have)
    yield from _tags(aws, section, arn, have)
    yield from warnings


def _make(aws: Aws, section: Trail, title: str, want: Mapping[str, Any]) -> Change:
    """The trail, with its tags, in one call. AWS makes it stopped."""
    params = {name: value for name, value in want.items() if value not in (None, "")}
    if section.tags:
        params["TagsList"] = to_pairs(section.tags)
    call = aws.write("cloudtrail").create_trail(Name=section.name, **params)
    return create(title, params, call.waiting(*_WAITS).or_done("TrailAlreadyExistsException"))


def _settings(aws: Aws, section: Trail, arn: str, have: Have, want: Mapping[str, Any]) -> Changes:
    """What differs, in one call; what the call leaves out keeps its value."""

    def put(changed: dict[str, Any]) -> Call:
        params = {name: "" if value is None else value for name, value in changed.items()}
        if params.keys() & set(PAIR):
            params |= {name: want[name] for name in PAIR}
        return aws.write("cloudtrail").update_trail(Name=arn, **params).waiting(*_WAITS)

    yield from settings(
        f"trail {section.name}",
        have.settings,
        want,
        put,
        Strictness.of(Trail, exact=section.exact),
        warn=lambda repairs: _before_repair(f"trail {section.name}", repairs),
    )


def _before_repair(resource: str, repairs: Mapping[str, Difference]) -> Iterator[Note]:
    """What a repair leaves behind. No flag for it: who changed the trail must not stop the repair from cron."""
    if moved := repairs.get("S3BucketName"):
        text = f"log files so far stay in `{moved.have}`; what reads them there sees no new ones"
        yield Note(Kind.WARNING, resource, text)


def _tags(aws: Aws, section: Trail, arn: str, have: Have | None) -> Changes:
    if have is not None and have.tags is not None:

        def put(missing: dict[str, str]) -> Call:
            return aws.write("cloudtrail").add_tags(ResourceId=arn, TagsList=to_pairs(missing))

        yield from tags(f"trail {section.name}", have.tags, section.tags, put)


def _warnings(aws: Aws, section: Trail, arn: str, want: Mapping[str, Any]) -> Iterator[Note]:
    """What works as the file asks for it, and costs or misses something."""
    title, selectors = f"trail {section.name}", section.selectors() or DEFAULT
    if section.is_organization_trail and not section.is_multi_region_trail:
        yield Note(
            Kind.WARNING, title, f"records {aws.region} only, in all accounts; other Regions go unwatched"
        )
    bucket = make_arn(aws.partition, "s3", "", "", want["S3BucketName"])
    if records_writes_to(selectors, bucket):
        text = "records the delivery of its own log files: each makes more events, and all are billed"
        yield Note(Kind.WARNING, title, f"{text}; leave `{bucket}/` out of the selectors")
    if management_sides(selectors):
        yield from other_copies(aws, arn)
