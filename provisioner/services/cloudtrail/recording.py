"""CloudTrail: what the trail records: its event and insight selectors. No step of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from ...aws import Aws
from ...model import Change, Changes, Difference, Kind, Note, Wait
from .section import Trail
from .selectors import DEFAULT, Compared, Selectors, compare, compare_insights, in_words
from .state import Have
from .union import union, union_insights

READY: Final = (
    Wait("TrailNotFoundException", "the new trail to be seen everywhere", seconds=30),
    Wait("ConflictException", "CloudTrail to end what it does with the trail", seconds=180),
)

T = TypeVar("T")


def ensure_event_selectors(aws: Aws, section: Trail, arn: str, have: Have | None) -> Changes:
    """The trail records the events that the file asks for."""
    want = section.selectors()
    there = DEFAULT if have is None else have.selectors
    if want is None or there is None:
        return

    def put(before: Selectors, after: Selectors) -> Change:
        differences = tuple(
            Difference(kind, before.get(kind) or None, after.get(kind))
            for kind in ("EventSelectors", "AdvancedEventSelectors")
            if before.get(kind) or after.get(kind)
        )
        call = aws.write("cloudtrail").put_event_selectors(TrailName=arn, **after)
        return Change(_title(section), differences, call.waiting(*READY))

    compared = compare(there, want)
    if have is None:
        if not compared.same:
            yield put(there, want)
        return
    both = union(there, want, partition=aws.partition) if compared.extra and compared.missing else want
    yield from _recorded(section, compared, there, want, both, put)


def ensure_insight_selectors(aws: Aws, section: Trail, arn: str, have: Have | None) -> Changes:
    """The trail is watched for what the file asks for."""
    want = section.insights()
    there = [] if have is None else have.insights
    if want is None or there is None:
        return
    if any(each.get("EventCategories") for each in there):  # left out, AWS would keep those that are there
        want = [{"EventCategories": ["Management"], **each} for each in want]

    def put(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Change:
        differences = (Difference("InsightSelectors", before or None, after),)
        call = aws.write("cloudtrail").put_insight_selectors(TrailName=arn, InsightSelectors=after)
        return Change(_title(section), differences, call.waiting(*READY))

    compared = compare_insights(there, want)
    yield from _recorded(section, compared, there, want, union_insights(there, want), put)


def _recorded(
    section: Trail, compared: Compared, there: T, want: T, both: T | None, put: Callable[[T, T], Change]
) -> Changes:
    """All that is asked for is recorded. What is recorded besides goes on, unless `exact` and allowed.

    *both* records what *there* and *want* do; None where AWS cannot take that, and the file alone is put: who
    fills up the selectors must not stop the repair.
    """
    if compared.same:
        return
    title, more = _title(section), in_words(compared.extra)
    if compared.extra and both is None:
        yield Note(Kind.WARNING, title, f"no longer recorded, as AWS has no room for it too: {more}")
        yield put(there, want)
        return
    if compared.missing or not compared.extra:
        after = want if both is None else both
        yield put(there, after)
        there = after
    if compared.extra and section.exact:
        loses = f"no longer recorded: {more}"
        yield replace(put(there, want), consent="drop-recorded-events", loses=loses)
    elif compared.extra:
        yield Note(Kind.STRICTER, title, f"also records {more}, which the baseline does not ask for")


def _title(section: Trail) -> str:
    return f"trail {section.name}"
