"""How far a run is: what the line says, where it is shown, and that it disturbs nothing else."""

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
from provisioner.cli.options import Asked
from provisioner.cli.progress import Progress, _Row
from provisioner.cli.screen import Screen
from provisioner.model import Account, Call, Change, Failure, Outcome, Result, Target
from provisioner.report import json

PATIENCE = 60.0  # seconds until a test gives up; none is waited for where all is well
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
    """A run of which the clock and the counts are in the test's hands."""

    def __init__(self, total: int = 48):
        self.now, self.calls, self.throttled = 0.0, 0, 0
        self.progress = Progress(
            Screen(Asked("diff")), total, lambda: (self.calls, self.throttled), clock=lambda: self.now
        )


def test_the_line_says_what_is_there_to_say_and_no_more() -> None:
    run = Run()
    assert run.progress.line() == "0 of 48 accounts"
    for account in ACCOUNTS[:6]:
        run.progress.begun(account)
    run.now, run.calls = 2.0, 62
    assert run.progress.line() == "0 of 48 accounts, 6 in flight, 31 calls/s"
    for account, state in zip(ACCOUNTS, ("in sync", "drifted", "failed", "drifted"), strict=False):
        run.progress.delivered(outcome(account, state))
    run.now, run.calls, run.throttled = 10.0, 310, 3
    assert run.progress.line() == (
        "4 of 48 accounts, 2 in flight, 1 failed, 2 drifted, 2 min left, 31 calls/s, 3 throttled"
    )
    run.now = 45.0
    assert run.progress.line().endswith(", 300000000004 (n4) for 45 s")
    for account in ACCOUNTS[4:]:
        run.progress.delivered(outcome(account))
    assert run.progress.line() == "48 of 48 accounts, 1 failed, 2 drifted, 0 calls/s, 3 throttled"


def test_what_is_being_applied_has_not_drifted_but_changed() -> None:
    progress = Progress(Screen(Asked("apply")), 2, lambda: (0, 0), clock=lambda: 0.0)
    progress.delivered(replace(outcome(ACCOUNTS[0], "drifted"), applied=True))
    assert progress.line() == "1 of 2 accounts, 1 changed"


def test_calls_are_those_of_the_last_seconds() -> None:
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
def test_the_time_that_is_left_is_what_the_others_took(total: int, passed: float, left: str) -> None:
    run = Run(total)
    run.progress.delivered(outcome(ACCOUNTS[0]))
    run.now = passed
    assert f"{left} left" in run.progress.line()


@settings(max_examples=60)
@given(st.integers(20, 200), st.integers(0, 48), st.integers(0, 10**6))
def test_the_live_line_is_never_wider_than_the_terminal(width: int, done: int, calls: int) -> None:
    run = Run()
    for account in ACCOUNTS:
        run.progress.begun(account)
    for account in ACCOUNTS[:done]:
        run.progress.delivered(outcome(account, "failed"))
    run.now, run.calls, run.throttled = 100.0, calls, calls
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(_Row(run.progress))
    rows = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(rows) <= 2
    assert all(len(row) <= width for row in rows)
    if width >= 80:
        assert all(part in " ".join(rows) for part in run.progress.parts()[:4])


class Heard(io.StringIO):
    """A stderr that says when somebody has written a line to it."""

    def __init__(self) -> None:
        super().__init__()
        self.line = threading.Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        if "\n" in text:
            self.line.set()
        return count


def tellers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "progress"]


@pytest.mark.parametrize("color", ["auto", "always"])
def test_without_a_terminal_there_is_a_line_now_and_then(color: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    monkeypatch.setattr(sys, "stderr", heard)
    screen = Screen(Asked("diff", color=color))
    with Progress(screen, 3, lambda: (0, 0), every=0.01) as progress:
        progress.begun(ACCOUNTS[0])
        assert heard.line.wait(PATIENCE), "a silent account is not told of"
    assert tellers() == []
    assert re.match(r"0 of 3 accounts(, 1 in flight)?\n", heard.getvalue())
    assert "\x1b" not in heard.getvalue()


def test_the_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    monkeypatch.setattr(sys, "stderr", heard)
    stack = ExitStack()
    stack.enter_context(Progress(Screen(Asked("diff")), 3, lambda: (0, 0), every=3600.0))
    assert len(tellers()) == 1
    stack.close()
    assert (tellers(), heard.getvalue()) == ([], "")


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    monkeypatch.setattr(sys, "stderr", heard)
    with Progress(Screen(Asked("diff", quiet=True)), 3, lambda: (0, 0), every=0.0):
        assert tellers() == []
    assert heard.getvalue() == ""


class Terminal:
    """A terminal of 80 columns, and what is to be seen on it."""

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        self.file = os.fdopen(slave, "w", encoding="utf-8")
        self._received = b""
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def take(self, monkeypatch: pytest.MonkeyPatch, *streams: str) -> None:
        """What this process writes to these is on the screen. Called by the test: pytest has its own before it."""
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
        """The text appears, sooner or later."""
        with self._more:
            return self._more.wait_for(lambda: any(text in row for row in self._rows()), PATIENCE)

    def close(self) -> list[str]:
        """What is left on the screen at the end."""
        self.file.close()
        self._reader.join()
        os.close(self._master)
        return [row for row in self._rows() if row.strip()]

    def _rows(self) -> list[str]:
        rows, at, column = [""], 0, 0
        for found in re.finditer(
            r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+", self._received.decode(errors="ignore")
        ):
            said = found[0]
            if said == "\r":
                column = 0
            elif said == "\n":
                at += 1
                rows += [""] * (at + 1 - len(rows))
            elif found[2] == "K":
                rows[at] = ""
            elif found[2] == "A":
                at -= int(found[1] or 1)
            elif not found[2]:
                rows[at] = rows[at][:column].ljust(column) + said + rows[at][column + len(said) :]
                column += len(said)
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
def test_on_a_terminal_the_line_lives_below_what_is_said_and_goes_away(
    terminal: Terminal, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.take(monkeypatch, "stdout", "stderr")
    screen = Screen(Asked("diff", json_lines=as_json))
    with Progress(screen, 3, lambda: (0, 0)) as progress:
        assert terminal.shows("0 of 3 accounts")
        progress.begun(ACCOUNTS[0])
        assert terminal.shows("1 in flight")
        screen.say("said one")
        screen.lines(["a result"])
        screen.line(json.error_json("diff", "x" * 100))
        screen.waiting(Waiting(Target("1", "r"), "", "a role to be seen", 3.0, 120.0))
        progress.delivered(outcome(ACCOUNTS[0], "drifted"))
        assert terminal.shows("1 of 3 accounts, 1 drifted")
        screen.say("said two")
        assert tellers() == []
    screen.busy("afterwards")
    assert terminal.shows("afterwards")
    screen.idle()
    long = json.to_text(json.error_json("diff", "x" * 100))
    assert terminal.close() == (
        ["said one", long, "said two"] if as_json else ["said one", "a result", "said two"]
    )


def test_a_terminal_that_cannot_go_back_gets_lines(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    terminal.take(monkeypatch, "stdout", "stderr")
    with Progress(Screen(Asked("diff")), 3, lambda: (0, 0), every=0.01):
        assert len(tellers()) == 1
        assert terminal.shows("0 of 3 accounts")


def test_results_go_to_stdout_though_a_line_lives_on_stderr(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    out: Any = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    terminal.take(monkeypatch, "stderr")
    screen = Screen(Asked("diff", json_lines=True))
    with Progress(screen, 3, lambda: (0, 0)):
        assert terminal.shows("0 of 3 accounts")
        screen.line(json.error_json("diff", "no"))
        assert out.getvalue() == json.to_text(json.error_json("diff", "no")) + "\n"
    assert terminal.close() == []
