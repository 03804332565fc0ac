"""Law of notices: over runs, kills at every moment, and sinks that fail, each thing is told at least once, and not twice.

Only where a sink's answer was lost (it came after the time for it, or the run was killed before it wrote it down) may it be
told again: nobody can know whether the sink has it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from provisioner.baseline.notices import DEFAULT
from provisioner.model import Difference
from provisioner.repair.notice import Notice
from provisioner.repair.notice_history import UNDER_WAY, read_history
from provisioner.repair.notices import found_by, select
from provisioner.repair.records import Address, CallMade, Drift, Noticed, Planned, Record, RunReport
from provisioner.report.json_objects import CallJson

from .notice_samples import ACCOUNT, at, report

SINKS = ("phone", "mail")
REPAIRED = [Address(ACCOUNT, "us-east-1", "cloudtrail", f"trail {name}") for name in "ab"]
HELD = Address(ACCOUNT, "us-east-1", "log_buckets", "bucket held")
FIELDS = ("IsLogging", "IsMultiRegionTrail")
MOMENTS = ("planned", "called", "recorded", "found", "sent", "noticed")  # after which a run is killed
Matter = tuple[str, str, str]  # sink, about, trigger


class Runs(RuleBasedStateMachine):
    """Differences that others make, runs that repair them or leave them, and what the sinks got."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []
        self.hours, self.number = 0.0, 0
        self.open: dict[Address, set[str]] = defaultdict(set)
        self.got: dict[Matter, list[Notice]] = defaultdict(list)
        self.lost: set[Matter] = set()  # whose answer was lost at least once
        self.repaired: set[tuple[str, str]] = set()  # run and address, which must be told
        # Run, address and field that was changed, and of which the journal has no more than the plan.
        self.unknown: set[tuple[str, str, str]] = set()
        self.changed: set[tuple[str, str]] = set()  # run and address, whatever the journal has of it

    @rule(address=st.sampled_from(REPAIRED), field=st.sampled_from(FIELDS))
    def break_it(self, address: Address, field: str) -> None:
        self.open[address].add(field)
        # A run that finds it again takes it for what the run before did not change.
        self.unknown -= {each for each in self.unknown if each[1:] == (str(address), field)}

    @rule()
    def break_what_is_held(self) -> None:
        self.open[HELD].add(FIELDS[0])

    @rule()
    def mend_what_is_held(self) -> None:
        self.open[HELD].clear()

    @rule(hours=st.sampled_from([0.05, 0.25, 2.0]))
    def wait(self, hours: float) -> None:
        self.hours += hours

    @rule(answers=st.tuples(*[st.sampled_from(["taken", "taken", "refused", "lost"])] * 2))
    def run(self, answers: tuple[str, str]) -> None:
        run = self._begin()
        self._call(run, 99)
        self._tell(run, dict(zip(SINKS, answers, strict=True)))
        self.records.append(run.ended)

    @rule(moment=st.sampled_from(MOMENTS), calls=st.integers(0, 2), notices=st.integers(0, 2))
    def killed(self, moment: str, calls: int, notices: int) -> None:
        run = self._begin()
        if moment == "planned":
            return
        if moment in {"called", "recorded"}:
            self._call(run, calls, unrecorded=moment == "called")
            return
        self._call(run, 99)
        self._tell(run, dict.fromkeys(SINKS, "taken"), moment, notices)

    def _begin(self) -> RunReport:
        self.hours += 0.1
        self.number += 1
        name = f"run-{self.number}"
        found = [self._drift(each, field) for each, fields in self.open.items() for field in sorted(fields)]
        run = report(self.hours, found, run=name)
        time = run.started.time
        self.records.append(run.started)
        self.records += [
            Planned(name, time, each.address, each.fields, f"cloudtrail:Set{each.fields[0]}")
            for each in run.drifts
            if each.state == "repaired"
        ]
        return run

    def _drift(self, address: Address, field: str) -> Drift:
        state = "held" if address == HELD else "repaired"
        return Drift("", "", address, [Difference(field, have=False, want=True)], "update", state)  # type: ignore[arg-type]

    def _call(self, run: RunReport, most: int, *, unrecorded: bool = False) -> None:
        """Make so many changes, and with *unrecorded* one more that was made when the run was killed."""
        for index, each in enumerate(x for x in run.drifts if x.state == "repaired"):
            if index > most or (index == most and not unrecorded):
                return
            self.open[each.address] -= {*each.fields}
            self.changed.add((each.run, str(each.address)))
            if index == most:
                self.unknown.add((each.run, str(each.address), each.fields[0]))
                return
            call = CallJson("cloudtrail", f"Set{each.fields[0]}", "us-east-1", {})
            self.records.append(CallMade(each.run, each.time, each.address, "update", each.differences, call))
            self.repaired.add((each.run, str(each.address)))

    def _tell(self, run: RunReport, answers: dict[str, str], killed: str = "", most: int = 99) -> None:
        """Tell the sinks in the order of `run.py`; killed after so many notices, before or after the last is recorded."""
        name, now = run.started.run, at(self.hours)
        history = read_history(self.records, run.started, now)
        self.records += run.drifts
        if killed == "found":
            return
        chosen = [
            (sink, each) for sink in SINKS for each in select(found_by(run), run, history, sink, DEFAULT, now)
        ]
        for index, (sink, each) in enumerate(chosen):
            matter = sink, each.about, each.trigger
            if answers[sink] != "refused":
                self.got[matter].append(each)
            last = bool(killed) and index == most
            if answers[sink] == "lost" or (last and killed == "sent"):
                self.lost.add(matter)
            if not (last and killed == "sent"):
                error = "" if answers[sink] == "taken" else "no answer"
                self.records.append(each.record(name, run.ended.time, sink, error))
            if last:
                return

    @invariant()
    def nothing_is_told_twice(self) -> None:
        for matter, notices in self.got.items():
            if matter in self.lost:
                continue
            runs = [run for each in notices for run in each.runs if each.trigger == "repaired"]
            assert len(runs) == len({*runs}), (matter, runs)
            if matter[2] == "drifted":
                phases = ["resolved", *(each.phase for each in notices)]
                for before, after in pairwise(phases):
                    assert (after == "new") == (before == "resolved"), (matter, phases)

    @invariant()
    def no_change_is_told_that_was_not_made(self) -> None:
        for (_, about, trigger), notices in self.got.items():
            if trigger == "repaired":
                assert {(run, about) for each in notices for run in each.runs} <= self.changed

    def teardown(self) -> None:
        """After two quiet runs, everybody knows everything."""
        self.mend_what_is_held()
        for _ in range(2):
            self.hours += UNDER_WAY / timedelta(hours=1)
            self.run(("taken", "taken"))
        self.nothing_is_told_twice()
        held = any(isinstance(each, Drift) and each.address == HELD for each in self.records)
        for sink in SINKS:
            known = {
                (run, about)
                for (name, about, trigger), notices in self.got.items()
                if name == sink and trigger == "repaired"
                for each in notices
                for run in each.runs
            }
            unknown = {each[:2] for each in self.unknown}
            assert {*self.repaired, *unknown} <= known, sink
            phases = [each.phase for each in self.got[sink, str(HELD), "drifted"]]
            assert (phases[-1:] == ["resolved"]) == held, phases


Runs.TestCase.settings = settings(max_examples=200, stateful_step_count=25)
TestRuns = Runs.TestCase


def test_two_requests_for_one_resource_are_one_notice_of_both() -> None:
    run = report(0, [Runs()._drift(REPAIRED[0], each) for each in FIELDS])
    [notice] = found_by(run)
    assert all(f"{each} was false" in notice.what for each in FIELDS)


def test_of_many_repairs_that_were_not_told_the_first_and_the_last_are_named() -> None:
    """Of an outage of a day: one notice, and one line of the journal for each run, which does not grow."""
    machine = Runs()
    for _ in range(20):
        machine.break_it(REPAIRED[0], FIELDS[0])
        machine.run(("refused", "taken"))
        machine.wait(1.0)
    machine.break_it(REPAIRED[0], FIELDS[0])
    machine.run(("taken", "taken"))
    [notice] = machine.got["phone", str(REPAIRED[0]), "repaired"]
    assert len(notice.runs) == 21
    assert "20 repairs of it before this one were not told: the first at 2026-11-23 04:06 UTC" in notice.done
    assert len(machine.got["mail", str(REPAIRED[0]), "repaired"]) == 21
    failed = [each for each in machine.records if isinstance(each, Noticed) and each.error]
    assert {len(each.runs) for each in failed} == {1}
    again = report(machine.hours + 1)
    history = read_history(machine.records, again.started, at(machine.hours + 1))
    assert select(found_by(again), again, history, "phone", DEFAULT, at(machine.hours + 1)) == []
