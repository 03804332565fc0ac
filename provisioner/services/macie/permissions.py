"""The IAM permissions that the steps of Macie need. Its actions have no resource types that these could name."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.delivery import sources_permissions
from ...steps.key_use import key_permissions, may_look
from ...steps.permission import (
    ANY_ACCOUNT,
    APPLY,
    Permission,
    allow,
    equals,
    linked_role,
    permits,
    permits_delivery,
    within,
)
from ...steps.regions import regions_permissions
from .section import AutomatedDiscovery, Macie
from .state import PRINCIPAL, SERVICE


@permits("macie")
def macie_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and write the session and, if the file asks for them, the other settings of the Region."""
    section = baseline[Macie]
    yield from _both(target, "GetMacieSession ListFindingsFilters", "EnableMacie UpdateMacieSession")
    role = linked_role(target, PRINCIPAL, "AWSServiceRoleForAmazonMacie")
    only = equals("iam:AWSServiceName", PRINCIPAL)
    create = "CreateServiceLinkedRole"
    yield from allow("MacieRoleMake", "iam", create, on=(role,), condition=only, purposes=APPLY)
    if section.security_hub_configuration:
        yield from _both(target, "GetFindingsPublicationConfiguration", "PutFindingsPublicationConfiguration")
    if section.automated_discovery:
        yield from _discovery(target, section, section.automated_discovery)
    joins = section.organization and section.organization.auto_enable is not None
    if joins and target.account in {section.administrator, ANY_ACCOUNT}:
        yield from _both(target, "DescribeOrganizationConfiguration", "UpdateOrganizationConfiguration")
    members = section.organization and section.organization.create_members
    if members and section.status == "ENABLED" and target.account in {section.administrator, ANY_ACCOUNT}:
        yield from _both(target, "ListMembers", "CreateMember UpdateMemberSession")
        yield from allow("OrganizationRead", "organizations", "ListAccounts")
    if target.home:
        yield from regions_permissions(target, baseline)


@permits("macie", disabling=True)
def macie_disabling_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read the session and who else sets it, and end it."""
    yield from _both(target, "GetMacieSession GetAdministratorAccount", "DisableMacie")


def _both(target: Target, reads: str, writes: str) -> Iterator[Permission]:
    """Reads and writes of Macie in the target's Region."""
    yield from allow("MacieRead", SERVICE, reads, condition=within(target))
    yield from allow("MacieWrite", SERVICE, writes, condition=within(target), purposes=APPLY)


def _discovery(target: Target, section: Macie, asked: AutomatedDiscovery) -> Iterator[Permission]:
    """Read and write automated discovery, and find who administers it where it differs."""
    reads = "GetAutomatedDiscoveryConfiguration GetAdministratorAccount"
    yield from _both(target, reads, "UpdateAutomatedDiscoveryConfiguration")
    searches = {target.archive or target.account, section.administrator, ANY_ACCOUNT}
    if asked.exclude_log_buckets and target.home and target.account in searches:
        yield from _both(target, "GetClassificationScope", "UpdateClassificationScope")


@permits("macie_export")
def macie_export_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and write where results are stored, and look at the key."""
    export = baseline[Macie].classification_export
    if export is None:
        return
    yield from _both(target, "GetClassificationExportConfiguration", "PutClassificationExportConfiguration")
    if may_look(target, export.kms_key_arn):
        yield from key_permissions("MacieKeyRead", target, baseline, export.kms_key_arn)


@permits("macie_administrator")
def macie_administrator_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and make the administrator, which Macie registers in Organizations for the caller."""
    account = baseline[Macie].administrator
    if not account:
        return
    yield from allow("OrganizationRead", "organizations", "DescribeOrganization")
    yield from _both(target, "ListOrganizationAdminAccounts", "EnableOrganizationAdminAccount")
    only = equals("organizations:ServicePrincipal", PRINCIPAL)
    yield from allow("MacieTrust", "organizations", "EnableAWSServiceAccess", condition=only, purposes=APPLY)
    member = arn(target.partition, "organizations", "", "*", f"account/o-*/{account}")
    register = "RegisterDelegatedAdministrator"
    yield from allow("MacieDelegate", "organizations", register, on=(member,), condition=only, purposes=APPLY)


@permits_delivery
def macie_delivery_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read the organization's id, unless the bucket's policy lists the accounts."""
    if Macie in baseline and baseline[Macie].classification_export:
        yield from sources_permissions(baseline)
