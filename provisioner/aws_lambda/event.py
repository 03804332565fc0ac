"""The event of the Lambda function, which may have these keys.

part       `organization`: do the steps that run once, and list the accounts. `accounts`: do the accounts in `Items`.
           `after_accounts`: make the changes of the organization that need what the accounts have.
command    `diff` (the default), `apply` or `verify`.
allow      what may be loosened, as with `--allow`. Default: nothing.
max_changes  as with `--max-changes`, for each account: `10` or `30%`. Default: no limit.
baseline   the text of the file, if the deployment allows that. Default: the file that PROVISION_FILE names.
failed_needs, overrides from the answer of `organization`.
Items      some of the accounts in the answer of `organization`.
results    the results of an earlier slice that was not finished: they are answered again, with the new ones.

Each key may be in the event itself, in its `BatchInput`, or in `asked` in either of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from ..engine.plan import LIMIT
from ..fleet.fleet import Command
from ..model import Refused

_CHOICES: Final = {"part": ("organization", "accounts", "after_accounts"), "command": get_args(Command)}
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
_ACCOUNT: Final = re.compile("[0-9]{12}")
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
    # Each {"id": 12 digits, "overrides": indexes, if any}, each account once.
    items: Sequence[Mapping[str, Any]] = ()
    results: Sequence[Mapping[str, Any]] = ()


def parse_event(event: Mapping[str, Any]) -> Request:
    """Check the event. Raises Refused for a wrong value or an unknown key, so that no misspelt key is ignored."""
    given: dict[str, Any] = {"command": "diff"}
    for layer in _layers(event):
        given |= layer
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
    _check_texts("allow", given.get("allow", ()))
    _check_texts("failed_needs", [text for pair in given.get("failed_needs", {}).items() for text in pair])
    for account, overrides in given.get("overrides", {}).items():
        _check_account("overrides", account, overrides)
    _check_items(given.get("Items", ()))
    _check_results(given.get("results", ()))
    return Request(items=given.pop("Items", ()), **given)


def _layers(event: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of the event that have its keys. Of two values of one key, the later one counts."""
    whole = _object("the event", event)
    for layer in (_object("the event's `BatchInput`", whole.get("BatchInput")), whole):
        yield _object("the event's `asked`", layer.get("asked"))
        yield {key: value for key, value in layer.items() if key not in {"asked", "BatchInput"}}


def _object(name: str, value: Any) -> Mapping[str, Any]:
    """The value, or an empty object for null. Raises Refused for one of another type."""
    if value is not None and not isinstance(value, Mapping):
        raise Refused(f"{name}: want an object, got {value!r}")
    return value or {}


def _check_texts(key: str, texts: Sequence[Any]) -> None:
    if wrong := [each for each in texts if not isinstance(each, str)]:
        raise Refused(f"the event's `{key}`: want texts, got {wrong[0]!r}")


def _check_items(items: Sequence[Any]) -> None:
    seen = set[str]()
    for item in items:
        if not isinstance(item, Mapping) or "id" not in item or not item.keys() <= {"id", "overrides"}:
            raise Refused(f"the event's `Items`: want accounts as `organization` answers them, got {item!r}")
        _check_account("Items", item["id"], item.get("overrides", []))
        if item["id"] in seen:
            raise Refused(f"the event's `Items`: account {item['id']} is there twice: name it once")
        seen.add(item["id"])


def _check_results(results: Sequence[Any]) -> None:
    for each in results:
        if not isinstance(each, Mapping) or not all(
            isinstance(each.get(k), str) for k in ("account", "state")
        ):
            raise Refused(f"the event's `results`: want those that `accounts` answered, got {each!r}")


def _check_account(key: str, account: Any, overrides: Any) -> None:
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        raise Refused(f"the event's `{key}`: want an account id of 12 digits, as a text, got {account!r}")
    if not isinstance(overrides, list) or any(type(each) is not int or each < 0 for each in overrides):
        raise Refused(
            f"the event's `{key}`: want a list of the numbers of overrides for {account}, got {overrides!r}"
        )
