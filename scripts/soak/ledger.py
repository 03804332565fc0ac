"""What was broken, beside what the runs found and did: each write has a cause, and each difference an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from provisioner.model import Change, Result

from .adversary import Adversary, Episode
from .clock import EVERY, MINUTE, SPLAY, text
from .machine import Run

FOLLOWS: Final = (
    EVERY + SPLAY + 3 * MINUTE
)  # after a break was repaired, the next run of cron finds what it has caused


@dataclass
class Ledger:
    """*problems* are what must not be, each in one line."""

    adversary: Adversary
    # Step, Region, resource and field that an exception accepts, and until when.
    excepted: tuple[str, str, str, str, float] = ("", "", "", "", 0.0)
    pause: tuple[float, float] = (0.0, 0.0)
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unfinished: list[str] = field(default_factory=list)
    side: Counter[str] = field(default_factory=Counter)  # differences that follow from others
    # The run, step, Region and resource of each of these, and of each that a creation contained.
    followed: set[tuple[str, str, str, str]] = field(default_factory=set)

    def broken(self, episodes: Iterable[Episode]) -> None:
        """Count what was just broken."""
        for _ in episodes:
            self.counts["breaks"] += 1

    def ran(self, run: Run) -> None:
        """Take in a run that has ended or was killed."""
        self.counts["killed" if run.killed else f"exit {run.code}"] += 1
        self._check_causes(run)
        self._check_wire(run)
        self._check_pause(run)
        if run.killed:
            return
        if run.code == 1:
            self.problems.append(f"{text(run.started)} run {run.id}: exit 1: {run.output.strip()[-300:]}")
        if not run.results:
            return
        left = {(r.step, r.target.region, c.resource) for r in run.results for c in (*r.held, *r.withheld)}
        failed = {(r.step, r.target.region) for r in run.results if not r.ok}
        for r in run.results:
            if not r.ok:
                self.counts["failed steps"] += 1
                self.unfinished.append(
                    f"{text(run.started)} {r.step} {r.target.region}: {r.failure or r.blocked_by}"
                )
        steps = {r.step for r in run.results}
        for each in self.adversary.open():
            here = (each.step, each.region)
            held = any(each.shows_as(*place) for place in left)
            if (
                each.field
                and (*each.place, each.field) == self.excepted[:4]
                and run.started < self.excepted[4]
            ):
                continue  # accepted: it ends when the exception does
            if each.step in steps and here not in failed and not held and each.start <= run.started:
                each.end = run.ended

    def _check_causes(self, run: Run) -> None:
        """Each change follows from a break that is open, of the same resource or at least of the same account."""
        open_ = self.adversary.open()
        recent = [x for x in self.adversary.episodes if x.end is None or x.end > run.started - FOLLOWS]
        for result, change in run.made:
            self.counts["changes"] += 1
            here = (run.id, result.step, result.target.region)
            self.followed |= {(*here, each) for each in change.contains}
            where = f"{result.step} {result.target.region} {change.resource}"
            self._check_accepted(run, result, change)
            place = result.step, result.target.region, change.resource
            if any(each.shows_as(*place) for each in open_):
                continue
            fields = ", ".join(each.field for each in change.differences)
            if any(not each.shows_as(*place) for each in recent):
                self.followed.add((*here, change.resource))
                self.side[f"{result.step}: {change.resource}: {fields}"] += 1
            else:
                self.problems.append(f"{text(run.started)} run {run.id}: no cause: {where}: {fields}")

    def _check_accepted(self, run: Run, result: Result, change: Change) -> None:
        """What an exception accepts is not changed until it expires."""
        *place, field, until = self.excepted
        fields = [each.field for each in change.differences]
        here = [result.step, result.target.region, change.resource] == place
        if (
            here and fields == [field] and run.started < until
        ):  # others in the same request are repaired with it
            self.problems.append(f"{text(run.started)} run {run.id}: accepted, and changed: {place} {fields}")

    def _check_pause(self, run: Run) -> None:
        """While repairs are paused, only what makes AWS record is made, unless the pause cannot be read."""
        begin, end = self.pause
        if not begin < run.started < run.ended < end:
            return
        self.counts["held in the pause"] += sum(len(each.held) for each in run.results)
        if "whether repairs are paused cannot be read" in run.output:
            self.counts["runs that could not read the pause"] += 1
            return
        self.counts["made in the pause"] += len(run.made)
        for result, change in run.made:
            if not change.is_vital:
                what = f"{result.step} {change.resource}"
                self.problems.append(f"{text(run.started)} run {run.id}: paused, and made: {what}")

    def _check_wire(self, run: Run) -> None:
        """Each write on the wire is that of a change that was made; of a killed run, one more may be."""
        made = Counter(_operation(result, change) for result, change in run.made)
        sent = Counter(
            (each.service, each.operation, each.region) for each in run.writes if each.code is None
        )
        self.counts["writes"] += sum(sent.values())
        extra = sent - made
        lost = {*run.lost}
        for key, number in extra.items():
            allowed = run.killed or key in lost or key[0] in {"sns", "events"}
            if allowed:
                self.counts["writes repeated or cut off"] += number
            else:
                self.problems.append(f"{text(run.started)} run {run.id}: {number} x {key} behind the changes")


def _operation(result: Result, change: Change) -> tuple[str, str, str]:
    call = change.call
    return call.service, call.name, call.region or result.target.region
