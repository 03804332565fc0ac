"""What a part of a run answers: accounts as in `--json-lines`, cut to what a state of Step Functions may pass on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ..model import Refused
from ..report.json import AccountJson, to_text

MOST: Final = 240_000  # bytes of an answer; a state may pass on 256 KiB
_LONGEST: Final = 400  # characters of a value, where values are cut
_ITEMS: Final = (None, 25, 5, 1, 0)  # of each list of an account; None: all of them, and whole
_LISTS: Final = ("changes", "withheld", "not_seen", "notes", "failures", "findings", "skipped")

Json = dict[str, Any]


def of_organization(answer: Json, result: AccountJson) -> Json:
    """The answer, with the result of what exists once. Raises Refused where the accounts are too many for a state."""
    found = _plain(result)
    return _fitting(lambda items: {**answer, "result": _cut(found, items)})


def of_slice(
    before: Sequence[Mapping[str, Any]],
    unfinished: Sequence[Mapping[str, Any]],
    accounts: Iterable[AccountJson],
) -> Json:
    """The results of the accounts after those of *before*, counted, and the items that are left to do."""
    found = [_plain(each) for each in sorted(accounts, key=lambda each: each.account)]

    def answer(items: int | None) -> Json:
        results = [*before, *(_cut(each, items) for each in found)]
        return {"results": results, "unfinished": list(unfinished), "summary": _summary(results)}

    return _fitting(answer)


def _summary(results: Sequence[Mapping[str, Any]]) -> Json:
    """How many accounts are in which state; those that failed by name."""
    return {
        "accounts": len(results),
        "in_sync": sum(each["state"] == "in_sync" for each in results),
        "drifted": sum(each["state"] == "drifted" for each in results),
        "changed": sum(each["state"] == "changed" for each in results),
        "failed": [each["account"] for each in results if each["state"] == "failed"],
    }


def _plain(account: AccountJson) -> Json:
    found: Json = json.loads(to_text(account))
    return found


def _fitting(answer: Callable[[int | None], Json]) -> Json:
    """The answer with as many items for each account as fit."""
    for items in _ITEMS:
        made = answer(items)
        if len(json.dumps(made)) <= MOST:
            return made
    raise Refused(f"the answer has more than {MOST:,} bytes: give the file fewer accounts, or the slices")


def _cut(account: Mapping[str, Any], items: int | None) -> Json:
    """One account with so many items in each list, long values cut and without the parameters of calls."""
    if items is None:
        return dict(account)
    left_out = sum(max(0, len(account[each]) - items) for each in _LISTS)
    lists = {each: [_short(item) for item in account[each][:items]] for each in _LISTS}
    return {**account, **lists, "message": _short(account["message"]), "cut_off": left_out}


def _short(value: Any) -> Any:
    """*value* with every long text in it cut, and the parameters of a call left out."""
    if isinstance(value, Mapping):
        return {key: {} if key == "params" else _short_value(key, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value]
    if isinstance(value, str) and len(value) > _LONGEST:
        return value[: _LONGEST - 1] + "…"
    return value


def _short_value(key: str, value: Any) -> Any:
    """What AWS has, or the file wants: a long document becomes a text, and that is cut."""
    if key in {"have", "want"} and isinstance(value, Mapping | list):
        text = json.dumps(value)
        return _short(text) if len(text) > _LONGEST else value
    return _short(value)
