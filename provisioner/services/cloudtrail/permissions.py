"""What the step `cloudtrail` asks to be allowed, and what AWS asks of who makes such a trail."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
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
    """Find the trail, make it, set it right, start it, and see what it delivers."""
    section = baseline[Trail]
    # A delegated administrator makes the organization's trail under the management account, which no file tells.
    owner = "*" if section.is_organization_trail else target.account
    trail = (arn(target.partition, "cloudtrail", target.region, owner, f"trail/{section.name}"),)
    # AWS knows no resources for these two.
    yield from allow("TrailsRead", "cloudtrail", "DescribeTrails")
    yield from allow("TrailsRead", "cloudtrail", "LookupEvents", purposes=VERIFY)
    # Of others' trails too, which the plan warns of where they are paid for: they are of any Region and account.
    every = (arn(target.partition, "cloudtrail", "*", "*", "trail/*"),)
    yield from allow("TrailsOfOthersRead", "cloudtrail", "GetTrailStatus GetEventSelectors", on=every)
    reads = {"GetInsightSelectors": section.insights() is not None, "ListTags": bool(section.tags)}
    yield from allow("TrailRead", "cloudtrail", [name for name, asked in reads.items() if asked], on=trail)
    writes = {
        "CreateTrail": True,
        "UpdateTrail": True,
        "StartLogging": True,
        "PutEventSelectors": section.selectors() is not None,
        "PutInsightSelectors": section.insights() is not None,
        "AddTags": bool(section.tags),  # CreateTrail with tags asks for it too
    }
    asked = [name for name, asked in writes.items() if asked]
    yield from allow("TrailWrite", "cloudtrail", asked, on=trail, purposes=APPLY)
    yield from _named_in(section, target)
    if section.is_organization_trail:
        yield from _organization_trail(target)


@permits_delivery
def trail_delivery_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Whose the trail is, and whether it is the organization's. AWS knows no resources for these."""
    if Trail not in baseline:
        return
    section = baseline[Trail]
    if section.is_organization_trail:
        yield from allow("OrganizationRead", "organizations", "DescribeOrganization")
    elif not section.exact:
        # One that is the organization's in AWS stays so, and its bucket's policy names the organization.
        yield from allow("TrailsRead", "cloudtrail", "DescribeTrails")
        yield from allow("OrganizationRead", "organizations", "DescribeOrganization")


def _named_in(section: Trail, target: Target) -> Iterator[Permission]:
    """What the trail uses: its key is looked up unless the file has its ARN, its role is handed to CloudTrail."""
    key = section.kms_key_id or ""
    if key and ":key/" not in key:
        parts = key.split(":")
        named = parts[5] if parts[0] == "arn" else key
        alias = named.startswith("alias/")
        region, account = (parts[3], parts[4]) if parts[0] == "arn" else (target.region, target.account)
        # KMS decides by the key, not by its alias; which key that is, the file does not tell.
        resource = arn(target.partition, "kms", region, account, "key/*" if alias else f"key/{named}")
        condition = equals("kms:RequestAlias", named) if alias else None
        yield from allow("TrailKeyRead", "kms", "DescribeKey", on=(resource,), condition=condition)
    if role := section.cloud_watch_logs_role_arn:
        to_cloudtrail = equals("iam:PassedToService", CLOUDTRAIL)
        yield from allow(
            "TrailRolePass", "iam", "PassRole", on=(role,), condition=to_cloudtrail, purposes=APPLY
        )


def _organization_trail(target: Target) -> Iterator[Permission]:
    """AWS's page "Prepare for creating a trail for your organization", but for turning trusted access off."""
    own = linked_role(target, CLOUDTRAIL, "AWSServiceRoleForCloudTrail")
    organizations = linked_role(target, _ORGANIZATIONS, "AWSServiceRoleForOrganizations")
    # AWS knows no resources for these. ListAWSServiceAccessForOrganization is declared by `cloudtrail_trusted_access`.
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
    """Where an organization trail is made."""
    if "cloudtrail:CreateTrail" in actions and baseline[Trail].is_organization_trail:
        yield "an organization trail is made in the management account, or by a delegated administrator"
