"""The trail as AWS has it and as the file wants it, both under the names of UpdateTrail's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare import policy
from ...model import Refused
from ...steps.organization import require_organization
from ...steps.references import resolve
from ...steps.tags import from_pairs
from .section import Trail
from .selectors import Selectors
from .trails import find_trail
from .trusted_access import ORGANIZATION_TRAIL

LOGS_PAIR: Final = ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")  # AWS takes both or none


@dataclass(frozen=True)
class Have:
    """The trail as AWS has it. None is what was not read, because the file does not state it."""

    settings: Mapping[str, Any]
    logging: bool
    selectors: Selectors | None
    insights: list[dict[str, Any]] | None
    tags: Mapping[str, str] | None
    selectors_read: Reading | None = None
    insights_read: Reading | None = None


def trail_arn(aws: Aws, baseline: Baseline) -> str:
    """The trail's ARN. The management account owns an organization trail, even if a delegated administrator makes it.

    Raises Refused where the file asks for an organization trail and the account's organization cannot have one.
    """
    section, home = baseline[Trail], baseline.general.home_region
    owner = aws.central
    if section.is_organization_trail:
        owner = require_organization(aws, ORGANIZATION_TRAIL).management_account
    return policy.arn(aws.partition, "cloudtrail", home, owner, f"trail/{section.name}")


def read_trail(aws: Aws, section: Trail, arn: str) -> Have | None:
    """The trail of that ARN, or None. Raises Refused where another trail has its name.

    Only what the section states is read. All reads are made at the same time, and by ARN, because a name means
    another trail in another account.
    """
    read = aws.read("cloudtrail")
    read.describe_trails()
    status = read.get_trail_status(Name=arn)
    selectors = read.get_event_selectors(TrailName=arn) if section.selectors() is not None else None
    insights = read.get_insight_selectors(TrailName=arn) if section.insights() is not None else None
    tags = read.list_tags(ResourceIdList=[arn]) if section.tags else None
    trail = find_trail(aws, arn)
    if trail is None:
        return None
    return Have(
        settings=_settings(trail),
        logging=status.get("IsLogging"),
        selectors=_event_selectors(selectors) if selectors else None,
        # AWS has an error code for a trail without insight selectors.
        insights=insights.value("InsightSelectors", "InsightNotEnabledException") or [] if insights else None,
        tags=_tags(tags) if tags else None,
        selectors_read=selectors,
        insights_read=insights,
    )


def _event_selectors(reading: Reading) -> Selectors:
    reading.get("TrailARN")  # an answer without it was cut short; it does not mean the default selectors
    answer: Selectors = reading.all()
    return answer


def _tags(reading: Reading) -> dict[str, str]:
    return from_pairs(tag for each in reading.get("ResourceTagList") for tag in each["TagsList"])


def _settings(trail: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in DescribeTrails' answer, under UpdateTrail's names."""
    return {
        **{name: trail.get(name) for name in ("S3BucketName", "KmsKeyId", *LOGS_PAIR)},
        "S3KeyPrefix": trail.get("S3KeyPrefix") or "",
        "SnsTopicName": trail.get("SnsTopicARN"),
        "IsOrganizationTrail": bool(trail.get("IsOrganizationTrail")),
        "IsMultiRegionTrail": bool(trail.get("IsMultiRegionTrail")),
        "IncludeGlobalServiceEvents": bool(trail.get("IncludeGlobalServiceEvents")),
        "EnableLogFileValidation": bool(trail.get("LogFileValidationEnabled")),
    }


def want_settings(aws: Aws, baseline: Baseline) -> dict[str, Any]:
    """The settings that the file asks for, with ARNs where AWS answers with ARNs. None is to have none."""
    section = baseline[Trail]
    want = {
        "S3BucketName": resolve(aws, baseline, "bucket", section.s3_bucket_name).name,
        "S3KeyPrefix": section.s3_key_prefix,
        "IsOrganizationTrail": section.is_organization_trail,
        "IsMultiRegionTrail": section.is_multi_region_trail,
        "IncludeGlobalServiceEvents": section.include_global_service_events,
        "EnableLogFileValidation": section.enable_log_file_validation,
        "KmsKeyId": _key_arn(aws, section.kms_key_id),
    }
    if topic := section.sns_topic_name:
        is_arn = topic.startswith("arn:")
        want["SnsTopicName"] = (
            topic if is_arn else policy.arn(aws.partition, "sns", aws.region, aws.account, topic)
        )
    if section.cloud_watch_logs_log_group_arn:
        pair = (section.cloud_watch_logs_log_group_arn, section.cloud_watch_logs_role_arn)
        want |= dict(zip(LOGS_PAIR, pair, strict=True))
    return want


def _key_arn(aws: Aws, key: str | None) -> str | None:
    """The ARN of the key, with which CloudTrail answers even if it was given an id or an alias."""
    if key is None or ":key/" in key:
        return key
    found = aws.read("kms").describe_key(KeyId=key).value("KeyMetadata", "NotFoundException")
    if found is None:
        raise Refused(f"there is no key `{key}` in {aws.region}: make it, or correct `cloudtrail.kms_key_id`")
    return str(found["Arn"])
