"""Centralized root access, and AWS's policy for support roles."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.iam import MANAGED_POLICIES
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import delegated, find_organization, trusted
from ..root_access import PRINCIPAL

_SUPPORT = {"Effect": "Allow", "Action": ["support:*", "supportplans:Get*"], "Resource": "*"}
MANAGED_POLICIES["/AWSSupportAccess"] = {"Version": "2012-10-17", "Statement": [_SUPPORT]}
_PREFIXES = ("EnableOrganizations", "DisableOrganizations")


@instead(
    "iam.root_access",
    "ListOrganizationsFeatures",
    "EnableOrganizationsRootCredentialsManagement",
    "EnableOrganizationsRootSessions",
    "DisableOrganizationsRootCredentialsManagement",
    "DisableOrganizationsRootSessions",
    row="16.H centralized root access",
)
def root_access(request: Request) -> dict[str, Any]:
    """The organization's features for root access need trusted access, and its management account to enable them."""
    held = find_organization(request.account, request.partition)
    if held is None:
        raise Refused("OrganizationNotFoundException", "The account is not in an organization.")
    if not trusted(held, PRINCIPAL):
        text = "Service access is not enabled for IAM in the organization."
        raise Refused("ServiceAccessNotEnabledException", text)
    is_management = held.org.master_account_id == request.account
    if not is_management and not delegated(held, request.account, PRINCIPAL):
        text = "The account is neither the management account nor a delegated administrator for IAM."
        raise Refused("AccountNotManagementOrDelegatedAdministratorException", text)
    if request.operation.startswith("Enable") and not is_management:
        raise Refused("CallerIsNotManagementAccountException", "The caller is not the management account.")
    features: set[str] = request.saved("root_access").setdefault(held.org.id, set())
    for prefix in _PREFIXES:
        if request.operation.startswith(prefix):
            change = features.add if prefix.startswith("Enable") else features.discard
            change(request.operation.removeprefix(prefix))
    return {"OrganizationId": held.org.id, "EnabledFeatures": sorted(features)}


@instead("iam.root_user", "GetAccountSummary", row="13.4 IAM / STS")
def root_user(request: Request) -> dict[str, Any]:
    """The root user of a sandbox account has a password and MFA, and no access keys."""
    own = {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 1}
    return {"SummaryMap": {**own, **request.saved("root_user").get(request.account, {})}}
