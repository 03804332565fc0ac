"""The progress of a run over many accounts: a live line on a terminal, else a line every ten seconds."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final, Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.text import Text

from ..aws.threads import leave_signals_to_main, try_start
from ..model import Account, Outcome
from ..report import words
from ..report.totals import Totals
from .screen import Screen

_INTERVAL: Final = 10.0  # seconds between lines where there is no terminal
_PER_SECOND: Final = 4.0  # redraws of the live line
_RATE_WINDOW: Final = 5.0  # seconds over which the rate of calls is measured
_SLOW: Final = 30.0  # seconds after which the slowest account is named
_SILENCE: Final = 5.0  # seconds without a finished account after which it is said what is waited for
_BAR_WIDTH: Final = 20  # characters at most
_ROWS: Final = 2


class Progress:
    """Prints the progress of *total* accounts inside a `with` block, unless `--quiet` is given.

    *count* returns the calls so far, and how many of them were throttled. Methods may be called from any thread.
    """

    def __init__(
        self,
        screen: Screen,
        total: int,
        count: Callable[[], tuple[int, int]],
        *,
        clock: Callable[[], float] = time.monotonic,
        interval: float = _INTERVAL,
    ):
        self._screen, self._total, self._count = screen, total, count
        self._clock, self._interval = clock, interval
        self._start = clock()
        self.totals = Totals()
        self._last_finished = self._start
        self._in_flight: dict[str, tuple[float, str]] = {}  # account id → start and label
        self._samples = deque([(self._start, count()[0])])  # times, and the calls until then
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._start = self._clock()
        if self._screen.can_animate:
            self._stack.enter_context(self._screen.live(_LiveLine(self), _PER_SECOND))
        elif not self._screen.quiet:
            printer = threading.Thread(target=self._print_lines, name="progress", daemon=True)
            if try_start(printer):
                self._stack.callback(printer.join)
                self._stack.callback(self._ended.set)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def started(self, account: Account) -> None:
        """Count the account as in flight."""
        with self._lock:
            self._in_flight[account.id] = (self._clock(), str(account))

    def finished(self, outcome: Outcome) -> None:
        """Count the account as done."""
        with self._lock:
            self._in_flight.pop(outcome.account.id, None)
            self._last_finished = self._clock()
            self.totals.add(outcome)

    def _print_lines(self) -> None:
        leave_signals_to_main()
        while not self._ended.wait(self._interval):
            self._screen.message(self.line())

    def line(self) -> str:
        """The progress in one line."""
        return ", ".join(self.parts())

    def parts(self) -> list[str]:
        """The parts of the line, the most important first."""
        with self._lock:
            return list(self._parts(self._clock()))

    @property
    def fraction(self) -> float:
        """The fraction of the accounts that is done, from 0 to 1."""
        return self.totals.accounts / self._total if self._total else 1.0

    def _parts(self, now: float) -> Iterator[str]:
        totals, done = self.totals, self.totals.accounts
        yield f"{done:,} of {words.plural(self._total, 'account')}"
        counts = [
            (len(self._in_flight), "in flight"),
            (totals.failed, "failed"),
            (totals.drifted, "drifted"),
            (totals.changed, "changed"),
        ]
        yield from (f"{number:,} {label}" for number, label in counts if number)
        elapsed = now - self._start
        if 0 < done < self._total and elapsed > 0:
            yield f"{_duration(elapsed * (self._total - done) / done)} left"
        calls, throttled = self._count()
        if (rate := self._rate(now, calls)) is not None:
            yield f"{rate:,.0f} calls/s"
        if throttled:
            yield f"{throttled:,} throttled"
        start, slowest = min(self._in_flight.values(), default=(now, ""))
        if now - start >= _SLOW:
            yield f"{words.clean(slowest)} for {_duration(now - start)}"
        if now - self._last_finished >= _SILENCE and (waiting := self._screen.waiting):
            yield waiting

    def _rate(self, now: float, calls: int) -> float | None:
        """Calls per second over the last seconds; None in the first second."""
        samples = self._samples
        samples.append((now, calls))
        while len(samples) > 2 and now - samples[1][0] >= _RATE_WINDOW:
            samples.popleft()
        start, before = samples[0]
        return (calls - before) / (now - start) if now - start >= 1.0 else None


class _LiveLine:
    """The live line: a bar and the parts beside it, in two rows if the terminal is narrow."""

    def __init__(self, progress: Progress):
        self._progress = progress

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(_BAR_WIDTH, options.max_width // 8)
        bar = ProgressBar(total=1.0, completed=self._progress.fraction, width=width)
        drawn = [each for each in console.render(bar, options) if each.text != "\n"]
        yield from drawn
        # Without colours rich draws only the part that is done.
        yield Segment(" " * (width - Segment.get_line_length(drawn)))
        indent = " " * (width + 1)
        rows = [indent]
        for part in self._progress.parts():
            separator = ", " if rows[-1] != indent else ""
            if separator and len(rows[-1]) + 2 + len(part) > options.max_width:
                rows.append(indent + part)
            else:
                rows[-1] += separator + part
        yield Text("\n".join([rows[0][width:], *rows[1:_ROWS]]), no_wrap=True, overflow="crop", end="")


def _duration(seconds: float) -> str:
    """`40 s`, `12 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
