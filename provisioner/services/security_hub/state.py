"""What Security Hub answers in a Region, and which parts of the file are for it. It makes no change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws, Reading
from ...aws.errors import ClientError, code_of
from ...compare.policy import arn
from ...model import Target, Wait
from ...steps.permission import ANY_REGION
from .section import DisabledControl, SecurityHub, Standard

STEP: Final = "security_hub"
HUB: Final = "Security Hub"
HUB_KEY: Final = f"{STEP}/{HUB}"  # what Call.using takes
POLICY: Final = "SECURITYHUB_CSPM_POLICY"
_NOT_ENABLED: Final = "not subscribed"
# "Security Hub settings" are shown within a minute (Terraform's budget).
_HUB_SEEN = Wait("InvalidAccessException", "the new hub to be seen", _NOT_ENABLED, 60)
# Its error for too many calls; other services have it for a quota that is used up.
THROTTLED: Final = Wait("LimitExceededException", "AWS's rate limit to pass", seconds=60)
WAITS: Final = (_HUB_SEEN, THROTTLED)
# The one standard whose ARN has no Region.
_CIS_1_2: Final = "cis-aws-foundations-benchmark/v/1.2.0"

JsonObject = Mapping[str, Any]


def answer_of(reading: Reading) -> JsonObject | None:
    """The answer, or None where Security Hub is not enabled. Raises every other error."""
    try:
        answer: JsonObject = reading.all()
    except ClientError as error:
        absent = code_of(error) == "InvalidAccessException" and _NOT_ENABLED in str(error)
        if absent or code_of(error) == "ResourceNotFoundException":
            return None
        raise
    return answer


def if_enabled(reading: Reading, key: str) -> Any:
    """The value of *key* in an answer, or None where Security Hub is not enabled."""
    return None if answer_of(reading) is None else reading.get(key)


def read_hub(aws: Aws) -> JsonObject | None:
    """The hub of the Region, or None."""
    reading = aws.read("securityhub").describe_hub()
    return None if if_enabled(reading, "HubArn") is None else answer_of(reading)


def read_standards(aws: Aws) -> dict[str, JsonObject]:
    """The enabled standards of the Region by ARN; those that AWS is about to disable are not among them."""
    found = if_enabled(aws.read("securityhub").get_enabled_standards(), "StandardsSubscriptions")
    return {each["StandardsArn"]: each for each in found or () if each["StandardsStatus"] != "DELETING"}


def read_administrator(aws: Aws) -> str:
    """The account that administers Security Hub for this one, or `""`."""
    answer = answer_of(aws.read("securityhub").get_administrator_account())
    return str(((answer or {}).get("Administrator") or {}).get("AccountId") or "")


def hub_arn(target: Target) -> str:
    """The ARN of the Region's hub."""
    return arn(target.partition, "securityhub", target.region, target.account, "hub/default")


def standard_arn(target: Target, name: str) -> str:
    """The ARN of a standard: computed, as AWS lists standards only where there is a hub."""
    if name == _CIS_1_2:
        return arn(target.partition, "securityhub", "", "", f"ruleset/{name}")
    return arn(target.partition, "securityhub", target.region, "", f"standards/{name}")


def name_of(standard: str) -> str:
    """The name of a standard in the file, from its ARN."""
    return standard.rpartition(":")[2].partition("/")[2]


def standards_of(section: SecurityHub, target: Target) -> dict[str, Standard]:
    """The standards of the file for the target's Region. All, if the Region is not known."""
    return {
        name: each
        for name, each in section.standards.items()
        if (target.home or not each.home_region_only)
        and (each.regions is None or target.region in {*each.regions, ANY_REGION})
    }


def controls_of(standard: Standard, target: Target) -> dict[str, DisabledControl]:
    """The controls of a standard that are off in the target's Region. All, if the Region is not known."""
    return {
        name: each
        for name, each in standard.disabled_controls.items()
        if not (target.home and each.except_home_region)
        and (each.regions is None or target.region in {*each.regions, ANY_REGION})
    }


def standard_title(name: str) -> str:
    """The name of a standard in plans."""
    return f"standard {name}"
