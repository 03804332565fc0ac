"""The step `macie_administrator`: the account that administers Macie for the organization, in each Region."""

from __future__ import annotations

from collections.abc import Mapping

from ...aws import Aws
from ...baseline import Baseline
from ...model import Changes, Exists, Finding, Findings, Refused, Scope, Wait, create
from ...steps.organization import read_organization
from ...steps.registry import step, verify
from .section import Macie
from .state import SERVICE

_ADMINISTRATOR = "Macie administrator"


def read_administrators(aws: Aws) -> Mapping[str, str]:
    """The status of each administrator in the Region, by account. Only the management account may read it."""
    found = aws.read(SERVICE).list_organization_admin_accounts().get("adminAccounts")
    return {each["accountId"]: each.get("status", "") for each in found}


@step("macie_administrator", Macie, Scope.ONCE, each_region=True, clients=("organizations", SERVICE))
def ensure_macie_administrator(aws: Aws, baseline: Baseline) -> Changes:
    """Make the account of the file Macie's administrator. Raises Refused where another account is."""
    want = baseline[Macie].administrator
    if not want or not aws.offers(SERVICE) or not _is_management(aws, baseline):
        return
    have = read_administrators(aws)
    for account in have:
        if account != want:
            raise Refused(
                f"account {account} administers Macie in {aws.region}, and the baseline asks for {want}: name"
                f" {account} in `macie.organization.admin_account_id`, or remove it (`aws macie2"
                f" disable-organization-admin-account --admin-account-id {account} --region {aws.region}`)"
            )
    if have.get(want) == "ENABLED":
        yield Exists(_ADMINISTRATOR)
        return
    call = aws.write(SERVICE).enable_organization_admin_account(adminAccountId=want)
    call = call.waiting(Wait("ValidationException", "Macie to see the organization", seconds=60))
    yield create(_ADMINISTRATOR, {"adminAccountId": want}, call.or_done("ConflictException"))


def _is_management(aws: Aws, baseline: Baseline) -> bool:
    """Whether this is the management account; the administrator itself has nothing to do. Raises Refused for others."""
    # Started here to run beside the next call.
    aws.read(SERVICE).list_organization_admin_accounts()
    organization = read_organization(aws)
    if organization is None:
        raise Refused("this account is in no organization: remove `macie.organization`")
    if aws.account not in {organization.management_account, baseline[Macie].administrator}:
        raise Refused(
            "only the management account makes another one Macie's administrator: run this in account"
            f" {organization.management_account}, or remove `macie.organization`"
        )
    return aws.account == organization.management_account


@verify("macie_administrator")
def verify_macie_administrator(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the account of the file administers Macie."""
    want = baseline[Macie].administrator
    if want and aws.offers(SERVICE) and _is_management(aws, baseline):
        have = read_administrators(aws)
        detail = ", ".join(f"{account} is {status}" for account, status in have.items()) or "none"
        yield Finding(_ADMINISTRATOR, "enabled", have.get(want) == "ENABLED", detail)
