"""The trail whose events raise the alarms: the file's own, or one that exists and that the file names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...compare.policy import arn as make_arn
from ...model import Refused
from ...steps.organization import read_organization
from ...steps.references import find, keys
from .section import Alarms

GROUP: Final = "CloudWatchLogsLogGroupArn"
ROLE: Final = "CloudWatchLogsRoleArn"


@dataclass(frozen=True)
class WatchedTrail:
    """The trail's ARN, and what DescribeTrails says of it; None if there is none yet.

    *organization* is the id of the organization that it records, or empty. *ours*: the file has it. *own_delivery*: its
    own section says where its events go, or it exists, is not ours, and sends them to the log group already.
    """

    arn: str
    have: Mapping[str, Any] | None
    organization: str
    ours: bool
    own_delivery: bool

    @property
    def name(self) -> str:
        """The trail's name."""
        return self.arn.rpartition("/")[2]

    @property
    def owner(self) -> str:
        """The account that owns the trail."""
        return self.arn.split(":")[4]


def group_arn(aws: Aws, section: Alarms) -> str:
    """The log group's ARN as CloudTrail takes it."""
    return make_arn(aws.partition, "logs", aws.region, aws.account, f"log-group:{section.log_group.name}:*")


def topic_arn(aws: Aws, section: Alarms) -> str:
    """The topic's ARN."""
    return make_arn(aws.partition, "sns", aws.region, aws.account, section.topic.name)


def trail_name(baseline: Baseline) -> str:
    """The name of the trail, from the file alone."""
    return next(iter(keys(baseline, "trail")), "") or str(baseline[Alarms].trail).rpartition("/")[2]


def read_users(aws: Aws, section: Alarms) -> set[str]:
    """The ARNs of the trails that send their events by the role of this account."""
    own = f":{aws.account}:role/"
    trails = (
        (each["TrailARN"], each.get(ROLE) or "")
        for each in aws.read("cloudtrail").describe_trails().get("trailList")
    )
    return {arn for arn, role in trails if own in role and role.rpartition("/")[2] == section.role_name}


def read_watched(aws: Aws, baseline: Baseline) -> WatchedTrail:
    """The trail. Raises Refused where it is not the file's and does not exist, or where its home is another Region."""
    section, listed = baseline[Alarms], aws.read("cloudtrail").describe_trails()
    found = next((find(baseline, "trail", each) for each in keys(baseline, "trail")), None)
    asked = bool(found and found.resource.is_organization_trail)
    # Started here, to run beside the other.
    held = read_organization(aws) if asked else None
    owner = held.management_account if held else aws.account
    name = trail_name(baseline)
    trails = [each for each in listed.get("trailList") if each["Name"] == name]
    if not found and (section.trail or "").startswith("arn:"):
        trails = [each for each in trails if each["TrailARN"] == section.trail]
    own = [each for each in trails if each["TrailARN"].split(":")[4] == owner] if found else trails
    have = next(iter(own), None)
    if have is None and not found:
        raise Refused(
            f"there is no trail `{section.trail}` in {aws.region}: make it, or correct `alarms.trail`"
        )
    if have and have["HomeRegion"] != aws.region:
        raise Refused(
            f"trail `{name}` is at home in {have['HomeRegion']}, and takes a log group there only: set `home_region` to it"
        )
    if have and have["IsOrganizationTrail"] and held is None:
        held = read_organization(aws)
    arn = make_arn(aws.partition, "cloudtrail", aws.region, owner, f"trail/{name}")
    there = bool(have and have.get(GROUP) == group_arn(aws, section))
    stated = bool(found and found.resource.cloud_watch_logs_log_group_arn)
    return WatchedTrail(
        arn=have["TrailARN"] if have else arn,
        have=have,
        organization=held.id if held else "",
        ours=found is not None,
        own_delivery=stated or (not found and there),
    )
