"""Compare event and insight selectors by the events that they select, however they are written. Pure: makes no request.

One selector for all events equals one for reads and one for writes; an advanced selector for management events equals
a basic one; the order of selectors, of resources and of values means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from .resource_types import S3_OBJECT

Selector = Mapping[str, Any]
Selectors = Mapping[str, Any]  # as GetEventSelectors answers and PutEventSelectors takes them
Conditions = frozenset[tuple[str, frozenset[tuple[str, frozenset[str]]]]]  # field, operator, values
Access = tuple[str, ...]  # of "read" and "write"

# One kind of events, as one of:
#   (MANAGEMENT, event source or OTHER_SOURCES, "read" or "write")
#   (resource type, ARN or EVERY, "read" or "write")
#   (CONDITIONAL, conditions of an advanced selector)
#   (insight type, event category)
EventKind = tuple[Hashable, ...]
MANAGEMENT: Final = "management events"
OTHER_SOURCES: Final = "all others"  # the event sources that no selector excludes
EVERY: Final = ""  # every resource of the type: each ARN begins with it
CONDITIONAL: Final = "events"

# What GetEventSelectors answers for a trail whose selectors were never set.
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
# The resource types of basic selectors, each with its service in ARNs.
BASIC_TYPES: Final = {S3_OBJECT: "s3", "AWS::Lambda::Function": "lambda", "AWS::DynamoDB::Table": "dynamodb"}
_ACCESS: Final = {"All": ("read", "write"), "ReadOnly": ("read",), "WriteOnly": ("write",)}


class Comparison(NamedTuple):
    """How two groups of selectors differ. *same* is False, too, where only the name of a selector differs."""

    same: bool
    missing: frozenset[EventKind]  # that only *want* selects
    extra: frozenset[EventKind]  # that only *have* selects


def compare(have: Selectors, want: Selectors) -> Comparison:
    """Compare event selectors."""
    sources = excluded_sources(have, want)
    have_kinds, want_kinds = event_kinds(have, sources), event_kinds(want, sources)
    have_named, want_named = _named(have), _named(want)
    same = have_named == want_named if have_named and want_named else have_kinds == want_kinds
    return Comparison(same, want_kinds - have_kinds, have_kinds - want_kinds)


def compare_insights(have: Sequence[Selector], want: Sequence[Selector]) -> Comparison:
    """Compare insight selectors. One without a category is for management events."""
    have_kinds, want_kinds = _insight_kinds(have), _insight_kinds(want)
    return Comparison(have_kinds == want_kinds, want_kinds - have_kinds, have_kinds - want_kinds)


def event_kinds(selectors: Selectors, sources: Collection[str] = ()) -> frozenset[EventKind]:
    """The kinds of events that are selected. Each of *sources* is a kind apart from the other event sources."""
    management = {
        (MANAGEMENT, source, access)
        for accesses, excluded in _management(selectors)
        for access in accesses
        for source in (OTHER_SOURCES, *sources)
        if source not in excluded
    }
    others = {(CONDITIONAL, conditions(each)) for each in conditional(selectors)}
    return frozenset({*management, *_data(selectors), *others})


def management_access(selectors: Selectors) -> set[str]:
    """Whether "read" and whether "write" management events are selected."""
    return {access for accesses, _ in _management(selectors) for access in accesses}


def records_data(selectors: Selectors) -> bool:
    """Whether any data events are selected."""
    data = ("eventCategory", frozenset({("Equals", frozenset({"Data"}))}))
    return any(_data(selectors)) or any(data in conditions(each) for each in conditional(selectors))


def excluded_sources(*several: Selectors) -> frozenset[str]:
    """The event sources whose management events one of the selectors excludes."""
    return frozenset(source for each in several for _, excluded in _management(each) for source in excluded)


def selects_writes_to(selectors: Selectors, bucket_arn: str) -> bool:
    """Whether writing an object to the bucket is recorded; in the trail's own bucket, each delivery is such a write."""
    objects = f"{bucket_arn}/"
    prefixes = [arn for kind, arn, access in _data(selectors) if (kind, access) == (S3_OBJECT, "write")]
    return any(map(objects.startswith, prefixes)) or any(
        _match_writes(conditions(each), objects) for each in conditional(selectors)
    )


def describe(kinds: Iterable[EventKind]) -> str:
    """The kinds in words: `management events of kms.amazonaws.com (read), ...`; at most ten, and how many more."""
    accesses: dict[EventKind, list[str]] = {}
    for kind in sorted(kinds, key=_words):
        *what, last = kind
        if last in {"read", "write"}:
            accesses.setdefault(tuple(what), []).append(str(last))
        else:
            accesses[kind] = []
    parts = [_words(kind) + (f" ({each[0]})" if len(each) == 1 else "") for kind, each in accesses.items()]
    more = [f"{len(parts) - 10} more"] if len(parts) > 10 else []
    return ", ".join(parts[:10] + more)


def _words(kind: EventKind) -> str:
    what, *rest = kind
    if what == CONDITIONAL and isinstance(rest[0], frozenset):
        texts = sorted(
            f"{field} {operator} {' or '.join(sorted(values))}"
            for field, operators in rest[0]
            for operator, values in operators
        )
        return "events where " + " and ".join(texts)
    return " of ".join(str(part) for part in (what, *rest) if part not in {OTHER_SOURCES, EVERY})


def _basic(selectors: Selectors) -> Sequence[Selector]:
    """The basic selectors; AWS's default if there are no selectors at all."""
    basic: Sequence[Selector] = selectors.get("EventSelectors") or []
    return basic if basic or advanced(selectors) else DEFAULT["EventSelectors"]


def advanced(selectors: Selectors) -> Sequence[Selector]:
    """The advanced selectors. AWS has either basic or advanced ones."""
    return selectors.get("AdvancedEventSelectors") or []


def conditional(selectors: Selectors) -> list[Selector]:
    """The advanced selectors that have no equivalent basic one."""
    return [each for each in advanced(selectors) if as_basic(each) is None and _as_basic_data(each) is None]


def _management(selectors: Selectors) -> Iterator[tuple[Access, frozenset[str]]]:
    """For each selector of management events: which access, and the excluded event sources."""
    for selector in _basic(selectors):
        if selector.get("IncludeManagementEvents", True):
            yield _access(selector), frozenset(selector.get("ExcludeManagementEventSources") or ())
    yield from (found for each in advanced(selectors) if (found := as_basic(each)) is not None)


def _data(selectors: Selectors) -> Iterator[tuple[str, str, str]]:
    """For each data resource that a basic selector can name: its type, its ARN or EVERY, and "read" or "write"."""
    for selector in _basic(selectors):
        for resource in selector.get("DataResources") or ():
            for value in resource.get("Values") or ():
                arn = _arn_or_every(resource["Type"], value)
                yield from ((resource["Type"], arn, access) for access in _access(selector))
    for each in advanced(selectors):
        yield from _as_basic_data(each) or ()


def _access(selector: Selector) -> Access:
    return _ACCESS[selector.get("ReadWriteType") or "All"]


def as_basic(selector: Selector) -> tuple[Access, frozenset[str]] | None:
    """An advanced selector of management events in the form of `_management`; None where no basic one is equal."""
    fields = _basic_fields(selector, "Management", {"eventSource"})
    source = (fields or {}).get("eventSource", {"NotEquals": frozenset()})
    if fields is None or set(source) != {"NotEquals"}:
        return None
    return _advanced_access(fields), source["NotEquals"]


def _as_basic_data(selector: Selector) -> list[tuple[str, str, str]] | None:
    """An advanced selector of data events in the form of `_data`; None where no basic one is equal."""
    fields = _basic_fields(selector, "Data", {"resources.type", "resources.ARN"})
    if fields is None or set(fields.get("resources.type", ())) != {"Equals"}:
        return None
    types = fields["resources.type"]["Equals"]
    where = fields.get("resources.ARN")
    if where is not None and any(set(where) != {arn_operator(kind)} for kind in types):
        return None
    values = frozenset({EVERY}) if where is None else frozenset().union(*where.values())
    accesses = _advanced_access(fields)
    return [
        (kind, _arn_or_every(kind, value), access)
        for kind in types
        for value in values
        for access in accesses
    ]


def arn_operator(kind: str) -> str:
    """The operator by which an advanced selector compares ARNs as a basic one does: prefixes for S3, else whole ARNs."""
    return "StartsWith" if kind == S3_OBJECT else "Equals"


def _arn_or_every(kind: str, value: str) -> str:
    """The value, or EVERY where it is the ARN that means all resources of the type in a basic selector."""
    service = BASIC_TYPES.get(kind)
    return EVERY if service and re.fullmatch(rf"arn:[^:]+:{service}(:::)?", value) else value


def _basic_fields(
    selector: Selector, category: str, more: set[str]
) -> dict[str, dict[str, frozenset[str]]] | None:
    """The conditions by field and operator; None where no basic selector is equal.

    That is so if the category is not *category*, a field occurs twice, or a field is neither `readOnly` with `Equals`
    nor one of *more*.
    """
    fields = {field: dict(operators) for field, operators in conditions(selector)}
    if len(fields) != len(selector["FieldSelectors"]):
        return None
    if not fields.keys() <= {"eventCategory", "readOnly", *more}:
        return None
    if fields.get("eventCategory") != {"Equals": frozenset({category})}:
        return None
    return fields if set(fields.get("readOnly", {"Equals"})) == {"Equals"} else None


def _advanced_access(fields: Mapping[str, Mapping[str, frozenset[str]]]) -> Access:
    by_value = {"true": "read", "false": "write"}
    values = fields.get("readOnly", {"Equals": frozenset(by_value)})["Equals"]
    return tuple(by_value[each] for each in sorted(values) if each in by_value)


def conditions(selector: Selector) -> Conditions:
    """The conditions of an advanced selector, without their order."""
    return frozenset(
        (each["Field"], frozenset((name, frozenset(v)) for name, v in each.items() if name != "Field" and v))
        for each in selector["FieldSelectors"]
    )


def _match_writes(found: Conditions, objects: str) -> bool:
    """Whether the conditions hold for writes to S3 objects whose ARNs begin with *objects*."""
    fields = {field: dict(operators) for field, operators in found}
    if S3_OBJECT not in fields.get("resources.type", {}).get("Equals", ()):
        return False
    if "false" not in fields.get("readOnly", {}).get("Equals", {"false"}):
        return False
    where = fields.get("resources.ARN", {})
    if "Equals" in where or any(map(objects.startswith, where.get("NotStartsWith", ()))):
        return False
    return any(map(objects.startswith, where.get("StartsWith", {objects})))


def _named(selectors: Selectors) -> frozenset[Hashable]:
    """Advanced selectors with their names; empty for basic ones, which have none."""
    return frozenset((each.get("Name") or "", conditions(each)) for each in advanced(selectors))


def _insight_kinds(selectors: Sequence[Selector]) -> frozenset[EventKind]:
    return frozenset(
        (each["InsightType"], category)
        for each in selectors
        for category in each.get("EventCategories") or ("Management",)
    )
