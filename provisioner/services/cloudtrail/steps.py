"""The step `cloudtrail`: make the trail, bring its settings to the baseline, and keep it logging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...aws import Aws
from ...baseline import Baseline
from ...baseline.section import aws_name
from ...compare.policy import arn as make_arn
from ...model import (
    Call,
    Change,
    Changes,
    Difference,
    Exists,
    Kind,
    Note,
    Part,
    Scope,
    Wait,
    create,
    update,
)
from ...steps.key_use import unknown_key
from ...steps.references import resource_key
from ...steps.registry import consents, harmful_actions, hints, rates, step
from ...steps.settings import Strictness, settings
from ...steps.tags import tags, to_pairs
from .prerequisites import Prerequisite, prerequisites
from .recording import BUSY, SEEN, WAITS, ensure_event_selectors, ensure_insight_selectors
from .section import Trail
from .selectors import DEFAULT, management_access, selects_writes_to
from .state import Have, read_trail, trail_arn, want_settings
from .trails import Home, other_trail_notes, region_of_calls

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


consents("drop-recorded-events")
harmful_actions(
    Trail,
    *(
        "cloudtrail:StopLogging",
        "cloudtrail:DeleteTrail",
        "cloudtrail:UpdateTrail",
        "cloudtrail:PutEventSelectors",
    ),
    "organizations:DisableAWSServiceAccess",
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


@step(
    "cloudtrail",
    Trail,
    Scope.ONCE,
    needs=("log_buckets", "cloudtrail_trusted_access"),
    clients=("cloudtrail",),
    refers_to=("key",),
)
def ensure_cloudtrail(aws: Aws, baseline: Baseline) -> Changes:
    """Make the trail if it is missing, bring its settings to the baseline, and keep it logging."""
    section = baseline[Trail]
    # Start these reads before waiting for the answer to any other.
    aws.read("cloudtrail").describe_trails()
    arn = trail_arn(aws, baseline)
    have, want = read_trail(aws, section, arn), want_settings(aws, baseline)
    arn = have.arn if have else arn
    found = prerequisites(aws, baseline, Home.of(arn).region, new=have is None)
    warnings = [
        *_warnings(aws, section, arn, have, want)
    ]  # a list, as all reads must precede the first write
    name = arn
    if have is None:
        made = yield _create(aws, section, want)
        name = made["TrailARN"]  # not known where the trail was not made, so that nothing is set on it
    else:
        yield Exists(section.title)
    if have is None or not have.logging:  # before the settings, which may have to wait
        call = aws.write("cloudtrail", region_of_calls(aws, arn)).start_logging(Name=arn)
        difference = Difference("logging", have=False, want=True)
        yield update(section.title, (difference,), call.recording().waiting(*WAITS))
    if have is not None:
        yield from _settings(aws, section, arn, have, want)
        if section.kms_key_id is None:
            yield from unknown_key(aws, section.title, have.settings.get("KmsKeyId"), "cloudtrail.kms_key_id")
    yield from ensure_event_selectors(aws, section, arn, have)
    yield from ensure_insight_selectors(aws, section, arn, have)
    for each in found:
        yield Part(_title(section, each), _use(aws, section, arn, name, each, have, want["S3BucketName"]))
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
    return create(section.title, params, call.recording().or_done("TrailAlreadyExistsException"))


def _settings(aws: Aws, section: Trail, arn: str, have: Have, want: Mapping[str, Any]) -> Changes:
    """Update the settings that differ; UpdateTrail keeps those that are left out."""

    def put(changed: dict[str, Any]) -> Call:
        params = {name: "" if value is None else value for name, value in changed.items()}
        call = _update(aws, arn, Name=arn, **params)
        bucket = changed.get("S3BucketName")
        return call.using(resource_key("bucket", bucket)) if bucket else call

    def warn(repairs: Mapping[str, Difference]) -> Iterator[Note]:
        # A note, not a consent: somebody who changed the bucket must not stop the repair.
        if moved := repairs.get("S3BucketName"):
            text = f"log files so far stay in `{moved.have}`; what reads them there sees no new ones"
            yield Note(Kind.WARNING, section.title, text)

    strictness = Strictness.of(Trail, exact=section.exact)
    asked = _asked(section, have.settings, want, strictness)
    yield from settings(section.title, have.settings, asked, put, strictness, warn=warn)


def _use(
    aws: Aws, section: Trail, arn: str, name: str, each: Prerequisite, have: Have | None, bucket: str
) -> Changes:
    """Make the trail use the key, topic or log group of the file. *name* is its ARN, as far as it is known."""
    want, note, uses = each.find()
    if note:
        yield Note(Kind.WARNING, section.title, note)

    def put(_: dict[str, Any]) -> Call:
        params = dict(want)
        if "KmsKeyId" in want and have and have.settings["S3BucketName"] != bucket:
            # Both are of one Region: where both have been moved to another, neither can come back alone.
            params["S3BucketName"] = bucket
        call = _update(aws, arn, Name=name, **params).using(*uses)
        return call if have else call.waiting(SEEN)

    strictness, before = Strictness.of(Trail, exact=section.exact), have.settings if have else {}
    yield from settings(_title(section, each), before, want, put, strictness)


def _title(section: Trail, each: Prerequisite) -> str:
    return f"{each.what} of {section.title}"


def _update(aws: Aws, arn: str, **params: Any) -> Call:
    call: Call = aws.write("cloudtrail", region_of_calls(aws, arn)).update_trail(**params)
    return call.recording().waiting(*_WAITS)


def _asked(
    section: Trail, have: Mapping[str, Any], want: Mapping[str, Any], strictness: Strictness
) -> dict[str, Any]:
    """The settings that the file states, and the defaults of those in which AWS is stricter, which are noted."""
    stated = {aws_name(each) for each in section.model_fields_set}
    if "is_multi_region_trail" in section.model_fields_set and want["IsMultiRegionTrail"]:
        stated.add("IncludeGlobalServiceEvents")  # AWS refuses the one without the other
    guarded = strictness.guarded
    return {
        name: value
        for name, value in want.items()
        if name in stated or (name in guarded and guarded[name].stricter(have[name], value))
    }


def _tags(aws: Aws, section: Trail, arn: str, have: Mapping[str, str]) -> Changes:
    def put(missing: dict[str, str]) -> Call:
        return aws.write("cloudtrail", region_of_calls(aws, arn)).add_tags(
            ResourceId=arn, TagsList=to_pairs(missing)
        )

    yield from tags(section.title, have, section.tags, put)


def _warnings(
    aws: Aws, section: Trail, arn: str, have: Have | None, want: Mapping[str, Any]
) -> Iterator[Note]:
    """What the file asks for that works, but costs something or leaves something unrecorded."""
    selectors = section.selectors() or DEFAULT
    if have and (home := Home.of(arn).region) != aws.region:
        text = f"is at home in {home}, where it stays, as a trail cannot move"
        if (
            not have.settings["IsMultiRegionTrail"]
            and "is_multi_region_trail" not in section.model_fields_set
        ):
            text += f"; it records {home} only: set `cloudtrail.is_multi_region_trail: true`"
        yield Note(Kind.WARNING, section.title, text)
    if section.is_organization_trail and not section.is_multi_region_trail:
        text = f"records {aws.region} only, in all accounts; other Regions go unwatched"
        yield Note(Kind.WARNING, section.title, text)
    bucket = make_arn(aws.partition, "s3", "", "", want["S3BucketName"])
    recorded = have is not None and selects_writes_to(have.selectors or {}, bucket)
    if selects_writes_to(selectors, bucket) and not recorded:  # told when it begins
        text = "records the delivery of its own log files: each makes more events, and all are billed"
        yield Note(Kind.WARNING, section.title, f"{text}; leave `{bucket}/` out of the selectors")
    if management_access(selectors):
        yield from other_trail_notes(aws, arn)
