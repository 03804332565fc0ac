"""Security Hub (V2) of an account in a Region, and its aggregator. Moto has neither."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ....sandbox.ask import Request
from ....sandbox.iam import LINKED_ROLES, ensure_linked_role
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ..v2 import PRINCIPAL

LINKED_ROLES[PRINCIPAL] = "SecurityHubV2"


def _hubs(request: Request) -> dict[tuple[str, str], dict[str, Any]]:
    """All hubs by account and Region."""
    kept: dict[tuple[str, str], dict[str, Any]] = request.saved("security_hub_v2")
    return kept


def _aggregators(request: Request) -> dict[str, dict[str, Any]]:
    """The aggregator of each account."""
    kept: dict[str, dict[str, Any]] = request.saved("security_hub_v2_aggregators")
    return kept


def _missing(what: str) -> Refused:
    return Refused("ResourceNotFoundException", f"The request was rejected: {what} does not exist.", 404)


def _own(request: Request) -> dict[str, Any]:
    found = _hubs(request).get((request.account, request.region))
    if found is None:
        raise _missing("Security Hub V2")
    return found


@instead("securityhub.v2", "EnableSecurityHubV2", row="16.C Two products")
def enable(request: Request) -> dict[str, Any]:
    """Security Hub V2 is enabled in a Region beside the hub of Security Hub CSPM, or without one.

    The first one of an account makes the service-linked role.
    """
    ensure_linked_role(request.account, request.partition, PRINCIPAL)
    where = f"arn:{request.partition}:securityhub:{request.region}:{request.account}"
    made = {
        "HubV2Arn": f"{where}:hubv2/{uuid4()}",
        "SubscribedAt": datetime.fromtimestamp(request.world.now(), UTC).isoformat(),
        "Features": {"NETWORK_SCANNING": {"FeatureStatus": "DISABLED"}},
    }
    hub = _hubs(request).setdefault((request.account, request.region), made)
    return {"HubV2Arn": hub["HubV2Arn"]}


@instead("securityhub.v2", "DescribeSecurityHubV2")
def describe(request: Request) -> dict[str, Any]:
    """Return the hub."""
    return dict(_own(request))


@instead("securityhub.v2", "DisableSecurityHubV2")
def disable(request: Request) -> dict[str, Any]:
    """The hub goes, with the aggregator of its Region."""
    _hubs(request).pop((request.account, request.region), None)
    if _aggregators(request).get(request.account, {}).get("AggregationRegion") == request.region:
        del _aggregators(request)[request.account]
    return {}


def _linked(request: Request) -> dict[str, Any]:
    """The mode and Regions of the request. Raises `Refused` for a combination that AWS does not take."""
    mode, regions = request.params["RegionLinkingMode"], request.params.get("LinkedRegions") or []
    if mode not in ("ALL_REGIONS", "SPECIFIED_REGIONS") or bool(regions) != (mode == "SPECIFIED_REGIONS"):
        raise Refused("ValidationException", f"Invalid RegionLinkingMode or LinkedRegions: {mode} {regions}")
    return {"RegionLinkingMode": mode, "LinkedRegions": list(regions)}


def _aggregator(request: Request) -> dict[str, Any]:
    found = _aggregators(request).get(request.account)
    if found is None or found["AggregatorV2Arn"] != request.params["AggregatorV2Arn"]:
        raise _missing("the aggregator")
    return found


@instead("securityhub.v2_aggregator", "CreateAggregatorV2", row="16.C Two products")
def create(request: Request) -> dict[str, Any]:
    """An account has one aggregator, and needs the hub for it."""
    _own(request)
    if request.account in _aggregators(request):
        raise Refused("ConflictException", "An aggregator already exists for this account.", 409)
    where = f"arn:{request.partition}:securityhub:{request.region}:{request.account}"
    made = {"AggregatorV2Arn": f"{where}:aggregatorv2/{uuid4()}", "AggregationRegion": request.region}
    _aggregators(request)[request.account] = made | _linked(request)
    return dict(_aggregators(request)[request.account])


@instead("securityhub.v2_aggregator", "ListAggregatorsV2")
def list_aggregators(request: Request) -> dict[str, Any]:
    """The aggregator is listed in every Region that has the hub."""
    _own(request)
    found = _aggregators(request).get(request.account)
    return {"AggregatorsV2": [{"AggregatorV2Arn": found["AggregatorV2Arn"]}] if found else []}


@instead("securityhub.v2_aggregator", "GetAggregatorV2")
def get(request: Request) -> dict[str, Any]:
    """Return the aggregator."""
    return dict(_aggregator(request))


@instead("securityhub.v2_aggregator", "UpdateAggregatorV2")
def update(request: Request) -> dict[str, Any]:
    """Mode and Regions are replaced, from the home Region only."""
    if _aggregator(request)["AggregationRegion"] != request.region:
        raise Refused("ValidationException", "Call the home Region of the aggregator.")
    _aggregator(request).update(_linked(request))
    return dict(_aggregator(request))


@instead("securityhub.v2_aggregator", "DeleteAggregatorV2")
def delete(request: Request) -> dict[str, Any]:
    """Delete the aggregator."""
    _aggregator(request)
    del _aggregators(request)[request.account]
    return {}
