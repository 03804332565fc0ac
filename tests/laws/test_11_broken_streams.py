"""Law 11: a log, stdout or stderr that is full, closed or of another encoding stops no repair; the exit code is right."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from provisioner.sandbox import open_sandbox
from provisioner.sandbox.drift import carry_out, every_break
from provisioner.steps.registry import all_sections

from ..conftest import ROOT, Bench
from .full import FULL, administrator_of

FULL_DISK = "/dev/full"
# Shell text after the command, variables, and the number of a known fault.
STREAMS = {
    "log on a full disk": (f"--log-file {FULL_DISK}", {}, "4"),
    "stdout full": (f">{FULL_DISK}", {}, "4"),
    "stdout closed": (">&-", {}, ""),
    "stderr full": (f"2>{FULL_DISK}", {}, ""),
    "stderr closed": ("2>&-", {}, ""),
    "stdin closed": ("<&-", {}, ""),
    "all closed": ("<&- >&- 2>&-", {}, ""),
    "stdout in latin-1": ("", {"PYTHONIOENCODING": "latin-1"}, "4"),
    "stdout in ASCII": ("", {"PYTHONIOENCODING": "ascii"}, "4"),
    "no locale": ("", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "4"),
    "a reader that closes the pipe": ("| head -c 1", {}, ""),
}
CASES = [
    pytest.param(
        shell,
        variables,
        marks=[pytest.mark.xfail(strict=True, reason=f"fault {fault}")] if fault else [],
        id=name,
    )
    for name, (shell, variables, fault) in STREAMS.items()
]


def smallest() -> str:
    """The full file with its shortest section only, because each command runs many times here."""
    data = yaml.safe_load(FULL)
    sections = sorted(data.keys() & all_sections().keys(), key=lambda key: len(str(data[key])))
    general = {key: value for key, value in data.items() if key not in all_sections()}
    return yaml.safe_dump({**general, sections[0]: data[sections[0]]})


SMALLEST = smallest()


@pytest.fixture
def provision(tmp_path: Path) -> Callable[..., int]:
    """Run a command in a shell, with *after* after it, and return its exit code."""
    file, sandbox = tmp_path / "smallest.yaml", tmp_path / "sandbox"
    file.write_text(SMALLEST)

    def go(command: str, after: str = "", variables: dict[str, str] | None = None) -> int:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PROVISION_"))}
        environment = {**kept, "PROVISION_SANDBOX": str(sandbox), "HOME": str(tmp_path), **(variables or {})}
        shell = f"set -o pipefail; {sys.executable} -P -m provisioner {command} {file} --sandbox {after}"
        return subprocess.run(
            ["bash", "-c", shell], check=False, env=environment, cwd=ROOT, capture_output=True
        ).returncode

    return go


@pytest.mark.parametrize(("after", "variables"), CASES)
def test_drift_is_repaired_and_the_exit_code_is_right(
    provision: Callable[..., int], tmp_path: Path, after: str, variables: dict[str, str]
) -> None:
    assert provision("apply --yes") == 0
    with open_sandbox(tmp_path / "sandbox") as world:
        bench = Bench(world)
        first = next(
            one
            for _, _, one in every_break(administrator_of(bench, SMALLEST))
            if one.field and not one.stricter
        )
        assert carry_out(first)
    assert provision("diff", after, variables) == 2
    assert provision("apply --yes", after, variables) == 0
    assert provision("diff --quiet") == 0
