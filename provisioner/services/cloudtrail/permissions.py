"""The permissions of the step `cloudtrail`, with those that AWS requires of the caller who makes such a trail."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.key_use import key_permissions
from ...steps.permission import (
    APPLY,
    VERIFY,
    Permission,
    allow,
    equals,
    linked_role,
    permission_notes,
    permits,
    permits_delivery,
    with_or_without_path,
)
from .delivery import CLOUDTRAIL
from .section import Trail

_ORGANIZATIONS = "organizations.amazonaws.com"


@permits("cloudtrail")
def cloudtrail_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create, update and start the trail, and verify its deliveries."""
    section = baseline[Trail]
    # An organization trail belongs to the management account, which the file does not name.
    owner = "*" if section.is_organization_trail else target.account
    # In any Region: a trail of the name may be at home in another.
    trail = (arn(target.partition, "cloudtrail", "*", owner, f"trail/{section.name}"),)
    # AWS has no resources for these three.
    yield from allow("TrailsRead", "cloudtrail", "DescribeTrails")
    if section.is_multi_region_trail:
        yield from allow("TrailsRead", "cloudtrail", "ListTrails")
    yield from allow("TrailsRead", "cloudtrail", "LookupEvents", purposes=VERIFY)
    # On trails of others too, in any Region and account, as the plan warns of those that are billed.
    every = (arn(target.partition, "cloudtrail", "*", "*", "trail/*"),)
    yield from allow("TrailsOfOthersRead", "cloudtrail", "GetTrailStatus GetEventSelectors", on=every)
    reads = {"GetInsightSelectors": section.insights() is not None, "ListTags": bool(section.tags)}
    yield from allow("TrailRead", "cloudtrail", [name for name, needed in reads.items() if needed], on=trail)
    writes = {
        "CreateTrail": True,
        "UpdateTrail": True,
        "StartLogging": True,
        "PutEventSelectors": section.selectors() is not None,
        "PutInsightSelectors": section.insights() is not None,
        "AddTags": bool(section.tags),  # CreateTrail with tags requires it too
    }
    names = [name for name, needed in writes.items() if needed]
    yield from allow("TrailWrite", "cloudtrail", names, on=trail, purposes=APPLY)
    yield from _prerequisites(baseline, target)
    if section.is_organization_trail:
        yield from _organization_trail(target)


@permits_delivery
def trail_delivery_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read the organization, and whether the trail is an organization trail. AWS has no resources for these."""
    if Trail not in baseline:
        return
    section = baseline[Trail]
    yield from allow("TrailsRead", "cloudtrail", "DescribeTrails")
    # One that is an organization trail in AWS stays so, and its bucket's policy names the organization.
    if section.is_organization_trail or not section.exact:
        yield from allow("OrganizationRead", "organizations", "DescribeOrganization")


def _prerequisites(baseline: Baseline, target: Target) -> Iterator[Permission]:
    """Look at the key, topic, log group and role that the file names, and pass the role to CloudTrail."""
    section = baseline[Trail]
    yield from key_permissions("TrailKeyRead", target, baseline, section.kms_key_id)
    if topic := section.sns_topic_name:
        is_arn = topic.startswith("arn:")
        on = (topic if is_arn else arn(target.partition, "sns", "*", target.account, topic),)
        yield from allow("TrailTopicRead", "sns", "GetTopicAttributes", on=on)
    if group := section.cloud_watch_logs_log_group_arn:
        yield from allow("TrailLogGroupRead", "logs", "ListTagsForResource", on=(group.removesuffix(":*"),))
    if role := section.cloud_watch_logs_role_arn:
        yield from allow("TrailRoleRead", "iam", "GetRole", on=(role,))
        to_cloudtrail = equals("iam:PassedToService", CLOUDTRAIL)
        yield from allow(
            "TrailRolePass", "iam", "PassRole", on=(role,), condition=to_cloudtrail, purposes=APPLY
        )


def _organization_trail(target: Target) -> Iterator[Permission]:
    """What AWS's page "Prepare for creating a trail for your organization" lists, without disabling trusted access."""
    own = linked_role(target, CLOUDTRAIL, "AWSServiceRoleForCloudTrail")
    organizations = linked_role(target, _ORGANIZATIONS, "AWSServiceRoleForOrganizations")
    # AWS has no resources for these. `cloudtrail_trusted_access` declares ListAWSServiceAccessForOrganization.
    yield from allow("OrganizationRead", "organizations", "DescribeOrganization")
    yield from allow("OrganizationRead", "organizations", "ListAccounts", purposes=APPLY)
    yield from allow(
        "OrganizationRolesRead",
        "iam",
        "GetRole",
        on=(*with_or_without_path(own), *with_or_without_path(organizations)),
        purposes=APPLY,
    )
    yield from allow(
        "OrganizationRoleMake",
        "iam",
        "CreateServiceLinkedRole",
        on=(own,),
        condition=equals("iam:AWSServiceName", CLOUDTRAIL),
        purposes=APPLY,
    )


@permission_notes
def trail_notes(baseline: Baseline, actions: Collection[str]) -> Iterator[str]:
    """Name the account in which an organization trail can be made."""
    if "cloudtrail:CreateTrail" in actions and baseline[Trail].is_organization_trail:
        yield "an organization trail is made in the management account, or by a delegated administrator"
