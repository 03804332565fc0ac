"""The hub of an account in a Region, and its tags."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.iam import LINKED_ROLES, ensure_linked_role
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.propagation import Resource
from ....sandbox.rules.rates import OWN_RATES, RATES

PRINCIPAL = "securityhub.amazonaws.com"
LINKED_ROLES[PRINCIPAL] = "SecurityHub"
RATES["securityhub"] = (10.0, 10.0)
OWN_RATES["securityhub", "BatchEnableStandards"] = 1.0
OWN_RATES["securityhub", "UpdateStandardsControl"] = 1.0
DEFAULT_STANDARDS = (
    "cis-aws-foundations-benchmark/v/1.2.0",
    "aws-foundational-security-best-practices/v/1.0.0",
)
_SETTINGS = ("AutoEnableControls", "ControlFindingGenerator")


def hubs(request: Request) -> dict[tuple[str, str], dict[str, Any]]:
    """All hubs by account and Region."""
    kept: dict[tuple[str, str], dict[str, Any]] = request.saved("security_hub")
    return kept


def own_hub(request: Request) -> dict[str, Any]:
    """The hub of the request's account and Region. Raises `Refused` if there is none."""
    found = hubs(request).get((request.account, request.region))
    if found is None:
        raise not_subscribed(request)
    return found


def not_subscribed(request: Request) -> Refused:
    """The error of every call where there is no hub."""
    text = f"Account {request.account} is not subscribed to AWS Security Hub"
    return Refused("InvalidAccessException", text, 401)


def members(request: Request) -> dict[tuple[str, str], str]:
    """The administrator of each account that is a member, by account and Region. Tests put members here."""
    kept: dict[tuple[str, str], str] = request.saved("security_hub_members")
    return kept


def administrators(request: Request) -> dict[tuple[str, str], str]:
    """The administrator of an organization, by management account and Region."""
    kept: dict[tuple[str, str], str] = request.saved("security_hub_administrators")
    return kept


def is_fresh(request: Request, resource: Resource) -> bool:
    """Whether AWS is still at it; each question brings the end nearer."""
    fresh = request.saved("fresh")
    if left := fresh.pop(resource, 0):
        if left > 1:
            fresh[resource] = left - 1
        return True
    return False


@instead("securityhub.hub", "EnableSecurityHub", row="7 EnableSecurityHub when enabled")
def enable(request: Request) -> dict[str, Any]:
    """A second hub is refused; a new one has the standards of AWS's choice unless told otherwise."""
    key = (request.account, request.region)
    if key in hubs(request):
        text = f"Account {request.account} is already subscribed to Security Hub"
        raise Refused("ResourceConflictException", text, 409)
    generator = request.params.get("ControlFindingGenerator") or "SECURITY_CONTROL"
    if generator not in ("SECURITY_CONTROL", "STANDARD_CONTROL"):
        raise Refused("InvalidInputException", "Invalid ControlFindingGenerator")
    made = make_hub(request)
    made |= {"ControlFindingGenerator": generator, "tags": dict(request.params.get("Tags") or {})}
    if request.params.get("EnableDefaultStandards", True):
        made["standards"].extend(DEFAULT_STANDARDS)
    return {}


def make_hub(request: Request) -> dict[str, Any]:
    """Make a hub without standards in the request's account and Region, and the service-linked role."""
    ensure_linked_role(request.account, request.partition, PRINCIPAL)
    hub = {
        "HubArn": f"arn:{request.partition}:securityhub:{request.region}:{request.account}:hub/default",
        "SubscribedAt": datetime.fromtimestamp(request.world.now(), UTC).isoformat(),
        "AutoEnableControls": True,
        "ControlFindingGenerator": "SECURITY_CONTROL",
        "tags": {},
        "standards": [],
        "off": {},
    }
    hubs(request)[request.account, request.region] = hub
    return hub


@instead("securityhub.hub", "DescribeHub")
def describe(request: Request) -> dict[str, Any]:
    """Return the hub."""
    hub = own_hub(request)
    return {key: hub[key] for key in ("HubArn", "SubscribedAt", *_SETTINGS)}


@instead("securityhub.hub", "UpdateSecurityHubConfiguration")
def update(request: Request) -> dict[str, Any]:
    """Change the settings that the request has; a member's findings are configured by its administrator."""
    hub = own_hub(request)
    generator = request.params.get("ControlFindingGenerator", hub["ControlFindingGenerator"])
    if generator != hub["ControlFindingGenerator"] and (request.account, request.region) in members(request):
        raise Refused("AccessDeniedException", "Only the administrator can update this setting.", 403)
    hub.update({key: request.params[key] for key in _SETTINGS if key in request.params})
    return {}


@instead("securityhub.hub", "DisableSecurityHub")
def disable(request: Request) -> dict[str, Any]:
    """The hub goes with its standards and settings, except that of an organization's administrator."""
    own_hub(request)
    if any(
        admin == request.account and region == request.region
        for (_, region), admin in administrators(request).items()
    ):
        text = "Cannot disable Security Hub on the Security Hub administrator"
        raise Refused("InvalidInputException", text)
    del hubs(request)[request.account, request.region]
    kept = request.saved("security_hub_aggregators")
    if kept.get(request.account, {}).get("FindingAggregationRegion") == request.region:
        del kept[request.account]
    return {}


@instead("securityhub.hub", "GetAdministratorAccount")
def administrator(request: Request) -> dict[str, Any]:
    """Return the administrator of a member; the answer is empty for others."""
    own_hub(request)
    found = members(request).get((request.account, request.region))
    return {"Administrator": {"AccountId": found, "MemberStatus": "Enabled"}} if found else {}


@instead("securityhub.products", "ListEnabledProductsForImport", row="API ListEnabledProductsForImport")
def products(request: Request) -> dict[str, Any]:
    """A hub takes findings of no product here, and without a hub the answer is an error."""
    own_hub(request)
    return {"ProductSubscriptions": []}


@instead("securityhub.tags", "ListTagsForResource", row="14 securityhub tagging")
def list_tags(request: Request) -> dict[str, Any]:
    """The hub has tags."""
    return {"Tags": dict(_tagged(request)["tags"])}


@instead("securityhub.tags", "TagResource")
def tag(request: Request) -> dict[str, Any]:
    """Tags are added; others are kept."""
    _tagged(request)["tags"] |= request.params["Tags"]
    return {}


@instead("securityhub.tags", "UntagResource")
def untag(request: Request) -> dict[str, Any]:
    """The tags with these keys are removed."""
    for key in request.params["TagKeys"]:
        _tagged(request)["tags"].pop(key, None)
    return {}


def _tagged(request: Request) -> dict[str, Any]:
    found = hubs(request).get((request.account, request.region))
    if found is None or found["HubArn"] != request.params["ResourceArn"]:
        raise Refused("ResourceNotFoundException", "The request was rejected: no such resource.", 404)
    return found
