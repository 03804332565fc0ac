"""Test of `scripts/soak`: the short form of the week, over one account's first baseline or, with all cases, everything."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from ..conftest import ALL_CASES, ROOT

pytest.importorskip("time_machine")


def test_some_hours_of_attacks_leave_all_as_the_file_says() -> None:
    profile = "full" if ALL_CASES else "simple"
    command = [sys.executable, "-m", "soak", "--seed", "6", "--days", "0.1", "--profile", profile]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"}
    done = subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, "everything holds" in done.stdout) == (0, True), done.stdout + done.stderr
    figures = {line[:34].strip(): line[34:].strip() for line in done.stdout.splitlines()}
    for name, least in {
        "breaks": 10,
        "runs": 12,
        "faults": 100,
        "writes on the wire": 10,
        "notices": 10,
    }.items():
        assert int(re.match(r"\d+", figures[name])[0]) >= least, f"{name}: {figures[name]}"  # type: ignore[index]
    assert "kill" in figures["kills, torn lines, full disk"]
    assert "full disk" in figures["kills, torn lines, full disk"]
    assert "held in the pause" in figures["pause"]
