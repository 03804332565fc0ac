"""The entries of a document for report files: each change, failure, finding and note as one value, and equal ones grouped.

The formats (`html/`, `markdown.py`, `junit.py`, `csv.py`) are made of these. Not here: how an entry looks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ..model import Result, Target
from ..steps.arrivals import TIME_PATTERN
from .grouping import group, to_template
from .json_objects import AccountJson, ChangeJson, DocumentJson, FailureJson

Kind = Literal[
    "danger",
    "failed",
    "not_run",
    "check_failed",
    "withheld",
    "not_seen",
    "held",
    "change",
    "check_pending",
    "changed",
    "note",
    "skipped",
    "check_passed",
]


@dataclass(frozen=True)
class About:
    """How a kind of entry is called and marked. *mark* stands beside the colour, which never carries a meaning alone."""

    one: str
    many: str
    mark: str


KINDS: Final[Mapping[Kind, About]] = {  # the worst first: of several in one place, the first is its state
    "danger": About("danger", "dangers", "‼"),
    "failed": About("failure", "failures", "!"),
    "not_run": About("step not run", "steps not run", "⊘"),
    "check_failed": About("failed check", "failed checks", "✗"),
    "withheld": About("change not allowed", "changes not allowed", "⚑"),
    "not_seen": About("change not shown by AWS yet", "changes not shown by AWS yet", "…"),
    "held": About("difference held", "differences held", "‖"),
    "change": About("difference", "differences", "~"),
    "check_pending": About("check too early to tell", "checks too early to tell", "◔"),
    "changed": About("change made", "changes made", "↻"),
    "note": About("note", "notes", "·"),
    "skipped": About("skipped place", "skipped places", "\N{EN DASH}"),
    "check_passed": About("passed check", "passed checks", "✓"),
}
CHANGES: Final[frozenset[Kind]] = frozenset(
    {"danger", "withheld", "not_seen", "held", "change", "changed"}
)  # these have differences
QUIET: Final[frozenset[Kind]] = frozenset(
    {"note", "check_passed"}
)  # these leave the state of a place as it is
_CHECKS: Final[Mapping[str, Kind]] = {
    "pass": "check_passed",
    "fail": "check_failed",
    "pending": "check_pending",
}
_DANGER: Final = (
    "remove-foreign-"  # begins the `--allow` name of what others added and what defeats the baseline
)


@dataclass(frozen=True)
class Entry:
    """One thing to tell of a step in an account and Region.

    *row* is the account whose object has it, `""` for what exists once in the organization. *about* is JSON-like: for a
    change `resource action call differences consent loses held`, for a failure the fields of `FailureJson`, for a
    check `resource check detail`, for a note `resource note text`, for what was skipped `text`.
    """

    kind: Kind
    row: str
    step: str
    account: str
    region: str
    about: Mapping[str, Any]
    request_id: str = ""

    @property
    def resource(self) -> str:
        """The resource that it is about, or an empty text."""
        return str(self.about.get("resource", ""))


@dataclass(frozen=True)
class EntryGroup:
    """Entries that are equal but for their account and Region. *template* is escaped: see `grouping.fill`."""

    kind: Kind
    step: str
    template: dict[str, Any]
    entries: list[Entry]


def entries(document: DocumentJson) -> Iterator[Entry]:
    """All entries of a document: the organization's, each account's, then what was skipped."""
    for each in (document.organization, *document.accounts):
        yield from _of_account(each)
    for skip in document.skipped:
        yield Entry("skipped", skip.account, "", skip.account, skip.region, {"text": skip.why})


def grouped(found: Iterable[Entry], central: str = "") -> list[EntryGroup]:
    """Group entries: those of the same kind and step that are equal after their account and Region are replaced.

    The order is that of KINDS, then of the first entry of each. *central* is the caller's account.
    """
    items = [_Item.of(entry, central) for entry in found]
    places = {id(each): number for number, each in enumerate(items)}
    groups = []
    for each in group(((item, [item.entry]) for item in items), _text):
        own = [result.entry for result in each.results if isinstance(result, _Item)]
        first = each.first
        if not isinstance(first, _Item):  # pragma: no cover - for the type checker
            continue
        spelled = _text(first.entry, exact=len(own) == 1)
        text = to_template(spelled, first.target, escape=True)
        made = EntryGroup(first.entry.kind, each.step, json.loads(text)[1], own)
        groups.append((_RANK[made.kind], places[id(each.results[0])], made))
    return [made for _, _, made in sorted(groups, key=lambda each: each[:2])]


_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}
_NONE: Final[list[Any]] = []


@dataclass
class _Item(Result):
    """An entry in the form in which `grouping` takes it."""

    entry: Entry = field(kw_only=True)

    @classmethod
    def of(cls, entry: Entry, central: str) -> _Item:
        account = entry.account if entry.row else ""  # what exists once is in one place: its texts stay
        target = Target(account, entry.region, central=central)
        none = _NONE  # shared, as there are many
        return cls(entry.step, target, none, none, none, none, none, none, none, entry=entry)


def _text(entry: Entry, *, exact: bool = False) -> str:
    """What equal entries agree in. Unless *exact*, without the times of deliveries, which differ from place to place."""
    place = () if entry.row else (entry.account,)
    text = json.dumps([entry.kind, entry.about, *place], sort_keys=True, default=str, ensure_ascii=False)
    return text if exact or "check" not in entry.about else TIME_PATTERN.sub("…", text)


def _of_account(found: AccountJson) -> Iterator[Entry]:
    row = found.account
    for change in found.changes:
        yield _change(row, change, "changed" if found.applied else "change")
    for change in found.withheld:
        yield _change(row, change, "held" if change.held else "withheld")
    for change in found.not_seen:
        yield _change(row, change, "not_seen")
    for failure in found.failures:
        kind: Kind = "not_run" if failure.blocked_by else "failed"
        yield Entry(kind, row, *_place(failure), _failure(failure), failure.request_id or "")
    for check in found.findings:
        about = {"resource": check.resource, "check": check.check, "detail": check.detail}
        yield Entry(_CHECKS[check.state], row, *_place(check), about)
    for note in found.notes:
        about = {"resource": note.resource, "note": note.kind, "text": note.text}
        yield Entry("note", row, *_place(note), about)


def _place(found: Any) -> tuple[str, str, str]:
    return found.step, found.account, found.region


def _change(row: str, change: ChangeJson, kind: Kind) -> Entry:
    if kind in {"change", "withheld", "held"} and (change.consent or "").startswith(_DANGER):
        kind = "danger"
    about = {
        "resource": change.resource,
        "action": change.action,
        "call": f"{change.call.service}:{change.call.operation}",
        "differences": [[each.field, each.have, each.want] for each in change.differences],
        "consent": change.consent or "",
        "loses": change.loses or "",
        "held": change.held or "",
    }
    return Entry(kind, row, *_place(change), about, change.request_id or "")


def _failure(failure: FailureJson) -> dict[str, Any]:
    message = failure.message
    if failure.request_id:  # AWS repeats it in some messages, which would keep equal failures apart
        message = message.replace(failure.request_id, "…")
    return {
        "doing": failure.doing,
        "message": message,
        "call": failure.call or "",
        "code": failure.code or "",
        "hint": failure.hint or "",
        "blocked_by": failure.blocked_by or "",
        "not_tried": list(failure.not_tried),
    }
