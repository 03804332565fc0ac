"""The report for people: what `verify` looked at, and whether it works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.text import Text

from ..model import Finding, Result
from ..steps.arrivals import MOMENT
from . import words
from .checks import all_of
from .places import View, by_place

_TIME: Final = "${time}"  # stands for a time that is another one in each place
_VERDICT: Final = {True: ("ok", "green"), False: ("FAIL", "bold red"), None: ("wait", "yellow")}


def findings(results: Iterable[Result], view: View) -> Iterator[Text]:
    """Each finding once, with the word for how it ended: what does not work first, then what it is too early to tell of."""
    results = list(results)
    for ended in (False, None, True):
        found = ((each, [f for f in all_of(each) if f.ok is ended]) for each in results)
        mark, style = _VERDICT[ended]
        for several in by_place(found, _identity, view, lambda group: group.step):
            yield from several.heading()
            for group in several.groups:
                many = len(several.results) > 1
                resource, check, detail = _identity(group.one) if many else _literal(group.one)
                about = check if resource == group.step else f"{resource}: {check}"
                text = words.clean(several.template(f"{about}: {detail}")).replace(_TIME, "…")
                yield Text.assemble("  ", (f"{mark:4}", style), f"  {text}")
            yield Text()


def _literal(finding: Finding) -> list[str]:
    return [finding.resource, finding.check, finding.detail]


def _identity(finding: Finding) -> list[str]:
    """What makes a finding what it is: not the time at which it was so."""
    return [MOMENT.sub(_TIME, each) for each in _literal(finding)]
