"""Find what CloudTrail may refuse in event selectors of a trail, or takes without effect. Pure: makes no request.

CloudTrail adds resource types every month, so what AWS's pages do not list may be a mistake, or newer than our tables: a
plan warns of it. The sandbox, which is an AWS as of these pages, refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from ...baseline.problem import did_you_mean
from .resource_types import arn_problem, is_of_another_service, resource_types
from .selector_checks import Problem, field_selectors, resource_arns, resource_type, values_of
from .selector_grammar import FIELDS, OPERATORS
from .selectors import Selector, Selectors, advanced


def selector_doubts(selectors: Selectors, *, partition: str = "") -> Iterator[Problem]:
    """What AWS's pages do not list, in event selectors without problems.

    Without *partition* the ARNs may be of any.
    """
    for index, one in enumerate(advanced(selectors)):
        for path, text in _doubts(field_selectors(one), partition):
            yield ("AdvancedEventSelectors", index, "FieldSelectors", *path), text


def _doubts(fields: Sequence[Selector], partition: str) -> Iterator[Problem]:
    for index, field in enumerate(fields):
        if field["Field"] not in FIELDS:
            yield (index, "Field"), _unlisted("field", field["Field"], FIELDS)
    kind = resource_type(fields)
    if kind and kind not in resource_types():
        yield (), _unlisted("resource type", kind, resource_types())
    for path, value in resource_arns(fields, "Equals", "NotEquals"):
        if is_of_another_service(kind, value):
            yield path, f"`{value}` is an ARN of another service than that of {kind}"
    for path, value in resource_arns(fields, "StartsWith", "NotStartsWith"):
        if text := arn_problem(kind, value, partition, whole=False):
            yield path, text


def _unlisted(what: str, name: str, known: Collection[str]) -> str:
    hint = did_you_mean(name, known)
    return f"AWS's pages list no {what} `{name}`" + (f"; {hint}" if hint else "")


def selector_warnings(selectors: Selectors, *, partition: str, spell: Callable[[str], str]) -> Iterator[str]:
    """A text for each thing that CloudTrail may refuse, or that it takes without effect."""
    yield from (
        f"{text}; CloudTrail may refuse this" for _, text in selector_doubts(selectors, partition=partition)
    )
    resources = [
        each for one in selectors.get("EventSelectors") or () for each in one.get("DataResources") or ()
    ]
    values = [value for each in resources for value in each.get("Values") or ()]
    for one in advanced(selectors):
        fields = field_selectors(one)
        values += [
            value for field in fields for operator in OPERATORS for value in values_of(field, operator)
        ]
    for value in values:
        if "*" in value:
            instead = (
                f": write the beginning, with `{spell('StartsWith')}`"
                if advanced(selectors)
                else ": leave it out"
            )
            yield f"`{value}`: CloudTrail has no wildcards, so it looks for names with that `*`{instead}"
