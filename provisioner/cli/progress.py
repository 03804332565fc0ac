"""How far a run over many accounts is: a live line on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.text import Text

from ..report import words
from ..report.totals import Totals
from .screen import Screen

if TYPE_CHECKING:
    from types import TracebackType

    from ..model import Account, Outcome

EVERY: Final = 10.0  # seconds between lines where there is no terminal
_PER_SECOND: Final = 4.0  # of the line on a terminal; the eye follows no more
_RECENT: Final = 5.0  # seconds over which calls are counted
_LONG: Final = 30.0  # seconds in one account that are worth its name
_BAR: Final = 20  # characters, or less
_ROWS: Final = 2


class Progress:
    """Tells how far *total* accounts are, from `with` to its end. *tally* says how many calls and throttles there were.

    Its methods may be called from any thread. With --quiet nothing is told.
    """

    def __init__(
        self,
        screen: Screen,
        total: int,
        tally: Callable[[], tuple[int, int]],
        *,
        clock: Callable[[], float] = time.monotonic,
        every: float = EVERY,
    ):
        self._screen, self._total, self._tally = screen, total, tally
        self._clock, self._every = clock, every
        self._started = clock()
        self.totals = Totals()
        self._under_way: dict[str, tuple[float, str]] = {}  # account → since when, and what it is called
        self._calls = deque([(self._started, tally()[0])])
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._started = self._clock()
        if self._screen.animated:
            self._stack.enter_context(self._screen.live(_Row(self), _PER_SECOND))
        elif not self._screen.quiet:
            teller = threading.Thread(target=self._tell, name="progress", daemon=True)
            teller.start()
            self._stack.callback(teller.join)
            self._stack.callback(self._over.set)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def begun(self, account: Account) -> None:
        """The account is being done."""
        with self._lock:
            self._under_way[account.id] = (self._clock(), str(account))

    def delivered(self, outcome: Outcome) -> None:
        """The account is done."""
        with self._lock:
            self._under_way.pop(outcome.account.id, None)
            self.totals.add(outcome)

    def _tell(self) -> None:
        """A line now and then, until it is over."""
        while not self._over.wait(self._every):
            self._screen.say(self.line())

    def line(self) -> str:
        """Everything in one line."""
        return ", ".join(self.parts())

    def parts(self) -> list[str]:
        """What there is to tell, what matters most first."""
        with self._lock:
            now = self._clock()
            return list(self._parts(now))

    @property
    def done(self) -> float:
        """The part of the accounts that are done, from 0 to 1."""
        return self.totals.accounts / self._total if self._total else 1.0

    def _parts(self, now: float) -> Iterator[str]:
        totals, done = self.totals, self.totals.accounts
        yield f"{done:,} of {words.plural(self._total, 'account')}"
        if self._under_way:
            yield f"{len(self._under_way):,} in flight"
        if totals.failed:
            yield f"{totals.failed:,} failed"
        if totals.drifted:
            yield f"{totals.drifted:,} drifted"
        if totals.changed:
            yield f"{totals.changed:,} changed"
        passed = now - self._started
        if 0 < done < self._total and passed > 0:
            yield f"{_duration(passed * (self._total - done) / done)} left"
        calls, throttled = self._tally()
        if (rate := self._rate(now, calls)) is not None:
            yield f"{rate:,.0f} calls/s"
        if throttled:
            yield f"{throttled:,} throttled"
        since, slowest = min(self._under_way.values(), default=(now, ""))
        if now - since >= _LONG:
            yield f"{words.clean(slowest)} for {_duration(now - since)}"

    def _rate(self, now: float, calls: int) -> float | None:
        """Calls in a second, over the last few of them; None before there was one."""
        recent = self._calls
        recent.append((now, calls))
        while len(recent) > 2 and now - recent[1][0] >= _RECENT:
            recent.popleft()
        (then, before) = recent[0]
        return (calls - before) / (now - then) if now - then >= 1.0 else None


class _Row:
    """The live line: a bar, and beside it what there is to tell; on a narrow terminal it goes on in a second one."""

    def __init__(self, progress: Progress):
        self._progress = progress

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(_BAR, options.max_width // 8)
        bar = ProgressBar(total=1.0, completed=self._progress.done, width=width)
        drawn = [each for each in console.render(bar, options) if each.text != "\n"]
        yield from drawn
        yield Segment(
            " " * (width - Segment.get_line_length(drawn))
        )  # without colours, the rest is not drawn
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
