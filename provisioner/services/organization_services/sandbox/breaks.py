"""Ways to take access to the organization, or its administrator, from a service by hand, and to disable policies."""

from __future__ import annotations

from collections.abc import Iterator

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none
from ..policy_types import TITLE
from ..section import AUTHORIZATION
from ..steps import access_title

ABSENT = ("AWSOrganizationsNotInUseException", "AccessDeniedException")


@breaks("organization_services")
def organization_services_breaks(admin: Administrator) -> Iterator[Break]:
    """Disable what IAM evaluates, and take from Systems Manager what no other step of the full file gives it."""
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
    for root in (read_or_none(client.list_roots, *ABSENT) or {}).get("Roots", ()):
        # Of the others one has to stay, as `verify` looks at the policies of a type that is enabled.
        for name in sorted({each["Type"] for each in root["PolicyTypes"]} & {*AUTHORIZATION}):
            disable = client.disable_policy_type
            text = f"took away the policies of type {name}"
            ids = {"RootId": root["Id"], "PolicyType": name}
            yield breaks_of(TITLE)(name, text, disable, "policy_types", **ids)
