"""AWS Organizations: the account's organization, and trusted access for services."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..aws import Aws
from ..aws.errors import DENIED, ClientError, code_of
from ..model import Changes, Difference, Refused, update
from .permission import APPLY, Permission, allow, equals


@dataclass(frozen=True)
class Organization:
    """The organization of the account. Without *all_features* it has consolidated billing only."""

    id: str
    management_account: str
    all_features: bool


def read_organization(aws: Aws) -> Organization | None:
    """The organization of this account, or None. Member accounts may call this too."""
    answer = aws.read("organizations").describe_organization()
    have = answer.value("Organization", "AWSOrganizationsNotInUseException")
    if have is None:
        return None
    return Organization(have["Id"], have["MasterAccountId"], have["FeatureSet"] == "ALL")


def own_organization(aws: Aws) -> str | None:
    """The id of this account's organization: empty if it is in none, None if the caller may not know."""
    try:
        organization = read_organization(aws)
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        return None
    return organization.id if organization else ""


@dataclass(frozen=True)
class OrganizationFeature:
    """A feature of a service for the whole organization, and what to do if this account cannot use it.

    *principal* is the service principal, *what* describes the feature in messages, and *instead* is the setting that turns
    it off. *register* is the command that makes an account the service's delegated administrator, if not Organizations' own.
    """

    principal: str
    what: str
    instead: str
    register: str = ""


def require_organization(aws: Aws, feature: OrganizationFeature) -> Organization:
    """The organization, which the feature needs. Raises Refused if there is none, or only for billing."""
    organization = read_organization(aws)
    if organization is None:
        raise Refused(f"this account is in no organization: set `{feature.instead}`")
    if not organization.all_features:
        raise Refused(
            f"organization {organization.id} has consolidated billing only: enable all features in"
            f" account {organization.management_account}, or set `{feature.instead}`"
        )
    return organization


def trusted_access(aws: Aws, feature: OrganizationFeature) -> Changes:
    """Ensure that the service has trusted access to the organization. It is never revoked."""
    # Started here to run beside the next call. Only the management account and delegated administrators may call this.
    answer = aws.read("organizations").list_aws_service_access_for_organization()
    organization = require_organization(aws, feature)
    management = organization.management_account
    try:
        trusted = {each["ServicePrincipal"] for each in answer.get("EnabledServicePrincipals")}
    except ClientError as error:
        if code_of(error) in DENIED and aws.account != management:
            own = (
                f"aws organizations register-delegated-administrator --service-principal {feature.principal}"
            )
            raise Refused(
                f"{feature.what} is made by the management account or a delegated administrator of"
                f" {feature.principal}, and AWS takes this account for neither: run this in account {management},"
                f" register this one there (`{feature.register or own}`), or set `{feature.instead}`"
            ) from error
        raise
    if feature.principal in trusted:
        return
    if aws.account != management:
        raise Refused(
            f"trusted access for {feature.principal} is off, and only the management account can turn it on:"
            f" run this in account {management}"
        )
    call = aws.write("organizations").enable_aws_service_access(ServicePrincipal=feature.principal)
    field = f"trusted access for {feature.principal}"
    yield replace(update("organization", (Difference(field, have=False, want=True),), call), enables=True)


def trusted_access_permissions(feature: OrganizationFeature) -> Iterator[Permission]:
    """The permissions that `trusted_access` needs. Their actions have no resource types."""
    yield from allow(
        "OrganizationRead", "organizations", "DescribeOrganization ListAWSServiceAccessForOrganization"
    )
    yield from allow(
        "TrustedAccessEnable",
        "organizations",
        "EnableAWSServiceAccess",
        condition=equals("organizations:ServicePrincipal", feature.principal),
        purposes=APPLY,
    )
