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


class Split(NamedTuple):
    """A resource's differences: those to repair, and those in which AWS is stricter than the baseline."""

    repairs: tuple[Difference, ...]
    stricter: tuple[Difference, ...]


def split(have: Mapping[str, Any], want: Mapping[str, Any], rules: Mapping[str, Stricter]) -> Split:
    """Compare the fields of *want*, all plain values. A field without one of the *rules* is never stricter."""
    from ..model import Difference  # not needed to read a file

    repairs: list[Difference] = []
    stricter: list[Difference] = []
    for name, value in want.items():
        current = have.get(name)
        if current != value:
            kind = stricter if name in rules and rules[name](current, value) else repairs
            kind.append(Difference(name, current, value))
    return Split(tuple(repairs), tuple(stricter))
