"""What CloudTrail takes as event selectors and insight selectors of a trail, as tables. Pure: makes no request.

`validate` and the sandbox both refuse by these tables. Each row names the page of AWS that it comes from: of the
CloudTrail API Reference (`API …`), of the CloudTrail User Guide, or CloudTrail's own answer to PutEventSelectors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ...baseline.problem import Path, did_you_mean, listed
from .resource_types import arn_problem, is_known_service, resource_types
from .selectors import BASIC_TYPES, Selector, Selectors, advanced, management_access, records_data

Problem = tuple[Path, str]  # a path by AWS's names below the request's parameters, and what is wrong there
Spell = Callable[[str], str]  # converts AWS's name of a parameter to that of the reader

SELECT: Final = ("Equals", "StartsWith", "EndsWith")
OPERATORS: Final = (*SELECT, *(f"Not{each}" for each in SELECT))
READ_WRITE_TYPES: Final = ("All", "ReadOnly", "WriteOnly")  # API EventSelector
EXCLUDABLE: Final = ("kms.amazonaws.com", "rdsdata.amazonaws.com")  # API EventSelector
INSIGHT_TYPES: Final = ("ApiCallRateInsight", "ApiErrorRateInsight")  # API InsightSelector
INSIGHT_CATEGORIES: Final = ("Management", "Data")  # API InsightSelector
# "Quotas in AWS CloudTrail", and API PutEventSelectors.
MOST_SELECTORS: Final = 5  # basic ones
MOST_RESOURCES: Final = 250  # in all basic selectors
MOST_VALUES: Final = 500  # in all conditions of advanced selectors

_API: Final = "API AdvancedFieldSelector"
_FILTERING: Final = 'User Guide, "Filtering data events by using advanced event selectors"'
_NETWORK: Final = 'User Guide, "Logging network activity events"'


@dataclass(frozen=True)
class Rule:
    """What one field takes in selectors of one event category. Without *values* it takes any, by *pattern*.

    *single*: the field occurs once, with one value.
    """

    source: str
    operators: tuple[str, ...] = OPERATORS
    values: tuple[str, ...] = ()
    pattern: str = ".+"
    required: bool = False
    single: bool = False


def _category(name: str) -> Rule:
    return Rule(_API, ("Equals",), (name,), required=True, single=True)


_READ_ONLY: Final = Rule(_API, ("Equals",), ("true", "false"), single=True)
_SOURCE: Final = r"[a-z0-9.-]+\.amazonaws\.com"

# By event category and field. Other categories and fields are refused, or belong to event data stores.
GRAMMAR: Final[Mapping[str, Mapping[str, Rule]]] = {
    "Management": {
        "eventCategory": _category("Management"),
        "readOnly": _READ_ONLY,
        "eventSource": Rule(_API, ("NotEquals",), EXCLUDABLE),
    },
    "Data": {
        "eventCategory": _category("Data"),
        "readOnly": _READ_ONLY,
        "resources.type": Rule(_API, ("Equals",), required=True, single=True),
        "resources.ARN": Rule(_API),
        "eventName": Rule(_API),
        "eventSource": Rule(_API),
        "eventType": Rule(_API),
        "userIdentity.arn": Rule(_API),
        "sessionCredentialFromConsole": Rule(_FILTERING, ("Equals", "NotEquals"), ("true",)),
    },
    "NetworkActivity": {
        "eventCategory": _category("NetworkActivity"),
        "eventSource": Rule(_NETWORK, ("Equals",), pattern=_SOURCE, required=True, single=True),
        "eventName": Rule(_API),
        "errorCode": Rule(_API, ("Equals",), ("VpceAccessDenied",)),
        "vpcEndpointId": Rule(_API),
        # One page of AWS lists it, another leaves it out.
        "userIdentity.arn": Rule("API AdvancedEventSelector"),
    },
}
FIELDS: Final = tuple(dict.fromkeys(field for fields in GRAMMAR.values() for field in fields))
# Categories of event data stores, which a trail refuses (API AdvancedFieldSelector).
_STORE_ONLY: Final = ("Insight", "ConfigurationItem", "Evidence", "ActivityAuditLog")


def selector_problems(selectors: Selectors, *, partition: str = "", spell: Spell = str) -> Iterator[Problem]:
    """Everything for which CloudTrail refuses event selectors, in the form that PutEventSelectors takes.

    Without *partition* the ARNs may be of any.
    """
    basic = selectors.get("EventSelectors")
    if basic and advanced(selectors):
        other = spell("EventSelectors")
        text = f"a trail takes this or `{other}`, not both: keep one"
        yield ("AdvancedEventSelectors",), text
    for name, problems in (
        ("EventSelectors", _basic_problems(basic or (), partition, spell)),
        ("AdvancedEventSelectors", _advanced_problems(advanced(selectors), partition, spell)),
    ):
        yield from (((name, *path), text) for path, text in problems)


def insight_problems(
    insights: Sequence[Selector], selectors: Selectors | None, *, spell: Spell = str
) -> Iterator[Problem]:
    """Everything for which CloudTrail refuses insight selectors of a trail with these event selectors, if known.

    The events that each type needs are those of API PutInsightSelectors.
    """
    for index, each in enumerate(insights):
        kind, categories = each.get("InsightType"), each.get("EventCategories") or ("Management",)
        if kind not in INSIGHT_TYPES:
            yield (index, "InsightType"), _want(kind, INSIGHT_TYPES)
        for place, category in enumerate(categories):
            if category not in INSIGHT_CATEGORIES:
                yield (index, "EventCategories", place), _want(category, INSIGHT_CATEGORIES)
        if selectors is None:
            continue
        access = management_access(selectors)
        if "Management" in categories and kind == "ApiCallRateInsight" and "write" not in access:
            yield (index,), "needs event selectors that record management writes: add one, or drop this"
        elif "Management" in categories and not access:
            yield (index,), "needs event selectors that record management events: add one, or drop this"
        if "Data" in categories and not records_data(selectors):
            where = spell("EventCategories")
            yield (
                (index,),
                f"needs event selectors that record data events, by `{where}`: add one, or drop this",
            )


def _want(got: object, values: Sequence[str]) -> str:
    hint = did_you_mean(str(got), values)
    return f"want {listed(f'`{each}`' for each in values)}, got `{got}`" + (f"; {hint}" if hint else "")


# --- basic selectors: API EventSelector and API DataResource ---


def _basic_problems(selectors: Sequence[Selector], partition: str, spell: Spell) -> Iterator[Problem]:
    if len(selectors) > MOST_SELECTORS:
        yield (), f"want 1 to {MOST_SELECTORS} selectors, got {len(selectors)}"
    resources = [each for one in selectors for each in one.get("DataResources") or ()]
    count = sum(len(each.get("Values") or ()) for each in resources)
    if count > MOST_RESOURCES:
        yield (), f"want {MOST_RESOURCES} data resources at most, in all selectors, got {count}"
    for index, one in enumerate(selectors):
        yield from (((index, *path), text) for path, text in _basic(one, partition, spell))


def _basic(selector: Selector, partition: str, spell: Spell) -> Iterator[Problem]:
    management = selector.get("IncludeManagementEvents", True)
    resources = selector.get("DataResources") or ()
    excluded = selector.get("ExcludeManagementEventSources") or ()
    access = selector.get("ReadWriteType") or "All"
    if access not in READ_WRITE_TYPES:
        yield ("ReadWriteType",), _want(access, READ_WRITE_TYPES)
    if not management and not resources:
        yield (), f"records nothing: add `{spell('DataResources')}`, or drop it"
    if excluded and not management:
        text = f"has no effect without `{spell('IncludeManagementEvents')}`: drop it"
        yield ("ExcludeManagementEventSources",), text
    for index, source in enumerate(excluded):
        if source not in EXCLUDABLE:
            yield ("ExcludeManagementEventSources", index), _want(source, EXCLUDABLE)
    for index, each in enumerate(resources):
        kind = str(each.get("Type"))
        if kind not in BASIC_TYPES:
            text = (
                f"{_want(kind, tuple(BASIC_TYPES))}; other types are for `{spell('AdvancedEventSelectors')}`"
            )
            yield ("DataResources", index, "Type"), text
            continue
        for place, value in enumerate(each.get("Values") or ()):
            if problem := _basic_value_problem(kind, value, partition):
                yield ("DataResources", index, "Values", place), problem


def _basic_value_problem(kind: str, value: str, partition: str) -> str:
    """Why the value is none that API DataResource lists for the type, or an empty text."""
    service, written = BASIC_TYPES[kind], re.match(r"arn:(aws[a-z-]*):", value)
    arn = f"arn:{partition or (written[1] if written else '${partition}')}:{service}"
    every = re.fullmatch(
        rf"arn:({re.escape(partition) if partition else 'aws[a-z-]*'}):{service}(:::)?", value
    )
    if every and (service == "s3" or not every[2]):
        return ""
    if "*" in value:
        return f"CloudTrail knows no `*` in `{value}`: `{arn}` is every one, else write the ARN without it"
    problem = arn_problem(kind, value, partition, whole=True)
    return f"{problem}; `{arn}` is every one" if problem else ""


# --- advanced selectors ---


def _advanced_problems(selectors: Sequence[Selector], partition: str, spell: Spell) -> Iterator[Problem]:
    count = sum(
        len(_values(field, each)) for one in selectors for field in _fields(one) for each in OPERATORS
    )
    if count > MOST_VALUES:
        yield (), f"want {MOST_VALUES} values at most, in all selectors, got {count}"
    for index, one in enumerate(selectors):
        for path, text in _advanced(one, partition, spell):
            yield (index, "FieldSelectors", *path), text


def _fields(selector: Selector) -> Sequence[Selector]:
    fields: Sequence[Selector] = selector.get("FieldSelectors") or ()
    return fields


def _values(field: Selector, operator: str) -> Sequence[str]:
    values: Sequence[str] = field.get(operator) or ()
    return values


def _advanced(selector: Selector, partition: str, spell: Spell) -> Iterator[Problem]:
    fields = _fields(selector)
    names = [str(each.get("Field")) for each in fields]
    for index, field in enumerate(fields):
        if not any(_values(field, each) for each in OPERATORS):
            yield (index,), f"want a condition, such as `{spell('Equals')}: [Management]`"
    if "eventCategory" not in names:
        yield (), f"want one for `eventCategory`, such as `{spell('Equals')}: [Management]`"
        return
    at = names.index("eventCategory")
    category = next(iter(_values(fields[at], "Equals")), "")
    if category in GRAMMAR:
        yield from _of_category(category, fields, names, spell)
        yield from _resource_problems(fields, names, partition)
    elif category:
        yield (at, "Equals", 0), _category_problem(category)
    else:
        yield from (((at, *path), text) for path, text in _field(fields[at], _category(""), spell))


def _of_category(
    category: str, fields: Sequence[Selector], names: Sequence[str], spell: Spell
) -> Iterator[Problem]:
    """The problems of the fields of one selector, by the rules of its category."""
    rules = GRAMMAR[category]
    for name, rule in rules.items():
        if rule.required and name not in names:
            yield (), f"want one for `{name}`, which `eventCategory` {category} needs"
    for index, (name, field) in enumerate(zip(names, fields, strict=True)):
        if name not in rules:
            yield (index, "Field"), _field_problem(name, category, rules)
            continue
        if rules[name].single and name in names[:index]:
            yield (index,), f"want `{name}` once in a selector: add another selector for this one"
            continue
        yield from (((index, *path), text) for path, text in _field(field, rules[name], spell))


def _category_problem(category: str) -> str:
    if category in _STORE_ONLY:
        return f"`{category}` is for event data stores; a trail records {listed(GRAMMAR)}: drop this selector"
    return _want(category, tuple(GRAMMAR))


def _field_problem(name: str, category: str, rules: Mapping[str, Rule]) -> str:
    known = listed((f"`{each}`" for each in rules), "and")
    if name in FIELDS:
        return f"CloudTrail does not take `{name}` with `eventCategory` {category}, only {known}: drop it"
    hint = did_you_mean(name, FIELDS)
    return f"CloudTrail has no field `{name}`; {hint or f'with {category} there are {known}'}"


def _field(field: Selector, rule: Rule, spell: Spell) -> Iterator[Problem]:
    """The problems of one condition: its operators, and the values of each."""
    name = field["Field"]
    for operator in OPERATORS:
        values = _values(field, operator)
        if not values:
            continue
        if operator not in rule.operators:
            allowed = listed(f"`{spell(each)}`" for each in rule.operators)
            yield (operator,), f"`{name}` takes {allowed} here: use that"
            continue
        if rule.single and len(values) > 1:
            instead = "leave the field out" if rule is _READ_ONLY else "add another selector for each other"
            yield (operator,), f"`{name}` takes one value, got {len(values)}: {instead}"
            continue
        for index, value in enumerate(values):
            if rule.values and value not in rule.values:
                yield (operator, index), _want(value, rule.values)
            elif "*" in value:
                instead = spell("StartsWith" if "StartsWith" in rule.operators else operator)
                text = f"CloudTrail knows no `*` in `{value}`: write the text itself, with `{instead}`"
                yield (operator, index), text
            elif not rule.values and not re.fullmatch(rule.pattern, value):
                yield (operator, index), f"want a service such as `kms.amazonaws.com`, got `{value}`"


def _resource_problems(fields: Sequence[Selector], names: Sequence[str], partition: str) -> Iterator[Problem]:
    """The problems of `resources.type`, and of ARNs that are of another type."""
    if "resources.type" not in names:
        return
    at = names.index("resources.type")
    kind = next(iter(_values(fields[at], "Equals")), "")
    if problem := _type_problem(kind):
        yield (at, "Equals", 0), problem
        return
    for index, field in enumerate(fields):
        for operator in OPERATORS if names[index] == "resources.ARN" else ():
            if operator.endswith("EndsWith"):
                continue
            for place, value in enumerate(_values(field, operator)):
                whole = operator.endswith("Equals")
                problem = "" if "*" in value else arn_problem(kind, value, partition, whole=whole)
                if problem:
                    yield (index, operator, place), problem


def _type_problem(kind: str) -> str:
    """Why there is no such type of data events, or an empty text. A service that the table lacks may be a new one."""
    known = resource_types()
    if not kind or kind in known:
        return ""
    from difflib import get_close_matches  # takes a while, and is for a mistake only

    near = {each.lower(): each for each in known}
    found = get_close_matches(kind.lower(), near, 1, 0.9)
    if found or is_known_service(kind) or not re.fullmatch(r"AWS::\w+::\w+", kind):
        hint = f"did you mean '{near[found[0]]}'?" if found else did_you_mean(kind, known)
        return f"CloudTrail has no data events of `{kind}`" + (f"; {hint}" if hint else ": name another type")
    return ""


def snake_case(name: str) -> str:
    """Convert AWS's name of a parameter to that of the file: `FieldSelectors` to `field_selectors`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def in_the_file(problems: Iterator[Problem]) -> Iterator[Problem]:
    """The problems by the names of the file."""
    for path, text in problems:
        yield tuple(snake_case(part) if isinstance(part, str) else part for part in path), text
