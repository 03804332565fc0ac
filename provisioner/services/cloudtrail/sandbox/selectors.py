"""Event and insight selectors: defaults, the two kinds that exclude each other, and what AWS's pages do not list."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ..selector_checks import insight_problems, selector_problems
from ..selector_doubts import selector_doubts
from .home_region import requested_trail
from .trails import default_selector


def _trail(request: Request) -> Any:
    if request.acting_account:
        return request.store(account=request.acting_account).trails[request.params["TrailName"]]
    return requested_trail(request)


def _dotted(path: tuple[str | int, ...]) -> str:
    """A path as AWS would write it: `EventSelectors[0].DataResources[1].Type`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


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
    where = request.partition
    problems = (
        *selector_problems(request.params, partition=where),
        *selector_doubts(request.params, partition=where),
    )
    for path, text in problems:
        raise _invalid(f"{_dotted(path)}: {text}")
    if basic:
        trail.event_selectors, trail.advanced_event_selectors = [_basic(one) for one in basic], []
        return {"TrailARN": trail.arn, "EventSelectors": trail.event_selectors}
    advanced = list(advanced or [])
    trail.event_selectors, trail.advanced_event_selectors = [], advanced
    return {"TrailARN": trail.arn, "AdvancedEventSelectors": advanced}


def _basic(selector: dict[str, Any]) -> dict[str, Any]:
    return {**default_selector(), **selector}


@instead("cloudtrail.insights", "GetInsightSelectors", row="13.1 get_insight_selectors without insights")
def get_insight_selectors(request: Request) -> dict[str, Any]:
    """A trail without insights is InsightNotEnabledException; a put replaces, an empty list disables."""
    trail = _trail(request)
    if not trail.insight_selectors:
        raise Refused("InsightNotEnabledException", f"Insights is not enabled for the trail {trail.arn}.")
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors}


@instead("cloudtrail.insights", "PutInsightSelectors")
def put_insight_selectors(request: Request) -> dict[str, Any]:
    """Replace the insight selectors, if the trail records the events that they need."""
    trail = _trail(request)
    insights = list(request.params.get("InsightSelectors") or [])
    recorded = {
        "EventSelectors": trail.event_selectors,
        "AdvancedEventSelectors": trail.advanced_event_selectors,
    }
    for path, text in insight_problems(insights, recorded):
        raise Refused("InvalidInsightSelectorsException", f"{_dotted(path)}: {text}")
    trail.insight_selectors = insights
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors}
