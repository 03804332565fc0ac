"""Find what CloudTrail refuses in event selectors and insight selectors of a trail. Pure: makes no request.

Only what a page of AWS rules out, or what CloudTrail has refused somebody, is a problem: `validate` and the sandbox
refuse it. What no page lists is in `selector_doubts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ...baseline.problem import Path, did_you_mean, listed, misspelt
from .resource_types import arn_problem, resource_types
from .selector_grammar import (
    EXCLUDABLE,
    FIELDS,
    GRAMMAR,
    INSIGHT_CATEGORIES,
    INSIGHT_TYPES,
    MOST_RESOURCES,
    MOST_SELECTORS,
    MOST_VALUES,
    OPERATORS,
    READ_ONLY,
    READ_WRITE_TYPES,
    STORE_ONLY,
    Rule,
)
from .selectors import BASIC_TYPES, Selector, Selectors, advanced, management_access, records_data

Problem = tuple[Path, str]  # a path by AWS's names below the request's parameters, and what is wrong there
_LIKE_A_FIELD: Final = 0.8  # similarity from which an unknown name is a misspelt one
_LIKE_A_TYPE: Final = 0.93
Spell = Callable[[str], str]  # converts AWS's name of a parameter to that of the reader


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
    problem = arn_problem(kind, value, partition, whole=True)
    return f"{problem}; `{arn}` is every one" if problem else ""


# --- advanced selectors ---


def _advanced_problems(selectors: Sequence[Selector], partition: str, spell: Spell) -> Iterator[Problem]:
    count = sum(
        len(values_of(field, each))
        for one in selectors
        for field in field_selectors(one)
        for each in OPERATORS
    )
    if count > MOST_VALUES:
        yield (), f"want {MOST_VALUES} values at most, in all selectors, got {count}"
    for index, one in enumerate(selectors):
        for path, text in _advanced(one, partition, spell):
            yield (index, "FieldSelectors", *path), text


def field_selectors(selector: Selector) -> Sequence[Selector]:
    """The conditions of an advanced selector."""
    fields: Sequence[Selector] = selector.get("FieldSelectors") or ()
    return fields


def values_of(field: Selector, operator: str) -> Sequence[str]:
    """The values of a condition with this operator; empty for another operator."""
    values: Sequence[str] = field.get(operator) or ()
    return values


def _advanced(selector: Selector, partition: str, spell: Spell) -> Iterator[Problem]:
    fields = field_selectors(selector)
    names = [str(each.get("Field")) for each in fields]
    for index, field in enumerate(fields):
        if not any(values_of(field, each) for each in OPERATORS):
            yield (index,), f"want a condition, such as `{spell('Equals')}: [Management]`"
    if "eventCategory" not in names:
        yield (), f"want one for `eventCategory`, such as `{spell('Equals')}: [Management]`"
        return
    at = names.index("eventCategory")
    category = next(iter(values_of(fields[at], "Equals")), "")
    if category in GRAMMAR:
        yield from _of_category(category, fields, names, spell)
        yield from _resource_problems(fields, names, partition)
    elif category:
        yield (at, "Equals", 0), _category_problem(category)
    else:
        yield from (
            ((at, *path), text)
            for path, text in _field(fields[at], GRAMMAR["Management"]["eventCategory"], spell)
        )


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
            if problem := _field_problem(name, category):
                yield (index, "Field"), problem
            continue
        if rules[name].single and name in names[:index]:
            yield (index,), f"want `{name}` once in a selector: add another selector for this one"
            continue
        yield from (((index, *path), text) for path, text in _field(field, rules[name], spell))


def _category_problem(category: str) -> str:
    if category in STORE_ONLY:
        return f"`{category}` is for event data stores; a trail records {listed(GRAMMAR)}: drop this selector"
    return _want(category, tuple(GRAMMAR))


def _field_problem(name: str, category: str) -> str:
    """Why selectors of the category certainly have no such field, or an empty text."""
    if name in FIELDS:
        known = listed((f"`{each}`" for each in GRAMMAR[category]), "and")
        return f"CloudTrail does not take `{name}` with `eventCategory` {category}, only {known}: drop it"
    near = misspelt(name, FIELDS, _LIKE_A_FIELD)
    return f"CloudTrail has no field `{name}`; did you mean '{near}'?" if near else ""


def _field(field: Selector, rule: Rule, spell: Spell) -> Iterator[Problem]:
    """The problems of one condition: its operators, and the values of each."""
    name = field["Field"]
    for operator in OPERATORS:
        values = values_of(field, operator)
        if not values:
            continue
        if operator not in rule.operators:
            allowed = listed(f"`{spell(each)}`" for each in rule.operators)
            yield (operator,), f"`{name}` takes {allowed} here: use that"
            continue
        if rule.single and len(values) > 1:
            instead = "leave the field out" if rule is READ_ONLY else "add another selector for each other"
            yield (operator,), f"`{name}` takes one value, got {len(values)}: {instead}"
            continue
        for index, value in enumerate(values):
            if rule.values and value not in rule.values:
                yield (operator, index), _want(value, rule.values)
            elif not rule.values and not re.fullmatch(rule.pattern, value):
                yield (operator, index), f"want a service such as `kms.amazonaws.com`, got `{value}`"


def _resource_problems(fields: Sequence[Selector], names: Sequence[str], partition: str) -> Iterator[Problem]:
    """The problems of `resources.type`, and of whole ARNs that are none of that type."""
    if "resources.type" not in names:
        return
    kind = resource_type(fields)
    if problem := _type_problem(kind):
        yield (names.index("resources.type"), "Equals", 0), problem
        return
    for path, value in resource_arns(fields, "Equals", "NotEquals"):
        if problem := arn_problem(kind, value, partition, whole=True):
            yield path, problem


def resource_type(fields: Sequence[Selector]) -> str:
    """The resource type that the conditions name, or an empty text."""
    named = [field for field in fields if field.get("Field") == "resources.type"]
    return next((each for field in named for each in values_of(field, "Equals")), "")


def resource_arns(fields: Sequence[Selector], *operators: str) -> Iterator[tuple[Path, str]]:
    """The values of `resources.ARN` with these operators, each with its path."""
    for index, field in enumerate(fields):
        for operator in operators if field.get("Field") == "resources.ARN" else ():
            for place, value in enumerate(values_of(field, operator)):
                yield (index, operator, place), value


def _type_problem(kind: str) -> str:
    """Why AWS certainly has no such resource type, or an empty text."""
    if not kind or kind in resource_types():
        return ""
    if re.fullmatch(r"AWS::\w+::\w+", kind) and not misspelt(kind, resource_types(), _LIKE_A_TYPE):
        return ""
    return f"CloudTrail has no data events of `{kind}`; {did_you_mean(kind, resource_types()) or 'name another type'}"
