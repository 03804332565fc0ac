"""Texts that all reports share: values, changes, failures, and the summary of a plan."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..baseline.problem import clean as clean  # noqa: PLC0414 - exported: one of the texts
from ..baseline.problem import most_similar
from ..engine.plan import Count
from ..model import Change, Difference, Failure, Result

_SHORT: Final = 60  # characters; a longer list or mapping is shown as a text diff


def cleaned(value: Any) -> Any:
    """A nested value with all its texts clean."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {cleaned(key): cleaned(each) for key, each in value.items()}
    return [cleaned(each) for each in value] if isinstance(value, list | tuple) else value


def place(result: Result) -> str:
    """The account and the Region of a result."""
    return clean(f"{result.target.account} {result.target.region}")


def value(given: Any) -> str:
    """One value, as in a YAML file."""
    if given is None:
        return "(none)"
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, dict | list):
        return clean(json.dumps(given, sort_keys=True, default=str, ensure_ascii=False))
    return clean(str(given)) or '""'


def is_document(difference: Difference) -> bool:
    """Whether the values are too long to be shown beside each other on one line."""
    return any(
        isinstance(each, dict | list) and len(value(each)) > _SHORT
        for each in (difference.have, difference.want)
    )


def summary(change: Change, new: str = "created") -> str:
    """A change on one line: resource, fields from have to want (or *new* for a new resource), and call."""
    fields = "; ".join(map(field, change.differences))
    what = {"create": new, "delete": "deleted"}.get(change.action, fields)
    return clean(f"{change.resource}: {what} ({operation(change)})")


def field(difference: Difference) -> str:
    """One field of a change, from have to want; of a document, only that it changes."""
    if not is_document(difference):
        return f"{difference.field} {value(difference.have)} → {value(difference.want)}"
    done = "added" if difference.have is None else "removed" if difference.want is None else "changed"
    return f"{difference.field} {done}"


def operation(change: Change) -> str:
    """The call of a change: `service:Operation`."""
    return f"{change.call.service}:{change.call.name}"


def planned(count: Count, *, complete: bool, held: int = 0) -> str:
    """The summary of a plan in Terraform's words, which pipelines search for.

    `No changes.` only if everything could be read (*complete*), and nothing differs that is only told (*held*).
    """
    changes = count.total or held
    plan = f"Plan: {count.add} to add, {count.change} to change, {count.destroy} to destroy."
    plan += f" {plural(held, 'difference')} only told." if held else ""
    if complete:
        return plan if changes else "No changes."
    return f"{plan} Incomplete: not all could be read." if changes else "Incomplete: not all could be read."


def applied(count: Count, *, complete: bool, shown: bool) -> str:
    """The summary of an apply in Terraform's words, and whether AWS shows what was written (*shown*)."""
    head = "Apply complete!" if complete else "Apply incomplete."
    seen = " AWS shows what was asked." if complete and shown and count.total else ""
    done = f"{count.add} added, {count.change} changed, {count.destroy} destroyed"
    return f"{head} Resources: {done}.{seen}"


def failed_operation(given: Failure) -> str:
    """The call that failed: `service:Operation`; empty if no call did."""
    return f"{given.service}:{given.operation}" if given.operation else ""


def failure(given: Failure) -> list[str]:
    """A failure in lines: what was being done and AWS's answer, what was not tried, the hint, and the request id."""
    parts = (given.doing, failed_operation(given), given.code, given.message)
    lines = [clean(": ".join(filter(None, parts)))]
    if given.untried:
        lines.append(f"not tried because of that: {', '.join(dict.fromkeys(given.untried))}")
    if given.hint:
        lines.append(f"hint: {clean(given.hint)}")
    if given.request_id:
        lines.append(f"request id: {clean(given.request_id)}")
    return lines


def without_id(given: Failure) -> str:
    """The message with a placeholder for the request id, which AWS repeats in some messages."""
    return given.message.replace(given.request_id, "${request_id}") if given.request_id else given.message


def plural(number: int, one: str, many: str = "") -> str:
    """`1 call`, `2 calls`, `1,118 calls`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the most similar known word, or an empty text."""
    near = most_similar(word, known)
    return f"did you mean `{near}`?" if near else ""
