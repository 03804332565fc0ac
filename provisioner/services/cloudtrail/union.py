"""CloudTrail: selectors that record what the file asks for, and go on with what the trail records besides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ...compare.policy import arn
from .selectors import (
    BASIC_TYPES,
    CONDITIONAL,
    EVERY,
    MANAGEMENT,
    OTHERS,
    Record,
    Selectors,
    advanced,
    conditional,
    conditions,
    excluded,
    operator_of,
    plain_management,
    records,
)

_BASIC_RESOURCES: Final = 250  # that AWS takes in all basic selectors of a trail
_ADVANCED_VALUES: Final = 500  # that AWS takes in all conditions of a trail
_BOTH: Final = frozenset({"read", "write"})
_WORDS: Final = {_BOTH: "All", frozenset({"read"}): "ReadOnly", frozenset({"write"}): "WriteOnly"}

Sides = frozenset[str]


def union(have: Selectors, want: Selectors, *, partition: str) -> Selectors | None:
    """What records all that either records, and no more; None where that is beyond AWS's limits.

    Basic selectors stay basic. Where one of the two is advanced, so is the outcome, and the file's selectors
    stand in it as they are, but for those of management events where the trail records more of these.
    """
    sources = excluded(have, want)
    recorded, asked = records(have, sources), records(want, sources)
    if not advanced(have) and not advanced(want):
        made = list(_basic(recorded | asked, sources, partition))
        values = sum(len(each["Values"]) for one in made for each in one["DataResources"])
        return {"EventSelectors": made} if values <= _BASIC_RESOURCES else None
    extra = recorded - asked
    more_management = {each for each in extra if each[0] == MANAGEMENT}
    own = advanced(want) or list(_advanced(asked, sources))
    if more_management:
        own = [each for each in own if plain_management(each) is None]
        extra |= {each for each in asked if each[0] == MANAGEMENT}
    others = [each for each in conditional(have) if (CONDITIONAL, conditions(each)) in extra]
    open_fleet = [*own, *_advanced(extra, sources), *others]
    return {"AdvancedEventSelectors": open_fleet} if _values(open_fleet) <= _ADVANCED_VALUES else None


def union_insights(
    have: Sequence[Mapping[str, Any]], want: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The same for insight selectors. Categories are spelled out where one of the two spells them out."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in (*want, *have):
        found[each["InsightType"]].update(each.get("EventCategories") or ("Management",))
    spelled = any(each.get("EventCategories") for each in (*want, *have))
    return [
        {"InsightType": kind, **({"EventCategories": sorted(categories)} if spelled else {})}
        for kind, categories in found.items()
    ]


def _basic(found: Iterable[Record], sources: Collection[str], partition: str) -> Iterator[dict[str, Any]]:
    """The basic selectors that let these through: at most one each for all events, for reads and for writes."""
    found = frozenset(found)
    management = dict(_management(found, sources))
    data = _data(found)
    for sides, word in _WORDS.items():
        resources = [
            {"Type": kind, "Values": [value or _all_of(kind, partition) for value in sorted(values)]}
            for kind, values in sorted(data.get(sides, {}).items())
        ]
        if sides in management or resources:
            yield {
                "ReadWriteType": word,
                "IncludeManagementEvents": sides in management,
                "ExcludeManagementEventSources": sorted(management.get(sides, ())),
                "DataResources": resources,
            }


def _advanced(found: Iterable[Record], sources: Collection[str]) -> Iterator[dict[str, Any]]:
    """The advanced selectors that let these through, but for those that only conditions can tell."""
    found = frozenset(found)
    for sides, skipped in _management(found, sources):
        source = [("eventSource", "NotEquals", sorted(skipped))] if skipped else []
        yield _selector("Management", sides, source)
    for sides, by_type in _data(found).items():
        for kind, values in sorted(by_type.items()):
            of_type = ("resources.type", "Equals", [kind])
            if EVERY in values:
                yield _selector("Data", sides, [of_type])
            if named := sorted(values - {EVERY}):
                yield _selector("Data", sides, [of_type, ("resources.ARN", operator_of(kind), named)])


def _selector(category: str, sides: Sides, more: Iterable[tuple[str, str, list[str]]]) -> dict[str, Any]:
    told = [] if sides == _BOTH else [("readOnly", "Equals", ["true" if "read" in sides else "false"])]
    fields = [("eventCategory", "Equals", [category]), *told, *more]
    return {"FieldSelectors": [{"Field": field, operator: values} for field, operator, values in fields]}


def _management(
    found: Collection[Record], sources: Collection[str]
) -> Iterator[tuple[Sides, frozenset[str]]]:
    """Of management events: reads, writes or both, and the sources that are left out of them."""
    by_side = {
        side: frozenset(source for source in sources if (MANAGEMENT, source, side) not in found)
        for side in sorted(_BOTH)
        if (MANAGEMENT, OTHERS, side) in found
    }
    if len(by_side) == 2 and len(set(by_side.values())) == 1:
        yield _BOTH, by_side["read"]
    else:
        yield from ((frozenset({side}), skipped) for side, skipped in by_side.items())


def _data(found: Collection[Record]) -> dict[Sides, dict[str, set[str]]]:
    """Of data events: by reads, writes or both, the values of each type."""
    sides: dict[tuple[str, str], set[str]] = defaultdict(set)
    for record in found:
        if record[0] not in {MANAGEMENT, CONDITIONAL}:
            kind, value, side = map(str, record)
            sides[kind, value].add(side)
    grouped: dict[Sides, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for (kind, value), each in sorted(sides.items()):
        grouped[frozenset(each)][kind].add(value)
    return grouped


def _all_of(kind: str, partition: str) -> str:
    """All resources of the type, as a basic selector says it: the beginning of their ARNs."""
    return arn(partition, BASIC_TYPES[kind], "", "", "").rstrip(":")


def _values(selectors: Iterable[Mapping[str, Any]]) -> int:
    fields = [field for each in selectors for field in each["FieldSelectors"]]
    return sum(len(values) for each in fields for name, values in each.items() if name != "Field" and values)
