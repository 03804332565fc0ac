"""The terminal: results go to stdout, everything else to stderr. NO_COLOR and FORCE_COLOR are respected.

Every line passes `_line`: it is one line on the terminal, whatever AWS has put into a name, and shows no secret.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.status import Status
from rich.text import Span, Text

from ..aws import Waiting
from ..aws.threads import try_start
from ..baseline.redact import redact, redacted
from ..report import json, words
from .options import CommandOptions

_PLAIN_WIDTH = 100_000  # where there is no terminal, nothing is wrapped: a search in a log would miss text
_NARROWEST = 20  # a terminal may also say that it has no columns
_SHORT = 3.0  # a wait with a shorter limit, in seconds, is not printed where there is no terminal
_INTERVAL = 10.0  # seconds between lines about one wait where there is no terminal
_WAITING = 3.0  # seconds after which a wait that is not told again is over
_SHORTEST_SECRET = 4  # in whole lines, a shorter one would also be found in counts and times
# What stands before the text of a line: its indent, and a mark.
_INDENT: Final = re.compile(r" *(?:(?:[-+~!·≥]|ok|FAIL|wait) +)? *")
_CONTINUED: Final = 2  # where a line is wrapped, the rest is indented by this much more than its text


class Screen:
    """Prints the output of one command as its options ask. Its methods may be called from any thread."""

    def __init__(self, options: CommandOptions):
        self.quiet, self._as_json, self._as_lines = options.quiet, options.as_json, options.json_lines
        self.document_begun = False
        self.secrets: Callable[[], Mapping[str, str]] = dict  # those of the file, once it is read
        self.out = _console(options.color, stderr=False)
        self.err = _console(options.color, stderr=True)
        self._status: Status | None = None
        self._live: Live | None = None
        self._printed: dict[str, float] = {}  # what is waited for → when it was last printed
        self._waiting = (-_WAITING, "")  # what was last waited for, and when
        self._lock = threading.Lock()

    @property
    def waiting(self) -> str:
        """What was waited for in the last seconds; empty if nothing was."""
        since, text = self._waiting
        return text if time.monotonic() - since < _WAITING else ""

    def results(self, lines: Iterable[Text | str]) -> None:
        """Print results on stdout, unless JSON was asked for."""
        if not (self._as_json or self._as_lines):
            console = self._console_for_results()
            for line in lines:
                self._print(console, line)

    def notices(self, lines: Iterable[Text | str]) -> None:
        """Print lines on stderr, also with `--quiet`."""
        for line in lines:
            self.message(line, always=True)

    def message(self, line: Text | str, *, always: bool = False) -> None:
        """Print a line on stderr; with `--quiet` only if *always*."""
        if always or not self.quiet:
            self._print(self.err, line)

    @contextmanager
    def told_after(self, seconds: float, text: str) -> Iterator[None]:
        """Print a line on stderr if the block takes longer than that."""
        timer = threading.Timer(seconds, self.message, (text,))
        timer.daemon = True
        try_start(timer)
        try:
            yield
        finally:
            timer.cancel()

    def _print(self, console: Console, line: Text | str) -> None:
        text = self._line(line)
        width = max(console.width, _NARROWEST)
        if console.is_terminal and text.cell_len > width and not text.no_wrap:
            found = _INDENT.match(text.plain)
            start = min(found.end() if found else 0, width // 2)
            first = text[start:].wrap(console, width - start)[0]
            left = len(text.plain[start + len(first) :].lstrip())
            indent = start + _CONTINUED
            rest = text[len(text) - left :].wrap(console, width - indent)
            text = text[:start] + Text("\n" + " " * indent).join([first, *rest])
        console.print(text, soft_wrap=True)

    def _line(self, line: Text | str) -> Text:
        """The line without secrets, and with escapes for characters that move the cursor or start a new line."""
        text = Text(words.clean(line)) if isinstance(line, str) else line
        if not text.plain.isprintable():
            parts = [words.clean(each) for each in text.plain]
            at = [0, *accumulate(map(len, parts))]
            spans = [Span(at[each.start], at[each.end], each.style) for each in text.spans]
            text = Text("".join(parts), text.style, spans=spans)
        secrets = {value: name for value, name in self.secrets().items() if len(value) >= _SHORTEST_SECRET}
        hidden = redact(text.plain, secrets)
        return text if hidden == text.plain else Text(hidden, text.style)

    def json_document(self, document: json.DocumentJson | json.ErrorJson) -> None:
        """Print the document if `--json` was given."""
        if self._as_json:
            self.document_begun = True
            self.out.file.write(json.to_text(redacted(document, self.secrets()), indent=2) + "\n")
            self.out.file.flush()

    def json_line(self, value: json.Line) -> None:
        """Print the object as one line, and flush it, if `--json-lines` was given."""
        if not self._as_lines:
            return
        text = json.to_text(redacted(value, self.secrets()))
        console = self._console_for_results()
        if console is self.err:
            console.print(text, soft_wrap=True)
        else:
            self.out.file.write(text + "\n")
            self.out.file.flush()

    def json_error(self, error: json.ErrorJson) -> None:
        """Print the error as a document or as a line, if either was asked for."""
        self.json_document(error)
        self.json_line(error)

    def status(self, text: str) -> None:
        """Show what is going on in the last line of a terminal, until `clear_status`."""
        if self.quiet or not self.err.is_terminal:
            return
        with self._lock:
            if self._live is not None:
                return
            if self._status is None:
                self._status = self.err.status("", spinner="line")
                self._status.start()
            self._status.update(self._line(text))

    def clear_status(self) -> None:
        """Remove the line of `status`."""
        with self._lock:
            if self._status is not None:
                self._status.stop()
                self._status = None

    @property
    def can_animate(self) -> bool:
        """Stderr is a terminal that can redraw a line, whatever `--color` is, and `--quiet` is not given."""
        return not self.quiet and self.err.is_interactive and self.err.file.isatty()

    @contextmanager
    def live(self, line: RenderableType, per_second: float) -> Iterator[None]:
        """Keep *line* at the bottom of the terminal, redrawn *per_second* times; `status` shows nothing meanwhile."""
        self.clear_status()
        live = Live(line, console=self.err, refresh_per_second=per_second, transient=True)
        with self._lock:
            self._live = live
        try:
            with live:
                yield
        finally:
            with self._lock:
                self._live = None

    def _console_for_results(self) -> Console:
        """Stdout; but stderr's console while it redraws a line of the same terminal, for only it prints above that."""
        return self.err if self._live is not None and self.out.file.isatty() else self.out

    def wait(self, waiting: Waiting) -> None:
        """Show what is being waited for, and for how long at most."""
        where = f"{waiting.target.region}: " if waiting.target.region else ""
        text = f"{where}waiting for {waiting.until}, {waiting.waited:.0f} s of {waiting.limit:.0f} s"
        self._waiting = (time.monotonic(), text)
        if self.err.is_terminal:
            self.status(text)
            return
        if waiting.limit < _SHORT:
            return
        with self._lock:
            now = time.monotonic()
            due = now - self._printed.get(waiting.until, -_INTERVAL) >= _INTERVAL
            if due:
                self._printed[waiting.until] = now
        if due:
            self.message(text)


def _console(color: str, *, stderr: bool) -> Console:
    plain = color == "never" or (color == "auto" and bool(os.environ.get("NO_COLOR")))
    console = Console(
        stderr=stderr,
        markup=False,
        highlight=False,
        emoji=False,
        color_system=None if plain else "auto",  # rich's `no_color` would keep bold and dim
        force_terminal=True if color == "always" else None,
    )
    if not console.file.isatty():
        console.width = _PLAIN_WIDTH
    if console.width < _NARROWEST:  # noqa: PLR1730 - a width that is set does not follow the terminal's any more
        console.width = _NARROWEST
    return console
