"""What an event says.

part       `organization`: what exists once is done, and the accounts are found. `accounts`: those of `Items` are done.
command    `diff` where it is left out, `apply` or `verify`.
allow      what may be loosened, as with `--allow`. Nothing where it is left out.
max_changes  as with `--max-changes`, for each account: `10` or `30%`. No limit where it is left out.
baseline   the text of the file. Where it is left out, PROVISION_FILE names a file that is packaged with the function.
lost, overrides   what `organization` has answered.
Items      accounts that `organization` has answered, some of them.
results    those of a slice that was begun before: they are answered again, with the new ones.

All of it may stand in the event itself, in its `BatchInput`, or in `asked` in either of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..engine.plan import LIMIT
from ..fleet.fleet import Command
from ..model import Refused

_PARTS: Final = ("organization", "accounts")
_COMMANDS: Final = ("diff", "apply", "verify")
_KINDS: Final[Mapping[str, type]] = {
    "part": str,
    "command": str,
    "allow": list,
    "max_changes": str,
    "baseline": str,
    "lost": dict,
    "overrides": dict,
    "Items": list,
    "results": list,
}
_CALLED: Final[Mapping[type, str]] = {str: "a text", list: "a list", dict: "an object"}


@dataclass(frozen=True)
class Asked:
    """An event, checked."""

    part: str
    command: Command = "diff"
    allow: tuple[str, ...] = ()
    max_changes: str | None = None
    baseline: str | None = None
    lost: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Sequence[int]] = field(default_factory=dict)
    items: tuple[Mapping[str, Any], ...] = ()
    results: tuple[Mapping[str, Any], ...] = ()


def asked_in(event: Mapping[str, Any]) -> Asked:
    """The event as one value. Raises Refused where it is wrong: what is misspelt does not count as left out."""
    given: dict[str, Any] = {}
    for layer in (event.get("BatchInput") or {}, event):
        given |= layer.get("asked") or {}
        given |= {key: value for key, value in layer.items() if key not in {"asked", "BatchInput"}}
    for key, value in given.items():
        if key not in _KINDS:
            raise Refused(f"the event has a `{key}`; known are {', '.join(_KINDS)}")
        if not isinstance(value, _KINDS[key]):
            raise Refused(f"the event's `{key}`: want {_CALLED[_KINDS[key]]}, got {value!r}")
    part, command = given.get("part"), given.get("command", "diff")
    for key, value, known in (("part", part, _PARTS), ("command", command, _COMMANDS)):
        if value not in known:
            raise Refused(f"the event's `{key}`: want one of {', '.join(known)}, got {value!r}")
    if "max_changes" in given and not LIMIT.fullmatch(given["max_changes"]):
        raise Refused(f"the event's `max_changes`: want `10` or `30%`, got {given['max_changes']!r}")
    return Asked(
        str(part),
        command,
        tuple(given.get("allow", ())),
        given.get("max_changes"),
        given.get("baseline"),
        given.get("lost", {}),
        given.get("overrides", {}),
        tuple(given.get("Items", ())),
        tuple(given.get("results", ())),
    )
