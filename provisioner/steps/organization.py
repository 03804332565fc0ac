"""AWS Organizations: whether the account is in an organization, and whose it is. Read once in a run."""

from __future__ import annotations

from dataclasses import dataclass

from ..aws import Aws
from ..model import Refused


@dataclass(frozen=True)
class Organization:
    """The organization that the account is in. Without *all_features* it only pays the bills together."""

    id: str
    management_account: str
    all_features: bool


def read_organization(aws: Aws) -> Organization | None:
    """The organization of this account, or None where it is in none. Members may ask this too."""
    answer = aws.read("organizations").describe_organization()
    have = answer.value("Organization", "AWSOrganizationsNotInUseException")
    if have is None:
        return None
    return Organization(have["Id"], have["MasterAccountId"], have["FeatureSet"] == "ALL")


def trail_organization(aws: Aws) -> Organization:
    """The organization that an organization trail is for. Raises Refused where there can be no such trail."""
    organization = read_organization(aws)
    if organization is None:
        raise Refused("this account is in no organization: set `cloudtrail.is_organization_trail: false`")
    if not organization.all_features:
        raise Refused(
            f"organization {organization.id} has consolidated billing only: enable all features in"
            f" account {organization.management_account}, or set `cloudtrail.is_organization_trail: false`"
        )
    return organization
