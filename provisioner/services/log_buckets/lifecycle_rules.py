"""Lifecycle rules of a bucket: one normal form, and merging ours into those of others.

A bucket has one list of rules for everybody, and each PUT replaces all of it. Rules are ours by their ID.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ...compare.values import Named, merge_named

Rule = Mapping[str, Any]

# What S3 gives back in any order.
_SETS = ("Transitions", "NoncurrentVersionTransitions", "Tags")


@dataclass(frozen=True)
class MergedRules:
    """The rules of a bucket after ours were put into them.

    *document* is the `LifecycleConfiguration` to write; TransitionDefaultMinimumObjectSize, beside it, goes
    back as read. S3 takes no empty `Rules`, the configuration is then to be deleted. *foreign* are the
    rules that are not ours, as read. *differences* are (id, have, want) as in `policy.Merged`.
    """

    document: dict[str, Any]
    changed: bool
    foreign: list[Rule]
    differences: list[Named[Rule]]


def lifecycle_rule(rule: Rule) -> Hashable:
    """What the rule means, in a form that can be compared and hashed.

    `Filter: {}`, `Filter: {Prefix: ""}` and the old `Prefix: ""` are the same, and so are `And` around one
    predicate and the predicate. Transitions have no order. Numbers may be text, dates may be text or dates.
    """
    rest = {key: value for key, value in rule.items() if key not in ("Filter", "Prefix")}
    return frozenset((*_items(rest), ("Filter", chosen_by(rule))))


def chosen_by(rule: Rule) -> frozenset[tuple[str, Hashable]]:
    """Everything an object must be for the rule to apply, as (name, value); empty for a rule that applies to all."""
    return frozenset(_predicates(rule))


def merge_rules(
    have_rules: Sequence[Rule] | None, own_rules: Sequence[Rule], *, owned: Collection[str]
) -> MergedRules:
    """The rules with ours as wanted, and every rule of others with the meaning it had, in its order.

    *owned* are all IDs that we write, those of *own_rules* and those no longer wanted. Foreign rules stay as
    read, but for the old `Prefix` element, which moves into `Filter`: one rule with the old form makes S3
    refuse `Filter` in all others ("can only be used in Lifecycle V2", noobaa/noobaa-core#8426).
    Raises ValueError where a rule of ours has no owned ID of its own.
    """
    ids = [rule.get("ID") for rule in own_rules]
    for place, name in enumerate(ids):
        if not name or name not in owned or name in ids[:place]:
            raise ValueError(f"lifecycle rule {place + 1}: want an ID of its own that is owned, got `{name}`")
    foreign, differences = merge_named(
        have_rules or (), own_rules, name=lambda rule: rule.get("ID"), owned=owned, normal=lifecycle_rule
    )
    rules = [dict(rule) for rule in own_rules] + [_with_filter(rule) for rule in foreign]
    return MergedRules({"Rules": rules}, bool(differences), foreign, differences)


def _with_filter(rule: Rule) -> dict[str, Any]:
    if "Prefix" not in rule or "Filter" in rule:
        return dict(rule)
    rest = {key: value for key, value in rule.items() if key != "Prefix"}
    return {**rest, "Filter": {"Prefix": rule["Prefix"]}}


def _predicates(rule: Rule) -> Iterator[tuple[str, Hashable]]:
    """Everything an object must be for the rule to apply; nothing for a rule that applies to all."""
    if prefix := rule.get("Prefix"):
        yield "Prefix", prefix
    for key, value in (rule.get("Filter") or {}).items():
        if key == "And":
            yield from _predicates({"Filter": value})
        elif key in ("Tag", "Tags"):
            for tag in [value] if isinstance(value, Mapping) else value or ():
                yield "Tag", (tag["Key"], tag["Value"])
        elif value not in (None, ""):
            yield key, value if key == "Prefix" else _normal(value)


def _items(value: Mapping[str, Any]) -> Iterator[tuple[str, Hashable]]:
    for key, item in value.items():
        # ExpiredObjectDeleteMarker: False comes back beside Days, and says nothing.
        if item in (None, "", [], {}) or item is False:
            continue
        normal = item if key in ("ID", "Status") else _normal(item, unordered=key in _SETS)
        if normal != frozenset():
            yield key, normal


def _normal(value: Any, *, unordered: bool = False) -> Hashable:
    """The value with sets as sets, numbers as numbers and dates as the UTC date in text."""
    if isinstance(value, Mapping):
        return frozenset(_items(value))
    if isinstance(value, list | tuple):
        items = [_normal(item) for item in value]
        return frozenset(items) if unordered else tuple(items)
    if isinstance(value, datetime):
        # S3 knows midnight UTC only, and a date alone means that.
        return (value.astimezone(UTC) if value.tzinfo else value).date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else _date(value)
    number: Hashable = value
    return number


def _date(text: str) -> str:
    try:
        return str(_normal(datetime.fromisoformat(text)))
    except ValueError:
        return text
