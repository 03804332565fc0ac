"""Text diff of two JSON documents, for people. Whether they differ in meaning is for `policy.same` to decide."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .spelling import to_text

# The order of keys in AWS's documentation of policies; other keys follow, sorted.
_KEY_ORDER: Final = (
    *("Version", "Id", "Statement", "ID", "Status", "Filter", "Sid", "Effect", "Principal", "NotPrincipal"),
    *("Action", "NotAction", "Resource", "NotResource", "Condition"),
)
_WIDTH: Final = 100


def document_diff(have: Mapping[str, Any] | None, want: Mapping[str, Any] | None) -> list[str]:
    """The lines of a diff, each after `- `, `+ `, or `  ` for context; empty if the documents read the same.

    There are two lines of context. `  ...` marks omitted lines, with the Sid of the statement that continues below it.
    What has no meaning in a policy (the order of statements, actions and resources, a list of one string) is made equal
    on both sides. A document that is new or removed is written compactly.
    """
    before, after = _readable(have), _readable(want)
    if before is None or after is None:
        mark, only = ("+", after) if before is None else ("-", before)
        return [] if only is None else [f"{mark} {line}" for line in _compact(only).split("\n")]
    if all(isinstance(side, dict) and "Statement" in side for side in (before, after)):
        before["Statement"] = _in_order_of(before["Statement"], after["Statement"])
    old, new = _lines(before), _lines(after)
    # Compare without the comma that a line has only if another one follows.
    bare_old, bare_new = ([line.rstrip(",") for line in side] for side in (old, new))
    diff: list[str] = []
    for group in difflib.SequenceMatcher(None, bare_old, bare_new, autojunk=False).get_grouped_opcodes(2):
        _, old_start, _, new_start, _ = group[0]
        if old_start or new_start:
            diff.append("  ..." + _statement_at(new, new_start))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                diff += [f"  {line}" for line in new[new_from:new_to]]
            else:
                diff += [f"- {line}" for line in old[old_from:old_to]]
                diff += [f"+ {line}" for line in new[new_from:new_to]]
    return diff


def _compact(value: Any, indent: int = 0) -> str:
    """The value as JSON that has every list and mapping in one line if it fits."""
    flat = json.dumps(value, ensure_ascii=False, default=str)
    top = indent == 0 and len(flat) > _WIDTH // 2
    if not isinstance(value, dict | list) or not value or (not top and len(flat) + indent <= _WIDTH):
        return flat
    inside, outside = " " * (indent + 2), " " * indent
    if isinstance(value, dict):
        items = [f"{json.dumps(str(key))}: {_compact(each, indent + 2)}" for key, each in value.items()]
        opening, closing = "{}"
    else:
        items = [_compact(each, indent + 2) for each in value]
        opening, closing = "[]"
    return f"{opening}\n" + ",\n".join(inside + item for item in items) + f"\n{outside}{closing}"


def _lines(document: Any) -> list[str]:
    # Not `splitlines`: a value of AWS may hold other line separators, which JSON does not escape.
    return json.dumps(document, indent=2, ensure_ascii=False, default=str).split("\n")


def _statement_at(lines: Sequence[str], start: int) -> str:
    """The Sid of the statement that the line at *start* is in, or an empty text."""
    for line in reversed(lines[:start]):
        if line.startswith('      "Sid": '):
            return f" {line.strip().rstrip(',')}"
        if line.rstrip(",") in ("    {", "    }"):
            break
    return ""


def _readable(value: Any, *, policy: bool = False) -> Any:
    """Sort keys as AWS's documentation does, and in a policy also lists, which have no order there."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=_key_order)
        ordered = {key: _readable(value[key], policy=policy or key == "Statement") for key in keys}
        if isinstance(ordered.get("Statement"), dict):
            ordered["Statement"] = [ordered["Statement"]]
        return ordered
    if isinstance(value, list | tuple):
        items = [_readable(item, policy=policy) for item in value]
        if policy and items and all(isinstance(item, str) for item in items):
            return items[0] if len(set(items)) == 1 else sorted(set(items))
        return items
    return to_text(value) if policy and value is not None else value


def _key_order(key: str) -> tuple[int, str]:
    return (_KEY_ORDER.index(key) if key in _KEY_ORDER else len(_KEY_ORDER), str(key))


def _in_order_of(have: Any, want: Any) -> Any:
    """The statements of *have* in the order of the same statements in *want*, others last."""

    def key(statement: Any) -> str:
        sid = statement.get("Sid") if isinstance(statement, Mapping) else None
        return sid if isinstance(sid, str) and sid else json.dumps(statement, sort_keys=True, default=str)

    if not isinstance(have, list) or not isinstance(want, list):
        return have
    rank: dict[str, int] = {}
    for place, statement in enumerate(want):
        rank.setdefault(key(statement), place)
    return sorted(have, key=lambda statement: rank.get(key(statement), len(want)))
