"""The text diff of two documents, for people."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .spelling import spelled

# The order in which AWS's own pages write a policy; other keys follow by alphabet.
NATURAL: Final = (
    *("Version", "Id", "Statement", "ID", "Status", "Filter", "Sid", "Effect", "Principal", "NotPrincipal"),
    *("Action", "NotAction", "Resource", "NotResource", "Condition"),
)


def document_diff(have: Mapping[str, Any] | None, want: Mapping[str, Any] | None) -> list[str]:
    """Lines that show how one JSON document becomes the other: `- `, `+ `, or `  ` for context.

    Empty where the two read the same. Two lines of context; `  ...` stands where lines were left out, with
    the Sid of the statement that goes on below. What means nothing in a policy (the order of statements, of
    actions and of resources, one string or a list of it) is shown alike on both sides, so that what differs
    stands out. A document that is wholly new or gone is written as short as it reads. This is for people; whether anything differs is for `policy.same` to say.
    """
    before, after = _readable(have), _readable(want)
    if before is None or after is None:
        mark, there = ("+", after) if before is None else ("-", before)
        return [] if there is None else [f"{mark} {line}" for line in short_json(there).splitlines()]
    if all(isinstance(side, dict) and "Statement" in side for side in (before, after)):
        before["Statement"] = _in_order_of(after["Statement"], before["Statement"])
    old, new = _lines(before), _lines(after)
    # The comma that a line gets when another one follows it is no difference.
    bare_old, bare_new = ([line.rstrip(",") for line in side] for side in (old, new))
    shown: list[str] = []
    for group in difflib.SequenceMatcher(None, bare_old, bare_new, autojunk=False).get_grouped_opcodes(2):
        _, old_start, _, new_start, _ = group[0]
        if old_start or new_start:
            shown.append("  ..." + _statement_at(new, new_start))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                shown += [f"  {line}" for line in new[new_from:new_to]]
            else:
                shown += [f"- {line}" for line in old[old_from:old_to]]
                shown += [f"+ {line}" for line in new[new_from:new_to]]
    return shown


def short_json(value: Any, *, indent: int = 0, width: int = 100) -> str:
    """*value* as JSON in which everything that fits into a line of *width* characters stands in one."""
    flat = json.dumps(value, ensure_ascii=False, default=str)
    top = indent == 0 and len(flat) > width // 2
    if not isinstance(value, dict | list) or not value or (not top and len(flat) + indent <= width):
        return flat
    inside, outside = " " * (indent + 2), " " * indent
    if isinstance(value, dict):
        items = [
            f"{json.dumps(str(k))}: {short_json(v, indent=indent + 2, width=width)}" for k, v in value.items()
        ]
        return "{\n" + ",\n".join(inside + item for item in items) + f"\n{outside}}}"
    items = [short_json(each, indent=indent + 2, width=width) for each in value]
    return "[\n" + ",\n".join(inside + item for item in items) + f"\n{outside}]"


def _lines(document: Mapping[str, Any] | None) -> list[str]:
    if document is None:
        return []
    return json.dumps(document, indent=2, ensure_ascii=False, default=str).splitlines()


def _statement_at(lines: Sequence[str], start: int) -> str:
    for line in reversed(lines[:start]):
        if line.startswith('      "Sid": '):
            return f" {line.strip().rstrip(',')}"
        if line.rstrip(",") in ("    {", "    }"):
            break
    return ""


def _readable(value: Any, *, policy: bool = False) -> Any:
    if isinstance(value, Mapping):
        keys = sorted(value, key=_natural)
        shown = {key: _readable(value[key], policy=policy or key == "Statement") for key in keys}
        if isinstance(shown.get("Statement"), dict):
            shown["Statement"] = [shown["Statement"]]
        return shown
    if isinstance(value, list | tuple):
        items = [_readable(item, policy=policy) for item in value]
        if policy and items and all(isinstance(item, str) for item in items):
            return items[0] if len(set(items)) == 1 else sorted(set(items))
        return items
    return spelled(value) if policy and value is not None else value


def _natural(key: str) -> tuple[int, str]:
    return (NATURAL.index(key) if key in NATURAL else len(NATURAL), str(key))


def _in_order_of(want: Any, have: Any) -> Any:
    def key(statement: Any) -> str:
        sid = statement.get("Sid") if isinstance(statement, Mapping) else None
        return sid if isinstance(sid, str) and sid else json.dumps(statement, sort_keys=True, default=str)

    if not isinstance(have, list) or not isinstance(want, list):
        return have
    rank: dict[str, int] = {}
    for place, statement in enumerate(want):
        rank.setdefault(key(statement), place)
    return sorted(have, key=lambda statement: rank.get(key(statement), len(want)))
