"""AWS Organizations: whether the account is in an organization, and whose it is. Read once in a run."""

from __future__ import annotations

from dataclasses import dataclass

from ..aws import Aws


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
