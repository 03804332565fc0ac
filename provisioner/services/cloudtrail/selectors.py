"""What a trail records: event selectors, compared by the events they let through and not by their spelling.

One selector for all events is one for reads and one for writes; an advanced selector for management events is
a basic one; the order of selectors, of resources and of values means nothing.
"""

from __future__ import annotations

import re
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
OTHERS: Final = "all others"  # the sources that nobody excludes
MANAGEMENT: Final = "management events"
CONDITIONAL: Final = "events"  # those that no basic selector can name, by their conditions
EVERY: Final = ""  # of a type, every resource: what every ARN begins with
S3_OBJECT: Final = "AWS::S3::Object"
# What basic selectors know, and how the ARN for all of a type is written there.
BASIC_TYPES: Final = {S3_OBJECT: "s3", "AWS::Lambda::Function": "lambda", "AWS::DynamoDB::Table": "dynamodb"}


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
    sources = excluded(have, want)
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
    for sides, skipped in _management(selectors):
        found |= {
            (MANAGEMENT, source, side)
            for side in sides
            for source in (OTHERS, *sources)
            if source not in skipped
        }
    found |= set(_data(selectors))
    return frozenset(found | {(CONDITIONAL, conditions(each)) for each in conditional(selectors)})


def management_sides(selectors: Selectors) -> set[str]:
    """Of management events: whether reads and whether writes are recorded."""
    return {side for sides, _ in _management(selectors) for side in sides}


def records_writes_to(selectors: Selectors, bucket_arn: str) -> bool:
    """Whether writing an object to the bucket is recorded: in a trail's own bucket, each delivery is."""
    objects = f"{bucket_arn}/"
    prefixes = [
        value for kind, value, side in _data(selectors) if (kind, side) == (S3_OBJECT, "write")
    ]  # of ARNs
    return any(map(objects.startswith, prefixes)) or any(
        _lets_writes_through(conditions(each), objects) for each in conditional(selectors)
    )


def in_words(found: Iterable[Record]) -> str:
    """What is recorded, for people: `management events of kms.amazonaws.com (read), ...`; ten of them, and how many more."""
    sides: dict[Record, list[str]] = {}
    for record in sorted(found, key=_spelled):
        *what, last = record
        key = tuple(what) if last in {"read", "write"} else record
        sides.setdefault(key, []).extend([str(last)] if key != record else [])
    told = [_spelled(what) + (f" ({each[0]})" if len(each) == 1 else "") for what, each in sides.items()]
    more = [f"{len(told) - 10} more"] if len(told) > 10 else []
    return ", ".join(told[:10] + more)


def _spelled(record: Record) -> str:
    what, *rest = record
    if what == CONDITIONAL and isinstance(rest[0], frozenset):
        spelled = sorted(
            f"{field} {operator} {' or '.join(sorted(values))}"
            for field, operators in rest[0]
            for operator, values in operators
        )
        return "events where " + " and ".join(spelled)
    return " of ".join(str(part) for part in (what, *rest) if part not in {OTHERS, EVERY})


def _parts(selectors: Selectors) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """Basic and advanced selectors; AWS never has both."""
    basic, advanced = selectors.get("EventSelectors") or [], selectors.get("AdvancedEventSelectors") or []
    return (basic, advanced) if basic or advanced else (DEFAULT["EventSelectors"], [])


def _management(selectors: Selectors) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    """For each selector of management events: reads or writes or both, and the sources left out."""
    basic, _ = _parts(selectors)
    for selector in basic:
        if selector.get("IncludeManagementEvents", True):
            yield _sides(selector), frozenset(selector.get("ExcludeManagementEventSources") or ())
    yield from (found for each in advanced(selectors) if (found := plain_management(each)) is not None)


def _data(selectors: Selectors) -> Iterator[tuple[str, str, str]]:
    """For each data resource that a basic selector can name: its type, the ARN or part of one, read or write."""
    for selector in _parts(selectors)[0]:
        for resource in selector.get("DataResources") or ():
            for value in resource.get("Values") or ():
                of = (resource["Type"], _whole(resource["Type"], value))
                yield from ((*of, side) for side in _sides(selector))
    for each in advanced(selectors):
        yield from _plain_data(each) or ()


def _sides(selector: Mapping[str, Any]) -> tuple[str, ...]:
    return _SIDES[selector.get("ReadWriteType") or "All"]


def advanced(selectors: Selectors) -> Sequence[Mapping[str, Any]]:
    """The advanced selectors, none where there are basic ones."""
    return _parts(selectors)[1]


def conditional(selectors: Selectors) -> list[Mapping[str, Any]]:
    """The advanced selectors that say what no basic one can."""
    return [
        each for each in advanced(selectors) if plain_management(each) is None and _plain_data(each) is None
    ]


def plain_management(selector: Mapping[str, Any]) -> tuple[tuple[str, ...], frozenset[str]] | None:
    """An advanced selector as the basic one that says the same; None where there is none."""
    fields = _plain_fields(selector, "Management", {"eventSource"})
    source = (fields or {}).get("eventSource", {"NotEquals": frozenset()})
    if fields is None or set(source) != {"NotEquals"}:
        return None
    return _told_sides(fields), source["NotEquals"]


def _plain_data(selector: Mapping[str, Any]) -> list[tuple[str, str, str]] | None:
    """An advanced selector for data events as what `_data` tells of basic ones; None where it says more."""
    fields = _plain_fields(selector, "Data", {"resources.type", "resources.ARN"})
    if fields is None or set(fields.get("resources.type", ())) != {"Equals"}:
        return None
    types = fields["resources.type"]["Equals"]
    where = fields.get("resources.ARN")
    if where is not None and any(set(where) != {operator_of(kind)} for kind in types):
        return None
    values = frozenset({EVERY}) if where is None else frozenset().union(*where.values())
    return [
        (kind, _whole(kind, value), side)
        for kind in types
        for value in values
        for side in _told_sides(fields)
    ]


def operator_of(kind: str) -> str:
    """How an advanced selector compares an ARN as a basic one does: S3 knows prefixes, the others whole ARNs."""
    return "StartsWith" if kind == S3_OBJECT else "Equals"


def _whole(kind: str, value: str) -> str:
    """The value, or EVERY where it is the ARN by which a basic selector means all of the type."""
    service = BASIC_TYPES.get(kind)
    return EVERY if service and re.fullmatch(rf"arn:[^:]+:{service}(:::)?", value) else value


def _plain_fields(
    selector: Mapping[str, Any], category: str, more: set[str]
) -> dict[str, dict[str, frozenset[str]]] | None:
    """The conditions by field; None unless each is known, and there once, and reads are told by `Equals`."""
    fields = {field: dict(operators) for field, operators in conditions(selector)}
    if len(fields) != len(selector["FieldSelectors"]):
        return None
    if not fields.keys() <= {"eventCategory", "readOnly", *more}:
        return None
    if fields.get("eventCategory") != {"Equals": frozenset({category})}:
        return None
    return fields if set(fields.get("readOnly", {"Equals"})) == {"Equals"} else None


def _told_sides(fields: Mapping[str, Mapping[str, frozenset[str]]]) -> tuple[str, ...]:
    sides = {"true": "read", "false": "write"}
    told = fields.get("readOnly", {"Equals": frozenset(sides)})["Equals"]
    return tuple(sides[each] for each in sorted(told) if each in sides)


def conditions(selector: Mapping[str, Any]) -> Conditions:
    """The conditions of an advanced selector, whatever their order."""
    return frozenset(
        (each["Field"], frozenset((name, frozenset(v)) for name, v in each.items() if name != "Field" and v))
        for each in selector["FieldSelectors"]
    )


def _lets_writes_through(found: Conditions, objects: str) -> bool:
    fields = {field: dict(operators) for field, operators in found}
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
    return frozenset((each.get("Name") or "", conditions(each)) for each in advanced(selectors)) or None


def excluded(*all_selectors: Selectors) -> frozenset[str]:
    """The sources whose management events one of the selectors leaves out."""
    return frozenset(
        source for each in all_selectors for _, skipped in _management(each) for source in skipped
    )


def _insights(selectors: Sequence[Mapping[str, Any]]) -> frozenset[Record]:
    return frozenset(
        (each["InsightType"], category)
        for each in selectors
        for category in each.get("EventCategories") or ("Management",)
    )
