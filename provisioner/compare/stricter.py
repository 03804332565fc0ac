"""Which side of a setting is stricter. Where AWS already asks more than the baseline, that is no drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..model import Difference

# Whether *have* is on the safer side of *want*. Both are values of one field; have is never equal to want.
Stricter = Callable[[Any, Any], bool]


def higher(have: Any, want: Any) -> bool:
    """More is safer: a length, a number of days that something is kept."""
    return isinstance(have, int) and (want is None or have > want)


def lower(have: Any, want: Any) -> bool:
    """Less is safer: the age a password may reach. None is no limit at all."""
    return isinstance(have, int) and (want is None or have < want)


def on(have: Any, want: Any) -> bool:
    """A protection that the baseline does not ask for is there."""
    return have is True and want in {False, None}


def present(have: Any, want: Any) -> bool:
    """Something that the baseline does not ask for is there: a key that encrypts."""
    return have is not None and want is None


class Split(NamedTuple):
    """A resource's differences: those to repair, and those in which AWS is stricter than the baseline."""

    repairs: tuple[Difference, ...]
    stricter: tuple[Difference, ...]


def split(have: Mapping[str, Any], want: Mapping[str, Any], rules: Mapping[str, Stricter]) -> Split:
    """Compare the fields of *want*, all plain values, and split the differences by *rules*, which may leave fields out."""
    from ..model import Difference  # a file is read without it

    repairs: list[Difference] = []
    stricter: list[Difference] = []
    for name, value in want.items():
        there = have.get(name)
        if there != value:
            side = stricter if name in rules and rules[name](there, value) else repairs
            side.append(Difference(name, there, value))
    return Split(tuple(repairs), tuple(stricter))
