"""The sentences that every report shares, so that a terminal, a log and a document say the same."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from ..engine.plan import Count
from ..model import Change, Difference, Failure, Result

_SHORT = 60  # characters of a value that still fits beside its field


def clean(text: str) -> str:
    """*text* with control characters made visible: a name from AWS may hold terminal escape codes."""
    return "".join(
        c if not unicodedata.category(c).startswith("C") or c == "\n" else f"\\x{ord(c):02x}" for c in text
    )


def one_line_of(text: str) -> str:
    """*text* on one line, with nothing in it that could steer a terminal."""
    return clean(text).replace("\n", " ")


def place(result: Result) -> str:
    """Where a result was found: account and Region."""
    return one_line_of(f"{result.target.account} {result.target.region}")


def value(given: Any) -> str:
    """One value as a reader of the YAML file would write it."""
    if given is None:
        return "(none)"
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, dict | list):
        return clean(json.dumps(given, sort_keys=True, default=str, ensure_ascii=False))
    return clean(str(given))


def is_document(difference: Difference) -> bool:
    """The values are too long to stand beside each other in one line."""
    return any(
        isinstance(each, dict | list) and len(value(each)) > _SHORT
        for each in (difference.have, difference.want)
    )


def one_line(change: Change, new: str = "created") -> str:
    """A change in a line: what, its fields from have to want, and the call. *new* says it of what was not there."""
    fields = "; ".join(map(_in_short, change.differences))
    what = new if change.action == "create" else fields
    return clean(f"{change.resource}: {what} ({operation(change)})")


def _in_short(difference: Difference) -> str:
    if not is_document(difference):
        return f"{difference.field} {value(difference.have)} → {value(difference.want)}"
    done = "added" if difference.have is None else "removed" if difference.want is None else "changed"
    return f"{difference.field} {done}"


def operation(change: Change) -> str:
    """AWS's name of the call, with its service: `cloudtrail:UpdateTrail`."""
    return f"{change.call.service}:{change.call.name}"


def planned(count: Count, *, complete: bool) -> str:
    """Terraform's words, which pipelines look for. `No changes.` is said only where everything could be read."""
    changes = count.add or count.change
    plan = f"Plan: {count.add} to add, {count.change} to change, 0 to destroy."
    if complete:
        return plan if changes else "No changes."
    return f"{plan} Incomplete: not all could be read." if changes else "Incomplete: not all could be read."


def applied(count: Count, *, complete: bool, shown: bool) -> str:
    """Terraform's words again, and whether AWS shows what was asked."""
    head = "Apply complete!" if complete else "Apply incomplete."
    seen = " AWS shows what was asked." if complete and shown and (count.add or count.change) else ""
    return f"{head} Resources: {count.add} added, {count.change} changed, 0 destroyed.{seen}"


def failure(given: Failure) -> list[str]:
    """A failure in lines: what was under way and what AWS said, the call's id, and what to do."""
    call = f"{given.service}:{given.operation}" if given.operation else ""
    said = f"{given.code}: {given.message}" if given.code else given.message
    lines = [f"{clean(given.doing)}: {call + ': ' if call else ''}{clean(said)}"]
    if given.hint:
        lines.append(f"hint: {clean(given.hint)}")
    if given.request_id:
        lines.append(f"request id: {clean(given.request_id)}")
    return lines


def without_id(given: Failure) -> str:
    """The message with a placeholder for the id of the call, which AWS repeats in some messages."""
    return given.message.replace(given.request_id, "${request_id}") if given.request_id else given.message


def plural(number: int, one: str, many: str = "") -> str:
    """`1 call`, `2 calls`, `1,118 calls`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
