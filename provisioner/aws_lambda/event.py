"""The event of the Lambda function, which may have these keys.

part       `organization`: do the steps that run once, and list the accounts. `accounts`: do the accounts in `Items`.
command    `diff` (the default), `apply` or `verify`.
allow      what may be loosened, as with `--allow`. Default: nothing.
max_changes  as with `--max-changes`, for each account: `10` or `30%`. Default: no limit.
baseline   the text of the file. Default: PROVISION_FILE names a file that is packaged with the function.
failed_needs, overrides from the answer of `organization`.
Items      some of the accounts in the answer of `organization`.
results    the results of an earlier slice that was not finished: they are answered again, with the new ones.

Each key may be in the event itself, in its `BatchInput`, or in `asked` in either of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from ..engine.plan import LIMIT
from ..fleet.fleet import Command
from ..model import Refused

_CHOICES: Final = {"part": ("organization", "accounts"), "command": get_args(Command)}
_TYPES: Final[Mapping[str, type]] = {
    "part": str,
    "command": str,
    "allow": list,
    "max_changes": str,
    "baseline": str,
    "failed_needs": dict,
    "overrides": dict,
    "Items": list,
    "results": list,
}
_TYPE_NAMES: Final[Mapping[type, str]] = {str: "a text", list: "a list", dict: "an object"}


@dataclass(frozen=True)
class Request:
    """An event, checked."""

    part: str
    command: Command
    allow: Sequence[str] = ()
    max_changes: str | None = None
    baseline: str | None = None
    failed_needs: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Sequence[int]] = field(default_factory=dict)
    items: Sequence[Mapping[str, Any]] = ()
    results: Sequence[Mapping[str, Any]] = ()


def parse_event(event: Mapping[str, Any]) -> Request:
    """Check the event. Raises Refused for a wrong value or an unknown key, so that no misspelt key is ignored."""
    given: dict[str, Any] = {"command": "diff"}
    for layer in (event.get("BatchInput") or {}, event):
        given |= layer.get("asked") or {}
        given |= {key: value for key, value in layer.items() if key not in {"asked", "BatchInput"}}
    for key, value in given.items():
        if key not in _TYPES:
            raise Refused(f"the event has a `{key}`; known are {', '.join(_TYPES)}")
        if not isinstance(value, _TYPES[key]):
            raise Refused(f"the event's `{key}`: want {_TYPE_NAMES[_TYPES[key]]}, got {value!r}")
    for key, known in _CHOICES.items():
        if given.get(key) not in known:
            raise Refused(f"the event's `{key}`: want one of {', '.join(known)}, got {given.get(key)!r}")
    if "max_changes" in given and not LIMIT.fullmatch(given["max_changes"]):
        raise Refused(f"the event's `max_changes`: want `10` or `30%`, got {given['max_changes']!r}")
    return Request(items=given.pop("Items", ()), **given)
