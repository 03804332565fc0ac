"""Comparing values: what the baseline asks for, beside what AWS has.

Every step decides here whether anything is different, and so whether anything is written. Only what the
baseline asks for is compared; what AWS adds by itself is no drift.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ..model import Difference

T = TypeVar("T")
Named = tuple[str, T | None, T | None]  # name, have, want


def differences(
    have: Mapping[str, Any] | None, want: Mapping[str, Any], *, unordered: Collection[str] = ()
) -> tuple[Difference, ...]:
    """Each field of *want* that *have* lacks or holds otherwise, in the order of *want*.

    Keys that only *have* knows do not count, at any depth. None is the same as absent; nothing else is: not
    `""`, `[]`, `{}`, 0 or False. Lists keep their order, except where *unordered* names the field, dotted and
    without list indexes (`event_selectors.data_resources`). Fields in nested mappings have dotted names (`recording_group.all_supported`). A list is one field.
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
