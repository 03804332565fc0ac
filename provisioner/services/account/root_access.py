"""The step `account_root_access`: root users of the organization's members, managed from its management account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Call, Changes, Exists, Scope, Wait
from ...steps.organization import OrganizationFeature, trusted_access
from ...steps.registry import hints, step
from ...steps.settings import Strictness, settings, to_api
from .section import Account

PRINCIPAL: Final = "iam.amazonaws.com"
ROOT_ACCESS: Final = OrganizationFeature(
    PRINCIPAL,
    "centralized root access",
    "account.root_access: null",
)
_TITLE: Final = "centralized root access"
_NOT_TRUSTED: Final = "ServiceAccessNotEnabledException"
_TRUST_SEEN: Final = Wait(_NOT_TRUSTED, "IAM to see that the organization trusts it")

hints(
    "iam",
    {
        "CallerIsNotManagementAccountException": "run this in the management account of the organization",
        "AccountNotManagementOrDelegatedAdministratorException": "run this in the management account of the"
        f" organization, or in the delegated administrator of {PRINCIPAL}",
    },
)


@step("account_root_access", Account, Scope.ONCE, clients=("organizations", "iam"), field="root_access")
def ensure_account_root_access(aws: Aws, baseline: Baseline) -> Changes:
    """Give IAM trusted access, and enable the features that the file has."""
    section = baseline[Account].root_access
    if section is None:
        return
    reading = aws.read("iam").list_organizations_features()
    yield from trusted_access(aws, ROOT_ACCESS)
    found = reading.found(_NOT_TRUSTED) or {}
    enabled = found.get("EnabledFeatures") or []
    yield Exists(_TITLE)
    for feature in to_api(section):
        have = {feature: feature in enabled}
        yield from settings(_TITLE, have, {feature: True}, _put(aws), Strictness({}, exact=False))


def _put(aws: Aws) -> Any:
    """The function that makes the request for one feature."""
    write = aws.write("iam")

    def put(changed: Mapping[str, Any]) -> Call:
        [(feature, value)] = changed.items()
        calls = {
            ("RootCredentialsManagement", True): write.enable_organizations_root_credentials_management,
            ("RootCredentialsManagement", False): write.disable_organizations_root_credentials_management,
            ("RootSessions", True): write.enable_organizations_root_sessions,
            ("RootSessions", False): write.disable_organizations_root_sessions,
        }
        return calls[feature, value]().waiting(_TRUST_SEEN)

    return put
