"""Comparing values: what the baseline asks for, beside what AWS has.

Every step decides here whether anything is different, and so whether anything is written. Only what the
baseline asks for is compared; what AWS adds by itself is no drift.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ..model import Difference
from .spelling import spelled

T = TypeVar("T")
Named = tuple[str, T | None, T | None]  # name, have, want

# The order in which AWS's own pages write a policy; other keys follow by alphabet.
NATURAL: Final = (
    *("Version", "Id", "Statement", "ID", "Status", "Filter", "Sid", "Effect", "Principal", "NotPrincipal"),
    *("Action", "NotAction", "Resource", "NotResource", "Condition"),
)


def differs(have: Any, want: Any, *, unordered: Collection[str] = ()) -> bool:
    """True when anything in *want* is missing from *have* or has another value there.

    Keys that only *have* knows do not count, at any depth. None is the same as absent; nothing else is: not
    `""`, `[]`, `{}`, 0 or False. Lists keep their order, except where *unordered* names the field, dotted and
    without list indexes (`event_selectors.data_resources`).
    """
    return _differs(have, want, "", frozenset(unordered))


def differences(
    have: Mapping[str, Any] | None, want: Mapping[str, Any], *, unordered: Collection[str] = ()
) -> tuple[Difference, ...]:
    """Each field of *want* that *have* lacks or holds otherwise, in the order of *want*; `differs` says how.

    Fields in nested mappings have dotted names (`recording_group.all_supported`). A list is one field.
    """
    return tuple(_fields(have or {}, want, "", frozenset(unordered)))


def _fields(
    have: Mapping[str, Any], want: Mapping[str, Any], above: str, unordered: Collection[str]
) -> Iterator[Difference]:
    for key, value in want.items():
        field, got = _dotted(above, key), have.get(key)
        if not _differs(got, value, field, unordered):
            continue
        below: list[Difference] = []
        if isinstance(value, Mapping) and (got is None or isinstance(got, Mapping)):
            below = list(_fields(got or {}, value, field, unordered))
        yield from below or [Difference(field, got, value)]


def _differs(have: Any, want: Any, field: str, unordered: Collection[str]) -> bool:
    if isinstance(want, Mapping):
        return not isinstance(have, Mapping) or any(
            _differs(have.get(key), value, _dotted(field, key), unordered) for key, value in want.items()
        )
    if isinstance(want, list | tuple):
        if not isinstance(have, list | tuple):
            return True
        if field in unordered:
            return _sets_differ(have, want, field, unordered)
        return len(have) != len(want) or any(
            _differs(got, value, field, unordered) for got, value in zip(have, want, strict=True)
        )
    return bool(_scalar(have) != _scalar(want))


def _sets_differ(have: Sequence[Any], want: Sequence[Any], field: str, unordered: Collection[str]) -> bool:
    if not any(isinstance(item, Mapping | list | tuple) for item in (*have, *want)):
        return {_scalar(item) for item in have} != {_scalar(item) for item in want}

    def fits(got: Any, value: Any) -> bool:
        return not _differs(got, value, field, unordered)

    return not (
        all(any(fits(got, value) for got in have) for value in want)
        and all(any(fits(got, value) for value in want) for got in have)
    )


def _scalar(value: Any) -> tuple[bool, Any]:
    # Python says True == 1; AWS does not.
    return isinstance(value, bool), value


def _dotted(above: str, key: str) -> str:
    return f"{above}.{key}" if above else str(key)


@dataclass(frozen=True)
class Tags:
    """What is to be done about the tags of one resource.

    *missing* are the tags to set; it is empty when nothing differs. *document* is the whole list, for calls
    that replace it, such as PutBucketTagging: what was there, the system's `aws:` tags too, and ours.
    """

    missing: dict[str, str]
    document: list[dict[str, str]]
    foreign: list[str]


def tags(have: Sequence[Mapping[str, str]] | None, want: Mapping[str, str]) -> Tags:
    """The tags of *want* that *have* lacks, beside every tag that somebody else put there.

    `aws:` tags belong to AWS: they are never set, never foreign and never lost. Raises ValueError where
    *want* has one.
    """
    if reserved := sorted(key for key in want if key.lower().startswith("aws:")):
        raise ValueError(f"tags: want keys without AWS's own prefix `aws:`, got `{reserved[0]}`")
    there = {tag["Key"]: tag["Value"] for tag in have or ()}
    return Tags(
        missing={key: value for key, value in want.items() if there.get(key) != value},
        document=[{"Key": key, "Value": value} for key, value in {**there, **want}.items()],
        foreign=[key for key in there if key not in want and not key.lower().startswith("aws:")],
    )


def merge_named(
    have: Sequence[T],
    want: Sequence[T],
    *,
    name: Callable[[T], str | None],
    owned: Container[str],
    normal: Callable[[T], Hashable],
) -> tuple[list[T], list[Named[T]]]:
    """The items of *have* that are not ours, and what is different about those that are.

    An item is ours when its name is in *owned*, whatever it says. A superfluous item of ours, or a second one
    under the same name, differs with None for want. Foreign items are never looked into.
    """
    foreign: list[T] = []
    ours: dict[str, list[T]] = {}
    for item in have:
        key = name(item)
        if key is not None and key in owned:
            ours.setdefault(key, []).append(item)
        else:
            foreign.append(item)
    found: list[Named[T]] = []
    for item in want:
        key = name(item) or ""
        there = ours.pop(key, [])
        same = [i for i, other in enumerate(there) if normal(other) == normal(item)]
        if not same:
            found.append((key, there[0] if there else None, item))
        kept = same[0] if same else 0
        found += [(key, other, None) for i, other in enumerate(there) if i != kept]
    found += [(key, other, None) for key, others in ours.items() for other in others]
    return foreign, found


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
