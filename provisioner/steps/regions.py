"""What a run passes over, and says so: accounts that are closed, Regions that nobody can use.

A Region that is passed over is no failure; but it is one only where AWS says that nothing can be there. What the caller
merely may not do is a failure as ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ..aws import Aws
from ..aws.errors import NOT_ENABLED, EndpointConnectionError
from ..model import Result

# As AWS words an answer of AccessDenied that no policy of the account's own can change.
_BY_ORGANIZATION: Final = "explicit deny in a service control policy"
_BY_EC2: Final = {"opt-in-not-required": "ENABLED_BY_DEFAULT", "opted-in": "ENABLED"}
_ENABLED: Final = {"ENABLED", "ENABLED_BY_DEFAULT"}


@dataclass(frozen=True)
class LeftOut:
    """An account or Region that the run passes over, and why. *region* is empty for the whole account, *name* its name."""

    account: str
    region: str
    why: str
    name: str = ""


def enabled_regions(aws: Aws, home: str) -> tuple[list[str], list[LeftOut]]:
    """The Regions that the account has enabled, and the others. One call, in the Region *home*.

    EC2 is asked where a partition lacks the endpoint of AWS Account Management, for its model is ten times as large.
    """
    try:
        found = aws.read("account", home).list_regions().get("Regions")
        states = {each["RegionName"]: each.get("RegionOptStatus", "") for each in found}
    except EndpointConnectionError:
        found = aws.read("ec2", home).describe_regions(AllRegions=True).get("Regions")
        states = {each["RegionName"]: _BY_EC2.get(each.get("OptInStatus", ""), "DISABLED") for each in found}
    off = [
        LeftOut(aws.account, region, f"is {state.lower() or 'not enabled'}")
        for region, state in sorted(states.items())
        if state not in _ENABLED
    ]
    return sorted(region for region, state in states.items() if state in _ENABLED), off


def without_unusable(
    results: Sequence[Result], offers: Callable[[str, str], bool]
) -> tuple[list[Result], list[LeftOut]]:
    """The results without those of Regions where nothing can be, and these Regions.

    *offers*: a service exists in a Region. The home Region is never passed over; nor is any, where nothing succeeded
    elsewhere, for then the credentials may be at fault.
    """
    by_region: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for each in results:
        if not each.target.home:
            by_region[each.target.account, each.target.region].append(each)
    working = {each.target.account for each in results if each.ok}
    why = {
        place: reason
        for place, several in by_region.items()
        if place[0] in working and (reason := _unusable(several, offers))
    }
    kept = [each for each in results if (each.target.account, each.target.region) not in why]
    return kept, [LeftOut(account, region, reason) for (account, region), reason in sorted(why.items())]


def _unusable(results: Iterable[Result], offers: Callable[[str, str], bool]) -> str:
    """Why nothing can be in the Region of the results; empty where something did not fail for that."""
    reasons = {_reason(each, offers) for each in results if each.blocked_by is None}
    return reasons.pop() if len(reasons) == 1 else ""


def _reason(result: Result, offers: Callable[[str, str], bool]) -> str:
    failure = result.failure
    if failure is None:
        return ""
    if failure.code in NOT_ENABLED:
        return "is not enabled in the account"
    if _BY_ORGANIZATION in failure.message:
        return "is denied by a service control policy"
    if not failure.code and failure.service and not offers(failure.service, result.target.region):
        return f"has no {failure.service}"
    return ""
