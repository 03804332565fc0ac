"""Where the judges are installed, and the sandbox that they judge."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_SITE = Path(__file__).with_name("site")
# The tables name checks and filters of these versions.
PACKAGES = {"prowler": "prowler==5.46.0", "custodian": "c7n==0.9.53"}


def installed(judge: str) -> Path:
    """The virtual environment of a judge: the one that JUDGES_<JUDGE> names, or one in the cache folder, made if it is not there.

    Each has its own, since both pin versions of boto3.
    """
    if named := os.environ.get(f"JUDGES_{judge.upper()}"):
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    package = PACKAGES[judge]
    folder = cache / "provision-judges" / package.replace("==", "-")
    if not (folder / "bin" / judge).exists():
        sys.stderr.write(f"judges: installing {package} in {folder}\n")
        venv.create(folder, with_pip=True, clear=True)
        pip: list[str | Path] = [folder / "bin" / "pip", "install", "--quiet", package]
        subprocess.run(pip, check=True)  # noqa: S603 - a package of our own table
    return folder


@contextmanager
def served_sandbox(state: Path) -> Iterator[dict[str, str]]:
    """Serve a new sandbox until the block ends, and return the environment of its clients, as `sandbox serve` prints it."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PROVISION_"))}
    own |= {"XDG_STATE_HOME": str(state), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "provisioner", "sandbox", "serve", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, env=own, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            yield own | exported(_until_ready(server.stderr or ()))
        finally:
            server.terminate()


def _until_ready(lines: Iterable[str]) -> str:
    said = []
    for line in lines:
        said.append(line)
        if line.startswith("Ctrl-C"):
            return "".join(said)
    raise RuntimeError("sandbox serve: " + "".join(said))


def exported(text: str) -> dict[str, str]:
    """The variables that lines with `export` set."""
    words = (shlex.split(line) for line in re.findall(r"^\s*export (.*)$", text, re.MULTILINE))
    return dict(each.split("=", 1) for line in words for each in line)


def apply(profile: str, env: dict[str, str], regions: list[str]) -> None:
    """Apply a profile. Raises RuntimeError if it does not end in sync."""
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "provisioner",
        "apply",
        ROOT / "provisioner" / "profiles" / f"{profile}.yaml",
    ]
    command += ["--yes", "--regions", ",".join(regions), "--endpoint-url", env["AWS_ENDPOINT_URL"]]
    done = subprocess.run(  # noqa: S603 - our own module
        command, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"apply {profile}: exit {done.returncode}: {(done.stderr or done.stdout)[-4000:]}")


def for_judge(env: dict[str, str]) -> dict[str, str]:
    """The environment of a judge: the endpoint by a name, before which a client can put an account or a bucket."""
    url = env["AWS_ENDPOINT_URL"].replace("127.0.0.1", "localhost")
    return env | {"AWS_ENDPOINT_URL": url, "PYTHONPATH": str(_SITE)}
