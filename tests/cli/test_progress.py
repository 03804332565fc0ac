"""Tests of the progress of a run: the text, lines and the live line, and other output beside it."""

from __future__ import annotations

import io
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from provisioner.aws import Waiting
from provisioner.cli.options import CommandOptions
from provisioner.cli.progress import Progress, _LiveLine
from provisioner.cli.screen import Screen
from provisioner.model import Account, Call, Change, Failure, Outcome, Result, Target
from provisioner.report import json

TIMEOUT = 60.0  # seconds until a test fails
ACCOUNTS = [Account(f"{300000000000 + n}", f"n{n}") for n in range(48)]
CHANGE = Change("x", (), Call("s3", "put_x", {}))


def outcome(account: Account, state: str = "in sync") -> Outcome:
    target = Target(account.id, "us-east-1")
    found = {
        "in sync": (),
        "drifted": (Result("s", target, [CHANGE]),),
        "failed": (Result("s", target, [CHANGE], failures=[Failure("reading", "no")]),),
    }
    return Outcome(account, ("us-east-1",), found[state])


class Run:
    """A run whose clock and counts are set by the test."""

    def __init__(self, total: int = 48):
        self.now, self.calls, self.throttled = 0.0, 0, 0
        self.progress = Progress(
            Screen(CommandOptions("diff")),
            total,
            lambda: (self.calls, self.throttled),
            clock=lambda: self.now,
        )


def test_the_line_has_only_parts_that_apply() -> None:
    run = Run()
    assert run.progress.line() == "0 of 48 accounts"
    for account in ACCOUNTS[:6]:
        run.progress.started(account)
    run.now, run.calls = 2.0, 62
    assert run.progress.line() == "0 of 48 accounts, 6 in flight, 31 calls/s"
    for account, state in zip(ACCOUNTS, ("in sync", "drifted", "failed", "drifted"), strict=False):
        run.progress.finished(outcome(account, state))
    run.now, run.calls, run.throttled = 10.0, 310, 3
    assert run.progress.line() == (
        "4 of 48 accounts, 2 in flight, 1 failed, 2 drifted, 2 min left, 31 calls/s, 3 throttled"
    )
    run.now = 45.0
    assert run.progress.line().endswith(", 300000000004 (n4) for 45 s")
    for account in ACCOUNTS[4:]:
        run.progress.finished(outcome(account))
    assert run.progress.line() == "48 of 48 accounts, 1 failed, 2 drifted, 0 calls/s, 3 throttled"


def test_applied_accounts_are_counted_as_changed() -> None:
    progress = Progress(Screen(CommandOptions("apply")), 2, lambda: (0, 0), clock=lambda: 0.0)
    progress.finished(replace(outcome(ACCOUNTS[0], "drifted"), applied=True))
    assert progress.line() == "1 of 2 accounts, 1 changed"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    run = Run()
    rates = []
    for second in range(1, 31):
        run.now, run.calls = float(second), run.calls + (100 if second <= 10 else 10)
        rates.append(int(run.progress.parts()[-1].split()[0]))
    assert rates[:10] == [100] * 10
    assert rates[10:15] == sorted(rates[10:15], reverse=True)
    assert rates[15:] == [10] * 15


@pytest.mark.parametrize(
    ("total", "passed", "left"),
    [(2, 40, "40 s"), (3, 60, "2 min"), (1000, 1, "17 min"), (1000, 10, "2 h 46 min")],
)
def test_time_left(total: int, passed: float, left: str) -> None:
    run = Run(total)
    run.progress.finished(outcome(ACCOUNTS[0]))
    run.now = passed
    assert f"{left} left" in run.progress.line()


@settings(max_examples=60)
@given(st.integers(20, 200), st.integers(0, 48), st.integers(0, 10**6))
def test_the_live_line_is_never_wider_than_the_terminal(width: int, done: int, calls: int) -> None:
    run = Run()
    for account in ACCOUNTS:
        run.progress.started(account)
    for account in ACCOUNTS[:done]:
        run.progress.finished(outcome(account, "failed"))
    run.now, run.calls, run.throttled = 100.0, calls, calls
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(_LiveLine(run.progress))
    rows = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(rows) <= 2
    assert all(len(row) <= width for row in rows)
    if width >= 80:
        assert all(part in " ".join(rows) for part in run.progress.parts()[:4])


class FakeStderr(io.StringIO):
    """A stderr that sets an event when a line is written."""

    def __init__(self) -> None:
        super().__init__()
        self.line = threading.Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        if "\n" in text:
            self.line.set()
        return count


def line_printers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "progress"]


@pytest.mark.parametrize("color", ["auto", "always"])
def test_lines_without_a_terminal(color: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = FakeStderr()
    monkeypatch.setattr(sys, "stderr", stderr)
    screen = Screen(CommandOptions("diff", color=color))
    with Progress(screen, 3, lambda: (0, 0), interval=0.01) as progress:
        progress.started(ACCOUNTS[0])
        assert stderr.line.wait(TIMEOUT)
    assert line_printers() == []
    assert re.match(r"0 of 3 accounts(, 1 in flight)?\n", stderr.getvalue())
    assert "\x1b" not in stderr.getvalue()


def test_the_end_does_not_wait_for_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = FakeStderr()
    monkeypatch.setattr(sys, "stderr", stderr)
    stack = ExitStack()
    stack.enter_context(Progress(Screen(CommandOptions("diff")), 3, lambda: (0, 0), interval=3600.0))
    assert len(line_printers()) == 1
    stack.close()
    assert (line_printers(), stderr.getvalue()) == ([], "")


def test_quiet_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = FakeStderr()
    monkeypatch.setattr(sys, "stderr", stderr)
    with Progress(Screen(CommandOptions("diff", quiet=True)), 3, lambda: (0, 0), interval=0.0):
        assert line_printers() == []
    assert stderr.getvalue() == ""


class Terminal:
    """A terminal of 80 columns that keeps what is shown on it."""

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        self.file = os.fdopen(slave, "w", encoding="utf-8")
        self._received = b""
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def redirect(self, monkeypatch: pytest.MonkeyPatch, *streams: str) -> None:
        """Redirect these streams to the terminal; called by the test, after pytest has replaced them."""
        for each in streams:
            monkeypatch.setattr(sys, each, self.file)

    def _read(self) -> None:
        while True:
            try:
                got = os.read(self._master, 65536)
            except OSError:  # the other end is closed
                return
            with self._more:
                self._received += got
                self._more.notify_all()

    def shows(self, text: str) -> bool:
        """Wait until the text is shown."""
        with self._more:
            return self._more.wait_for(lambda: any(text in row for row in self._rows()), TIMEOUT)

    def close(self) -> list[str]:
        """Close the terminal, and return the rows that are left on it."""
        self.file.close()
        self._reader.join()
        os.close(self._master)
        return [row for row in self._rows() if row.strip()]

    def _rows(self) -> list[str]:
        rows, at, column = [""], 0, 0
        for found in re.finditer(
            r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+", self._received.decode(errors="ignore")
        ):
            written = found[0]
            if written == "\r":
                column = 0
            elif written == "\n":
                at += 1
                rows += [""] * (at + 1 - len(rows))
            elif found[2] == "K":
                rows[at] = ""
            elif found[2] == "A":
                at -= int(found[1] or 1)
            elif not found[2]:
                rows[at] = rows[at][:column].ljust(column) + written + rows[at][column + len(written) :]
                column += len(written)
        return rows


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    made = Terminal()
    yield made
    if not made.file.closed:
        made.close()


@pytest.mark.parametrize("as_json", [False, True])
def test_the_live_line_stays_below_other_output_and_is_removed(
    terminal: Terminal, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.redirect(monkeypatch, "stdout", "stderr")
    screen = Screen(CommandOptions("diff", json_lines=as_json))
    with Progress(screen, 3, lambda: (0, 0)) as progress:
        assert terminal.shows("0 of 3 accounts")
        progress.started(ACCOUNTS[0])
        assert terminal.shows("1 in flight")
        screen.message("said one")
        screen.results(["a result"])
        screen.json_line(json.error_json("diff", "x" * 100))
        screen.wait(Waiting(Target("1", "r"), "", "a role to be seen", 3.0, 120.0))
        progress.finished(outcome(ACCOUNTS[0], "drifted"))
        assert terminal.shows("1 of 3 accounts, 1 drifted")
        screen.message("said two")
        assert line_printers() == []
    screen.status("afterwards")
    assert terminal.shows("afterwards")
    screen.clear_status()
    long = json.to_text(json.error_json("diff", "x" * 100))
    assert terminal.close() == (
        ["said one", long, "said two"] if as_json else ["said one", "a result", "said two"]
    )


def test_lines_on_a_dumb_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    terminal.redirect(monkeypatch, "stdout", "stderr")
    with Progress(Screen(CommandOptions("diff")), 3, lambda: (0, 0), interval=0.01):
        assert len(line_printers()) == 1
        assert terminal.shows("0 of 3 accounts")


def test_results_go_to_stdout_beside_a_live_line_on_stderr(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    out: Any = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    terminal.redirect(monkeypatch, "stderr")
    screen = Screen(CommandOptions("diff", json_lines=True))
    with Progress(screen, 3, lambda: (0, 0)):
        assert terminal.shows("0 of 3 accounts")
        screen.json_line(json.error_json("diff", "no"))
        assert out.getvalue() == json.to_text(json.error_json("diff", "no")) + "\n"
    assert terminal.close() == []
