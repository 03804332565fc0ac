"""The permissions of the step `organization_services`. Its actions have no resource types, but for account and root."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.permission import APPLY, VERIFY, Permission, allow, equals, permits
from .section import AUTHORIZATION, OrganizationServices
from .steps import SERVICE


@permits("organization_services")
def organization_services_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and give trusted access, register administrators, and enable types of policies."""
    section = baseline[OrganizationServices]
    reads = "DescribeOrganization ListAWSServiceAccessForOrganization"
    yield from allow("OrganizationRead", SERVICE, reads)
    if section.delegated_administrators:
        yield from allow("AdministratorsRead", SERVICE, "ListDelegatedAdministrators")
    if types := section.policy_types:
        yield from allow("OrganizationRead", SERVICE, "ListRoots")
        root, named = (
            arn(target.partition, SERVICE, "", target.account, "root/o-*/r-*"),
            "organizations:PolicyType",
        )
        enable = "EnablePolicyType"
        yield from allow(
            "PolicyTypesEnable", SERVICE, [enable], on=[root], condition=equals(named, *types), purposes=APPLY
        )
        if checked := [each for each in types if each not in AUTHORIZATION]:
            read = "ListAccountsWithInvalidEffectivePolicy"
            yield from allow(
                "PolicyTypesVerify", SERVICE, [read], condition=equals(named, *checked), purposes=VERIFY
            )
    if section.trusted_access:
        condition = equals("organizations:ServicePrincipal", *section.trusted_access)
        action = "EnableAWSServiceAccess"
        yield from allow("TrustedAccessEnable", SERVICE, action, condition=condition, purposes=APPLY)
    for principal, account in section.delegated_administrators.items():
        yield from allow(
            "AdministratorsRegister",
            SERVICE,
            "RegisterDelegatedAdministrator",
            on=[arn(target.partition, SERVICE, "", target.account, f"account/o-*/{account}")],
            condition=equals("organizations:ServicePrincipal", principal),
            purposes=APPLY,
        )
