"""Event and insight selectors: defaults, the two kinds that exclude each other, and limits."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from .home_region import requested_trail
from .trails import default_selector


def _trail(request: Request) -> Any:
    if request.acting_account:
        return request.store(account=request.acting_account).trails[request.params["TrailName"]]
    return requested_trail(request)


def _invalid(text: str) -> Refused:
    return Refused("InvalidEventSelectorsException", text)


@instead("cloudtrail.event_selectors", "GetEventSelectors", row="13.1 get_event_selectors on new trail")
def get_event_selectors(request: Request) -> dict[str, Any]:
    """A trail that was given no selectors returns the default selector."""
    trail = _trail(request)
    if trail.advanced_event_selectors:
        return {"TrailARN": trail.arn, "AdvancedEventSelectors": trail.advanced_event_selectors}
    return {"TrailARN": trail.arn, "EventSelectors": trail.event_selectors or [default_selector()]}


@instead("cloudtrail.put_event_selectors", "PutEventSelectors", row="13.1 put_event_selectors")
def put_event_selectors(request: Request) -> dict[str, Any]:
    """Basic and advanced selectors exclude each other; either kind replaces the other, within limits."""
    trail = _trail(request)
    basic, advanced = request.params.get("EventSelectors"), request.params.get("AdvancedEventSelectors")
    if bool(basic) == bool(advanced):
        raise _invalid(
            "The PutEventSelectors operation takes event selectors or advanced event selectors, one kind."
        )
    if basic:
        trail.event_selectors, trail.advanced_event_selectors = [_basic(one) for one in basic], []
        _check_basic(trail.event_selectors)
        return {"TrailARN": trail.arn, "EventSelectors": trail.event_selectors}
    advanced = list(advanced or [])
    _check_advanced(advanced)
    trail.event_selectors, trail.advanced_event_selectors = [], advanced
    return {"TrailARN": trail.arn, "AdvancedEventSelectors": advanced}


def _basic(selector: dict[str, Any]) -> dict[str, Any]:
    return {**default_selector(), **selector}


def _check_basic(selectors: list[dict[str, Any]]) -> None:
    if len(selectors) > 5:
        raise _invalid("The number of event selectors exceeds the limit of 5.")
    values = [v for one in selectors for r in one["DataResources"] for v in r.get("Values") or ["*"]]
    if len(values) > 250:
        raise _invalid("The number of data resources exceeds the limit of 250.")
    for one in selectors:
        if one["ReadWriteType"] not in ("All", "ReadOnly", "WriteOnly"):
            raise _invalid(f"The ReadWriteType {one['ReadWriteType']} is not valid.")
        if any(not str(r.get("Type", "")).startswith("AWS::") for r in one["DataResources"]):
            raise _invalid("The data resource type is not valid.")
        if one["ExcludeManagementEventSources"] and not one["IncludeManagementEvents"]:
            raise _invalid("ExcludeManagementEventSources needs IncludeManagementEvents.")
        if not one["IncludeManagementEvents"] and not one["DataResources"]:
            raise _invalid("An event selector must log management events or data events.")


def _check_advanced(selectors: list[dict[str, Any]]) -> None:
    fields = [f for one in selectors for f in one.get("FieldSelectors") or []]
    operators = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
    if sum(len(f.get(o) or []) for f in fields for o in operators) > 500:
        raise _invalid("The number of values exceeds the limit of 500.")
    for one in selectors:
        if not any(f.get("Field") == "eventCategory" for f in one.get("FieldSelectors") or []):
            raise _invalid("An advanced event selector must have the field eventCategory.")


@instead("cloudtrail.insights", "GetInsightSelectors", row="13.1 get_insight_selectors without insights")
def get_insight_selectors(request: Request) -> dict[str, Any]:
    """A trail without insights is InsightNotEnabledException; a put replaces, an empty list disables."""
    trail = _trail(request)
    if not trail.insight_selectors:
        raise Refused("InsightNotEnabledException", f"Insights is not enabled for the trail {trail.arn}.")
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors}


@instead("cloudtrail.insights", "PutInsightSelectors")
def put_insight_selectors(request: Request) -> dict[str, Any]:
    """Replace the insight selectors."""
    trail = _trail(request)
    trail.insight_selectors = list(request.params.get("InsightSelectors") or [])
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors}
