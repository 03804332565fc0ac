"""The week: what happens when. A queue of moments, each with what is done then; one at a time, as time only moves here."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, cycle

from provisioner.cli.options import CommandOptions

from .account import Account
from .adversary import NAMES, TOOL, Adversary, Episode, Name
from .clock import DAY, EVERY, HOUR, MINUTE, SPLAY, SoakClock
from .ledger import Ledger
from .machine import Machine, Run
from .webhook import Webhook

ALONE = 40  # breaks a day that are made alone


@dataclass
class Week:
    """All that takes part, and what happens when: in parts of the whole time, so that the short form has all of it, too."""

    clock: SoakClock
    days: float
    machine: Machine
    adversary: Adversary
    account: Account
    hook: Webhook
    ledger: Ledger
    contested: Name
    excepted: Name
    events: int = 0  # from EventBridge that started a run
    ended: float = 0.0
    loops: int = 0  # runs that our own writes would have started
    _queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def live(self) -> None:
        """Let the time pass."""
        end = self.days * DAY
        self._plan(end)
        while self._queue:
            moment, _, do = heapq.heappop(self._queue)
            self.clock.wait_until(moment)
            do()
        self.hook.down = self.machine.disk_full = False
        for _ in range(3):  # the days after, in which nobody breaks anything
            self.clock.sleep(EVERY)
            self._timer()
            self._events_of_last_minute()
        self.ended = self.clock.now()

    def at(self, moment: float, do: Callable[[], None]) -> None:
        """Do something at a moment, which may be over."""
        heapq.heappush(self._queue, (moment, next(self._order), do))

    def _plan(self, end: float) -> None:
        """Fill the queue."""
        moment = EVERY
        while moment < end:
            self.at(moment, self._timer)
            moment += EVERY
        random, number = self.adversary.random, max(int(self.days * ALONE), 1)
        for index, name in zip(range(number), cycle(self.adversary.all)):
            at = end * (index + random.random()) / number
            self.at(at, lambda name=name: self._break(name))  # type: ignore[misc]
        for part in (0.33, 0.7, *((0.12, 0.27, 0.55, 0.8, 0.9) if self.days > 1 else ())):
            self.at(end * part, lambda: self._storm(random.randint(8, 40)))
        self._contest(end)
        self.at(end * 0.5, self.account.deliver)
        self.at(end * 0.05, lambda: self._break(self.excepted))
        for part, length in ((0.2, 0.03), (0.62, 0.03)):
            self.at(end * part, lambda: self._full(True))
            self.at(end * (part + length), lambda: self._full(False))
        for part, length in ((0.1, 0.04), (0.34, 0.02), (0.85, 0.03)):
            self.at(end * part, lambda: self._down(True))
            self.at(end * (part + length), lambda: self._down(False))
        length = min(DAY, end / 7)
        self.ledger.pause = end * 0.3, end * 0.3 + length
        self.at(self.ledger.pause[0], self._pause)

    def _contest(self, end: float) -> None:
        """A second tool sets its own value every 15 minutes, for a seventh of the time and at least two hours."""
        moment, last = end * 0.57 + 8 * MINUTE, end * 0.57 + max(end / 7, HOUR)
        while moment < min(last, end * 0.95):
            self.at(moment, lambda: self._break(self.contested, TOOL))
            moment += EVERY

    def _timer(self) -> None:
        self._ran(self.machine.repair(splay=SPLAY))

    def _break(self, name: Name, actor: str = "") -> None:
        actor = actor or self.adversary.random.choice(NAMES)
        logged = self.account.is_logging
        episode = self.adversary.break_one(name, actor, self.clock.now())
        self._broken([episode] if episode else [], logged=logged)

    def _storm(self, most: int) -> None:
        logged = self.account.is_logging
        self._broken(list(self.adversary.storm(most, self.clock.now())), logged=logged)

    def _broken(self, episodes: list[Episode], *, logged: bool) -> None:
        """Tell EventBridge, if a trail still logged when it happened: a run follows within a minute."""
        self.clock.sleep(1)
        now = self.clock.now()
        self.ledger.broken(episodes)
        self.account.sample(now)
        if not logged:
            self.account.new_calls()
            return
        if steps := self.account.steps_of(self.account.new_calls()):
            delay = self.adversary.random.uniform(5, 55)
            self.events += 1
            self.at(now + delay, lambda: self._ran(self.machine.repair(steps)))

    def _ran(self, run: Run) -> None:
        self.account.sample(run.ended)
        self.ledger.ran(run)
        self._events_of_last_minute()

    def _events_of_last_minute(self) -> None:
        """Our own writes are events, too, and must start no run."""
        self.loops += bool(self.account.steps_of(self.account.new_calls()))

    def _full(self, full: bool) -> None:  # noqa: FBT001 called by the queue only
        self.machine.disk_full = full

    def _down(self, down: bool) -> None:  # noqa: FBT001 called by the queue only
        self.hook.down = down

    def _pause(self) -> None:
        from datetime import UTC, datetime, timedelta

        until = datetime.now(UTC) + timedelta(seconds=self.ledger.pause[1] - self.ledger.pause[0])
        options = CommandOptions(
            "pause",
            str(self.machine.file),
            endpoint_url=self.machine.url,
            reason="a change is under way",
            until=until.isoformat(),
        )
        printed = self.machine.command(options)
        if not printed.endswith("exit 0"):
            raise RuntimeError(printed)
