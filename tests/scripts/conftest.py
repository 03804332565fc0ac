"""A copy of the scripts in a small checkout, with a `uv` that installs only a link, and a PATH with nothing else.

This makes the tests of the bootstrap fast, offline, and the same on every machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "scripts"
TOOLS = ["sh", "bash", "env", "cat", "cksum", "dirname", "find", "ls"]
TOOLS += ["mkdir", "mv", "readlink", "rm", "sleep", "tail"]
SHELL_SCRIPTS = [SCRIPTS / "provision", SCRIPTS / "test", SCRIPTS / "check", ROOT / ".ci" / "run"]

MAIN = """
import json, os, sys
print(json.dumps({"args": sys.argv[1:], "cwd": os.getcwd(), "prefix": sys.prefix, "path": sys.path}))
"""
FAKE_UV = """#!/bin/sh
[ "$1" = --version ] && exit
echo "$@" >>"$HERE/calls"
[ -z "${UV_FAILS-}" ] || { echo "no network here" >&2; exit 2; }
while [ "$1" != --python ]; do shift; done
for site in "${2%/bin/python}"/lib/python3*/site-packages; do
    echo begun >"$site/half_made"
    sleep "${UV_SECONDS:-0}"
    echo "$PWD" >"$site/checkout.pth"
    rm "$site/half_made"
done
"""


class Checkout:
    """A small checkout, and the programs on its PATH."""

    def __init__(self, tmp: Path) -> None:
        self.root = tmp / "my checkout"  # a space, as in some home directories
        self.bin = tmp / "bin"
        self.venv = self.root / ".venv"
        (self.root / "provisioner").mkdir(parents=True)
        (self.root / "provisioner" / "__main__.py").write_text(MAIN)
        shutil.copytree(SCRIPTS, self.root / "scripts", ignore=shutil.ignore_patterns("fleet"))
        shutil.copytree(ROOT / ".ci", self.root / ".ci")
        (self.root / "pyproject.toml").write_text("[project]\n")
        self.bin.mkdir()
        for tool in TOOLS:
            if where := shutil.which(tool):
                (self.bin / tool).symlink_to(where)
        self.tool("uv", FAKE_UV)
        self.tool("python3", f'#!/bin/sh\necho python >>"$HERE/calls"\nexec "{sys.executable}" "$@"\n')
        self.env = {"PATH": str(self.bin), "HERE": str(tmp), "HOME": str(tmp), "PYTHONDONTWRITEBYTECODE": "1"}
        self.log = tmp / "calls"

    def tool(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def start(
        self, *args: str, script: str | Path = "scripts/provision", cwd: Path | None = None, **env: str
    ) -> subprocess.Popen[str]:
        """Start the script in a process group of its own."""
        return subprocess.Popen(
            [self.root / script, *args],
            cwd=cwd or self.root,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *args: str, script: str | Path = "scripts/provision", cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the script to its end."""
        with self.start(*args, script=script, cwd=cwd, **env) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def good(self, *args: str, **options: object) -> dict[str, object]:
        """Run the script, and return what the program in the checkout printed: arguments, directory and paths."""
        done = self.run(*args, **options)  # type: ignore[arg-type]
        assert done.returncode == 0, done.stderr
        answer: dict[str, object] = json.loads(done.stdout)
        return answer

    def installs(self) -> list[str]:
        """The calls of `uv` since the last time."""
        calls = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [call for call in calls if call != "python"]

    def until_half_made(self) -> None:
        """Wait until the installer is running."""
        deadline = time.monotonic() + 30
        while not list(self.venv.glob("lib/python3*/site-packages/half_made")):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)
