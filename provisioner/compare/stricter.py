"""Where AWS already asks more than the baseline, that is no drift: it is said, and left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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


class Weighed(NamedTuple):
    """What must change, and what is stricter and stays. *kept* is by field."""

    differences: tuple[Difference, ...]
    kept: Mapping[str, tuple[Any, Any]]

    @property
    def loosening(self) -> tuple[Difference, ...]:
        """What would undo what is kept; to be yielded as a change of its own, with a consent."""
        return tuple(Difference(name, have, want) for name, (have, want) in self.kept.items())


def weigh(
    have: Mapping[str, Any], want: Mapping[str, Any], stricter: Mapping[str, Stricter], *, exact: bool = False
) -> Weighed:
    """Compare the fields of *want*, which are all simple values.

    A field in which *have* is stricter is kept, unless *exact*. Fields that *stricter* does not name are compared plainly.
    """
    differences: list[Difference] = []
    kept: dict[str, tuple[Any, Any]] = {}
    for name, value in want.items():
        present = have.get(name)
        if present == value:
            continue
        if not exact and name in stricter and stricter[name](present, value):
            kept[name] = (present, value)
        else:
            differences.append(Difference(name, present, value))
    return Weighed(tuple(differences), kept)
