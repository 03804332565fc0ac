"""The IAM permissions that the steps of Security Hub need. Actions on the hub name it, the others have no resource."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.owners import policy_owner_permissions
from ...steps.permission import (
    ANY_ACCOUNT,
    APPLY,
    Permission,
    allow,
    equals,
    linked_role,
    permits,
    regional,
    within,
)
from .organization import PRINCIPAL
from .policies import names_root
from .section import CENTRAL, Organization, SecurityHub
from .state import STEP, controls_of, standards_of
from .v2 import PRINCIPAL as PRINCIPAL_V2
from .v2_section import SecurityHubV2

_SERVICE = "securityhub"


@permits(STEP)
def security_hub_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read the Region's hub and what it holds, enable and repair it."""
    section, (hub, region) = baseline[SecurityHub], regional(target, baseline, _SERVICE, "hub/default")
    standards = standards_of(section, target)
    administers = section.organization and section.organization.administrator in {target.account, ANY_ACCOUNT}
    reads, writes = ["DescribeHub"], ["EnableSecurityHub", "UpdateSecurityHubConfiguration"]
    reads += ["GetEnabledStandards"]
    reads += ["DescribeStandards"] if standards else []
    writes += ["BatchEnableStandards"] if standards else []
    if section.tags:
        reads.append("ListTagsForResource")
        writes.append("TagResource")
    reads.append("GetAdministratorAccount")
    if administers:
        reads.append("DescribeOrganizationConfiguration")
        writes.append("UpdateOrganizationConfiguration")
    yield from allow("SecurityHubRead", _SERVICE, reads, on=hub, condition=region)
    yield from allow("SecurityHubWrite", _SERVICE, writes, on=hub, condition=region, purposes=APPLY)
    if any(controls_of(each, target) for each in standards.values()):
        yield from _controls(target)
    yield from _automation_rules(target)
    if standards and section.auto_enable_controls is not False:
        lists = "ListSecurityControlDefinitions BatchGetStandardsControlAssociations"
        yield from allow("SecurityHubListsRead", _SERVICE, lists)
    if section.finding_aggregator and target.home:
        yield from _aggregator(target, baseline)
    if section.organization and administers and target.home:
        yield from _central(target, baseline, section.organization)
    yield from policy_owner_permissions()
    if section.security_hub_v2:
        yield from _v2(target, baseline, section.security_hub_v2)
    roles = {PRINCIPAL: "AWSServiceRoleForSecurityHub"}
    if section.security_hub_v2:
        roles[PRINCIPAL_V2] = "AWSServiceRoleForSecurityHubV2"
    yield from allow(
        "SecurityHubRoleMake",
        "iam",
        "CreateServiceLinkedRole",
        on=tuple(linked_role(target, principal, role) for principal, role in roles.items()),
        condition=equals("iam:AWSServiceName", *roles),
        purposes=APPLY,
    )


@permits(STEP, disabling=True)
def security_hub_disabling_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read the Region's hub and who else sets it, and disable it."""
    hub, region = regional(target, baseline, _SERVICE, "hub/default")
    yield from allow("SecurityHubRead", _SERVICE, "DescribeHub", on=hub, condition=region)
    yield from allow(
        "SecurityHubWrite", _SERVICE, "DisableSecurityHub", on=hub, condition=region, purposes=APPLY
    )
    yield from policy_owner_permissions()


def _controls(target: Target) -> Iterator[Permission]:
    """Read and switch controls. AWS has no resource for it."""
    put = "BatchUpdateStandardsControlAssociations"
    yield from allow("SecurityHubListsRead", _SERVICE, "ListStandardsControlAssociations")
    yield from allow("SecurityHubInRegion", _SERVICE, [put], condition=within(target), purposes=APPLY)


def _automation_rules(target: Target) -> Iterator[Permission]:
    """Read the automation rules. AWS has no resource for their list.

    In any Region, as are other lists: the policy of a file with many Regions is as long as AWS takes one.
    """
    rules = (arn(target.partition, _SERVICE, "*", target.account, "automation-rule/*"),)
    yield from allow("SecurityHubListsRead", _SERVICE, "ListAutomationRules")
    yield from allow("AutomationRulesRead", _SERVICE, "BatchGetAutomationRules", on=rules)


def _aggregator(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and repair the aggregator, whose ARN ends in an id of AWS's. AWS has no resource for two of these."""
    aggregator, region = regional(target, baseline, _SERVICE, "finding-aggregator/*")
    here = within(target)
    yield from allow("AggregatorsList", _SERVICE, "ListFindingAggregators", condition=here)
    yield from allow("AggregatorCreate", _SERVICE, "CreateFindingAggregator", condition=here, purposes=APPLY)
    yield from allow("AggregatorRead", _SERVICE, "GetFindingAggregator", on=aggregator, condition=region)
    put = "UpdateFindingAggregator"
    yield from allow("AggregatorWrite", _SERVICE, put, on=aggregator, condition=region, purposes=APPLY)


def _v2(target: Target, baseline: Baseline, section: SecurityHubV2) -> Iterator[Permission]:
    """Read and enable Security Hub V2, and its aggregator. AWS has no resource for most of these."""
    here = within(target)
    yield from allow("SecurityHubInRegion", _SERVICE, "DescribeSecurityHubV2", condition=here)
    yield from allow("SecurityHubInRegion", _SERVICE, "EnableSecurityHubV2", condition=here, purposes=APPLY)
    if section.finding_aggregator and target.home:
        on, region = regional(target, baseline, _SERVICE, "aggregatorv2/*")
        yield from allow("AggregatorsV2List", _SERVICE, "ListAggregatorsV2", condition=here)
        yield from allow("AggregatorV2Create", _SERVICE, "CreateAggregatorV2", condition=here, purposes=APPLY)
        yield from allow("AggregatorV2Read", _SERVICE, "GetAggregatorV2", on=on, condition=region)
        put = "UpdateAggregatorV2"
        yield from allow("AggregatorV2Write", _SERVICE, put, on=on, condition=region, purposes=APPLY)


def _central(target: Target, baseline: Baseline, organization: Organization) -> Iterator[Permission]:
    """Read, create and repair configuration policies, and give them to accounts. AWS has no resource for the lists."""
    here = within(target)
    if organization.configuration_type:
        yield from allow("PoliciesList", _SERVICE, "ListConfigurationPolicies", condition=here)
    if organization.configuration_type != CENTRAL:
        return
    yield from allow("OrganizationRead", "organizations", "DescribeOrganization")
    policies, hub = (
        organization.configuration_policies,
        regional(target, baseline, _SERVICE, "hub/default")[0],
    )
    if not policies and not organization.self_managed:
        return
    yield from allow("PolicyTargetsList", _SERVICE, "ListConfigurationPolicyAssociations", condition=here)
    if names_root(organization):
        yield from allow("OrganizationRootRead", "organizations", "ListRoots")
    put = "StartConfigurationPolicyAssociation"
    yield from allow("PolicyTargetsWrite", _SERVICE, put, on=hub, condition=here, purposes=APPLY)
    if policies:
        named, region = regional(target, baseline, _SERVICE, "configuration-policy/*")
        yield from allow("PolicyRead", _SERVICE, "GetConfigurationPolicy", on=named, condition=region)
        yield from allow(
            "PolicyCreate", _SERVICE, "CreateConfigurationPolicy", condition=here, purposes=APPLY
        )
        put = "UpdateConfigurationPolicy"
        yield from allow("PolicyWrite", _SERVICE, put, on=named, condition=region, purposes=APPLY)


@permits("security_hub_administrator")
def security_hub_administrator_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and designate the administrator, which gives Security Hub trusted access to the organization."""
    organization = baseline[SecurityHub].organization
    if organization is None or organization.administrator == target.account:
        return
    hub, region = regional(target, baseline, _SERVICE, "hub/default")
    put = "EnableOrganizationAdminAccount"
    yield from allow("SecurityHubRead", _SERVICE, "ListOrganizationAdminAccounts", on=hub, condition=region)
    yield from allow("SecurityHubWrite", _SERVICE, put, on=hub, condition=region, purposes=APPLY)
    yield from allow("OrganizationRead", "organizations", "DescribeOrganization")
    to_service = equals("organizations:ServicePrincipal", PRINCIPAL)
    account = arn(
        target.partition, "organizations", "", target.account, f"account/o-*/{organization.administrator}"
    )
    yield from allow(
        "TrustedAccessEnable", "organizations", "EnableAWSServiceAccess", condition=to_service, purposes=APPLY
    )
    yield from allow(
        "DelegatedAdministratorRegister",
        "organizations",
        "RegisterDelegatedAdministrator",
        on=(account,),
        condition=to_service,
        purposes=APPLY,
    )
