"""What a trail records: event selectors, compared by the events they let through and not by their spelling.

One selector for all events is one for reads and one for writes; an advanced selector for management events is
a basic one; the order of selectors, of resources and of values means nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Selectors = Mapping[str, Any]  # as GetEventSelectors answers and PutEventSelectors takes them
Conditions = frozenset[tuple[str, frozenset[tuple[str, frozenset[str]]]]]  # field, operator, values
Record = tuple[Hashable, ...]  # one kind of events: what, then read or write where that is told apart

# What AWS answers for a trail whose selectors nobody has set.
DEFAULT: Final[Selectors] = {
    "EventSelectors": [
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }
    ]
}
_SIDES: Final = {"All": ("read", "write"), "ReadOnly": ("read",), "WriteOnly": ("write",)}
_OTHERS: Final = "all others"  # the sources that nobody excludes
S3_OBJECT: Final = "AWS::S3::Object"


@dataclass(frozen=True)
class Compared:
    """Two things that are recorded, side by side. *same* is false, too, where only a title differs."""

    same: bool
    missing: frozenset[Record]  # asked for, and not recorded
    extra: frozenset[Record]  # recorded, and not asked for

    @property
    def stricter(self) -> bool:
        """All that is asked for is recorded, and more."""
        return bool(self.extra) and not self.missing


def compare(have: Selectors, want: Selectors) -> Compared:
    """What *want* records beside what *have* records."""
    sources = _excluded(have) | _excluded(want)
    recorded, asked = records(have, sources), records(want, sources)
    titles = (_titled(have), _titled(want))
    same = recorded == asked if None in titles else titles[0] == titles[1]
    return Compared(same, asked - recorded, recorded - asked)


def compare_insights(have: Sequence[Mapping[str, Any]], want: Sequence[Mapping[str, Any]]) -> Compared:
    """The same for insight selectors. AWS means management events where it names no category."""
    recorded, asked = _insights(have), _insights(want)
    return Compared(recorded == asked, asked - recorded, recorded - asked)


def records(selectors: Selectors, sources: Collection[str] = ()) -> frozenset[Record]:
    """The kinds of events that the selectors let through. *sources* are told apart from the other sources."""
    found: set[Record] = set()
    for sides, excluded in _management(selectors):
        found |= {
            ("management events", source, side)
            for side in sides
            for source in (_OTHERS, *sources)
            if source not in excluded
        }
    found |= set(_data(selectors))
    advanced = _parts(selectors)[1]
    found |= {("events", _conditions(each)) for each in advanced if _plain_management(each) is None}
    return frozenset(found)


def management_sides(selectors: Selectors) -> set[str]:
    """Of management events: whether reads and whether writes are recorded."""
    return {side for sides, _ in _management(selectors) for side in sides}


def records_writes_to(selectors: Selectors, bucket_arn: str) -> bool:
    """Whether writing an object to the bucket is recorded: in a trail's own bucket, each delivery is."""
    objects = f"{bucket_arn}/"
    prefixes = [
        value for kind, value, side in _data(selectors) if (kind, side) == (S3_OBJECT, "write")
    ]  # of ARNs
    advanced = _parts(selectors)[1]
    return any(map(objects.startswith, prefixes)) or any(
        _lets_writes_through(_conditions(each), objects) for each in advanced
    )


def in_words(found: Iterable[Record]) -> str:
    """What is recorded, for people: `management events of kms.amazonaws.com (read), ...`."""
    sides: dict[Record, list[str]] = {}
    for record in sorted(found, key=_spelled):
        *what, last = record
        key = tuple(what) if last in {"read", "write"} else record
        sides.setdefault(key, []).extend([str(last)] if key != record else [])
    return ", ".join(
        _spelled(what) + (f" ({each[0]})" if len(each) == 1 else "") for what, each in sides.items()
    )


def _spelled(record: Record) -> str:
    what, *rest = record
    if what == "events" and isinstance(rest[0], frozenset):
        conditions = sorted(
            f"{field} {operator} {' or '.join(sorted(values))}"
            for field, operators in rest[0]
            for operator, values in operators
        )
        return "events where " + " and ".join(conditions)
    return " of ".join(str(part) for part in (what, *rest) if part != _OTHERS)


def _parts(selectors: Selectors) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """Basic and advanced selectors; AWS never has both."""
    basic, advanced = selectors.get("EventSelectors") or [], selectors.get("AdvancedEventSelectors") or []
    return (basic, advanced) if basic or advanced else (DEFAULT["EventSelectors"], [])


def _management(selectors: Selectors) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    """For each selector of management events: reads or writes or both, and the sources left out."""
    basic, advanced = _parts(selectors)
    for selector in basic:
        if selector.get("IncludeManagementEvents", True):
            excluded = frozenset(selector.get("ExcludeManagementEventSources") or ())
            yield _sides(selector), excluded
    yield from (found for each in advanced if (found := _plain_management(each)) is not None)


def _data(selectors: Selectors) -> Iterator[tuple[str, str, str]]:
    """For each data resource of the basic selectors: its type, the ARN or part of one, read or write."""
    for selector in _parts(selectors)[0]:
        for resource in selector.get("DataResources") or ():
            for value in resource.get("Values") or ():
                yield from ((resource["Type"], value, side) for side in _sides(selector))


def _sides(selector: Mapping[str, Any]) -> tuple[str, ...]:
    return _SIDES[selector.get("ReadWriteType") or "All"]


def _plain_management(selector: Mapping[str, Any]) -> tuple[tuple[str, ...], frozenset[str]] | None:
    """An advanced selector as the basic one that says the same; None where there is none."""
    fields = {field: dict(operators) for field, operators in _conditions(selector)}
    if len(fields) != len(selector["FieldSelectors"]):
        return None
    if not fields.keys() <= {"eventCategory", "readOnly", "eventSource"}:
        return None
    if fields.get("eventCategory") != {"Equals": frozenset({"Management"})}:
        return None
    source = fields.get("eventSource", {"NotEquals": frozenset()})
    reads = fields.get("readOnly", {"Equals": frozenset({"true", "false"})})
    if set(source) != {"NotEquals"} or set(reads) != {"Equals"}:
        return None
    sides = {"true": "read", "false": "write"}
    return tuple(sides[each] for each in sorted(reads["Equals"]) if each in sides), source["NotEquals"]


def _conditions(selector: Mapping[str, Any]) -> Conditions:
    return frozenset(
        (each["Field"], frozenset((name, frozenset(v)) for name, v in each.items() if name != "Field" and v))
        for each in selector["FieldSelectors"]
    )


def _lets_writes_through(conditions: Conditions, objects: str) -> bool:
    fields = {field: dict(operators) for field, operators in conditions}
    if S3_OBJECT not in fields.get("resources.type", {}).get("Equals", ()):
        return False
    if "false" not in fields.get("readOnly", {}).get("Equals", {"false"}):
        return False
    where = fields.get("resources.ARN", {})
    wanted, unwanted = where.get("StartsWith", {objects}), where.get("NotStartsWith", frozenset())
    if any(map(objects.startswith, unwanted)) or "Equals" in where:
        return False
    return any(map(objects.startswith, wanted))


def _titled(selectors: Selectors) -> frozenset[Hashable] | None:
    """Advanced selectors with their names; None for basic ones, which have none."""
    advanced = _parts(selectors)[1]
    return frozenset((each.get("Name") or "", _conditions(each)) for each in advanced) or None


def _excluded(selectors: Selectors) -> frozenset[str]:
    return frozenset(source for _, excluded in _management(selectors) for source in excluded)


def _insights(selectors: Sequence[Mapping[str, Any]]) -> frozenset[Record]:
    return frozenset(
        (each["InsightType"], category)
        for each in selectors
        for category in each.get("EventCategories") or ("Management",)
    )
