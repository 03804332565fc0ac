"""Tests of processes that are killed or interrupted, and of two at once: the next run converges, without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving

from .cli.test_commands import run_command
from .conftest import ROOT

FILE = str(ROOT / "baseline.yaml")


@pytest.fixture(autouse=True)
def credentials(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a process that keeps its state in *home*, and so its lock."""
    return subprocess.Popen(
        [sys.executable, "-m", "provisioner", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(home)},
    )


def wait(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


# What comes after the process that was killed, and only shows what it has left, runs in this process.
@pytest.mark.parametrize("place", [1, 6, 14, 18])
def test_next_run_after_a_kill_converges(home: Path, capfd: Any, place: int) -> None:
    first = start(home / "state", "apply", FILE, "--sandbox", "--yes")
    assert first.stderr is not None
    for line in first.stderr:
        if line.startswith(f"[{place}/"):
            first.kill()
            break
    assert wait(first)[0] == -signal.SIGKILL
    code, out, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    assert (code, "Apply complete!" in out) == (0, True), err
    assert run_command(capfd, "diff", FILE, "--sandbox")[0] == 0


@pytest.fixture
def account() -> Iterator[str]:
    """The URL of a sandbox behind HTTP, with 20 ms of latency."""
    with open_sandbox(None) as world, serving(world, latency=0.02) as server:
        yield server.url


@pytest.mark.parametrize("drifted", [False, True], ids=["empty", "half-made"])
def test_two_runs_at_once_without_a_shared_lock_converge(
    tmp_path: Path, account: str, capfd: Any, drifted: bool
) -> None:
    at = ("--endpoint-url", account)
    if drifted:
        assert run_command(capfd, "apply", FILE, "--yes", *at, "--target", "log_buckets")[0] == 0
    two = [start(tmp_path / name, "apply", FILE, "--yes", *at) for name in ("a", "b")]
    for code, _, err in map(wait, two):
        assert "Traceback" not in err
        assert code == 0, err
    assert run_command(capfd, "diff", FILE, *at)[0] == 0


def test_two_interrupts_end_the_run_and_the_next_run_converges(
    tmp_path: Path, account: str, capfd: Any
) -> None:
    first = start(tmp_path, "apply", FILE, "--yes", "--endpoint-url", account)
    assert first.stderr is not None
    for line in first.stderr:
        if line.startswith("[2/"):
            first.send_signal(signal.SIGINT)
            first.send_signal(signal.SIGINT)
            break
    assert wait(first)[0] == 130
    assert run_command(capfd, "apply", FILE, "--yes", "--endpoint-url", account)[0] == 0
    assert run_command(capfd, "diff", FILE, "--endpoint-url", account)[0] == 0
