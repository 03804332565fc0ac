"""The trail as AWS has it and as the file wants it, both under the names of UpdateTrail's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare import policy
from ...steps.organization import require_organization
from ...steps.references import resolve
from ...steps.tags import from_pairs
from .prerequisites import LOGS_PAIR
from .section import Trail
from .selectors import Selectors
from .trails import Home, find_trail
from .trusted_access import ORGANIZATION_TRAIL


@dataclass(frozen=True)
class Have:
    """The trail as AWS has it. None is what was not read, because the file does not state it."""

    arn: str
    settings: Mapping[str, Any]
    logging: bool
    selectors: Selectors | None
    insights: list[dict[str, Any]] | None
    tags: Mapping[str, str] | None
    selectors_read: Reading | None = None
    insights_read: Reading | None = None


def trail_arn(aws: Aws, baseline: Baseline) -> str:
    """The ARN of the trail in `home_region`. The management account owns an organization trail, even if a delegated administrator makes it.

    Raises Refused where the file asks for an organization trail and the account's organization cannot have one.
    """
    section, home = baseline[Trail], baseline.general.home_region
    owner = aws.central
    if section.is_organization_trail:
        owner = require_organization(aws, ORGANIZATION_TRAIL).management_account
    return policy.arn(aws.partition, "cloudtrail", home, owner, f"trail/{section.name}")


def read_trail(aws: Aws, section: Trail, arn: str) -> Have | None:
    """The trail that `find_trail` finds, or None. Raises Refused where a trail of another owner has its name.

    Only what the section states is read.
    """
    aws.read("cloudtrail").describe_trails()
    reads = _start_reads(aws, section, arn)
    trail = find_trail(aws, arn, every_region=section.is_multi_region_trail)
    if trail is None:
        return None
    if trail["TrailARN"] != arn:
        reads = _start_reads(aws, section, trail["TrailARN"])
    status, selectors, insights, tags = reads
    return Have(
        arn=trail["TrailARN"],
        settings=_settings(trail),
        logging=status.get("IsLogging"),
        selectors=_event_selectors(selectors) if selectors else None,
        # AWS has an error code for a trail without insight selectors.
        insights=insights.value("InsightSelectors", "InsightNotEnabledException") or [] if insights else None,
        tags=_tags(tags) if tags else None,
        selectors_read=selectors,
        insights_read=insights,
    )


def _start_reads(
    aws: Aws, section: Trail, arn: str
) -> tuple[Reading, Reading | None, Reading | None, Reading | None]:
    """Start reading the status, selectors, insight selectors and tags, at the same time.

    By ARN, because a name means another trail in another account, and at the trail's home, as AWS asks for.
    """
    read = aws.read("cloudtrail", Home.of(arn).region)
    return (
        read.get_trail_status(Name=arn),
        read.get_event_selectors(TrailName=arn) if section.selectors() is not None else None,
        read.get_insight_selectors(TrailName=arn) if section.insights() is not None else None,
        read.list_tags(ResourceIdList=[arn]) if section.tags else None,
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
    """The settings that the file asks for, without those of `prerequisites`. None is to have none."""
    section = baseline[Trail]
    return {
        "S3BucketName": resolve(aws, baseline, "bucket", section.s3_bucket_name).name,
        "S3KeyPrefix": section.s3_key_prefix,
        "IsOrganizationTrail": section.is_organization_trail,
        "IsMultiRegionTrail": section.is_multi_region_trail,
        "IncludeGlobalServiceEvents": section.include_global_service_events,
        "EnableLogFileValidation": section.enable_log_file_validation,
        **({} if section.kms_key_id else {"KmsKeyId": None}),
    }
