"""What the trail records: its event selectors and insight selectors. The step `cloudtrail` calls this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from ...aws import Aws
from ...compare.spelling import snake_case
from ...model import Change, Changes, Difference, Kind, Note, Wait
from .section import Trail
from .selector_doubts import selector_warnings
from .selectors import DEFAULT, Comparison, Selectors, compare, compare_insights, describe
from .state import Have
from .trails import region_of_calls
from .union import union, union_insights, with_names

BUSY: Final = Wait("ConflictException", "CloudTrail to finish what it does with the trail", seconds=180)
SEEN: Final = Wait("TrailNotFoundException", "the new trail to be seen everywhere", seconds=30)
WAITS: Final = (SEEN, BUSY)

T = TypeVar("T")


def ensure_event_selectors(aws: Aws, section: Trail, arn: str, trail: Have | None) -> Changes:
    """Make the trail record the events that the file asks for."""
    want = section.selectors()
    have = DEFAULT if trail is None else trail.selectors
    if want is None or have is None:
        return

    want = with_names(have, want)

    def put(before: Selectors, after: Selectors) -> Change:
        differences = tuple(
            Difference(kind, before.get(kind) or None, after.get(kind))
            for kind in ("EventSelectors", "AdvancedEventSelectors")
            if before.get(kind) or after.get(kind)
        )
        call = aws.write("cloudtrail", region_of_calls(aws, arn)).put_event_selectors(TrailName=arn, **after)
        call = call.based_on(trail.selectors_read if trail else None)
        return Change(section.title, differences, call.recording().waiting(*WAITS))

    compared = compare(have, want)
    if not compared.same:
        for text in selector_warnings(want, partition=aws.partition, spell=snake_case):
            yield Note(Kind.WARNING, section.title, text)
    if trail is None:
        if not compared.same:
            yield put(have, want)
        return
    both = union(have, want, partition=aws.partition) if compared.extra and compared.missing else want
    yield from _repair(section, compared, have, want, both, put)


def ensure_insight_selectors(aws: Aws, section: Trail, arn: str, trail: Have | None) -> Changes:
    """Make CloudTrail look for the unusual activity that the file asks for."""
    want = section.insights()
    have = [] if trail is None else trail.insights
    if want is None or have is None:
        return
    if any(each.get("EventCategories") for each in have):  # AWS keeps the categories if they are left out
        want = [{"EventCategories": ["Management"], **each} for each in want]

    def put(before: list[Any], after: list[Any]) -> Change:
        differences = (Difference("InsightSelectors", before or None, after),)
        call = aws.write("cloudtrail", region_of_calls(aws, arn)).put_insight_selectors(
            TrailName=arn, InsightSelectors=after
        )
        call = call.based_on(trail.insights_read if trail else None)
        return Change(section.title, differences, call.recording().waiting(*WAITS))

    compared = compare_insights(have, want)
    yield from _repair(section, compared, have, want, union_insights(have, want), put)


def _repair(
    section: Trail, compared: Comparison, have: T, want: T, both: T | None, put: Callable[[T, T], Change]
) -> Changes:
    """Put selectors that record what the file asks for; what is recorded besides goes on, unless `exact` and allowed.

    *both* records what *have* and *want* do. It is None where AWS has no room for that; then *want* alone is put, so
    that somebody who fills up the selectors does not stop the repair.
    """
    if compared.same:
        return
    title, more = section.title, describe(compared.extra)
    if compared.extra and both is None:
        yield Note(Kind.WARNING, title, f"no longer recorded, as AWS has no room for it too: {more}")
        yield put(have, want)
        return
    if compared.missing or not compared.extra:
        after = want if both is None else both
        yield put(have, after)
        have = after
    if compared.extra and section.exact:
        loses = f"no longer recorded: {more}"
        yield replace(put(have, want), consent="drop-recorded-events", loses=loses)
    elif compared.extra:
        yield Note(Kind.STRICTER, title, f"also records {more}, which the baseline does not ask for")
