"""Which notices a run owes to whom. Pure: from the run, what earlier runs told, and the time. Sends nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from ..baseline.notices import Trigger
from ..steps.registry import all_steps
from . import notice_texts as texts
from .notice_history import Found, History, Told, time_of
from .records import Actor, Address, CallMade, Drift, FailedCheck, Phase, Planned, RunReport

# A run once a day is not at the same second each day, and less than a day must not make it every second day.
REPEAT: Final = timedelta(hours=23)
NOWHERE: Final = Address("", "", "", "")


@dataclass(frozen=True)
class Notice:
    """What a sink is told of one thing. *about* and *trigger* are what it is known by in later runs."""

    about: str
    trigger: Trigger
    what: str
    done: str = ""
    to_do: str = ""
    place: Address = NOWHERE
    since: str = ""
    who: Actor | None = None
    who_pending: bool = False
    contested: bool = False
    phase: Phase = "new"


def found_by(report: RunReport) -> Iterator[Notice]:
    """What the run found that somebody may want to know, each with its trigger."""
    for drift in report.drifts:
        for trigger in _triggers(drift):
            yield _of_drift(drift, trigger)
    for check in report.ended.failed_checks:
        yield _of_check(check)
    yield from _of_failures(report)
    if report.ended.paused:
        what, to_do = texts.paused(report.ended.paused), texts.TO_DO["paused"]
        place = replace(NOWHERE, account=report.started.account)
        yield Notice(_pause(report), "paused", what, "differences are told, and not repaired", to_do, place)


def select(
    matters: Iterable[Notice],
    report: RunReport,
    history: History,
    sink: str,
    on: Collection[Trigger],
    now: datetime,
) -> list[Notice]:
    """What the sink of that name is to be told. *matters* are what `found_by` says of the report.

    A difference that stays is new once, continuing once a day, and resolved once it was looked for and is gone. Each
    repair is new, but of a contested resource one a day is enough. What a sink did not get, or what a run found that was
    cut short, is told again, at least once.
    """
    found = {(each.about, each.trigger): each for each in matters if each.trigger in on}
    told = {key[1:]: each for key, each in history.told.items() if key[0] == sink and key[2] in on}
    notices = []
    for key, notice in found.items():
        if phase := _phase(notice, told.get(key, Told()), now):
            notices.append(replace(notice, phase=phase))
    differs = {str(each.address) for each in report.drifts}
    for notice in _owed(history, told, on, differs):
        if (key := (notice.about, notice.trigger)) not in found:
            found[key] = notice  # told once, and not as resolved in the same run
            notices.append(notice)
    unread = Unread.of(report)
    for (about, trigger), each in told.items():
        gone = (about, trigger) not in found and not (trigger == "contested" and about in history.contested)
        if gone and trigger != "repaired" and each.phase in {"new", "continuing"}:
            notice = _remembered(history, about, trigger)
            if unread.was_read(notice):
                notices.append(_resolved(notice, report))
    return notices


def _phase(notice: Notice, told: Told, now: datetime) -> Phase | None:
    """Whether the sink is to be told, and as what."""
    going_on = told.phase in {"new", "continuing"}
    if not going_on or (notice.trigger == "repaired" and not notice.contested):
        return "new"
    return "continuing" if now - told.time >= REPEAT else None


def _owed(
    history: History,
    told: Mapping[tuple[str, Trigger], Told],
    on: Collection[Trigger],
    differs: Collection[str],
) -> Iterator[Notice]:
    """What the sink has not got, and what this run does not find any more. *differs* are addresses that it finds."""
    for record in history.cut_off:
        if isinstance(record, Planned) and str(record.address) in differs:
            continue  # it was not made
        for notice in _of_cut_off(record):
            last = told.get((notice.about, notice.trigger), Told())
            if notice.trigger in on and _is_news(last, notice.trigger) and last.time < time_of(record.time):
                yield notice
    for (about, trigger), each in told.items():
        if each.failed is not None and each.failed.phase != "resolved" and _is_news(each, trigger):
            notice = _remembered(history, about, trigger)
            yield replace(notice, done=texts.late(notice.done, each.failed.time))


def _is_news(told: Told, trigger: Trigger) -> bool:
    """Whether the sink does not know of the matter: each repair is one of its own."""
    return trigger == "repaired" or told.phase in {None, "resolved"}


def _of_cut_off(record: Found) -> Iterator[Notice]:
    """What a run found or changed before it was cut short, and what it may have changed."""
    if isinstance(record, Planned):
        address = record.address
        what = texts.short(f"{address.resource}: {', '.join(record.fields)}")
        done = texts.perhaps_changed(record.run, record.time, record.operation)
        yield Notice(str(address), "repaired", what, done, texts.TO_DO["repaired"], address, record.time)
        return
    if isinstance(record, CallMade):
        address = record.address
        what = texts.what(record.action, address.resource, record.differences, past=True)
        done = texts.cut_off(record.run, record.time)
        yield Notice(str(address), "repaired", what, done, texts.TO_DO["repaired"], address, record.time)
        return
    for trigger in _triggers(record):
        notice = _of_drift(record, trigger)
        yield replace(notice, done=f"{notice.done}; that run was cut short, and this one finds it no more")


def _remembered(history: History, about: str, trigger: Trigger) -> Notice:
    """The notice of something that this run does not find, as far as the journal has it."""
    drift = history.drifts.get(about)
    if drift is not None and trigger in {"drifted", "repaired", "contested", "danger"}:
        return _of_drift(drift, trigger)
    account, region, step, resource = (*about.split("/", 3), "", "", "")[:4]
    if account.isdecimal():  # not the name of a file, or a pause
        return Notice(about, trigger, texts.RESOLVED[trigger], place=Address(account, region, step, resource))
    return Notice(about, trigger, texts.RESOLVED[trigger])


def _resolved(notice: Notice, report: RunReport) -> Notice:
    repaired = any(each.state == "repaired" and str(each.address) == notice.about for each in report.drifts)
    done = texts.resolved(notice.trigger, repaired=repaired)
    return replace(notice, phase="resolved", done=done, to_do="", who_pending=False)


def _triggers(drift: Drift) -> Iterator[Trigger]:
    yield "danger" if drift.danger else "repaired" if drift.state == "repaired" else "drifted"
    if drift.contested:
        yield "contested"


def _of_drift(drift: Drift, trigger: Trigger) -> Notice:
    return Notice(
        str(drift.address),
        trigger,
        texts.what(drift.action, drift.address.resource, drift.differences, past=drift.state == "repaired"),
        texts.done(drift),
        texts.to_do(drift, trigger),
        drift.address,
        drift.since or drift.time,
        drift.who,
        drift.who_pending,
        drift.contested,
    )


def _of_check(found: FailedCheck) -> Notice:
    about = f"{found.address}: {found.check}"
    what = texts.short(f"{found.address.resource}: {found.check}: {found.detail}")
    return Notice(about, "check_failed", what, to_do=texts.TO_DO["check_failed"], place=found.address)


def _of_failures(report: RunReport) -> Iterator[Notice]:
    """What could not be read or changed. Not the steps that only waited for one that failed."""
    failures = [each for each in report.ended.failures if each.blocked_by is None]
    for each in failures:
        place = Address(each.account, each.region, each.step, "")
        about = f"{each.account}/{each.region}/{each.step}/{each.doing}"
        what, to_do = texts.failure(each)
        yield Notice(about, "run_failed", what, "the rest of the run went on", to_do, place)
    if report.ended.exit_code == 1 and not failures:
        what = texts.short(report.ended.message or "the run failed")
        yield Notice(
            report.started.file, "run_failed", what, to_do=texts.TO_DO["run_failed"], since=report.ended.time
        )


def _pause(report: RunReport) -> str:
    return f"pause of {report.started.account}"


@dataclass(frozen=True)
class Unread:
    """What the run has not looked at, of which it cannot say that it is resolved."""

    report: RunReport
    accounts: frozenset[str] = frozenset()
    places: frozenset[str] = field(default_factory=frozenset)  # `ACCOUNT/REGION`, `ACCOUNT/REGION/STEP`

    @classmethod
    def of(cls, report: RunReport) -> Unread:
        """From the failures of the run and what it was limited to. What is no step is the way into an account."""
        steps = all_steps()
        failures = report.ended.failures
        return cls(
            report,
            frozenset(each.account for each in failures if each.step not in steps),
            frozenset(
                [*report.ended.not_read, *(f"{each.account}/{each.region}/{each.step}" for each in failures)]
            ),
        )

    def has_reached(self, account: str) -> bool:
        """Whether the run has looked at the account."""
        limit = self.report.started.only_accounts
        named = not limit or account in limit
        return named and account not in self.accounts and account not in self.places

    def was_read(self, notice: Notice) -> bool:
        """Whether the run would have found it."""
        ended, started = self.report.ended, self.report.started
        if ended.exit_code in {1, 130}:
            return False
        counts = ended.counts
        if notice.trigger == "check_failed" and not (
            counts.checks_passed or counts.checks_failed or counts.checks_pending
        ):
            return False  # of `--no-verify`
        account, region, step = notice.place.account, notice.place.region, notice.place.step
        if not region:
            return True
        limits = ((account, started.only_accounts), (step, started.steps), (region, started.regions))
        if any(limit and each not in limit and "all" not in limit for each, limit in limits):
            return False
        names = {account, f"{account}/{region}", f"{account}/{region}/{step}"}
        return account not in self.accounts and names.isdisjoint(self.places)
