"""The data of the page: the document and the history in a compact form, with equal results, cells and rows once.

The script reads it as JSON. Indexes stand for names: of accounts, Regions, steps and kinds. Row 0 of the accounts is what
exists once in the organization. Each text of AWS is on one line and is shown as text, never as HTML.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from ...model import Scope, Step, Target
from .. import words
from ..entries import CHANGES, KINDS, QUIET, Entry, EntryGroup, entries, grouped
from ..entry_text import details, differences, title
from ..grouping import to_template
from ..history import History
from ..json_objects import AccountJson, DocumentJson

IN_SYNC, UNREAD, NOWHERE = "in_sync", "unread", "nowhere"  # states beside the kinds
# The worst first: of several in one place, the first is its state.
_TOLD: Final = tuple(kind for kind in KINDS if kind not in QUIET and kind != "skipped")
STATES: Final = (*_TOLD, UNREAD, IN_SYNC, "skipped", NOWHERE)
_CODES: Final = {state: chr(ord("a") + number) for number, state in enumerate(STATES)}
_RANK: Final = {state: number for number, state in enumerate(STATES)}
_MOST_IDS: Final = 5_000  # request ids in a page; the log has all
_MOST_ACTORS: Final = 20  # of one change

Places = list[list[Any]]


def page_data(
    document: DocumentJson, history: History, steps: Sequence[Step], now: datetime | None = None
) -> dict[str, Any]:
    """The data of the page. *steps*: those of the run, in their order."""
    found = list(entries(document))
    table = _Table(document, steps, found)
    groups = grouped(found, document.account)
    with_ids = sum(bool(each.request_id) for each in found) <= _MOST_IDS
    actors = _Actors()
    return {
        "head": _head(document, now or datetime.now(UTC), history),
        "kinds": [[kind, about.one, about.many, about.mark] for kind, about in KINDS.items()],
        "states": dict(zip(_CODES.values(), STATES, strict=True)),
        "regions": table.regions,
        "steps": [[each.name, each.scope.name.lower(), list(each.needs), each.regional] for each in steps],
        **table.cells(),
        "groups": [_group(each, table, history, actors, with_ids=with_ids) for each in groups],
        "history": _history(history, table, actors),
        "runs": [_run(each) for each in history.runs],
        "actors": actors.found,
        "counts": [dict(each) for each in table.counts()],
    }


def _head(document: DocumentJson, now: datetime, history: History) -> dict[str, Any]:
    return {
        "command": document.command,
        "message": words.clean(document.message),
        "sandbox": document.sandbox,
        "account": document.account,
        "partition": document.partition,
        "caller": words.clean(document.caller),
        "digest": document.plan_digest,
        "counts": asdict(document.counts),
        "accounts": asdict(document.accounts_by_state),
        "cost": asdict(document.cost),
        "made": now.strftime("%Y-%m-%d %H:%M UTC"),
        "drifts_left_out": history.left_out,
    }


class _Table:
    """The indexes of accounts, Regions and steps, and the state of each step in each account and Region."""

    def __init__(self, document: DocumentJson, steps: Sequence[Step], found: Sequence[Entry]) -> None:
        self.rows = [document.organization, *document.accounts]
        self.names = {each.account: each.name for each in document.accounts}
        skipped = {each.account: each.name for each in document.skipped if not each.region}
        self.skipped = {each: name for each, name in skipped.items() if each not in self.names}
        self.names |= self.skipped
        self.ids = ["", *(each.account for each in document.accounts), *self.skipped]
        self.row = {account: number for number, account in enumerate(self.ids)}
        for entry in found:  # places that no list of the document has
            if entry.row not in self.row:
                self.row[entry.row] = len(self.ids)
                self.ids.append(entry.row)
        regions = {region for each in document.accounts for region in each.regions}
        regions |= {each.region for each in found} | {*document.regions_seen} | set()
        self.regions = sorted(regions - {""})
        self.region = {name: number for number, name in enumerate(self.regions)} | {"": -1}
        self.steps = steps
        self.step = {each.name: number for number, each in enumerate(steps)}
        self._states = self._find_states(found)

    def _find_states(self, found: Iterable[Entry]) -> dict[tuple[int, str], dict[str, str]]:
        """The worst state, by row and step and by Region; of an account as a whole under the step `""`."""
        states: dict[tuple[int, str], dict[str, str]] = defaultdict(dict)
        for entry in found:
            if entry.kind in QUIET:
                continue
            step = entry.step if entry.step in self.step else ""
            whole = not step and entry.kind != "skipped"  # the account could not be entered
            region = "" if whole else entry.region
            where = states[self.row[entry.row], step]
            before = where.get(region)
            if before is None or _RANK[entry.kind] < _RANK[before]:
                where[region] = entry.kind
        return states

    def cells(self) -> dict[str, Any]:
        """The accounts, each with the index of its row; the rows, each with the indexes of its cells; the cells."""
        cells: dict[str, int] = {}
        rows: dict[tuple[int, ...], int] = {}
        accounts = []
        for number, account in enumerate(self.ids):
            found = self.rows[number] if number < len(self.rows) else None
            texts = [self._cell(number, found, step) for step in self.steps]
            row = tuple(cells.setdefault(text, len(cells)) for text in texts)
            seconds = found.seconds if found else 0
            state = found.state if found else "skipped"
            name = words.clean(self.names.get(account, ""))
            accounts.append([account, name, state, seconds, rows.setdefault(row, len(rows))])
        return {"accounts": accounts, "rows": [list(each) for each in rows], "cells": list(cells)}

    def _cell(self, row: int, found: AccountJson | None, step: Step) -> str:
        """The states of a step in one row: a letter for each Region, or one for a step that is not regional."""
        once = step.scope is Scope.ONCE
        own, whole = self._states.get((row, step.name), {}), self._states.get((row, ""), {})
        if (once != (row == 0)) and not own:
            return _CODES[NOWHERE]
        if not step.regional:
            state = min(own.values(), key=_RANK.__getitem__, default=_default(whole))
            return _CODES[state]
        covered = set(found.regions) if found and row else set(self.regions)
        states = []
        for region in self.regions:
            default = whole.get(region) or (_default(whole) if region in covered or "" in whole else NOWHERE)
            states.append(own.get(region) or own.get("") or default)
        return "".join(_CODES[each] for each in states)

    def counts(self) -> list[Counter[str]]:
        """For each step, in how many places it is in which state."""
        counted = [Counter[str]() for _ in self.steps]
        data = self.cells()
        rows = Counter(row for *_, row in data["accounts"])
        states = dict(zip(_CODES.values(), STATES, strict=True))
        for number, times in rows.items():
            for at, cell in enumerate(data["rows"][number]):
                for letter, found in Counter(data["cells"][cell]).items():
                    counted[at][states[letter]] += found * times
        return counted

    def places(self, found: Iterable[Entry]) -> Places:
        """Where entries are: lists of a set of Regions and of the accounts, as `[first, how many, …]`."""
        regions: dict[int, set[int]] = defaultdict(set)
        for entry in found:
            regions[self.row[entry.row]].add(self.region[entry.region])
        return places(regions)


def places(regions: Mapping[int, set[int]]) -> Places:
    """Accounts with the same Regions together: `[[Regions], [first, how many, …]]`."""
    same: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for row in sorted(regions):
        same[tuple(sorted(regions[row]))].append(row)
    return [[list(where), _ranges(rows)] for where, rows in same.items()]


def _ranges(numbers: Sequence[int]) -> list[int]:
    found: list[int] = []
    for each in numbers:
        if found and found[-2] + found[-1] == each:
            found[-1] += 1
        else:
            found += [each, 1]
    return found


def _default(whole: Mapping[str, str]) -> str:
    """The state of a step that tells nothing, where the account as a whole could not be entered or was skipped."""
    state = whole.get("")
    return IN_SYNC if state is None else "skipped" if state == "skipped" else UNREAD


class _Actors:
    """Who changed things: each once."""

    def __init__(self) -> None:
        self.found: list[list[str]] = []
        self._numbers: dict[tuple[str, ...], int] = {}

    def number(self, who: Mapping[str, Any] | None) -> int:
        """The index of an actor; -1 for none."""
        if not who:
            return -1
        names = ("name", "time", "event", "event_id", "source_address", "user_agent")
        key = tuple(words.clean(str(who.get(each) or "")) for each in names)
        if key not in self._numbers:
            self._numbers[key] = len(self.found)
            self.found.append(list(key))
        return self._numbers[key]


def _group(
    group: EntryGroup, table: _Table, history: History, actors: _Actors, *, with_ids: bool
) -> dict[str, Any]:
    about = group.template
    found: dict[str, Any] = {
        "k": list(KINDS).index(group.kind),
        "s": table.step.get(group.step, -1),
        "t": title(group),
        "d": details(group),
        "p": table.places(group.entries),
    }
    if group.step not in table.step:
        found["o"] = group.step  # a step that is not of the run, such as entering the account
    if group.kind in CHANGES:
        found["a"], found["c"] = about["action"], about["call"]
        fields, documents = differences(about)
        found["f"], found["x"] = [list(each) for each in fields], [list(each) for each in documents]
        found |= _from_history(group, history, actors)
    once = {each.account for each in group.entries if not each.row}
    if once:
        found["in"] = sorted(once)
    ids = [[each.account, each.region, each.request_id] for each in group.entries if each.request_id]
    if ids and with_ids:
        found["i"] = ids
    return found


def _from_history(group: EntryGroup, history: History, actors: _Actors) -> dict[str, Any]:
    """Who made the differences, with the number of places; since when they are known; and if they are contested."""
    if not history.own:
        return {}
    known = [drift for each in group.entries if (drift := _own(each, history))]
    who = Counter(actors.number(each.get("who")) for each in known)
    del who[-1]
    since = min((each["since"] for each in known if each.get("since")), default="")
    return {
        "w": [list(each) for each in who.most_common(_MOST_ACTORS)],
        "n": since,
        "q": any(each.get("contested") for each in known),
    }


def _own(entry: Entry, history: History) -> Mapping[str, Any] | None:
    """What the run that is reported found of a change: of the same fields, as another request may change the same resource."""
    where = (entry.account, entry.region, entry.step, entry.resource)
    found = (history.own.get((where, str(field))) for field, *_ in entry.about["differences"])
    return next(filter(None, found), None)


def _history(history: History, table: _Table, actors: _Actors) -> list[list[Any]]:
    """The drifts, newest run first: equal ones of a run once, with their places."""
    same: dict[str, tuple[list[Any], dict[int, set[int]]]] = {}
    for each in history.drifts:
        where = each.get("address") or {}
        account, region = str(where.get("account", "")), str(where.get("region", ""))
        target = Target(account, region)
        fields = [words.clean(str(d.get("field", ""))) for d in each.get("differences", ())]
        texts = [
            where.get("step", ""),
            words.clean(str(where.get("resource", ""))),
            fields,
            each.get("why", ""),
        ]
        told = [
            *(each.get("time", ""), each.get("state", ""), each.get("since", ""), each.get("repairs", 0)),
            *(bool(each.get("contested")), actors.number(each.get("who")), bool(each.get("who_pending"))),
        ]
        known = account in table.row
        head = [each.get("run", ""), *told[1:], "" if known else f"{account} {region}"]
        key = json.dumps([head, to_template(json.dumps(texts), target, escape=True)])
        if key not in same:
            template = to_template(texts, target, escape=True)
            elsewhere = "" if known else words.clean(f"{account} {region}")
            same[key] = ([*told, *template, elsewhere], defaultdict(set))
        same[key][1][table.row.get(account, -1)].add(table.region.get(region, -1))
    return [[*told, places(where)] for told, where in reversed(same.values())]


def _run(run: Mapping[str, Any]) -> list[Any]:
    names = ("run", "started", "time", "command", "caller", "exit_code", "message", "paused")
    return [words.clean(str(run.get(each, ""))) for each in names]
