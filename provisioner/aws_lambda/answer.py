"""The answer of the function: accounts as in `--json-lines`, cut to the size that Step Functions allows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ..model import Refused
from ..report.json import AccountJson, to_text

MAX_BYTES: Final = 240_000  # of an answer; the input and output of a state are limited to 256 KiB
_MAX_LENGTH: Final = 400  # characters of a value, where values are cut
_ITEM_LIMITS: Final = (None, 25, 5, 1, 0)  # tried in turn for each list of an account; None: nothing is cut
_LISTS: Final = ("changes", "withheld", "not_seen", "notes", "failures", "findings", "skipped")

Json = dict[str, Any]


def organization_answer(answer: Json, result: AccountJson) -> Json:
    """*answer* with the result of the steps that run once. Raises Refused if there are too many accounts for a state."""
    account = _to_json(result)
    return _fit(lambda items: {**answer, "result": _cut(account, items)})


def accounts_answer(
    before: Sequence[Mapping[str, Any]],
    unfinished: Sequence[Mapping[str, Any]],
    accounts: Iterable[AccountJson],
) -> Json:
    """The results *before* and of the accounts, counts of them, and the items that are unfinished. Raises Refused."""
    found = [_to_json(each) for each in sorted(accounts, key=lambda each: each.account)]

    def answer(items: int | None) -> Json:
        results = [*before, *(_cut(each, items) for each in found)]
        return {"results": results, "unfinished": list(unfinished), "summary": _summary(results)}

    return _fit(answer)


def _summary(results: Sequence[Mapping[str, Any]]) -> Json:
    """How many accounts are in each state, and the ids of those that failed."""
    states = Counter(each["state"] for each in results)
    return {
        "accounts": len(results),
        **{state: states[state] for state in ("in_sync", "drifted", "changed")},
        "failed": [each["account"] for each in results if each["state"] == "failed"],
    }


def _to_json(account: AccountJson) -> Json:
    found: Json = json.loads(to_text(account))
    return found


def _fit(answer: Callable[[int | None], Json]) -> Json:
    """The answer with the highest limit of items in each list that keeps it below MAX_BYTES."""
    for items in _ITEM_LIMITS:
        made = answer(items)
        if len(json.dumps(made)) <= MAX_BYTES:
            return made
    raise Refused(
        f"the answer has more than {MAX_BYTES:,} bytes: give the file fewer accounts, or the slices"
    )


def _cut(account: Mapping[str, Any], items: int | None) -> Json:
    """The account with at most *items* in each list, long values cut and the parameters of calls left out."""
    if items is None:
        return dict(account)
    left_out = sum(max(0, len(account[each]) - items) for each in _LISTS)
    lists = {each: [_short(item) for item in account[each][:items]] for each in _LISTS}
    return {**account, **lists, "message": _short(account["message"]), "cut_off": left_out}


def _short(value: Any, key: str = "") -> Any:
    """*value* with long texts cut. Parameters of a call are left out; a long document becomes a text and is cut."""
    if key == "params":
        return {}
    if key in {"have", "want"} and isinstance(value, Mapping | list):
        text = json.dumps(value)
        return _short(text) if len(text) > _MAX_LENGTH else value
    if isinstance(value, Mapping):
        return {name: _short(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value]
    if isinstance(value, str) and len(value) > _MAX_LENGTH:
        return value[: _MAX_LENGTH - 1] + "…"
    return value
