"""Make selectors for all that either of two groups selects: a repair records what the file wants and what was recorded.

Pure: makes no request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from ...compare.policy import arn
from .selectors import (
    BASIC_TYPES,
    CONDITIONAL,
    EVERY,
    MANAGEMENT,
    OTHER_SOURCES,
    EventKind,
    Selector,
    Selectors,
    advanced,
    arn_operator,
    as_basic,
    conditional,
    conditions,
    event_kinds,
    excluded_sources,
)

# "Quotas in AWS CloudTrail": for each trail.
_MOST_RESOURCES: Final = 250  # in all basic selectors
_MOST_VALUES: Final = 500  # in all conditions of advanced selectors

Access = frozenset[str]  # of "read" and "write"

_ALL: Final = frozenset({"read", "write"})
_READ_WRITE_TYPES: Final = {_ALL: "All", frozenset({"read"}): "ReadOnly", frozenset({"write"}): "WriteOnly"}


def union(have: Selectors, want: Selectors, *, partition: str) -> Selectors | None:
    """Event selectors for all that either selects, and no more; None where that exceeds AWS's limits.

    Two groups of basic selectors give basic ones, else the result is advanced: the selectors of *want* as they are,
    except those of management events where *have* selects more of these.
    """
    sources = excluded_sources(have, want)
    have_kinds, want_kinds = event_kinds(have, sources), event_kinds(want, sources)
    if not advanced(have) and not advanced(want):
        basic = list(_basic_selectors(have_kinds | want_kinds, sources, partition))
        count = sum(len(resource["Values"]) for each in basic for resource in each["DataResources"])
        return {"EventSelectors": basic} if count <= _MOST_RESOURCES else None
    extra = have_kinds - want_kinds
    own = advanced(want) or list(_advanced_selectors(want_kinds, sources))
    if any(kind[0] == MANAGEMENT for kind in extra):
        own = [each for each in own if as_basic(each) is None]
        extra |= {kind for kind in want_kinds if kind[0] == MANAGEMENT}
    kept = [each for each in conditional(have) if (CONDITIONAL, conditions(each)) in extra]
    result = [*own, *_advanced_selectors(extra, sources), *kept]
    fields = [field for each in result for field in each["FieldSelectors"]]
    count = sum(len(values) for each in fields for name, values in each.items() if name != "Field" and values)
    return {"AdvancedEventSelectors": result} if count <= _MOST_VALUES else None


def with_names(have: Selectors, want: Selectors) -> Selectors:
    """The selectors *want*, each without a name with that of one in *have* for the same events."""
    names = {conditions(each): each["Name"] for each in advanced(have) if each.get("Name")}
    named = [
        {"Name": names[conditions(each)], **each} if conditions(each) in names else each
        for each in advanced(want)
    ]
    return {**want, "AdvancedEventSelectors": named} if named else want


def union_insights(have: Sequence[Selector], want: Sequence[Selector]) -> list[dict[str, Any]]:
    """Insight selectors for all that either selects. Categories are stated where one of the two states them."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in (*want, *have):
        found[each["InsightType"]].update(each.get("EventCategories") or ("Management",))
    stated = any(each.get("EventCategories") for each in (*want, *have))
    return [
        {"InsightType": kind, **({"EventCategories": sorted(categories)} if stated else {})}
        for kind, categories in found.items()
    ]


def _basic_selectors(
    kinds: Collection[EventKind], sources: Collection[str], partition: str
) -> Iterator[dict[str, Any]]:
    """The basic selectors for these kinds: at most one each for all events, for reads and for writes."""
    management, data = dict(_management(kinds, sources)), _data(kinds)
    for access, read_write_type in _READ_WRITE_TYPES.items():
        resources = [
            {"Type": kind, "Values": [value or _arn_of_all(kind, partition) for value in sorted(values)]}
            for kind, values in sorted(data.get(access, {}).items())
        ]
        if access in management or resources:
            yield {
                "ReadWriteType": read_write_type,
                "IncludeManagementEvents": access in management,
                "ExcludeManagementEventSources": sorted(management.get(access, ())),
                "DataResources": resources,
            }


def _advanced_selectors(kinds: Collection[EventKind], sources: Collection[str]) -> Iterator[dict[str, Any]]:
    """The advanced selectors for these kinds, without those that are CONDITIONAL."""
    for access, excluded in _management(kinds, sources):
        source = [("eventSource", "NotEquals", sorted(excluded))] if excluded else []
        yield _selector("Management", access, source)
    for access, by_type in _data(kinds).items():
        for kind, values in sorted(by_type.items()):
            of_type = ("resources.type", "Equals", [kind])
            if EVERY in values:
                yield _selector("Data", access, [of_type])
            if arns := sorted(values - {EVERY}):
                yield _selector("Data", access, [of_type, ("resources.ARN", arn_operator(kind), arns)])


def _selector(category: str, access: Access, more: Iterable[tuple[str, str, list[str]]]) -> dict[str, Any]:
    read_only = [] if access == _ALL else [("readOnly", "Equals", ["true" if "read" in access else "false"])]
    fields = [("eventCategory", "Equals", [category]), *read_only, *more]
    return {"FieldSelectors": [{"Field": field, operator: values} for field, operator, values in fields]}


def _management(
    kinds: Collection[EventKind], sources: Collection[str]
) -> Iterator[tuple[Access, frozenset[str]]]:
    """For each selector of management events that is needed: its access, and the event sources to exclude."""
    excluded = {
        access: frozenset(source for source in sources if (MANAGEMENT, source, access) not in kinds)
        for access in sorted(_ALL)
        if (MANAGEMENT, OTHER_SOURCES, access) in kinds
    }
    if len(excluded) == 2 and len(set(excluded.values())) == 1:
        yield _ALL, excluded["read"]
    else:
        yield from ((frozenset({access}), each) for access, each in excluded.items())


def _data(kinds: Collection[EventKind]) -> dict[Access, dict[str, set[str]]]:
    """The values of data events, by access and by resource type."""
    accesses: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in kinds:
        if each[0] not in {MANAGEMENT, CONDITIONAL}:
            kind, value, access = map(str, each)
            accesses[kind, value].add(access)
    grouped: dict[Access, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for (kind, value), found in sorted(accesses.items()):
        grouped[frozenset(found)][kind].add(value)
    return grouped


def _arn_of_all(kind: str, partition: str) -> str:
    """The ARN that means all resources of the type in a basic selector: the beginning of their ARNs."""
    return arn(partition, BASIC_TYPES[kind], "", "", "").rstrip(":")
