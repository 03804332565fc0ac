"""Compare lifecycle rules by meaning, and merge ours into those of others. Pure: makes no request.

A bucket has one list of rules for everybody, and each PUT replaces all of it. A rule is ours by its ID.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from ...compare.values import Named, merge_named

Rule = Mapping[str, Any]

# S3 returns these lists in any order.
_UNORDERED = ("Transitions", "NoncurrentVersionTransitions", "Tags")


class MergedRules(NamedTuple):
    """The rules of a bucket after ours were merged into them.

    *document* is the `LifecycleConfiguration` to write; S3 refuses one with empty `Rules`. *foreign* are the rules
    of others, as read. *differences* are (ID, have, want) of our rules; empty if there is nothing to write.
    """

    document: dict[str, Any]
    foreign: list[Rule]
    differences: list[Named[Rule]]


def merge_rules(have: Sequence[Rule], own: Sequence[Rule]) -> MergedRules:
    """Our rules as in *own*, then every rule of others in *have*, in its order and with its meaning.

    Rules of others stay as read, except that the old `Prefix` element moves into `Filter`: one rule in the old form
    makes S3 refuse `Filter` in all others ("can only be used in Lifecycle V2", noobaa/noobaa-core#8426).
    """
    foreign, differences = merge_named(
        have, own, name=lambda rule: rule.get("ID"), owned={rule["ID"] for rule in own}, normal=normal_rule
    )
    rules = [dict(rule) for rule in own] + [_with_filter(rule) for rule in foreign]
    return MergedRules({"Rules": rules}, foreign, differences)


def _with_filter(rule: Rule) -> dict[str, Any]:
    if "Prefix" not in rule or "Filter" in rule:
        return dict(rule)
    rest = {key: value for key, value in rule.items() if key != "Prefix"}
    return {**rest, "Filter": {"Prefix": rule["Prefix"]}}


def normal_rule(rule: Rule) -> Hashable:
    """The meaning of a rule, in a form that can be compared and hashed.

    `Filter: {}`, `Filter: {Prefix: ""}` and the old `Prefix: ""` are the same, and so are `And` around one
    predicate and the predicate. Transitions have no order. Numbers may be text, dates may be text or dates.
    """
    rest = {key: value for key, value in rule.items() if key not in ("Filter", "Prefix")}
    return frozenset((*_items(rest), ("Filter", rule_filter(rule))))


def rule_filter(rule: Rule) -> frozenset[tuple[str, Hashable]]:
    """The predicates on objects that must all hold, as (name, value); empty for a rule that applies to all objects."""
    return frozenset(_predicates(rule))


def _predicates(rule: Rule) -> Iterator[tuple[str, Hashable]]:
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
        # S3 returns `ExpiredObjectDeleteMarker: False` beside Days; it means the same as nothing.
        if item in (None, "", [], {}) or item is False:
            continue
        normal = item if key in ("ID", "Status") else _normal(item, unordered=key in _UNORDERED)
        if normal != frozenset():
            yield key, normal


def _normal(value: Any, *, unordered: bool = False) -> Hashable:
    """The value with unordered lists as sets, numbers as integers, and dates as text, in UTC."""
    if isinstance(value, Mapping):
        return frozenset(_items(value))
    if isinstance(value, list | tuple):
        items = [_normal(item) for item in value]
        return frozenset(items) if unordered else tuple(items)
    if isinstance(value, datetime):
        # S3 takes midnight UTC only, and a date alone means that.
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
