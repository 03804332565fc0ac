"""Law 11: a log, stdout or stderr that is full, closed or of another encoding stops no repair; the exit code is right."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from provisioner.cli import run
from provisioner.sandbox import open_sandbox, store
from provisioner.sandbox.drift import carry_out, every_break
from provisioner.sandbox.serve import serving
from provisioner.steps.registry import all_sections

from ..conftest import ROOT, Bench, one_in
from .full import FULL, administrator_of, applied

pytestmark = pytest.mark.usefixtures("home")

FULL_DISK = "/dev/full"
KEYS = {"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox"}
NO_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
# Shell text after the command, and variables.
STREAMS: dict[str, tuple[str, dict[str, str]]] = {
    "log on a full disk": (f"--log-file {FULL_DISK}", {}),
    "log on a full disk, from the environment": ("", {"PROVISION_LOG_FILE": FULL_DISK}),
    "log on a full stderr": (f"--log-file - 2>{FULL_DISK}", {}),
    "log on a closed stderr": ("--log-file - 2>&-", {}),
    "log to a reader that is gone": ("--log-file >(true)", {}),
    "log to a named pipe that nobody reads": ("--log-file $(mkfifo pipe 2>&-; echo pipe)", {}),
    "log and both streams full": (f"--log-file {FULL_DISK} >{FULL_DISK} 2>&1", {}),
    "stdout full": (f">{FULL_DISK}", {}),
    "stdout full, as JSON": (f"--json >{FULL_DISK}", {}),
    "stdout full, as JSON lines": (f"--json-lines >{FULL_DISK}", {}),
    "stdout closed": (">&-", {}),
    "stdout closed, as JSON": ("--json >&-", {}),
    "stdout for reading only": ("1</dev/null", {}),
    "stderr full": (f"2>{FULL_DISK}", {}),
    "stderr closed": ("2>&-", {}),
    "stdin closed": ("<&-", {}),
    "stdin and stdout closed": ("<&- >&-", {}),
    "all closed": ("<&- >&- 2>&-", {}),
    "all closed, and a log": ("--log-file log <&- >&- 2>&-", {}),
    "stdout in latin-1": ("", {"PYTHONIOENCODING": "latin-1"}),
    "stdout in ASCII": ("", {"PYTHONIOENCODING": "ascii"}),
    "stdout in ASCII, in colour": ("--color always", {"PYTHONIOENCODING": "ascii"}),
    "stdout in ASCII, as JSON": ("--json", {"PYTHONIOENCODING": "ascii:strict"}),
    "no locale": ("", NO_LOCALE),
    "no locale, and a log": ("--log-file lög", NO_LOCALE),
    "a reader that closes the pipe": ("| head -c 1", {}),
    "a reader that never reads": ("--json-lines | true", {}),
    "a reader of stderr that closes the pipe": ("2> >(head -c 1)", {}),
}
CASES = [pytest.param(shell, variables, id=name) for name, (shell, variables) in STREAMS.items()]
CLOSED = [each for each in CASES if "&-" in each.values[0]]


def smallest() -> str:
    """The full file with its shortest section only, because each command runs many times here."""
    data = yaml.safe_load(FULL)
    sections = sorted(data.keys() & all_sections().keys(), key=lambda key: len(str(data[key])))
    general = {key: value for key, value in data.items() if key not in all_sections()}
    return yaml.safe_dump({**general, sections[0]: data[sections[0]]})


SMALLEST = smallest()


@pytest.fixture(scope="module")
def drifted() -> bytes:
    """The state of a sandbox in which something has drifted since the file was applied."""
    state = applied(SMALLEST)
    with open_sandbox(None) as world:
        world.memory = store.restore(state)
        every = every_break(administrator_of(Bench(world), SMALLEST))
        assert carry_out(next(one for _, _, one in every if one.field and one.repaired))
        return store.capture(world.memory)


@pytest.fixture
def provision(tmp_path: Path) -> Callable[..., int]:
    """Run a command in a shell, with *after* after it, and return its exit code. It prints no traceback."""
    file = tmp_path / "größe.yaml"
    file.write_text(SMALLEST)

    def go(command: str, at: str, after: str, variables: dict[str, str]) -> int:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PROVISION_"))}
        environment = {**kept, **KEYS, "PROVISION_SANDBOX": str(tmp_path / "sandbox"), "HOME": str(tmp_path)}
        environment |= {"PYTHONPATH": str(ROOT), **variables}
        shell = f"set -o pipefail; {sys.executable} -m provisioner {command} {file} {at} {after}"
        done: CompletedProcess[bytes] = subprocess.run(
            ["bash", "-c", shell], check=False, env=environment, cwd=tmp_path, capture_output=True
        )
        assert b"Traceback" not in done.stdout + done.stderr
        assert b"Exception ignored" not in done.stderr
        return done.returncode

    return go


@pytest.mark.parametrize(("after", "variables"), CASES[:: one_in(3)])
def test_drift_is_repaired_and_the_exit_code_is_right(
    provision: Callable[..., int], drifted: bytes, tmp_path: Path, after: str, variables: dict[str, str]
) -> None:
    """Over HTTP: a process that has the sandbox within takes twice as long to start."""
    with open_sandbox(None) as world, serving(world) as server:
        world.memory = store.restore(drifted)
        at = f"--endpoint-url {server.url}"
        assert provision("diff", at, after, variables) == 2
        if FULL_DISK in after:  # it prints as `diff` does
            assert provision("verify", at, after, variables) == 2
        assert provision("apply --yes", at, after, variables) == 0
        assert run(["diff", str(tmp_path / "größe.yaml"), *at.split(), "--quiet"]) == 0


@pytest.mark.parametrize(("after", "variables"), CLOSED[:: one_in(3)])
def test_no_closed_stream_gets_the_state_file(
    provision: Callable[..., int],
    drifted: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: str,
    variables: dict[str, str],
) -> None:
    """The sandbox opens files, which must not get the number of a stream that is closed."""
    with open_sandbox(tmp_path / "sandbox") as world:
        world.memory = store.restore(drifted)
        world._save()
    assert provision("apply --yes", "--sandbox", after, variables) == 0
    monkeypatch.setenv("PROVISION_SANDBOX", str(tmp_path / "sandbox"))
    assert run(["diff", str(tmp_path / "größe.yaml"), "--sandbox", "--quiet"]) == 0
