"""The account that administers Macie for an organization in a Region, and what it sets for accounts that join."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import any_service_principal, find_organization, register
from .session import PRINCIPAL, create_session, session_of


def delegates(request: Request) -> dict[tuple[str, str], str]:
    """The administrators, by management account and Region."""
    return request.saved("macie_delegates")


def delegate(request: Request) -> str:
    """The account that administers Macie for the organization of the request's account; empty if none does."""
    held = find_organization(request.account, request.partition)
    key = (held.org.master_account_id if held is not None else "", request.region)
    return delegates(request).get(key, "")


def _management(request: Request) -> Any:
    """The organization. Raises `Refused` unless the management account calls."""
    held = find_organization(request.account, request.partition)
    if held is None or held.org.master_account_id != request.account:
        text = "You must be the management account of an organization to perform this action."
        raise Refused("AccessDeniedException", text, 403)
    return held


@instead("macie2.admins", "ListOrganizationAdminAccounts", row="8 Org admin")
def list_admins(request: Request) -> dict[str, Any]:
    """The management account sees the administrator of the Region, whether it uses Macie itself or not."""
    _management(request)
    account = delegate(request)
    return {"adminAccounts": [{"accountId": account, "status": "ENABLED"}] if account else []}


@instead("macie2.enable_admin", "EnableOrganizationAdminAccount", row="13.5 second Macie org admin")
def enable_admin(request: Request) -> dict[str, Any]:
    """A second administrator in a Region is refused; the first gets Macie, trusted access and a registration."""
    held, account = _management(request), request.params["adminAccountId"]
    if all(one.id != account for one in held.accounts):
        raise Refused("ValidationException", "The account is not a member of the organization.")
    if delegate(request):
        raise Refused("ConflictException", "A Macie administrator account is already enabled.", 409)
    request.params["ServicePrincipal"] = PRINCIPAL
    any_service_principal(request)
    known = {one.account.id for one in held.admins if PRINCIPAL in one.services}
    if account not in {held.org.master_account_id, *known}:
        register(request, account, PRINCIPAL)
    create_session(request, account)
    delegates(request)[request.account, request.region] = account
    return {}


@instead("macie2.disable_admin", "DisableOrganizationAdminAccount", row="14 macie2")
def disable_admin(request: Request) -> dict[str, Any]:
    """The administrator of the Region is removed; it keeps Macie."""
    _management(request)
    if delegate(request) != request.params["adminAccountId"]:
        raise Refused("ResourceNotFoundException", "The account is no Macie administrator.", 404)
    del delegates(request)[request.account, request.region]
    return {}


def check_administrator(request: Request) -> dict[str, Any]:
    """The session of Macie's administrator. Raises `Refused` unless it calls."""
    found = session_of(request)
    if delegate(request) != request.account:
        text = "You must be the Macie administrator of an organization to perform this action."
        raise Refused("AccessDeniedException", text, 403)
    return found


@instead("macie2.organization", "DescribeOrganizationConfiguration", row="8 UpdateOrganizationConfiguration")
def describe(request: Request) -> dict[str, Any]:
    """Only the administrator may ask."""
    return {"autoEnable": check_administrator(request)["autoEnable"], "maxAccountLimitReached": False}


@instead("macie2.organization", "UpdateOrganizationConfiguration")
def update(request: Request) -> dict[str, Any]:
    """Only the administrator may set it."""
    check_administrator(request)["autoEnable"] = request.params["autoEnable"]
    return {}
