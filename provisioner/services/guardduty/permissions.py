"""The permissions of the steps of GuardDuty. AWS makes a detector's id, so a policy names all of the Region."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.delivery import sources_permissions
from ...steps.key_use import key_permissions, may_look
from ...steps.permission import (
    APPLY,
    Permission,
    allow,
    equals,
    linked_role,
    permits,
    permits_delivery,
    regional,
    within,
)
from ...steps.regions import regions_permissions
from .delivery import PRINCIPAL
from .member_features import features_of_all
from .members import concerns_members, restores_members
from .organization import want_settings
from .section import GuardDuty
from .state import SERVICE

_ROLE = "AWSServiceRoleForAmazonGuardDuty"
_DETECTOR_READS = "GetDetector GetFilter GetIPSet GetTrustedEntitySet"
_LISTS = "ListDetectors ListFilters ListIPSets ListTrustedEntitySets"


def _reads(target: Target, names: str) -> Iterator[Permission]:
    """Reads for which AWS has no resource."""
    yield from allow("GuardDutyRead", SERVICE, names, condition=within(target))


def _writes(target: Target, names: str) -> Iterator[Permission]:
    """Writes for which AWS has no resource, or one that does not exist yet."""
    yield from allow("GuardDutyWrite", SERVICE, names, condition=within(target), purposes=APPLY)


def _of_detectors(target: Target, baseline: Baseline, read: str, write: str) -> Iterator[Permission]:
    """Reads and writes of a detector and of what is below it, by an id that AWS makes."""
    on, region = regional(target, baseline, SERVICE, "detector/*")
    yield from allow("GuardDutyDetectorRead", SERVICE, read, on=on, condition=region)
    yield from allow("GuardDutyDetectorWrite", SERVICE, write, on=on, condition=region, purposes=APPLY)


@permits("guardduty")
def guardduty_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, make and repair the detector, and see who else sets it."""
    yield from _reads(target, f"{_LISTS} GetAdministratorAccount")
    yield from _writes(target, "CreateDetector")
    tagging = " TagResource" if baseline[GuardDuty].tags else ""
    yield from _of_detectors(target, baseline, _DETECTOR_READS, f"UpdateDetector{tagging}")
    yield from allow(
        "GuardDutyRoleMake",
        "iam",
        "CreateServiceLinkedRole",
        on=(linked_role(target, PRINCIPAL, _ROLE),),
        condition=equals("iam:AWSServiceName", PRINCIPAL),
        purposes=APPLY,
    )


@permits("guardduty", disabling=True)
def guardduty_suspending_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read the detector and who else sets it, and suspend it."""
    yield from _reads(target, "ListDetectors GetAdministratorAccount")
    yield from _of_detectors(target, baseline, "GetDetector", "UpdateDetector")


@permits("guardduty_export")
def guardduty_export_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, make and repair the publishing destination, and look at its key."""
    section = baseline[GuardDuty].publishing_destination
    if section is None:
        return
    yield from _reads(target, "ListDetectors ListPublishingDestinations")
    yield from _writes(target, "CreatePublishingDestination")
    read, update = "DescribePublishingDestination", "UpdatePublishingDestination"
    yield from _of_detectors(target, baseline, read, update)
    if may_look(target, section.kms_key_arn):
        yield from key_permissions("GuardDutyKeyRead", target, baseline, section.kms_key_arn)


@permits_delivery
def guardduty_delivery_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read what the bucket's policy needs: the organization's id, and what the file leaves out of Regions and prefix."""
    destination = baseline[GuardDuty].publishing_destination if GuardDuty in baseline else None
    if destination is None:
        return
    yield from sources_permissions(baseline)
    yield from regions_permissions(target, baseline)
    if destination.s3_key_prefix is None:
        yield from _reads(target, "ListDetectors ListPublishingDestinations")
        on, region = regional(target, baseline, SERVICE, "detector/*")
        describe = "DescribePublishingDestination"
        yield from allow("GuardDutyDetectorRead", SERVICE, describe, on=on, condition=region)


@permits("guardduty_organization")
def guardduty_organization_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """See who the administrator is, make one, which gives GuardDuty trusted access, and set what it enables.

    Source: GuardDuty User Guide, "Permissions required to designate a delegated GuardDuty administrator account". Most
    of Organizations' actions have no resource.
    """
    section = baseline[GuardDuty].organization
    if section is None:
        return
    yield from allow("OrganizationRead", "organizations", "DescribeOrganization")
    yield from _reads(target, "ListOrganizationAdminAccounts")
    yield from _writes(target, "EnableOrganizationAdminAccount")
    delegate = equals("organizations:ServicePrincipal", PRINCIPAL)
    enable, reads = (
        "EnableAWSServiceAccess",
        "ListAWSServiceAccessForOrganization ListDelegatedAdministrators",
    )
    yield from allow("GuardDutyDelegationRead", "organizations", reads, purposes=APPLY)
    yield from allow("GuardDutyDelegate", "organizations", enable, condition=delegate, purposes=APPLY)
    if account := section.admin_account_id:  # else it is the management account, which AWS does not register
        on = (arn(target.partition, "organizations", "", "*", f"account/*/{account}"),)
        register = "RegisterDelegatedAdministrator"
        yield from allow(
            "GuardDutyRegister", "organizations", register, on=on, condition=delegate, purposes=APPLY
        )
        yield from allow("GuardDutyDelegationRead", "organizations", "DescribeAccount", on=on, purposes=APPLY)
    if want_settings(section):
        yield from _reads(target, "ListDetectors DescribeOrganizationConfiguration")
        yield from _writes(target, "UpdateOrganizationConfiguration")
    if concerns_members(section):
        yield from _reads(target, "ListDetectors ListMembers")
    if restores_members(section):
        yield from allow("OrganizationRead", "organizations", "ListAccounts")
        yield from _writes(target, "CreateMembers StartMonitoringMembers")
    if features_of_all(section):
        yield from _reads(target, "GetMemberDetectors")
        yield from _writes(target, "UpdateMemberDetectors")
