"""The report for people on the findings of `verify`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.text import Text

from ..model import Finding, Result
from ..steps.arrivals import TIME_PATTERN
from . import words
from .checks import all_findings
from .places import View, blocks

_TIME: Final = "${time}"  # placeholder for a time, which differs from place to place
_VERDICT: Final = {True: ("ok", "green"), False: ("FAIL", "bold red"), None: ("wait", "yellow")}


def findings(results: Iterable[Result], view: View, *, only_failed: bool = False) -> Iterator[Text]:
    """Each finding once with its places: first those that failed, then those that are pending, then those that passed."""
    results = list(results)
    for ok in (False,) if only_failed else (False, None, True):
        found = ((each, [f for f in all_findings(each) if f.ok is ok]) for each in results)
        mark, style = _VERDICT[ok]
        for block in blocks(found, _identity, view, lambda group: group.step):
            yield from block.heading()
            for group in block.groups:
                fields = _identity if len(block.results) > 1 else _fields
                resource, check, detail = fields(group.sample)
                about = check if resource == group.step else f"{resource}: {check}"
                text = words.clean(block.template(f"{about}: {detail}")).replace(_TIME, "…")
                yield Text.assemble("  ", (f"{mark:4}", style), f"  {text}")
            yield Text()


def _fields(finding: Finding) -> list[str]:
    return [finding.resource, finding.check, finding.detail]


def _identity(finding: Finding) -> list[str]:
    """The fields in which equal findings agree: all but the times in them."""
    return [TIME_PATTERN.sub(_TIME, each) for each in _fields(finding)]
