"""The step `organization_services`: trusted access, delegated administrators and policy types, in the management account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...model import Changes, Difference, Exists, Finding, Findings, Part, Refused, Scope, create, update
from ...steps.organization import read_organization
from ...steps.registry import harmful_actions, step, verify
from .policy_types import TITLE, ensure_policy_types, policy_type_findings
from .section import OrganizationServices

SERVICE: Final = "organizations"

harmful_actions(
    OrganizationServices,
    *("organizations:DisableAWSServiceAccess", "organizations:DeregisterDelegatedAdministrator"),
    "organizations:DisablePolicyType",
)


@step("organization_services", OrganizationServices, Scope.ONCE, clients=(SERVICE,))
def ensure_organization_services(aws: Aws, baseline: Baseline) -> Changes:
    """Give each service its access, and then its administrator, and enable the types of policies."""
    section, read = baseline[OrganizationServices], aws.read(SERVICE)
    access = read.list_aws_service_access_for_organization()
    listed = _listed(aws, section)
    roots = read.list_roots() if section.policy_types else None
    organization = read_organization(aws)
    if organization is None:
        raise Refused("this account is in no organization: remove `organization_services`")
    if aws.account != organization.management_account:
        raise Refused(
            "only the management account gives access to the organization: run this in account"
            f" {organization.management_account}, or remove `organization_services`"
        )
    trusted = {each["ServicePrincipal"] for each in access.get("EnabledServicePrincipals")}
    for principal in section.trusted_access:
        if principal in trusted:
            yield Exists(access_title(principal))
            continue
        call = aws.write(SERVICE).enable_aws_service_access(ServicePrincipal=principal)
        yield update(access_title(principal), (Difference("Enabled", have=False, want=True),), call)
    for principal, want in section.delegated_administrators.items():
        yield Part(_title(principal), _administrator(aws, principal, want, listed[principal]))
    if roots:
        yield Part(TITLE, ensure_policy_types(aws, section, roots))


def access_title(principal: str) -> str:
    """The name of a service's trusted access in messages."""
    return f"trusted access of {principal}"


def _title(principal: str) -> str:
    return f"administrator of {principal}"


def _listed(aws: Aws, section: OrganizationServices) -> Mapping[str, Reading]:
    """Start to read the administrators of each service."""
    read = aws.read(SERVICE).list_delegated_administrators
    return {each: read(ServicePrincipal=each) for each in section.delegated_administrators}


def _administrator(aws: Aws, principal: str, want: str, listed: Reading) -> Changes:
    """Register the account, unless another one is registered."""
    have = [each["Id"] for each in listed.get("DelegatedAdministrators")]
    if want in have:
        yield Exists(_title(principal))
        return
    if have:
        raise Refused(
            f"account {have[0]} administers {principal}, and the baseline asks for {want}: name {have[0]} in"
            f" `organization_services.delegated_administrators`, or remove it (`aws organizations"
            f" deregister-delegated-administrator --account-id {have[0]} --service-principal {principal}`)"
        )
    call = aws.write(SERVICE).register_delegated_administrator(AccountId=want, ServicePrincipal=principal)
    yield create(_title(principal), {"AccountId": want}, call.or_done("AccountAlreadyRegisteredException"))


@verify("organization_services")
def verify_organization_services(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether each account that administers a service is an active member, and whether policies apply."""
    section = baseline[OrganizationServices]
    for principal, reading in _listed(aws, section).items():
        want = section.delegated_administrators[principal]
        status = {each["Id"]: each["Status"] for each in reading.get("DelegatedAdministrators")}
        detail = f"account {want} is {status.get(want, 'not registered')}"
        yield Finding(_title(principal), "active", status.get(want) == "ACTIVE", detail)
    if section.policy_types:
        yield from policy_type_findings(aws, section)
