"""The trail as AWS has it, and as the file wants it: both in the words of UpdateTrail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

PAIR: Final = ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")  # AWS takes both or none


@dataclass(frozen=True)
class Have:
    """The trail as AWS has it, *settings* in the words of UpdateTrail. None: nobody asked."""

    settings: Mapping[str, Any]
    logging: bool
    selectors: Selectors | None
    insights: Sequence[Mapping[str, Any]] | None
    tags: Mapping[str, str] | None


def trail_arn(aws: Aws, baseline: Baseline) -> str:
    """The trail's ARN. An organization trail is the management account's, also where a delegate makes it.

    Raises Refused where an organization trail is wanted, and the account is in no organization for it.
    """
    section, home = baseline[Trail], baseline.general.home_region
    owner = aws.central
    if section.is_organization_trail:
        owner = require_organization(aws, ORGANIZATION_TRAIL).management_account
    return policy.arn(aws.partition, "cloudtrail", home, owner, f"trail/{section.name}")


def read_trail(aws: Aws, section: Trail, arn: str) -> Have | None:
    """The trail of that ARN, or None. Raises Refused where another trail stands in its way.

    Only what the section states is read. All questions are asked at once, and by ARN: a name is known in one
    account only.
    """
    read = aws.read("cloudtrail")
    read.describe_trails()
    status = read.get_trail_status(Name=arn)
    selectors = read.get_event_selectors(TrailName=arn) if section.selectors() is not None else None
    insights = read.get_insight_selectors(TrailName=arn) if section.insights() is not None else None
    tagged = read.list_tags(ResourceIdList=[arn]) if section.tags else None
    have = find_trail(aws, arn)
    if have is None:
        return None
    return Have(
        settings=_as_written(have),
        logging=status.get("IsLogging"),
        selectors=_answered(selectors) if selectors else None,
        insights=_answered_insights(insights) if insights else None,
        tags=_tags(tagged) if tagged else None,
    )


def _answered(reading: Reading) -> Selectors:
    """The event selectors, basic or advanced."""
    reading.get("TrailARN")  # an answer without it was cut short, and is no default
    answer: Selectors = reading.all()
    return answer


def _tags(reading: Reading) -> dict[str, str]:
    return from_pairs(tag for each in reading.get("ResourceTagList") for tag in each["TagsList"])


def _answered_insights(reading: Reading) -> Sequence[Mapping[str, Any]]:
    """The insight selectors; AWS has an error code for none."""
    answer: Sequence[Mapping[str, Any]] | None = reading.value(
        "InsightSelectors", "InsightNotEnabledException"
    )
    return answer or []


def _as_written(trail: Mapping[str, Any]) -> dict[str, Any]:
    """The trail's settings under the names by which they are set."""
    return {
        **{name: trail.get(name) for name in ("S3BucketName", "KmsKeyId", *PAIR)},
        "S3KeyPrefix": trail.get("S3KeyPrefix") or "",
        "SnsTopicName": trail.get("SnsTopicARN"),
        "IsOrganizationTrail": bool(trail.get("IsOrganizationTrail")),
        "IsMultiRegionTrail": bool(trail.get("IsMultiRegionTrail")),
        "IncludeGlobalServiceEvents": bool(trail.get("IncludeGlobalServiceEvents")),
        "EnableLogFileValidation": bool(trail.get("LogFileValidationEnabled")),
    }


def wanted(aws: Aws, baseline: Baseline) -> dict[str, Any]:
    """The settings that the file asks for, names as AWS answers them: ARNs. None is to have none."""
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
        named = not topic.startswith("arn:")
        want["SnsTopicName"] = (
            policy.arn(aws.partition, "sns", aws.region, aws.account, topic) if named else topic
        )
    if section.cloud_watch_logs_log_group_arn:
        pair = (section.cloud_watch_logs_log_group_arn, section.cloud_watch_logs_role_arn)
        want |= dict(zip(PAIR, pair, strict=True))
    return want


def _key_arn(aws: Aws, given: str | None) -> str | None:
    """The ARN of the key, which is what CloudTrail answers whatever it was told."""
    if given is None or ":key/" in given:
        return given
    found = aws.read("kms").describe_key(KeyId=given).value("KeyMetadata", "NotFoundException")
    if found is None:
        raise Refused(
            f"there is no key `{given}` in {aws.region}: make it, or correct `cloudtrail.kms_key_id`"
        )
    return str(found["Arn"])
