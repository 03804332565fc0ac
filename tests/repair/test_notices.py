"""Tests of the selection of notices: once each for new, continuing and resolved; after a crash or a failure none is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.baseline.control import DriftException, ending
from provisioner.baseline.notices import DEFAULT
from provisioner.model import Difference
from provisioner.repair.notice import Notice
from provisioner.repair.notice_history import read_history
from provisioner.repair.notices import REPEAT, found_by, select
from provisioner.repair.records import (
    Address,
    CallMade,
    Drift,
    FailedCheck,
    Noticed,
    Planned,
    Record,
    RunReport,
    RunStarted,
)
from provisioner.report.json_objects import CallJson, CountsJson, FailureJson

from .notice_samples import ACCOUNT, BUCKET, MEMBER, START, STOPPED, TRAIL, at, drift, report

SINK = "oncall"


class Journal:
    """Runs one after another, of which each is told to one sink."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def notices(self, run: RunReport, on: Iterable[str] = DEFAULT, sink: str = SINK) -> list[Notice]:
        now = datetime.fromisoformat(run.ended.time)
        history = read_history(self.records, run.started, now)
        return select(found_by(run), run, history, sink, [x for x in DEFAULT if x in on], now)

    def run(
        self,
        run: RunReport,
        *,
        on: Iterable[str] = DEFAULT,
        fails: Callable[[Notice], bool] = lambda notice: False,
        crashes: bool = False,
        sink: str = SINK,
    ) -> list[tuple[str, str, str]]:
        """What is sent, as (about, trigger, phase); the run is killed after that if it *crashes*."""
        found = self.notices(run, on, sink)
        self.records += [run.started, *run.drifts]
        for each in found:
            error = "refused" if fails(each) else ""
            if not crashes:
                self.records.append(each.record(run.started.run, run.ended.time, sink, error))
        if not crashes:
            self.records.append(run.ended)
        return [(each.about, each.trigger, each.phase) for each in found if not fails(each)]


@pytest.fixture
def journal() -> Journal:
    return Journal()


T = str(TRAIL)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (drift(), [(T, "drifted", "new")]),
        (drift(state="failed", why="AccessDenied"), [(T, "drifted", "new")]),
        (drift(state="withheld", why="replace-key"), [(T, "drifted", "new")]),
        (drift(state="held", why="the file says `mode: alert`"), [(T, "drifted", "new")]),
        (drift(state="not_seen"), [(T, "drifted", "new")]),
        (drift(state="repaired"), [(T, "repaired", "new")]),
        (drift(state="withheld", why="remove-foreign-deny"), [(T, "danger", "new")]),
        (
            drift(state="repaired", contested=True, repairs=3),
            [(T, "repaired", "new"), (T, "contested", "new")],
        ),
    ],
)
def test_each_state_has_its_trigger(journal: Journal, found: Drift, told: list[tuple[str, str, str]]) -> None:
    assert journal.run(report(0, [found])) == told


def test_nothing_found_is_nothing_told(journal: Journal) -> None:
    assert journal.run(report(0)) == []


def test_difference_that_stays_is_told_once_a_day_and_once_when_it_is_gone(journal: Journal) -> None:
    told = [phase for hour in range(50) for _, _, phase in journal.run(report(hour, [drift()]))]
    assert told == ["new", "continuing", "continuing"]
    assert journal.run(report(50)) == [(T, "drifted", "resolved")]
    assert journal.run(report(51)) == []
    assert journal.run(report(52, [drift()])) == [(T, "drifted", "new")]


def test_run_once_a_day_tells_each_day_though_it_is_some_minutes_early(journal: Journal) -> None:
    times = [0, 24.1, 47.9, 72]
    assert [journal.run(report(each, [drift()]))[0][2] for each in times] == ["new", *["continuing"] * 3]


def test_triggers_are_told_separately(journal: Journal) -> None:
    danger = drift(BUCKET, "withheld", why="remove-foreign-deny")
    assert journal.run(report(0, [drift()])) == [(T, "drifted", "new")]
    assert journal.run(report(1, [drift(), danger])) == [(str(BUCKET), "danger", "new")]
    assert journal.run(report(2, [drift(state="repaired"), danger])) == [
        (T, "repaired", "new"),
        (T, "drifted", "resolved"),
    ]


def test_sink_is_told_only_what_it_asked_for(journal: Journal) -> None:
    found = [drift(state="repaired"), drift(BUCKET, "withheld", why="remove-foreign-deny")]
    assert journal.run(report(0, found), on=["danger"]) == [(str(BUCKET), "danger", "new")]
    assert journal.run(report(1), on=["danger"]) == [(str(BUCKET), "danger", "resolved")]


def test_each_repair_is_new_but_of_a_contested_resource_one_a_day_is_enough(journal: Journal) -> None:
    told = []
    for hour in range(12):
        found = drift(state="repaired", repairs=hour + 1, contested=hour >= 2)
        told += [(hour, trigger, phase) for _, trigger, phase in journal.run(report(hour, [found]))]
    assert told == [
        (0, "repaired", "new"),
        (1, "repaired", "new"),
        (2, "contested", "new"),
    ]


def test_contest_is_over_a_day_after_the_last_repair_and_not_with_the_next_quiet_run(
    journal: Journal,
) -> None:
    contested = drift(state="repaired", repairs=3, contested=True)
    assert (T, "contested", "new") in journal.run(report(0, [contested]))
    assert [journal.run(report(hour)) for hour in (0.5, 6, 23)] == [[], [], []]
    assert journal.run(report(24.5)) == [(T, "contested", "resolved")]


def test_pause_is_told_when_it_is_set_and_when_it_ends(journal: Journal) -> None:
    told = [journal.run(report(hour, paused="until noon by x")) for hour in (0, 1)]
    assert [[x[1:] for x in each] for each in (*told, journal.run(report(2)))] == [
        [("paused", "new")],
        [],
        [("paused", "resolved")],
    ]


def test_pause_is_told_once_in_a_text_with_its_account_and_with_what_goes_on(journal: Journal) -> None:
    pause = report(0, paused="repairs are paused until noon by x: why", pause_set="2026-11-23T04:00:00Z")
    [notice] = journal.notices(pause)
    assert notice.what == "repairs are paused until noon by x: why"
    assert "what AWS needs to record is repaired all the same" in notice.done
    journal.run(pause)
    [ended] = journal.notices(report(1))
    assert (ended.phase, ended.about, ended.place.account) == ("resolved", notice.about, ACCOUNT)


def test_who_is_on_call_is_not_sent_to_a_command_that_leaves_the_difference(journal: Journal) -> None:
    """`apply` makes nothing that the file says is only told."""
    [notice] = journal.notices(report(0, [drift(state="held", why="the file says `mode: alert`")]))
    assert ("provision apply" in notice.to_do, "change the file" in notice.to_do) == (False, True)


def test_each_renewal_of_a_pause_is_told_and_the_end_of_all_once(journal: Journal) -> None:
    told = []
    for hour in range(0, 60, 6):  # renewed every 24 hours
        pause = report(hour, paused="until tomorrow by x", pause_set=f"day {hour // 24}")
        told += [(hour, phase) for _, _, phase in journal.run(pause)]
    assert told == [(0, "new"), (24, "new"), (48, "new")]
    assert [phase for _, _, phase in journal.run(report(61))] == ["resolved"] * 3
    assert journal.run(report(62)) == []


def test_an_exception_is_announced_once_and_told_daily_when_it_has_expired(journal: Journal) -> None:
    one = DriftException(address="s/r", field="f", reason="why", owner="Ann", expires="2026-12-01")
    told = []
    for day in range(11):  # from 2026-11-23 on
        ends = ending((one,), at(day * 24).date())
        told += [(day, *x[1:]) for x in journal.run(report(day * 24, ending=ends))]
    assert told == [
        (1, "expiring", "new"),
        (8, "expired", "new"),
        (9, "expired", "continuing"),
        (10, "expired", "continuing"),
    ]
    [notice] = journal.notices(report(264, ending=()))
    assert (notice.trigger, notice.phase, notice.about) == (
        "expired",
        "resolved",
        "exception for s/r: f until 2026-12-01",
    )


def test_checks_and_failures_are_told_and_resolved(journal: Journal) -> None:
    check = FailedCheck(BUCKET, "delivery", "nothing came for 2 days")
    failure = FailureJson(
        "cloudtrail", ACCOUNT, "us-east-1", "reading", "denied", code="AccessDenied", request_id="r1"
    )
    waits = FailureJson(
        "config", ACCOUNT, "us-east-1", "not run", "cloudtrail failed", blocked_by="cloudtrail"
    )
    first = report(0, failed_checks=[check], failures=[failure, waits], exit_code=3)
    told = journal.run(first)
    assert [each[1:] for each in told] == [("check_failed", "new"), ("run_failed", "new")]
    without_verify = report(1, checks=0)
    assert [each[1:] for each in journal.run(without_verify)] == [("run_failed", "resolved")]
    assert [each[1:] for each in journal.run(report(2))] == [("check_failed", "resolved")]


def test_run_that_failed_as_a_whole_is_told_by_its_message(journal: Journal) -> None:
    assert journal.run(report(0, exit_code=1)) == [("b.yaml", "run_failed", "new")]
    assert journal.run(report(1)) == [("b.yaml", "run_failed", "resolved")]


UNREAD = {
    "the step failed": report(
        1, failures=[FailureJson("cloudtrail", ACCOUNT, "us-east-1", "reading", "denied")], exit_code=3
    ),
    "the step waited for one that failed": report(
        1, failures=[FailureJson("cloudtrail", ACCOUNT, "us-east-1", "not run", "x", blocked_by="config")]
    ),
    "the account was not entered": report(
        1, failures=[FailureJson("account", ACCOUNT, "us-east-1", "assuming", "denied")], exit_code=3
    ),
    "the run failed": report(1, exit_code=1),
    "the run was interrupted": report(1, exit_code=130),
    "another step was chosen": report(1, steps=["log_buckets"]),
    "another account was chosen": report(1, only_accounts=[MEMBER]),
    "another Region was chosen": report(1, regions=["eu-west-1"]),
    "the account was skipped": replace(report(1), ended=replace(report(1).ended, not_read=[ACCOUNT])),
    "the Region was skipped": replace(
        report(1), ended=replace(report(1).ended, not_read=[f"{ACCOUNT}/us-east-1"])
    ),
    "another file": report(1, file="other.yaml"),
    "another caller": report(1, account=MEMBER),
}


@pytest.mark.parametrize("run", UNREAD.values(), ids=UNREAD)
def test_what_was_not_looked_at_is_not_resolved(journal: Journal, run: RunReport) -> None:
    journal.run(report(0, [drift()]))
    assert (T, "drifted", "resolved") not in journal.run(run)
    assert journal.run(report(2))[0] == (T, "drifted", "resolved")


def test_other_places_that_failed_hinder_no_resolution(journal: Journal) -> None:
    journal.run(report(0, [drift()]))
    failure = FailureJson("cloudtrail", MEMBER, "us-east-1", "reading", "denied")
    assert (T, "drifted", "resolved") in journal.run(report(1, failures=[failure], exit_code=3))


def test_sink_that_failed_gets_it_in_the_next_run_and_others_do_not(journal: Journal) -> None:
    run = report(0, [drift()])
    assert journal.run(run, fails=lambda notice: True) == []
    journal.records.append(Noticed("run-0", at(0).isoformat(), T, "drifted", "new", "other"))
    assert journal.notices(report(1, [drift()]), sink="other") == []
    assert journal.run(report(1, [drift()])) == [(T, "drifted", "new")]
    assert journal.run(report(2, [drift()])) == []


def test_repair_that_could_not_be_told_is_told_later_with_what_was_done(journal: Journal) -> None:
    journal.run(report(0, [drift(state="repaired")]), fails=lambda notice: True)
    [notice] = journal.notices(report(1))
    assert (notice.about, notice.trigger, notice.phase) == (T, "repaired", "new")
    assert "IsLogging was false" in notice.what
    assert (
        notice.done
        == "repaired, and read back; this was to be told at 2026-11-23 04:00 UTC, and could not be sent then"
    )
    assert journal.run(report(1)) == [(T, "repaired", "new")]
    assert journal.run(report(2)) == []


def test_resolved_is_told_only_to_whom_it_was_told_before(journal: Journal) -> None:
    journal.run(report(0, [drift()]))
    assert journal.notices(report(1), sink="new in the file") == []
    journal.run(report(1), fails=lambda notice: True)
    assert journal.run(report(2)) == [(T, "drifted", "resolved")]


def test_new_sink_is_not_told_of_the_past(journal: Journal) -> None:
    journal.run(report(0, [drift(state="repaired")]))
    assert journal.notices(report(1), sink="new in the file") == []


def test_change_of_a_run_that_was_killed_is_told_by_the_next_one(journal: Journal) -> None:
    killed = report(0)
    call = CallMade(
        killed.started.run,
        at(0).isoformat(),
        TRAIL,
        "update",
        list(STOPPED),
        CallJson("cloudtrail", "StartLogging", "us-east-1", {}),
    )
    journal.records = [killed.started, call]
    [notice] = journal.notices(report(1))
    assert (notice.about, notice.trigger, notice.phase) == (T, "repaired", "new")
    assert "run-0, which was cut short" in notice.done
    journal.run(report(1))
    assert journal.run(report(2)) == []


def test_killed_between_two_changes_of_a_resource_tells_both(journal: Journal) -> None:
    started, time = report(0).started, at(0).isoformat()
    planned = [
        Planned(started.run, time, TRAIL, [field], f"cloudtrail:{name}")
        for field, name in (("IsLogging", "StartLogging"), ("KmsKeyId", "UpdateTrail"))
    ]
    request = CallJson("cloudtrail", "StartLogging", "us-east-1", {})
    journal.records = [
        started,
        *planned,
        CallMade(started.run, time, TRAIL, "update", list(STOPPED), request),
    ]
    [notice] = journal.notices(
        report(0.1)
    )  # a run that has made a change on this machine is not under way any more
    assert notice.what == "trail main: IsLogging was false; the file asks for true; KmsKeyId"
    assert "was about to call cloudtrail:UpdateTrail" in notice.done


def test_what_a_killed_run_may_have_changed_is_told_by_a_later_one_that_does_not_find_it(
    journal: Journal,
) -> None:
    killed = report(0)
    call = "cloudtrail:StartLogging"
    journal.records = [
        killed.started,
        Planned(killed.started.run, at(0).isoformat(), TRAIL, ["IsLogging"], call),
    ]
    assert journal.notices(report(0.25)) == []  # it may still be under way, on another machine
    assert [each.trigger for each in journal.notices(report(1, [drift()]))] == ["drifted"]  # it was not made
    other = replace(drift(), differences=[Difference("IsMultiRegionTrail", have=False, want=True)])
    assert {each.trigger for each in journal.notices(report(1, [other]))} == {"drifted", "repaired"}
    [notice] = journal.notices(report(1))
    assert (notice.about, notice.trigger, notice.phase) == (T, "repaired", "new")
    assert f"run-0 was about to call {call}" in notice.done
    journal.run(report(1))
    assert journal.run(report(2)) == []


def test_difference_of_a_run_that_was_killed_is_told_though_it_is_gone_and_then_resolved(
    journal: Journal,
) -> None:
    assert journal.run(report(0, [drift()]), crashes=True) == [(T, "drifted", "new")]
    assert journal.run(report(1)) == [(T, "drifted", "new")]
    assert journal.run(report(2)) == [(T, "drifted", "resolved")]
    assert journal.run(report(3)) == []


def test_what_is_older_than_the_window_or_damaged_does_not_count(journal: Journal) -> None:
    journal.run(report(0, [drift()]))
    journal.records.append(replace(report(0).ended, time="2026-13-45"))
    assert journal.run(report(9 * 24, [drift()])) == [(T, "drifted", "new")]


def test_ping_that_failed_is_no_matter_of_its_own(journal: Journal) -> None:
    journal.records = [
        report(0).started,
        Noticed("run-0", at(0).isoformat(), "ping", "run_failed", "new", SINK, "it answers 500"),
        report(0).ended,
    ]
    assert journal.run(report(1)) == []


ADDRESSES = [
    Address(a, "us-east-1", s, "r") for a in (ACCOUNT, MEMBER) for s in ("cloudtrail", "log_buckets")
]
STATES = st.sampled_from(["drifted", "held", "failed", "danger"])
RUNS = st.lists(
    st.tuples(
        st.floats(0.1, 30),  # hours since the one before
        st.dictionaries(st.sampled_from(ADDRESSES), STATES, max_size=4),
        st.booleans(),  # the sink fails
        st.sampled_from(["", "", "", "killed"]),
    ),
    min_size=1,
    max_size=12,
)


def _drift(address: Address, state: str) -> Drift:
    if state == "danger":
        return drift(address, "withheld", why="remove-foreign-deny")
    return drift(address, state)  # type: ignore[arg-type]


@settings(max_examples=150)
@given(RUNS)
def test_whatever_fails_or_is_killed_each_sink_hears_all_of_it_in_order(
    runs: list[tuple[float, dict[Address, str], bool, str]],
) -> None:
    journal, hours = Journal(), 0.0
    delivered: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    ever: set[tuple[str, str]] = set()
    for pause, found, fails, killed in [*runs, (1, {}, False, ""), (1, {}, False, "")]:
        hours += pause
        run = report(hours, [_drift(*each) for each in found.items()])
        ever |= {(x.about, x.trigger) for x in found_by(run)}
        sent = journal.run(run, fails=lambda notice, fails=fails: fails, crashes=bool(killed))  # type: ignore[misc]
        assert len(sent) == len({each[:2] for each in sent})  # nothing twice in one run
        if not killed:  # what was sent before it was killed is sent again
            for about, trigger, phase in sent:
                delivered[about, trigger].append((phase, hours))
    if hours < 8 * 24:
        assert set(delivered) == ever
    for told in delivered.values():
        before, last = "resolved", float("-inf")
        for phase, hour in told:
            if hour - last < 7 * 24:
                assert (phase == "new") == (before == "resolved")
                if phase == "continuing":
                    assert timedelta(hours=hour - last) >= REPEAT - timedelta(seconds=1)
            before, last = phase, hour
        assert before == "resolved" or hours >= 8 * 24


@given(st.lists(st.tuples(st.sampled_from([0.25, 3.0, 7.0]), st.booleans()), max_size=40))
def test_who_repeats_is_told_of_a_few_times_a_day(steps: list[tuple[float, bool]]) -> None:
    journal, hours = Journal(), 0.0
    repairs: list[float] = []
    told: list[float] = []
    for pause, drifts in steps:
        hours += pause
        repairs = [each for each in [*repairs, *([hours] if drifts else [])] if each > hours - 24]
        count = len(repairs)
        found = [drift(state="repaired", repairs=count, contested=count >= 3)] if drifts else []
        told += [hours for _, trigger, phase in journal.run(report(hours, found)) if phase != "resolved"]
    for start in told:
        assert sum(start <= each < start + 24 for each in told) <= 5


def test_thousand_accounts_are_chosen_fast_enough() -> None:
    journal = Journal()
    found = [drift(Address(f"{i:012}", "us-east-1", "cloudtrail", "trail main")) for i in range(1000)]
    assert len(journal.run(report(0, found))) == 1000
    assert journal.run(report(1, found)) == []


def test_samples_are_what_they_say() -> None:
    assert START.tzinfo is not None
    assert isinstance(report(0).started, RunStarted)
    assert CountsJson(checks_passed=1) == report(0).ended.counts
    assert STOPPED[0] == Difference("IsLogging", have=False, want=True)
