"""The finding aggregator of an account, and the administrator of an organization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import delegated, find_organization, register, trusted
from ....sandbox.rules.propagation import Resource, creates
from .hub import PRINCIPAL, administrators, hubs, is_fresh, members, own_hub

_CENTRAL = {"AutoEnable": False, "AutoEnableStandards": "NONE"}
_ENABLED = {"ConfigurationType": "CENTRAL", "Status": "ENABLED"}
_MODES = ("ALL_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED", "SPECIFIED_REGIONS", "NO_REGIONS")


def aggregators(request: Request) -> dict[str, dict[str, Any]]:
    """The aggregator of each account."""
    kept: dict[str, dict[str, Any]] = request.saved("security_hub_aggregators")
    return kept


def _seen(request: Request) -> dict[str, Any] | None:
    """The aggregator that the account sees: a member that of its administrator."""
    owner = members(request).get((request.account, request.region), request.account)
    return aggregators(request).get(owner)


def _linked(request: Request) -> dict[str, Any]:
    """The mode and Regions of the request. Raises `Refused` for a combination that AWS does not take."""
    mode, regions = request.params["RegionLinkingMode"], request.params.get("Regions") or []
    if mode not in _MODES or bool(regions) != (mode in _MODES[1:3]):
        raise Refused("InvalidInputException", f"Invalid RegionLinkingMode or Regions: {mode} {regions}")
    return {"RegionLinkingMode": mode, "Regions": list(regions)}


def _own(request: Request) -> dict[str, Any]:
    found = _seen(request)
    if found is None or found["FindingAggregatorArn"] != request.params["FindingAggregatorArn"]:
        raise Refused("ResourceNotFoundException", "Finding aggregator not found.", 404)
    return found


@instead("securityhub.aggregator", "CreateFindingAggregator", row="7 Finding aggregator")
def create(request: Request) -> dict[str, Any]:
    """An account has one aggregator, in its home Region; a member has none of its own."""
    own_hub(request)
    if (request.account, request.region) in members(request):
        text = "A finding aggregator cannot be created by a member account."
        raise Refused("InvalidInputException", text, 401)
    if request.account in aggregators(request):
        raise Refused("InvalidInputException", "A finding aggregator already exists for this account.")
    where = f"arn:{request.partition}:securityhub:{request.region}:{request.account}"
    made = {
        "FindingAggregatorArn": f"{where}:finding-aggregator/{uuid4()}",
        "FindingAggregationRegion": request.region,
        **_linked(request),
    }
    aggregators(request)[request.account] = made
    return dict(made)


@instead("securityhub.aggregator", "ListFindingAggregators")
def list_aggregators(request: Request) -> dict[str, Any]:
    """The aggregator is listed in every Region."""
    own_hub(request)
    found = _seen(request)
    shown = [{"FindingAggregatorArn": found["FindingAggregatorArn"]}] if found else []
    return {"FindingAggregators": shown}


@instead("securityhub.aggregator", "GetFindingAggregator")
def get(request: Request) -> dict[str, Any]:
    """Return the aggregator."""
    return dict(_own(request))


@instead("securityhub.aggregator", "UpdateFindingAggregator")
def update(request: Request) -> dict[str, Any]:
    """Mode and Regions are replaced, from the home Region only."""
    found = _own(request)
    if found["FindingAggregationRegion"] != request.region:
        raise Refused("InvalidInputException", "Call the home Region of the finding aggregator.")
    found.update(_linked(request))
    return dict(found)


@instead("securityhub.aggregator", "DeleteFindingAggregator")
def delete(request: Request) -> dict[str, Any]:
    """Delete the aggregator, on which central configuration depends."""
    _own(request)
    if central_region(request, request.account):
        raise Refused("InvalidInputException", "The organization is configured centrally.")
    del aggregators(request)[request.account]
    return {}


def _managed(request: Request) -> Any:
    """The organization that the caller manages. Raises `Refused`."""
    held = find_organization(request.account, request.partition)
    if held is None:
        text = f"Account {request.account} is not a member of an organization"
        raise Refused("AccessDeniedException", text, 403)
    if held.org.master_account_id != request.account:
        text = "The request failed because your account is not the management account of the organization"
        raise Refused("InvalidAccessException", text, 401)
    return held


@instead("securityhub.administrator", "ListOrganizationAdminAccounts", row="7 Organization")
def list_administrators(request: Request) -> dict[str, Any]:
    """Only the management account sees the administrator, which each Region has for itself."""
    _managed(request)
    found = administrators(request).get((request.account, request.region))
    return {"AdminAccounts": [{"AccountId": found, "Status": "ENABLED"}] if found else []}


@instead("securityhub.administrator", "EnableOrganizationAdminAccount")
def designate(request: Request) -> dict[str, Any]:
    """A Region has one administrator, who gets a hub; the service gets trusted access."""
    held, account = _managed(request), request.params["AdminAccountId"]
    key = (request.account, request.region)
    if administrators(request).get(key, account) != account:
        raise Refused("InvalidInputException", "The organization has another administrator in this Region.")
    if not trusted(held, PRINCIPAL):
        held.services.append({"ServicePrincipal": PRINCIPAL, "DateEnabled": request.world.now()})
    if not delegated(held, account, PRINCIPAL):
        register(request, account, PRINCIPAL)
    administrators(request)[key] = account
    return {"AdminAccountId": account}


@instead("securityhub.administrator", "DisableOrganizationAdminAccount")
def dismiss(request: Request) -> dict[str, Any]:
    """Security Hub's own call acts in one Region."""
    _managed(request)
    key = (request.account, request.region)
    if administrators(request).get(key) != request.params["AdminAccountId"]:
        raise Refused("InvalidInputException", "The account is not the administrator.")
    if central_region(request, request.params["AdminAccountId"]):
        raise Refused("InvalidInputException", "The organization is configured centrally.")
    del administrators(request)[key]
    return {}


def switched(account: str) -> Resource:
    """An administrator's central configuration, which AWS enables in the background."""
    return "central", account


@creates("securityhub:UpdateOrganizationConfiguration")
def _switched(request: Request) -> Iterator[Resource]:
    if (request.params.get("OrganizationConfiguration") or {}).get("ConfigurationType") == "CENTRAL":
        yield switched(request.account)


def central_region(request: Request, administrator: str) -> str:
    """The home Region of an administrator's central configuration; empty if there is none."""
    for (account, region), kept in request.saved("security_hub_organization").items():
        if account == administrator and kept["OrganizationConfiguration"]["ConfigurationType"] == "CENTRAL":
            return str(region)
    return ""


def _configured(request: Request) -> dict[str, Any]:
    """What the administrator who calls has configured. Raises `Refused` for anybody else."""
    held = find_organization(request.account, request.partition)
    owner = held.org.master_account_id if held is not None else ""
    if administrators(request).get((owner, request.region)) != request.account:
        text = f"Account {request.account} is not an administrator for this organization"
        raise Refused("InvalidAccessException", text, 401)
    if (request.account, request.region) not in hubs(request):
        own_hub(request)
    local = {"ConfigurationType": "LOCAL", "Status": "ENABLED"}
    default = {"AutoEnable": False, "AutoEnableStandards": "DEFAULT", "OrganizationConfiguration": local}
    kept: dict[str, Any] = request.saved("security_hub_organization").setdefault(
        (request.account, request.region), default
    )
    return kept


@instead("securityhub.organization", "DescribeOrganizationConfiguration", row="7 Organization")
def describe(request: Request) -> dict[str, Any]:
    """Only the administrator configures the organization. All Regions show that it does so centrally."""
    kept = _configured(request)
    if (home := central_region(request, request.account)) and home != request.region:
        kept = {**_configured(request), **_CENTRAL, "OrganizationConfiguration": _ENABLED}
    elif home and is_fresh(request, switched(request.account)):
        kept = {**kept, "OrganizationConfiguration": {**_ENABLED, "Status": "PENDING"}}
    return {"MemberAccountLimitReached": False, **kept}


@instead("securityhub.organization", "UpdateOrganizationConfiguration")
def configure(request: Request) -> dict[str, Any]:
    """Central configuration needs the aggregator's Region, and enables nothing automatically."""
    kept, home = _configured(request), central_region(request, request.account)
    params = {key: value for key, value in request.params.items() if key in kept}
    asked = params.get("OrganizationConfiguration") or kept["OrganizationConfiguration"]
    central, found = asked["ConfigurationType"] == "CENTRAL", aggregators(request).get(request.account) or {}
    text = ""
    if home and home != request.region:
        text = "The organization is configured centrally, from another Region."
    elif central and (params["AutoEnable"] or params.get("AutoEnableStandards", "NONE") != "NONE"):
        text = "Auto Enable and AutoEnableStandards can not be enabled for Central Configuration"
    elif central and found.get("FindingAggregationRegion") != request.region:
        text = "Central configuration needs a finding aggregator in this Region."
    elif home and not central and request.saved("security_hub_policies").get(request.account):
        text = "Delete all configuration policies first."
    if text:
        raise Refused("InvalidInputException", text)
    kept.update(params)
    kept["OrganizationConfiguration"] = {"Status": "ENABLED", **asked}
    return {}
