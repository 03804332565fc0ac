"""The IAM permissions that the organization's rules and packs of AWS Config need."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...model import Target
from ...steps.organization import trusted_access_permissions
from ...steps.permission import APPLY, VERIFY, Permission, allow, permits
from .linked_roles import linked_roles, linked_roles_permissions
from .organization import ORGANIZATION, rules_and_packs
from .regional import arns_in_region, in_each_region
from .section import Config


@permits("config_organization")
def config_organization_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and repair the organization's rules and packs, with the account's role for that and trusted access.

    Reads are of all that the account has made. See PutOrganizationConfigRule in the API Reference for the rest.
    """
    (rules, packs), in_region = rules_and_packs(baseline[Config], target), in_each_region(baseline)
    if target.home and baseline[Config].for_organization:
        yield from trusted_access_permissions(ORGANIZATION)
    if not rules and not packs:
        return
    yield from allow("OrganizationRead", "organizations", "ListAWSServiceAccessForOrganization")
    # AWS Config asks with the caller's permissions for its role, and whether this account may do that.
    yield from allow("ConfigLinkedRoles", "iam", "GetRole", on=linked_roles(target), purposes=APPLY)
    yield from linked_roles_permissions(target, baseline)
    if rules:
        policies = any(each.policy_text for each in rules.values())
        reads = "DescribeOrganizationConfigRules DescribeOrganizationConfigRuleStatuses"
        reads += " GetOrganizationCustomRulePolicy" if policies else ""
        yield from allow("ConfigSettings", "config", reads, condition=in_region)
        details = "GetOrganizationConfigRuleDetailedStatus"
        yield from allow("ConfigSettings", "config", [details], condition=in_region, purposes=VERIFY)
        on, narrowed = arns_in_region(target, baseline, "organization-config-rule/*", rules.values())
        title, tagged = "ConfigOrganizationRules", any(each.tags for each in rules.values())
        if tagged:
            yield from allow(title, "config", ["ListTagsForResource"], on=on, condition=narrowed)
        put = ["PutOrganizationConfigRule", *(["TagResource"] if tagged else [])]
        yield from allow(title, "config", put, on=on, condition=narrowed, purposes=APPLY)
    if packs:
        reads = "DescribeOrganizationConformancePacks DescribeOrganizationConformancePackStatuses"
        yield from allow("ConfigSettings", "config", reads, condition=in_region)
        details = "GetOrganizationConformancePackDetailedStatus"
        yield from allow("ConfigSettings", "config", [details], condition=in_region, purposes=VERIFY)
        on, narrowed = arns_in_region(target, baseline, "organization-conformance-pack/*", packs.values())
        tags = ["ListTagsForResource"]
        yield from allow("ConfigOrganizationPacks", "config", tags, on=on, condition=narrowed)
        put = ["PutOrganizationConformancePack", "TagResource"]
        yield from allow("ConfigOrganizationPacks", "config", put, on=on, condition=narrowed, purposes=APPLY)
