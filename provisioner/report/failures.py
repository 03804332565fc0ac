"""The report for people on failures: where each happened, what was being done, AWS's answer, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.text import Text

from ..model import Failure, Result
from . import words
from .places import FAILED, INDENT, View, blocks


def failures(results: Iterable[Result], view: View) -> Iterator[Text]:
    """Each failure once with its places, then the steps that did not run because of it. Unfolded: with request ids."""
    bad = [each for each in results if not each.ok]
    for block in blocks(((each, each.failures) for each in bad), _identity, view):
        doing, message, service, operation, code, hint, untried = block.template(_identity(block.sample))
        request_id = block.sample.request_id if len(block.results) == 1 else ""
        failure = Failure(doing, message, service, operation, code, request_id, hint, untried=tuple(untried))
        first, *rest = words.failure(failure)
        yield Text.assemble(FAILED, (block.steps[0], "bold"), f"  {block.where}: {first}")
        yield from (Text(f"{INDENT}{line}") for line in rest)
        yield from block.places()
        if view.unfold and len(block.results) > 1:
            yield from _request_ids(block.results, view)
    blocked = ((each, [each.blocked_by] if each.blocked_by and not each.failures else []) for each in bad)
    for stopped in blocks(blocked, str, view, lambda group: group.sample):
        steps = (", ".join(stopped.steps), "bold")
        yield Text.assemble(FAILED, steps, f"  {stopped.where}: not run: {stopped.sample} failed")
        yield from stopped.places()


def _identity(failure: Failure) -> list[Any]:
    """The fields in which equal failures agree: all but the request id, which AWS repeats in some messages."""
    message = words.without_id(failure)
    return [
        failure.doing,
        message,
        failure.service,
        failure.operation,
        failure.code,
        failure.hint,
        [*failure.untried],
    ]


def _request_ids(results: Iterable[Result], view: View) -> Iterator[Text]:
    """One line for each place, with the ids of the calls that failed there."""
    for each in sorted(results, key=lambda each: each.target):
        ids = ", ".join(failure.request_id for failure in each.failures if failure.request_id)
        if ids:
            where = f"{view.account(each.target.account)} {each.target.region}: request id: {ids}"
            yield Text(words.clean(f"{INDENT}{where}"), "dim")
