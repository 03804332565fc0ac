"""Notices, made of what a run found or did. Pure: which of them are sent, and when, is in `notices.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..baseline.notices import Trigger
from ..model import Difference
from . import notice_texts as texts
from .records import Actor, Address, CallMade, Drift, FailedCheck, Noticed, Phase, Planned, RunReport

NOWHERE: Final = Address("", "", "", "")


@dataclass(frozen=True)
class Notice:
    """What a sink is told of one thing. *about* and *trigger* are what it is known by in later runs.

    *runs* are those of which it tells what they found or repaired there, the newest last.
    """

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
    runs: tuple[str, ...] = ()

    def record(self, run: str, time: str, sink: str, error: str) -> Noticed:
        """That it was sent, or could not be. A sink that is down for days makes no long lines: the others are known."""
        runs = [*(self.runs[-1:] if error else self.runs)]
        return Noticed(run, time, self.about, self.trigger, self.phase, sink, error, runs)


def triggers(drift: Drift) -> Iterator[Trigger]:
    """What a difference is told as."""
    yield "danger" if drift.danger else "repaired" if drift.state == "repaired" else "drifted"
    if drift.contested:
        yield "contested"


def of_drifts(drifts: Sequence[Drift], trigger: Trigger) -> Notice:
    """One notice of the differences of one resource, which several requests may have removed."""
    first = drifts[0]
    differences = [each for drift in drifts for each in drift.differences]
    action = "create" if any(each.action == "create" for each in drifts) else first.action
    return Notice(
        str(first.address),
        trigger,
        texts.what(action, first.address.resource, differences, past=first.state == "repaired"),
        texts.joined(map(texts.done, drifts)),
        texts.joined(texts.to_do(each, trigger) for each in drifts),
        first.address,
        min(each.since or each.time for each in drifts),
        _actor(drifts),
        any(each.who_pending for each in drifts),
        any(each.contested for each in drifts),
    )


def _actor(drifts: Iterable[Drift]) -> Actor | None:
    """Who made the first difference of which that is known, with the number of others."""
    known = {each.who.name: each.who for each in reversed([*drifts]) if each.who}
    first = next(reversed(known.values()), None)
    return replace(first, others=first.others + len(known) - 1) if first else None


def of_calls(records: Sequence[CallMade | Planned]) -> Notice:
    """What a run that was cut short has changed of one resource, or may have changed."""
    made = [each for each in records if isinstance(each, CallMade)]
    planned = [each for each in records if isinstance(each, Planned)]
    first = records[0]
    differences: list[Difference] = [each for record in made for each in record.differences]
    what = texts.changed(first.address.resource, differences, [x for each in planned for x in each.fields])
    if any(each.action == "create" for each in made):
        what = texts.what("create", first.address.resource, (), past=True)
    done = [texts.cut_off(first.run, first.time)] if made else []
    done += [texts.perhaps_changed(each.run, each.time, each.operation) for each in planned]
    return Notice(
        str(first.address),
        "repaired",
        what,
        texts.joined(done),
        texts.TO_DO["repaired"],
        first.address,
        first.time,
    )


def of_check(found: FailedCheck) -> Notice:
    """A check of `verify` that failed."""
    about = f"{found.address}: {found.check}"
    what = texts.short(f"{found.address.resource}: {found.check}: {found.detail}")
    return Notice(about, "check_failed", what, to_do=texts.TO_DO["check_failed"], place=found.address)


def of_failures(report: RunReport) -> Iterator[Notice]:
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


def of_exceptions(report: RunReport) -> Iterator[Notice]:
    """The exceptions that have expired, or are going to soon."""
    place = replace(NOWHERE, account=report.started.account)
    for each in report.ended.ending_exceptions:
        trigger: Trigger = "expired" if each.expired else "expiring"
        yield Notice(each.name, trigger, texts.short(each.text), to_do=texts.TO_DO[trigger], place=place)


def of_pause(report: RunReport) -> Iterator[Notice]:
    """That repairs are paused: each renewal is a pause of its own."""
    ended, account = report.ended, report.started.account
    if ended.paused:
        what, to_do = texts.paused(ended.paused), texts.TO_DO["paused"]
        place = replace(NOWHERE, account=account)
        yield Notice(
            f"pause of {account}" + (f" set {ended.pause_set}" if ended.pause_set else ""),
            "paused",
            what,
            texts.WHILE_PAUSED,
            to_do,
            place,
            ended.paused_since,
        )


def remembered(drifts: Sequence[Drift], about: str, trigger: Trigger) -> Notice:
    """The notice of something that this run does not find, as far as the journal has its *drifts*."""
    if drifts and trigger in {"drifted", "repaired", "contested", "danger"}:
        return of_drifts(drifts, trigger)
    where = about.removeprefix("pause of ").partition(" ")[0] if trigger == "paused" else about
    account, region, step, resource = (*where.split("/", 3), "", "", "")[:4]
    if account.isdecimal():  # not the name of a file
        return Notice(about, trigger, texts.RESOLVED[trigger], place=Address(account, region, step, resource))
    return Notice(about, trigger, texts.RESOLVED[trigger])
