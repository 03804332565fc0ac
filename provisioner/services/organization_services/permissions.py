"""The permissions of the step `organization_services`. Its actions have no resource types, but for the account."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...model import Target
from ...steps.permission import APPLY, Permission, allow, equals, permits
from .section import OrganizationServices
from .steps import SERVICE


@permits("organization_services")
def organization_services_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and give trusted access, and read and register administrators."""
    section = baseline[OrganizationServices]
    reads = "DescribeOrganization ListAWSServiceAccessForOrganization"
    yield from allow("OrganizationRead", SERVICE, reads)
    if section.delegated_administrators:
        yield from allow("AdministratorsRead", SERVICE, "ListDelegatedAdministrators")
    for title, action, principals in (
        ("TrustedAccessEnable", "EnableAWSServiceAccess", section.trusted_access),
        (
            "AdministratorsRegister",
            "RegisterDelegatedAdministrator",
            list(section.delegated_administrators),
        ),
    ):
        if principals:
            condition = equals("organizations:ServicePrincipal", *principals)
            yield from allow(title, SERVICE, action, condition=condition, purposes=APPLY)
