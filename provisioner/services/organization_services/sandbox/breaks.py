"""Ways to take access to the organization, or its administrator, from a service by hand."""

from __future__ import annotations

from collections.abc import Iterator

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none
from ..steps import access_title

ABSENT = ("AWSOrganizationsNotInUseException", "AccessDeniedException")


@breaks("organization_services")
def organization_services_breaks(admin: Administrator) -> Iterator[Break]:
    """Take the trusted access and the administrator from Systems Manager, which no other step of the full file gives it."""
    client, principal = admin.client("organizations"), "ssm.amazonaws.com"
    listed = read_or_none(client.list_delegated_administrators, *ABSENT, ServicePrincipal=principal) or {}
    for each in listed.get("DelegatedAdministrators", ()):
        yield breaks_of(f"administrator of {principal}")(
            "AccountId",
            f"deregistered {each['Id']} as the administrator of Systems Manager",
            client.deregister_delegated_administrator,
            "delegated_administrators.*",
            AccountId=each["Id"],
            ServicePrincipal=principal,
        )
    read = client.list_aws_service_access_for_organization
    found = read_or_none(read, *ABSENT) or {"EnabledServicePrincipals": []}
    if any(each["ServicePrincipal"] == principal for each in found["EnabledServicePrincipals"]):
        text, disable = "took its trusted access from Systems Manager", client.disable_aws_service_access
        yield breaks_of(access_title(principal))("Enabled", text, disable, ServicePrincipal=principal)
