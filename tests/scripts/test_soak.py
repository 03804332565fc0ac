"""Test of `scripts/soak`: the short form of the week, over everything that the full profile has."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from ..conftest import ROOT

pytest.importorskip("time_machine")


def test_some_hours_of_attacks_leave_all_as_the_file_says() -> None:
    command = [sys.executable, "-m", "soak", "--seed", "6", "--days", "0.1"]
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
