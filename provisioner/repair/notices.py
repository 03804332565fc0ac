"""Which notices a run owes to whom. Pure: from the run, what earlier runs told, and the time. Sends nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ..baseline.notices import Trigger
from . import notice_texts as texts
from .notice import Notice, of_check, of_drifts, of_exceptions, of_failures, of_pause, remembered, triggers
from .notice_history import History, Sent
from .records import Drift, Phase, RunReport
from .unread import Unread
from .unsent import Matter, find_unsent, with_earlier

# A run once a day is not at the same second each day, and less than a day must not make it every second day.
REPEAT: Final = timedelta(hours=23)
ONCE: Final = frozenset({"repaired", "expiring"})


def found_by(report: RunReport) -> Iterator[Notice]:
    """What the run found that somebody may want to know, each with its trigger."""
    matters: dict[Matter, list[Drift]] = defaultdict(list)
    for drift in report.drifts:
        for trigger in triggers(drift):
            matters[str(drift.address), trigger].append(drift)
    for (_, trigger), drifts in matters.items():
        yield of_drifts(drifts, trigger)
    for check in report.ended.failed_checks:
        yield of_check(check)
    yield from of_failures(report)
    yield from of_pause(report)
    yield from of_exceptions(report)


def select(
    matters: Iterable[Notice],
    report: RunReport,
    history: History,
    sink: str,
    on: Collection[Trigger],
    now: datetime,
) -> list[Notice]:
    """What the sink of that name is to be told. *matters* are what `found_by` says of the report.

    What is told once only, a repair and the coming end of an exception, is never resolved. A difference that stays is new once, continuing once a day, and resolved once it was looked for and is gone. Each
    repair is new, but of a contested resource one a day is enough. What a sink did not get, or what a run found that was
    cut short, is told by the next notice of the same matter, or by one of its own: at least once, and twice only if the
    sink's answer was lost.
    """
    found = {(each.about, each.trigger): each for each in matters if each.trigger in on}
    sent = {key[1:]: each for key, each in history.sent.items() if key[0] == sink and key[2] in on}
    unsent = find_unsent(history, sink, on, report)
    run, notices = report.started.run, list[Notice]()
    for matter, notice in found.items():
        if phase := _phase(notice, sent.get(matter, Sent()), now):
            new = replace(notice, phase=phase, runs=(run,))
            notices.append(with_earlier(new, unsent.get(matter, ())))
    for matter, missed in unsent.items():
        if matter not in found and _is_news(matter, sent.get(matter, Sent()), history, now):
            found[matter] = with_earlier(missed[-1].notice, missed[:-1])
            notices.append(found[matter])  # told once, and not as resolved in the same run
    unread = Unread.of(report)
    for matter, each in sent.items():
        about, trigger = matter
        still = (
            trigger == "contested" and about in history.contested
        )  # or paused, if only the pause is another one
        still |= trigger == "paused" and bool(report.ended.paused)
        gone = matter not in found and not still
        if gone and trigger not in ONCE and each.is_going_on:
            notice = remembered(history.drifts(about), about, trigger)
            if unread.was_read(notice.place, check=trigger == "check_failed"):
                notices.append(with_earlier(_resolved(notice, report), unsent.get(matter, ())))
    return notices


def _phase(notice: Notice, sent: Sent, now: datetime) -> Phase | None:
    """Whether the sink is to be told, and as what."""
    if not sent.is_going_on or (notice.trigger == "repaired" and not notice.contested):
        return "new"
    return "continuing" if now - sent.time >= REPEAT and notice.trigger != "expiring" else None


def _is_news(matter: Matter, sent: Sent, history: History, now: datetime) -> bool:
    """Whether the sink is to be told of what it did not get: each repair is news, but of a contested resource one a day."""
    about, trigger = matter
    if trigger == "repaired":
        return about not in history.contested or now - sent.time >= REPEAT
    return not sent.is_going_on


def _resolved(notice: Notice, report: RunReport) -> Notice:
    repaired = any(each.state == "repaired" and str(each.address) == notice.about for each in report.drifts)
    done = texts.resolved(notice.trigger, repaired=repaired)
    return replace(notice, phase="resolved", done=done, to_do="", who_pending=False)
