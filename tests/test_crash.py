"""Tests of processes that are killed or interrupted, and of two at once: the next run converges, without a traceback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT

FILE = str(ROOT / "baseline.yaml")


def environment(home: Path) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PROVISION_"))}
    return env | {
        "XDG_STATE_HOME": str(home),
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "provisioner", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(home),
    )


def wait(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.parametrize("place", [1, 6, 14, 18])
def test_next_run_after_a_kill_converges(tmp_path: Path, place: int) -> None:
    first = start(tmp_path, "apply", FILE, "--sandbox", "--yes")
    assert first.stderr is not None
    for line in first.stderr:
        if line.startswith(f"[{place}/"):
            first.kill()
            break
    assert wait(first)[0] == -signal.SIGKILL
    code, out, err = wait(start(tmp_path, "apply", FILE, "--sandbox", "--yes"))
    assert (code, "Apply complete!" in out) == (0, True), err
    assert wait(start(tmp_path, "diff", FILE, "--sandbox"))[0] == 0


@pytest.fixture
def account(tmp_path: Path) -> Iterator[str]:
    """The URL of a sandbox behind HTTP, with 20 ms of latency."""
    server = start(tmp_path / "server", "sandbox", "serve", "--port", "0", "--latency", "0.02")
    assert server.stderr is not None
    yield next(found.group(0) for line in server.stderr if (found := re.search(r"http://[\d.:]+", line)))
    server.send_signal(signal.SIGTERM)
    wait(server)


@pytest.mark.parametrize("drifted", [False, True], ids=["empty", "half-made"])
def test_two_runs_at_once_without_a_shared_lock_converge(tmp_path: Path, account: str, drifted: bool) -> None:
    at = ("--endpoint-url", account)
    if drifted:
        assert wait(start(tmp_path / "a", "apply", FILE, "--yes", *at, "--target", "log_buckets"))[0] == 0
    two = [start(tmp_path / name, "apply", FILE, "--yes", *at) for name in ("a", "b")]
    for code, _, err in map(wait, two):
        assert "Traceback" not in err
        assert code == 0, err
    assert wait(start(tmp_path, "diff", FILE, *at))[0] == 0


def test_two_interrupts_end_the_run_and_the_next_run_converges(tmp_path: Path, account: str) -> None:
    first = start(tmp_path, "apply", FILE, "--yes", "--endpoint-url", account)
    assert first.stderr is not None
    for line in first.stderr:
        if line.startswith("[2/"):
            first.send_signal(signal.SIGINT)
            first.send_signal(signal.SIGINT)
            break
    assert wait(first)[0] == 130
    assert wait(start(tmp_path, "apply", FILE, "--yes", "--endpoint-url", account))[0] == 0
    assert wait(start(tmp_path, "diff", FILE, "--endpoint-url", account))[0] == 0
