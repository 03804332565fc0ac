"""GuardDuty's administrator in an organization, and what it enables in the accounts."""

from __future__ import annotations

from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import delegated, find_organization, register, trusted
from .detector import check_offered
from .state import (
    PRINCIPAL,
    State,
    add_detector,
    by_name,
    detector,
    find_detector,
    offered,
    refused,
    shown,
    state,
)

_ADMINISTRATOR: Final = "guardduty.administrator"
_CONFIGURATION: Final = "guardduty.organization"


@instead(_ADMINISTRATOR, "EnableOrganizationAdminAccount", row="13.5 org admin 1111, then 2222")
def enable(request: Request) -> dict[str, Any]:
    """A Region has one administrator, which gets a detector; only the management account makes it."""
    held, account = _management(request), request.params["AdminAccountId"]
    kept = state(request, "administrators")
    if (held.org.id, request.region) in kept:
        raise refused(
            "another account is already enabled as GuardDuty delegated administrator for the organization."
        )
    if not any(each.id == account and each.status == "ACTIVE" for each in held.accounts):
        raise refused("the account is not a member of the organization.")
    if not trusted(held, PRINCIPAL):
        held.services.append({"ServicePrincipal": PRINCIPAL, "DateEnabled": request.world.now()})
    if account != held.org.master_account_id and not delegated(held, account, PRINCIPAL):
        register(request, account, PRINCIPAL)
    kept[held.org.id, request.region] = account
    if find_detector(request, account) is None:
        add_detector(request, account)
    return {}


@instead(_ADMINISTRATOR, "DisableOrganizationAdminAccount")
def disable(request: Request) -> dict[str, Any]:
    """The Region has no administrator any more, and what it set for the organization is lost."""
    held = _management(request)
    account = state(request, "administrators").pop((held.org.id, request.region), None)
    if account is None:
        raise refused("the account is not the delegated administrator.")
    if found := find_detector(request, account):
        found["Organization"] = {"Members": "NONE", "Features": {}}
    return {}


@instead(_ADMINISTRATOR, "ListOrganizationAdminAccounts")
def list_administrators(request: Request) -> dict[str, Any]:
    """Only the management account may ask."""
    held = _management(request)
    found = state(request, "administrators").get((held.org.id, request.region))
    return {"adminAccounts": [{"adminAccountId": found, "adminStatus": "ENABLED"}] if found else []}


@instead(_CONFIGURATION, "DescribeOrganizationConfiguration", row="14 guardduty organization configuration")
def describe(request: Request) -> dict[str, Any]:
    """The organization's configuration, for its administrator; ALL and NEW are AutoEnable too."""
    kept = configuration(request)
    features = [
        {
            "Name": name,
            "AutoEnable": kept["Features"].get(name, {}).get("AutoEnable", "NONE"),
            "AdditionalConfiguration": [
                {"Name": part, "AutoEnable": kept["Features"].get(name, {}).get(part, "NONE")}
                for part in parts
            ],
        }
        for name, parts in offered(request).items()
        if name != "AI_ANALYST"  # of a detector only
    ]
    return {
        "autoEnable": kept["Members"] != "NONE",
        "autoEnableOrganizationMembers": kept["Members"],
        "memberAccountLimitReached": False,
        "features": shown(features),
    }


@instead(_CONFIGURATION, "UpdateOrganizationConfiguration")
def update(request: Request) -> dict[str, Any]:
    """Features that a request leaves out stay; either AutoEnable or AutoEnableOrganizationMembers is required."""
    kept, params = configuration(request), request.params
    if ("AutoEnable" in params) is ("AutoEnableOrganizationMembers" in params):
        raise refused("one of autoEnable and autoEnableOrganizationMembers is required.")
    asked = by_name(params.get("Features"))
    check_offered(request, asked)
    for name, each in asked.items():
        parts = by_name(each.get("AdditionalConfiguration"))
        known = kept["Features"].setdefault(name, {})
        known |= {
            "AutoEnable": each["AutoEnable"],
            **{key: part["AutoEnable"] for key, part in parts.items()},
        }
    old = "NEW" if params.get("AutoEnable") else "NONE"
    kept["Members"] = params.get("AutoEnableOrganizationMembers", old)
    return {}


def _management(request: Request) -> Any:
    held = find_organization(request.account, request.partition)
    if held is None or held.org.master_account_id != request.account:
        raise refused("the account is not the management account of an organization.")
    return held


def configuration(request: Request) -> State:
    """The configuration in the administrator's detector. Raises `Refused` for every other account."""
    found, held = detector(request), find_organization(request.account, request.partition)
    kept = state(request, "administrators")
    if held is None or kept.get((held.org.id, request.region)) != request.account:
        text = "The request is rejected because the account is not the GuardDuty administrator."
        raise Refused("BadRequestException", text)
    made: State = found["Organization"]
    return made
