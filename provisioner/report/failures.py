"""The report for people: what could not be read or done, where, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.text import Text

from ..model import Failure, Result
from . import words
from .places import View, by_place

_FAILED: Final = ("! ", "bold red")
_INDENT: Final = "    "


def failures(results: Iterable[Result], view: View) -> Iterator[Text]:
    """Each failure once, under the number of places; then what was not run for it. *unfold*: with AWS's request ids."""
    bad = [each for each in results if not each.ok]
    for several in by_place(((each, each.failures) for each in bad), identity, view):
        doing, message, service, operation, code, hint = several.template(identity(several.one))
        request_id = several.one.request_id if len(several.results) == 1 else ""
        first, *rest = words.failure(Failure(doing, message, service, operation, code, request_id, hint))
        yield Text.assemble(_FAILED, (several.steps[0], "bold"), f"  {several.where.heading}: {first}")
        yield from (Text(f"{_INDENT}{line}") for line in rest)
        yield from several.places()
        if view.unfold and len(several.results) > 1:
            yield from _request_ids(several.results, view)
    blocked = ((each, [each.blocked_by] if each.blocked_by and not each.failures else []) for each in bad)
    for stopped in by_place(blocked, str, view, lambda group: group.one):
        steps = (", ".join(stopped.steps), "bold")
        yield Text.assemble(_FAILED, steps, f"  {stopped.where.heading}: not run: {stopped.one} failed")
        yield from stopped.places()


def identity(failure: Failure) -> list[str]:
    """What makes a failure what it is: not the id of the call, wherever AWS says it."""
    message = words.without_id(failure)
    return [failure.doing, message, failure.service, failure.operation, failure.code, failure.hint]


def _request_ids(results: Iterable[Result], view: View) -> Iterator[Text]:
    """Each place with the ids of the calls that failed there."""
    for each in sorted(results, key=lambda each: each.target):
        ids = ", ".join(failure.request_id for failure in each.failures if failure.request_id)
        if ids:
            where = f"{view.account(each.target.account)} {each.target.region}: request id: {ids}"
            yield Text(words.clean(f"{_INDENT}{where}"), "dim")
