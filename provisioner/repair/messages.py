"""Messages made of notices: one for all notices of a trigger and phase, so that a thousand accounts are one message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from ..baseline.notices import Trigger
from ..model import Target
from ..report import words
from ..report.grouping import to_template
from . import notice_texts as texts
from .notice import Notice
from .records import Phase, RunReport

FORMAT: Final = "1.0"
# The most urgent first, as a sink that is slow may not get all of them in time.
_ORDER: Final[Sequence[Trigger]] = (
    *(
        "danger",
        "contested",
        "run_failed",
        "check_failed",
        "drifted",
        "paused",
        "expired",
        "repaired",
        "expiring",
    ),
)
_PHASES: Final[Sequence[Phase]] = ("new", "continuing", "resolved")
_KINDS: Final[Mapping[Trigger, tuple[str, str]]] = {
    "drifted": ("difference from the file", "differences from the file"),
    "repaired": ("difference repaired", "differences repaired"),
    "contested": ("resource is changed back again and again", "resources are changed back again and again"),
    "danger": ("addition of others defeats the baseline", "additions of others defeat the baseline"),
    "check_failed": ("check failed", "checks failed"),
    "run_failed": ("thing could not be read or changed", "things could not be read or changed"),
    "paused": ("pause of repairs", "pauses of repairs"),
    "expiring": ("exception ends soon", "exceptions end soon"),
    "expired": ("exception has expired", "exceptions have expired"),
}
_BEFORE: Final[Mapping[Phase, str]] = {"new": "", "continuing": "still ", "resolved": "resolved: "}
_GROUPS: Final = 20  # in a text
_PLACES: Final = 5  # of a group that are named
_ITEMS: Final = 500  # in the JSON
_RUNS: Final = 100  # of an item
_CHARACTERS: Final = 20_000  # of a text
_BYTES: Final = 180_000  # of the items in the JSON; EventBridge takes 256 KB for the whole event


@dataclass(frozen=True)
class Message:
    """What is sent to a sink: *title* and *text* for people, *data* for programs. *notices* are what it tells."""

    trigger: Trigger
    phase: Phase
    title: str
    text: str
    data: Mapping[str, Any]
    notices: Sequence[Notice]

    @property
    def id(self) -> str:
        """The same for a message that is sent twice by one run."""
        return f"{self.data['run']}-{self.trigger}-{self.phase}"

    def to_json(self) -> str:
        """The data as JSON, on one line."""
        return json.dumps(self.data, ensure_ascii=False, default=str)


def messages(notices: Iterable[Notice], report: RunReport) -> Iterator[Message]:
    """One message for each trigger and phase, the most urgent first."""
    by_kind: dict[tuple[Trigger, Phase], list[Notice]] = {}
    for each in notices:
        by_kind.setdefault((each.trigger, each.phase), []).append(each)
    for trigger in _ORDER:
        for phase in _PHASES:
            if found := by_kind.get((trigger, phase)):
                yield _message(found, report)


def _message(notices: Sequence[Notice], report: RunReport) -> Message:
    trigger, phase, started = notices[0].trigger, notices[0].phase, report.started
    title, text = _title(notices, report), _text(notices, report)
    items = list(_items(notices, report.account_names))
    data = {
        "format_version": FORMAT,
        "trigger": trigger,
        "phase": phase,
        "title": title,
        "text": text,
        "time": report.ended.time,
        "run": started.run,
        "command": started.command,
        "file": texts.short(started.file, 1000),
        "account": started.account,  # the caller's
        "sandbox": started.sandbox,
        "count": len(notices),
        "accounts": len({each.place.account for each in notices}),
        "items": items,
        "left_out": len(notices) - len(items),
    }
    return Message(trigger, phase, title, text, data, notices)


def _title(notices: Sequence[Notice], report: RunReport) -> str:
    """`still 3 differences from the file in 2 accounts`."""
    trigger, phase = notices[0].trigger, notices[0].phase
    accounts = {each.place.account for each in notices} - {""}
    where = ""
    if len(accounts) == 1:
        where = f" in {_account(next(iter(accounts)), report.account_names)}"
    elif accounts:
        where = f" in {words.plural(len(accounts), 'account')}"
    sandbox = "[sandbox] " if report.started.sandbox else ""
    return f"{sandbox}{_BEFORE[phase]}{words.plural(len(notices), *_KINDS[trigger])}{where}"


def _text(notices: Sequence[Notice], report: RunReport) -> str:
    """All notices in lines, equal ones of several accounts and Regions together; many are counted, and not named."""
    groups: dict[tuple[str, ...], list[Notice]] = {}
    for each in notices:
        target = Target(each.place.account, each.place.region)
        key = to_template([each.place.step, each.what, each.done, each.to_do], target)
        groups.setdefault(tuple(key), []).append(each)
    largest = sorted(groups.values(), key=len, reverse=True)
    lines = [line for group in largest[:_GROUPS] for line in _group(group, report.account_names)]
    if left := largest[_GROUPS:]:
        lines += [
            f"and {words.plural(sum(map(len, left)), 'more', 'more')}, which `provision diff` shows",
            "",
        ]
    started = report.started
    lines.append(
        f"run {started.run} of {texts.short(started.file)} by {started.caller}, ended {texts.moment(report.ended.time)}"
    )
    text = "\n".join(words.clean(line) for line in lines)
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS].rpartition(chr(10))[0]}\n…"


def _group(group: Sequence[Notice], names: Mapping[str, str]) -> Iterator[str]:
    first = group[0]
    yield f"{first.what}{f' ({first.place.step})' if first.place.step else ''}"
    since = min((each.since for each in group if each.since), default="")
    lines = {
        "where": _where(group, names),
        "who": _some(list(dict.fromkeys(filter(None, map(_who, group))))),
        "since": since and texts.moment(since),
        "done": first.done,
        "to do": first.to_do,
    }
    yield from (f"  {name}: {line}" for name, line in lines.items() if line)
    yield ""


def _where(group: Sequence[Notice], names: Mapping[str, str]) -> str:
    """The accounts and Regions; a Region that is the same for all is said once."""
    regions = {each.place.region for each in group}
    if len(regions) == 1:
        accounts = [*dict.fromkeys(_account(each.place.account, names) for each in group)]
        return (", all in " if len(accounts) > 1 else " ").join(filter(None, (_some(accounts), *regions)))
    return _some([*dict.fromkeys(f"{_account(x.place.account, names)} {x.place.region}" for x in group)])


def _account(account: str, names: Mapping[str, str]) -> str:
    name = names.get(account, "")
    return f"{account} ({texts.short(name, 60)})" if name else account


def _who(notice: Notice) -> str:
    if notice.who is not None:
        return texts.actor(notice.who)
    return "not known yet: CloudTrail takes some minutes to show it" if notice.who_pending else ""


def _some(items: Sequence[str]) -> str:
    more = len(items) - _PLACES
    return "; ".join(items[:_PLACES]) + (f" and {more:,} more" if more > 0 else "")


def _items(notices: Sequence[Notice], names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The notices for programs, as many as are not too long together."""
    size = 0
    for each in notices[:_ITEMS]:
        item = {
            "about": texts.short(each.about, 1000),
            "account": each.place.account,
            "account_name": texts.short(names.get(each.place.account, "")),
            "region": each.place.region,
            "step": each.place.step,
            "resource": texts.short(each.place.resource),
            "what": each.what,
            "who": asdict(each.who) if each.who else None,
            "since": each.since,
            "done": each.done,
            "to_do": each.to_do,
            "runs": [*each.runs[-_RUNS:]],
        }
        size += len(json.dumps(item, ensure_ascii=False).encode())
        if size > _BYTES:
            return
        yield item
