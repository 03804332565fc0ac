"""The machine on which `repair` runs from cron and from events: with faults on the wire, kills and full disks."""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Final

from provisioner.cli.lock import locked
from provisioner.cli.open_session import open_session
from provisioner.cli.open_work import open_work
from provisioner.cli.options import CommandOptions, private_files
from provisioner.cli.repair import repair
from provisioner.cli.screen import Screen
from provisioner.cli.session import Session
from provisioner.cli.unattended import Unattended
from provisioner.model import Change, Result
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.faults import RandomFaults
from provisioner.sandbox.model import Phase
from provisioner.sandbox.world import World

from .clock import SessionClock, SoakClock

LATENCY: Final = 0.03  # simulated seconds of each call
_COLLECT: Final = 8  # runs, each of which leaves ten megabytes of clients in circles
_ANSWER: Final = 10.0  # real seconds in which a signal reaches the main thread


class Killed(BaseException):
    """The process of a run is killed. Nothing of the program catches it."""


@dataclass
class Run:
    """What one run did. *results* are those of a run that ended; *made* are its changes, also of one that was killed."""

    started: float
    steps: tuple[str, ...]
    code: int = 0
    id: str = ""
    killed: bool = False
    disk_full: bool = False
    made: list[tuple[Result, Change]] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    writes: list[WireCall] = field(default_factory=list)
    # Service, operation and Region of the calls whose answer was lost.
    lost: list[tuple[str, str, str]] = field(default_factory=list)
    output: str = ""
    ended: float = 0.0


@dataclass
class Machine:
    """Starts runs one after the other. *share* is that of calls that get a fault."""

    world: World
    clock: SoakClock
    file: Path
    url: str
    caller: str
    seed: int
    share: float
    kill_share: float = 0.2  # of runs; where nothing is written, the next one that writes is killed
    disk_full: bool = False
    runs: list[Run] = field(default_factory=list)
    given: Counter[str] = field(default_factory=Counter)  # faults and kills

    def __post_init__(self) -> None:
        """Put faults and kills on the wire."""
        self._random = random.Random(f"machine {self.seed}")  # noqa: S311 must be reproducible
        part = self.share / 4
        self._faults = RandomFaults(
            self.seed, throttles=part, outages=part, resets=part, losses=part, only=self._may_fail
        )
        self._kill: tuple[int, Phase] | None = (
            None  # after so many writes, in this run or a later one, before or after its effect
        )
        self._immortal = True  # of all commands but `repair`
        self._lost: list[tuple[str, str, str]] = []  # calls of this run whose answer is lost
        self._dead, self._acknowledged = False, threading.Event()
        self.world.interrupt(self._interrupt)
        signal.signal(signal.SIGUSR1, self._die)

    @property
    def journal(self) -> Path:
        """The folder of the journal."""
        return Path(os.environ["XDG_STATE_HOME"]) / "provision" / "journal"

    def repair(self, steps: Sequence[str] = (), *, splay: float = 0.0, may_be_killed: bool = True) -> Run:
        """Run `provision repair FILE --target STEP… --splay …`."""
        options = CommandOptions("repair", str(self.file), steps=tuple(steps), endpoint_url=self.url)
        self.clock.sleep(random.uniform(0, splay))  # noqa: S311 - no secret
        run = Run(self.clock.now(), tuple(steps), disk_full=self.disk_full)
        if may_be_killed and self._random.random() < self.kill_share and not self._kill:
            self._kill = self._random.randint(1, 3), self._random.choice(("before", "after"))
        self._immortal = not may_be_killed
        self._lost = run.lost
        before, text, threads = len(self.world.calls), StringIO(), {*threading.enumerate()}
        try:
            with redirect_stdout(text), redirect_stderr(text), self._disk():
                self._run(options, run)
        except Killed:
            _end_threads(threads)
            run.killed = True
            self.given["kill"] += 1
            self._tear_journal()
        self._dead, self._immortal = False, True
        run.output, run.ended = text.getvalue(), self.clock.now()
        run.writes = [
            each for each in self.world.calls[before:] if each.writes and each.caller == self.caller
        ]
        self.runs.append(run)
        if len(self.runs) % _COLLECT == 0:
            gc.collect()  # Python waits until a quarter of what is kept is new
        return run

    def command(self, options: CommandOptions) -> str:
        """Run another command on this machine, without faults. Returns what it printed."""
        from provisioner.cli.commands import run

        text, share = StringIO(), self._faults.only
        self._faults.only = lambda call: False
        try:
            with redirect_stdout(text), redirect_stderr(text):
                code = run(options)
        finally:
            self._faults.only = share
        return f"{text.getvalue()}exit {code}"

    def _run(self, options: CommandOptions, run: Run) -> None:
        """As `cli.commands.run` does it, with the clock of the soak."""
        with private_files(), open_session(options, Screen(options)) as session:
            session.cloud.clock = SessionClock(self.clock)
            run.id = session.cloud.run_id
            with locked(session.lock_path, options.lock_timeout):
                kept = Unattended.begin(session)
                self._listen(session, run)
                try:
                    with open_work(session) as work:
                        run.code = repair(work, kept)
                        run.results = [_kept(each) for each in work.plan.results]
                finally:
                    kept.close()

    def _listen(self, session: Session, run: Run) -> None:
        record = session.on_made

        def on_made(result: Result, change: Change) -> None:
            run.made.append((Result(result.step, result.target), _of_call(change)))
            record(result, change)

        session.on_made = on_made

    def _may_fail(self, call: WireCall) -> bool:
        return call.caller == self.caller and call.service != "sts"

    def _interrupt(self, call: WireCall, phase: Phase) -> Fault | None:
        if call.caller != self.caller:
            return None
        if self._dead:
            raise ConnectionError
        if phase == "before":
            self.clock.sleep(LATENCY)
        try:
            fault = self._faults(call, phase)
        except ConnectionError:
            self._lost.append((call.service, call.operation, call.region))
            raise
        if self._kill and not self._immortal and call.writes and fault is None and phase == self._kill[1]:
            left = self._kill[0] - 1
            self._kill = (left, phase) if left else None
            if not left:
                self._kill_process()
        return fault

    def _kill_process(self) -> None:
        """End the run in the main thread; this is the server's thread, whose answer then reaches nobody."""
        self._dead = True
        self._acknowledged.clear()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        self._acknowledged.wait(_ANSWER)
        raise ConnectionError

    def _die(self, _: int, __: FrameType | None) -> None:
        self._acknowledged.set()
        raise Killed

    def _tear_journal(self) -> None:
        """Now and then cut the last line, as a kill in the middle of a write does."""
        files = sorted(self.journal.glob("*.jsonl"))
        if files and self._random.random() < 0.5:
            content = files[-1].read_bytes()
            last = content.rstrip(b"\n").rpartition(b"\n")[2]
            if last and b'"type":"call"' in last:
                files[-1].write_bytes(content[: -len(last) // 2])
                self.given["torn line"] += 1

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """While the disk is full, the kernel lets no file of this process grow by more than some bytes (RLIMIT_FSIZE)."""
        if not self.disk_full:
            yield
            return
        sizes = [each.stat().st_size for each in self.journal.glob("*.jsonl")]
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes, default=0) + 40, before[1]))
        self.given["run with a full disk"] += 1
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    @property
    def faults(self) -> Counter[str]:
        """The faults that were given, by kind."""
        return self._faults.given


def _kept(result: Result) -> Result:
    """The result without what holds on to the run's clients, which would fill the memory in a week."""
    changes, withheld = map(_of_call, result.changes), map(_of_call, result.withheld)
    return replace(result, changes=[*changes], withheld=[*withheld])


def _of_call(change: Change) -> Change:
    return replace(change, call=replace(change.call, bases=()), without=None, undo=None)


def _end_threads(before: set[threading.Thread]) -> None:
    """Wait until the threads of a killed run have ended, which AWS answers no more: those of a real process are gone."""
    for each in {*threading.enumerate()} - before:
        if "process_request" not in each.name:  # of the sandbox's own server
            _join(each)


def _join(thread: threading.Thread) -> None:
    while True:
        try:
            thread.join(_ANSWER)
        except RuntimeError:  # the run was killed while it started the thread, which begins any moment
            time.sleep(0.001)
        else:
            return
