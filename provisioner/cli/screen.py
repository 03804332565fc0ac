"""Two consoles: results go to stdout, all else to stderr. NO_COLOR, FORCE_COLOR and what is no terminal are respected."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console, RenderableType
from rich.live import Live
from rich.status import Status
from rich.text import Text

from ..aws import Waiting
from ..report import json
from .options import Asked

_PLAIN_WIDTH = 160  # where there is no terminal, rich would wrap at 80 and break what a log is searched for
SHORT = 3.0  # seconds of a wait that no line is worth
_EVERY = 10.0  # seconds between lines about one wait, where there is no terminal


class Screen:
    """What the user sees of one command."""

    def __init__(self, asked: Asked):
        self.quiet, self.as_json, self.as_lines = asked.quiet, asked.as_json, asked.json_lines
        self.out = _console(asked.color, stderr=False)
        self.err = _console(asked.color, stderr=True)
        self._status: Status | None = None
        self._live: Live | None = None
        self._said: dict[str, float] = {}
        self._lock = threading.Lock()

    def lines(self, lines: Iterable[Text | str]) -> None:
        """Print results, unless they are wanted as JSON."""
        if not (self.as_json or self.as_lines):
            console = self._beside()
            for line in lines:
                console.print(line, soft_wrap=not console.is_terminal)

    def report(self, lines: Iterable[Text | str]) -> None:
        """Tell the user all of this on stderr, also when quiet."""
        for line in lines:
            self.say(line, always=True)

    def document(self, document: json.DocumentJson | json.ErrorJson) -> None:
        """Print the one JSON document, if it was asked for."""
        if self.as_json:
            self.out.file.write(json.to_text(document, indent=2) + "\n")
            self.out.file.flush()

    def line(self, line: json.Line) -> None:
        """Print one JSON object as one line, if lines were asked for; their reader has it at once."""
        if not self.as_lines:
            return
        text = json.to_text(line)
        console = self._beside()
        if console is self.err:
            console.print(text, soft_wrap=True)
        else:
            self.out.file.write(text + "\n")
            self.out.file.flush()

    def failed(self, error: json.ErrorJson) -> None:
        """Print why the command could not begin, as a document or as a line, if one was asked for."""
        self.document(error)
        self.line(error)

    def say(self, line: Text | str, *, always: bool = False) -> None:
        """Tell the user something on stderr; when quiet, only what is *always* told."""
        if always or not self.quiet:
            with suppress(OSError):  # a full disk under stderr must not stop a write to AWS
                self.err.print(line, soft_wrap=not self.err.is_terminal)

    def busy(self, text: str) -> None:
        """Show on a terminal what is going on now; the line goes away by itself."""
        if self.quiet or not self.err.is_terminal:
            return
        with self._lock:
            if self._live is not None:
                return
            if self._status is None:
                self._status = self.err.status(text, spinner="line")
                self._status.start()
            self._status.update(Text(text))

    def idle(self) -> None:
        """Nothing is going on; the line of `busy` is gone."""
        with self._lock:
            if self._status is not None:
                self._status.stop()
                self._status = None

    @property
    def animated(self) -> bool:
        """Somebody looks on as it happens: stderr is a terminal, whatever colours were asked for, and can go back."""
        return not self.quiet and self.err.is_interactive and self.err.file.isatty()

    @contextmanager
    def live(self, line: RenderableType, per_second: float) -> Iterator[None]:
        """Until the block ends, *line* is the last of the terminal, drawn anew *per_second*; `busy` says nothing."""
        self.idle()
        live = Live(line, console=self.err, refresh_per_second=per_second, transient=True)
        with self._lock:
            self._live = live
        try:
            with live:
                yield
        finally:
            with self._lock:
                self._live = None

    def _beside(self) -> Console:
        """Where results go: stdout. While a line lives on the same terminal, the console that knows to go around it."""
        return self.err if self._live is not None and self.out.file.isatty() else self.out

    def waiting(self, waiting: Waiting) -> None:
        """Say what is waited for, and for how long at most."""
        text = f"waiting for {waiting.until}, {waiting.waited:.0f} s of {waiting.limit:.0f} s"
        if self.err.is_terminal:
            self.busy(text)
            return
        if waiting.limit < SHORT:
            return
        with self._lock:
            now = time.monotonic()
            due = now - self._said.get(waiting.until, -_EVERY) >= _EVERY
            if due:
                self._said[waiting.until] = now
        if due:
            self.say(text)


class _Console(Console):
    """A console whose reader may go away: what they did not read, they did not want, and the work goes on."""

    def on_broken_pipe(self) -> None:
        """Print nothing more, to anybody."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def _console(color: str, *, stderr: bool) -> Console:
    plain = color == "never" or (color == "auto" and bool(os.environ.get("NO_COLOR")))
    console = _Console(
        stderr=stderr,
        markup=False,
        highlight=False,
        emoji=False,
        color_system=None if plain else "auto",  # rich's own `no_color` would leave bold and dim in
        force_terminal=True if color == "always" else None,
    )
    if not console.file.isatty():
        console.width = _PLAIN_WIDTH
    return console
