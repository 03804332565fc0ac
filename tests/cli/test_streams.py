"""Tests of what ends a command or its output: closed readers, full disks, and signals while AWS does not answer."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from provisioner.cli import run
from provisioner.sandbox import Fault, WireCall, open_sandbox
from provisioner.sandbox.serve import Server, serving

from ..conftest import EXAMPLE, ROOT, one_in
from .test_commands import COMMAND, FILE, run_process

pytestmark = pytest.mark.usefixtures("home")

FULL_DISK = "/dev/full"
PRODUCTS = {  # commands that make nothing but their output
    "schema": ["schema"],
    "schema of the output": ["schema", "--output"],
    "permissions": ["permissions", FILE],
    "validate": ["validate", FILE],
    "validate as JSON": ["validate", FILE, "--json"],
    "completion": ["completion", "bash"],
}
# Stands for a sandbox that the test serves: a process that has one within takes twice as long to start.
SERVED = "--endpoint-url={}"
# All commands, with their exit codes where the sandbox is empty.
ALL = {
    **{name: (arguments, 0) for name, arguments in PRODUCTS.items()},
    "help": (["--help"], 0),
    "version": (["--version"], 0),
    "help of a command": (["apply", "--help"], 0),
    "diff": (["diff", FILE, SERVED], 2),
    "diff as JSON": (["diff", FILE, SERVED, "--json"], 2),
    "diff as JSON lines": (["diff", FILE, SERVED, "--json-lines"], 2),
    "verify": (["verify", FILE, SERVED], 2),
    "apply": (["apply", FILE, SERVED, "--yes"], 0),
    "drift": (["sandbox", "drift"], 1),
    "reset": (["sandbox", "reset"], 0),
    "a wrong command line": (["frobnicate"], 1),
    "a wrong file": (["validate", str(ROOT / "README.md")], 1),
}


def shell(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in bash, in which `"$@"` in *text* stands for it."""
    return subprocess.run(
        ["bash", "-c", text, "bash", *COMMAND, *arguments],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(("arguments", "code"), [*ALL.values()][:: one_in(3)], ids=[*ALL][:: one_in(3)])
def test_a_reader_that_closes_the_pipe_ends_nothing(held: Held, arguments: list[str], code: int) -> None:
    arguments = [each.format(held.url) if each == SERVED else each for each in arguments]
    for reader, streams in (("head -n 1", ""), ("true", "2>&1")):
        done = shell(f'"$@" {streams} | {reader}; exit "${{PIPESTATUS[0]}}"', *arguments)
        assert "Traceback" not in done.stderr + done.stdout
        assert "Broken pipe" not in done.stderr
        assert "Exception ignored" not in done.stderr
        assert done.returncode == code


@pytest.mark.parametrize("arguments", PRODUCTS.values(), ids=PRODUCTS)
def test_output_that_is_lost_is_an_error_of_a_command_that_makes_nothing_else(arguments: list[str]) -> None:
    done = shell(f'"$@" >{FULL_DISK}', *arguments)
    assert done.returncode == 1
    assert "stdout: No space left on device: what is written there is lost" in done.stderr
    assert "Traceback" not in done.stderr
    assert run(arguments) == 0


def test_a_full_log_is_reported_once() -> None:
    done = run_process("apply", FILE, "--sandbox", "--yes", "--log-file", FULL_DISK)
    assert done.returncode == 0
    assert (
        done.stderr.count("--log-file /dev/full: No space left on device: what is written there is lost") == 1
    )


def test_characters_that_the_terminal_lacks_are_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run_process("diff", FILE, "--sandbox")
    assert "false -> true" in done.stdout


def with_stuck_reader(stream: str, *arguments: str) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Start a command whose *stream* is the smallest pipe, and return it with the end that nobody reads yet."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writer}
    started = subprocess.Popen([*COMMAND, *arguments], stdin=subprocess.DEVNULL, cwd=ROOT, **streams)
    os.close(writer)
    return started, os.fdopen(reader, "rb")


STUCK = {
    "stdout": ("stdout", ["apply", FILE, "--yes"], b"[21/21]"),
    "stdout as JSON lines": ("stdout", ["apply", FILE, "--yes", "--json-lines"], b"[21/21]"),
    "stderr with a log": ("stderr", ["apply", FILE, "--yes", "--log-file", "-"], b"Apply complete!"),
}


@pytest.mark.parametrize("case", STUCK)
def test_a_reader_that_is_stuck_stops_no_repair_and_gets_all_when_it_reads(held: Held, case: str) -> None:
    stream, arguments, last = STUCK[case]
    started, reader = with_stuck_reader(stream, *arguments, "--endpoint-url", held.url)
    limit = threading.Timer(100, started.kill)
    limit.start()
    other = started.stderr if stream == "stdout" else started.stdout
    assert other is not None
    assert any(last in line for line in other)
    text = reader.read()
    assert started.wait() == 0
    limit.cancel()
    assert len(text) > 2 * 4096
    assert text.endswith(b"\n")
    if "JSON" in case:
        assert all(json.loads(line) for line in text.splitlines())
    else:
        assert len(set(text.splitlines())) > 40
    assert run(["diff", FILE, "--endpoint-url", held.url, "--quiet"]) == 0


def test_a_signal_handler_does_not_wait_for_a_reader_that_is_stuck() -> None:
    code = (
        "import os\nfrom provisioner.cli.streams import finish, protect, write_in_handler\n"
        "reader, writer = os.pipe()\nos.set_blocking(writer, False)\n"
        "try:\n    while True: os.write(writer, bytes(4096))\nexcept BlockingIOError: pass\n"
        "os.set_blocking(writer, True)\nos.dup2(writer, 2)\nprotect()\n"
        "write_in_handler(b'x')\nos.sys.stderr.write('y')\nfinish(0.0)\nos._exit(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT, timeout=60
    )
    assert done.returncode == 7


# What the command line is, and the operation of AWS that does not answer.
WAITING = {
    "diff asks who it is": (["diff", FILE], "GetCallerIdentity"),
    "diff reads": (["diff", FILE], "GetAccountPasswordPolicy"),
    "verify reads": (["verify", FILE], "DescribeTrails"),
    "apply reads": (["apply", FILE, "--yes"], "DescribeTrails"),
    "finding the accounts": (["diff", "-"], "ListAccounts"),
    "what exists once": (["apply", "-", "--yes"], "DescribeTrails"),
    "an account is read": (["diff", "-"], "GetAccountPasswordPolicy"),
    "a write": (["apply", FILE, "--yes"], "UpdateAccountPasswordPolicy"),
}
GRACEFUL = {"an account is read", "a write"}  # the first signal lets them end


class Held:
    """A sandbox behind HTTP that does not answer one operation until it is released."""

    def __init__(self, served: Server):
        self.url, self.world = served.url, served.world
        self.reached, self.released = threading.Event(), threading.Event()

    def hold(self, operation: str) -> None:
        def held(call: WireCall, phase: str) -> Fault | None:
            if call.operation == operation:
                self.reached.set()
                self.released.wait()
            return None

        self.world.interrupt(held)


@pytest.fixture
def held(credentials: None) -> Iterator[Held]:
    with open_sandbox(None) as world, serving(world) as served:
        found = Held(served)
        try:
            yield found
        finally:
            found.released.set()


# Each case, and each signal where the first one ends the command and where it does not. Which signal it is makes no other
# difference: `main`, and then `open_session`, give all three the same handler.
SIGNALS = [
    *((case, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP][at % 3]) for at, case in enumerate(WAITING)),
    *(
        (case, name)
        for case in ("diff reads", "a write")
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ),
]


@pytest.mark.parametrize(("case", "name"), [*dict.fromkeys(SIGNALS)][:: one_in(2)])
def test_a_signal_ends_a_command_whose_threads_wait_for_aws(
    held: Held, case: str, name: signal.Signals
) -> None:
    arguments, operation = WAITING[case]
    held.hold(operation)
    pipe: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = subprocess.Popen(
        [*COMMAND, *arguments, "--json", "--endpoint-url", held.url], **pipe, text=True, cwd=ROOT
    )
    assert started.stdin is not None
    assert started.stderr is not None
    if "-" in arguments:
        started.stdin.write(EXAMPLE + "\naccounts: {all: true}\n")
    started.stdin.close()
    started.stdin = None
    assert held.reached.wait(60)
    started.send_signal(name)
    said = ""
    if case in GRACEFUL:
        for line in started.stderr:
            said += line
            if "once more to stop at once" in line:
                break
        started.send_signal(name)
    out, rest = started.communicate(timeout=60)  # AWS has not answered yet: nothing waited for it
    assert started.returncode == 130
    assert json.loads(out)["message"].startswith("interrupted; ")
    assert "Traceback" not in said + rest
    assert "Exception ignored" not in said + rest
    assert "interrupted" in rest
    assert ("nothing was changed" in rest) == (case != "a write")


def test_the_three_signals_have_one_handler_when_a_command_begins() -> None:
    code = (
        "import signal, provisioner.cli as c\nfrom provisioner.__main__ import main\n"
        "names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)\n"
        "def run(given):\n    print(len({signal.getsignal(each) for each in names}))\n    return 0\nc.run = run\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "1\n")


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_served_sandbox(name: signal.Signals) -> None:
    command = [*COMMAND, "sandbox", "serve", "--port", "0"]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert started.stderr is not None
    assert any("Ctrl-C ends it" in line for line in started.stderr)
    started.send_signal(name)
    _, err = started.communicate(timeout=60)
    assert (started.returncode, "Traceback" in err) == (0, False)


def test_an_interrupt_that_foreign_code_swallows_comes_again() -> None:
    """Python drops an exception in a finalizer, and in a module that is no Python: an `apply` would go on to its end."""
    code = (
        "import sys, signal, time, provisioner.cli as c\nfrom provisioner.__main__ import main\n"
        "class Swallows:\n    def __del__(self):\n        signal.raise_signal(signal.SIGHUP)\n"
        "def run(given):\n    Swallows()\n    time.sleep(30)\n    return 0\nc.run = run\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (130, "")


def test_nohup_is_respected(held: Held) -> None:
    held.hold("GetAccountPasswordPolicy")
    command = ["nohup", *COMMAND, "diff", FILE, "--endpoint-url", held.url]
    started = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert held.reached.wait(60)
    started.send_signal(signal.SIGHUP)
    held.released.set()
    started.communicate(timeout=60)
    assert started.returncode == 2


def test_ctrl_c_at_the_question_ends_it(held: Held, tmp_path: Path) -> None:
    """Also for many accounts, where the first one lets accounts in flight end."""
    file = tmp_path / "organization.yaml"
    file.write_text(EXAMPLE + "\naccounts: {all: true}\n")
    leader, follower = os.openpty()
    command = [*COMMAND, "apply", str(file), "--endpoint-url", held.url]
    started = subprocess.Popen(
        command, stdin=follower, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert started.stderr is not None
    said = ""
    while "Only `yes` is accepted" not in said:
        said += started.stderr.read(1)
    started.send_signal(signal.SIGINT)
    _, rest = started.communicate(timeout=60)
    os.close(leader)
    os.close(follower)
    assert (started.returncode, "nothing was changed" in rest) == (130, True)


def test_an_interrupt_before_the_command_line_is_read_prints_no_traceback() -> None:
    code = (
        "import sys, signal, provisioner.cli as c\nfrom provisioner.__main__ import main\n"
        "def run(given):\n    signal.raise_signal(signal.SIGTERM)\nc.run = run\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (130, "")
