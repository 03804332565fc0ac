"""Test that the lowest versions of the dependencies that pyproject.toml allows work: `.ci/run` installs and tries them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

# What uv prints where no index answers; where the versions do not fit together it prints something else.
UNREACHABLE = ("Failed to fetch", "error sending request", "Could not connect", "dns error", "timed out")


def uv() -> list[str]:
    """The command of uv, on the path or as a package of this environment."""
    if found := shutil.which("uv"):
        return [found]
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    pytest.skip("uv is not installed")


@pytest.mark.skipif(
    not os.environ.get("CI"), reason="it downloads packages: `.ci/run` runs it, which sets CI"
)
def test_the_sandbox_works_with_the_lowest_versions(tmp_path: Path) -> None:
    python = tmp_path / "env" / "bin" / "python"
    base = [*uv(), "--quiet"]
    subprocess.run([*base, "venv", "--python", sys.executable, str(tmp_path / "env")], check=True)
    install = [*base, "pip", "install", "--python", str(python), "--resolution", "lowest-direct"]
    done = subprocess.run(
        [*install, f"{ROOT}[sandbox]"], capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode and any(each in done.stderr for each in UNREACHABLE):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PROVISION_", "PYTHON"))}
    env["XDG_STATE_HOME"] = str(tmp_path / "state")
    for command, code in (("diff", 2), ("apply --yes", 0), ("diff", 0), ("verify", 0)):
        arguments = [*command.split(), str(ROOT / "baseline.yaml"), "--sandbox"]
        ran = subprocess.run(
            [str(python), "-m", "provisioner", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=env,
            timeout=300,
        )
        assert ran.returncode == code, f"{command}: {ran.stderr}"
