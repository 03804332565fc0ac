"""Comments for the sections of a new file: what AWS has of each, from the results of a diff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ...model import Change, Kind, Result
from ...report import words
from ...report.changes import by_resource
from ...steps.registry import all_sections, all_steps

_MOST: Final = 12  # resources that one comment names
_FEW: Final = 3  # Regions that are named beside a resource

Places = dict[str, dict[str, None]]  # the Regions of each text, in the order in which they were found


@dataclass
class Found:
    """What AWS has of one section: texts, each with its Regions."""

    regions: set[str] = field(default_factory=set)
    in_sync: Places = field(default_factory=lambda: defaultdict(dict))
    different: Places = field(default_factory=lambda: defaultdict(dict))
    missing: Places = field(default_factory=lambda: defaultdict(dict))
    notes: dict[Kind, Places] = field(default_factory=lambda: defaultdict(lambda: defaultdict(dict)))
    failures: Places = field(default_factory=lambda: defaultdict(dict))

    def add(self, result: Result) -> None:
        """Count one result in."""
        region, there = result.target.region, set(result.seen)
        self.regions.add(region)
        changed = set()
        for changes in by_resource([*result.changes, *result.held]):
            name = changes[0].resource
            changed.add(name)
            if name in there or all(each.action == "update" for each in changes):
                self.different[_differences(changes)][region] = None
            else:
                self.missing[name][region] = None
        for name in result.seen:
            if name not in changed:
                self.in_sync[name][region] = None
        for note in result.notes:
            self.notes[note.kind][f"{note.resource}: {note.text}"][region] = None
        for failure in result.failures:
            text = f"{result.step}: {'; '.join(words.failure(failure)[:2])}"
            self.failures[text][region] = None
        if result.blocked_by:
            self.failures[f"{result.step}, which needs {result.blocked_by}"][region] = None

    def comments(self) -> Iterator[str]:
        """The comments, each a paragraph."""
        if self.in_sync:
            yield f"there, as asked for: {self._listed(self.in_sync, ', ')}"
        if self.different:
            yield f"there, and different: {self._listed(self.different, '; ')}"
        if self.missing:
            alone = not (self.in_sync or self.different or self.failures)
            yield f"{'nothing of it is there' if alone else 'not there'}: {self._listed(self.missing, ', ')}"
        for kind, texts in self.notes.items():
            yield f"{kind.value}: {self._listed(texts, '; ')}"
        if self.failures:
            yield f"could not be read: {self._listed(self.failures, '; ')}"

    def _listed(self, texts: Places, comma: str) -> str:
        named = [f"{text}{self._where(places)}" for text, places in texts.items()]
        more = [f"and {len(named) - _MOST} more"] if len(named) > _MOST else []
        return words.clean(comma.join([*named[:_MOST], *more]))

    def _where(self, regions: Iterable[str]) -> str:
        """The Regions of a text, if the section has several."""
        names = sorted(regions)
        if len(self.regions) == 1:
            return ""
        if len(names) == len(self.regions):
            return " (each Region)"
        return f" ({', '.join(names) if len(names) <= _FEW else words.plural(len(names), 'Region')})"


@dataclass(frozen=True)
class Comparison:
    """What AWS has of a file, by section."""

    sections: Mapping[str, Found]

    @property
    def summary(self) -> str:
        """The number of resources in each state, and whether something could not be read."""
        kinds = [
            (sum(len(regions) for regions in places.values()), text)
            for places, text in (
                (_all(each.in_sync for each in self.sections.values()), "as the file asks"),
                (_all(each.different for each in self.sections.values()), "different"),
                (_all(each.missing for each in self.sections.values()), "not there"),
            )
        ]
        counts = ", ".join(f"{number} {text}" for number, text in kinds if number)
        failed = any(each.failures for each in self.sections.values())
        return f"resources: {counts or 'none'}{'; not all could be read, see the comments' if failed else ''}"


def compare(results: Iterable[Result]) -> Comparison:
    """What AWS has of each section."""
    keys = {kind: key for key, kind in all_sections().items()}
    steps = all_steps()
    found: dict[str, Found] = defaultdict(Found)
    for each in results:
        found[keys[steps[each.step].section]].add(each)
    return Comparison(found)


def _all(several: Iterable[Places]) -> Places:
    """All places of all texts, by text and number."""
    return {
        f"{number} {text}": regions
        for number, places in enumerate(several)
        for text, regions in places.items()
    }


def _differences(changes: Iterable[Change]) -> str:
    """An existing resource with the fields that differ."""
    changes = tuple(changes)
    fields = dict.fromkeys(words.field(each) for change in changes for each in change.differences)
    return f"{changes[0].resource} ({', '.join(fields)})"
