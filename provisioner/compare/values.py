"""Compare values in AWS with the baseline. Only what the baseline asks for is compared: what AWS adds is not drift."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ..model import Difference

T = TypeVar("T")
Named = tuple[str, T | None, T | None]  # name, have, want


def differences(
    have: Mapping[str, Any] | None, want: Mapping[str, Any], *, unordered: Collection[str] = ()
) -> tuple[Difference, ...]:
    """The fields of *want* that are missing or different in *have*, in the order of *want*.

    Keys that only *have* has are ignored, at any depth. None equals absent; `""`, `[]`, `{}`, 0 and False do not.
    Fields in nested mappings have dotted names (`recording_group.all_supported`). A list is one field, and its order
    matters unless *unordered* has the field, dotted and without indexes (`event_selectors.data_resources`).
    """
    return tuple(_fields(have or {}, want, "", frozenset(unordered)))


def _fields(
    have: Mapping[str, Any], want: Mapping[str, Any], above: str, unordered: Collection[str]
) -> Iterator[Difference]:
    for key, value in want.items():
        field, current = _dotted(above, key), have.get(key)
        if not _differs(current, value, field, unordered):
            continue
        below: list[Difference] = []
        if isinstance(value, Mapping) and (current is None or isinstance(current, Mapping)):
            below = list(_fields(current or {}, value, field, unordered))
        yield from below or [Difference(field, current, value)]


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
            _differs(one, other, field, unordered) for one, other in zip(have, want, strict=True)
        )
    return bool(_scalar(have) != _scalar(want))


def _sets_differ(have: Sequence[Any], want: Sequence[Any], field: str, unordered: Collection[str]) -> bool:
    if not any(isinstance(item, Mapping | list | tuple) for item in (*have, *want)):
        return {_scalar(item) for item in have} != {_scalar(item) for item in want}

    def differs(one: Any, other: Any) -> bool:
        return _differs(one, other, field, unordered)

    return any(all(differs(one, other) for one in have) for other in want) or any(
        all(differs(one, other) for other in want) for one in have
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
    """The foreign items of *have*, and the differences between our items there and those of *want*.

    An item is ours if its name is in *owned*. Items are equal if their values of *normal* are. A superfluous item of
    ours, or a second one with the same name, is a difference with None for want.
    """
    foreign: list[T] = []
    ours: dict[str, list[T]] = {}
    for item in have:
        key = name(item)
        if key is not None and key in owned:
            ours.setdefault(key, []).append(item)
        else:
            foreign.append(item)
    changes: list[Named[T]] = []
    for item in want:
        key = name(item) or ""
        current = ours.pop(key, [])
        equal = [i for i, each in enumerate(current) if normal(each) == normal(item)]
        if not equal:
            changes.append((key, current[0] if current else None, item))
        kept = equal[0] if equal else 0
        changes += [(key, each, None) for i, each in enumerate(current) if i != kept]
    changes += [(key, each, None) for key, items in ours.items() for each in items]
    return foreign, changes
