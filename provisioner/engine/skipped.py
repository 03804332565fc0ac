"""Regions that a run skips: those that are not enabled, denied by a service control policy, or lack the service.

A Region is skipped only where AWS's answer proves that nothing can exist there. A missing
permission of the caller is a failure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from ..aws.errors import NOT_ENABLED
from ..model import Failure, Result, Skipped

_NOT_ENABLED: Final = "is not enabled in the account"
# As AWS words an answer of AccessDenied that no policy of the account's own can change.
_BY_ORGANIZATION: Final = "explicit deny in a service control policy"


def without_unusable(
    results: Sequence[Result],
    offers: Callable[[str, str], bool],
    list_enabled: Callable[[str], Collection[str]] = lambda account: (),
) -> tuple[list[Result], list[Skipped]]:
    """Separate the results of Regions where nothing can exist from the others; returns the others, and these Regions.

    *offers*: a service exists in a Region. *list_enabled* returns the Regions that AWS lists as enabled in an account,
    or none if they cannot be listed. The home Region is never skipped. No Region is, if nothing succeeded in
    another one: the credentials may be the cause; nor is one that AWS lists as enabled called not enabled.
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
    refused = {account for (account, _), reason in why.items() if reason == _NOT_ENABLED}
    enabled = {(account, region) for account in refused for region in list_enabled(account)}
    why = {place: reason for place, reason in why.items() if reason != _NOT_ENABLED or place not in enabled}
    kept = [each for each in results if (each.target.account, each.target.region) not in why]
    return kept, [Skipped(account, region, reason) for (account, region), reason in sorted(why.items())]


def _unusable(results: Iterable[Result], offers: Callable[[str, str], bool]) -> str:
    """Why nothing can exist in the Region of the results; empty if one did not fail for that."""
    # A step that did not run, or has nothing to do in the Region, tells nothing about it.
    silent = [each for each in results if each.ok and not (each.seen or each.changes or each.notes)]
    reasons = {_reason(each, offers) for each in results if each.blocked_by is None and each not in silent}
    return reasons.pop() if len(reasons) == 1 else ""


def _reason(result: Result, offers: Callable[[str, str], bool]) -> str:
    reasons = {_because(each, result.target.region, offers) for each in result.failures}
    return reasons.pop() if len(reasons) == 1 else ""


def _because(failure: Failure, region: str, offers: Callable[[str, str], bool]) -> str:
    if failure.code in NOT_ENABLED:
        return _NOT_ENABLED
    if _BY_ORGANIZATION in failure.message:
        return "is denied by a service control policy"
    if not failure.code and failure.service and not offers(failure.service, region):
        return f"has no {failure.service}"
    return ""
