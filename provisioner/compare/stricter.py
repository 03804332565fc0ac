"""Decide whether a setting in AWS is stricter than the baseline, which is not drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..model import Difference

# Called with *have* and *want* of one field, which differ; true if *have* is stricter.
Stricter = Callable[[Any, Any], bool]


def higher(have: Any, want: Any) -> bool:
    """For numbers where more is stricter: a length, the days of a retention. None is no minimum."""
    return isinstance(have, int) and (want is None or have > want)


def lower(have: Any, want: Any) -> bool:
    """For numbers where less is stricter: the maximum age of a password. None is no limit."""
    return isinstance(have, int) and (want is None or have < want)


def on(have: Any, want: Any) -> bool:
    """For protections that can be on without the baseline asking for them."""
    return have is True and want in {False, None}


def present(have: Any, want: Any) -> bool:
    """For optional values that are stricter than none: an encryption key."""
    return have is not None and want is None


def more(have: Any, want: Any) -> bool:
    """For lists of what is covered, such as Regions: AWS has all of the baseline's entries, and others. None is no entry."""
    return set(have or ()) > set(want or ())


def fewer(have: Any, want: Any) -> bool:
    """For lists of exceptions: AWS has some of the baseline's only. None is no list, and not an empty one."""
    return have is not None and set(have) < set(want or ())


def ranked(*values: str) -> Stricter:
    """For words, the least strict first. A word that is none of them, or no value, is never stricter."""
    return lambda have, want: have in values and want in values and values.index(have) > values.index(want)


class Split(NamedTuple):
    """A resource's differences: those to repair, and those in which AWS is stricter than the baseline.

    A list of which AWS lacks an entry and has one of its own is in both: repaired to what is at least as strict as either.
    """

    repairs: tuple[Difference, ...]
    stricter: tuple[Difference, ...]


def split(have: Mapping[str, Any], want: Mapping[str, Any], rules: Mapping[str, Stricter]) -> Split:
    """Compare the fields of *want*, all plain values. A field without one of the *rules* is never stricter."""
    from ..model import Difference  # not needed to read a file

    repairs: list[Difference] = []
    stricter: list[Difference] = []
    for name, value in want.items():
        current = have.get(name)
        if current == value:
            continue
        kept = _as_strict_as_both(current, value, rules[name]) if name in rules else value
        if kept != current:
            repairs.append(Difference(name, current, kept))
        if kept != value:
            stricter.append(Difference(name, kept, value))
    return Split(tuple(repairs), tuple(stricter))


def _as_strict_as_both(have: Any, want: Any, rule: Stricter) -> Any:
    """*have* if that is stricter; of two lists of names all of them, or the common ones, if that is; or else *want*."""
    if rule(have, want):
        return have
    if _are_names(have) and _are_names(want):
        for kept in (sorted({*have, *want}), sorted({*have} & {*want})):
            if rule(kept, want) and rule(kept, have):
                return kept
    return want


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
