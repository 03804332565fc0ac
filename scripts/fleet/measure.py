"""Measure one run: start the server, run the tool as a new process, and read its resource usage from the kernel."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from .signatures import SECRET

ROOT: Final = Path(__file__).resolve().parent.parent.parent


class RunFailed(Exception):
    """The server did not start, or the tool ended without a report."""


@dataclass(frozen=True)
class Case:
    """The parameters of one row. *faults*: inject errors and resets, and deny one account and one Region."""

    accounts: int = 100
    regions: int = 4
    latency: float = 0.05
    drift: float = 0.0
    processes: int = 1
    command: str = "diff"
    tls: bool = False
    faults: bool = False
    signatures: bool = False
    servers: int = 1
    rate: float = 100.0
    profile: str = "simple"

    @property
    def places(self) -> int:
        """Accounts times Regions."""
        return self.accounts * self.regions


@dataclass(frozen=True)
class Usage:
    """Resource usage of a process and its children: seconds, and peak memory; with exit code and JSON document."""

    wall: float
    cpu: float
    megabytes: float
    code: int
    document: dict[str, Any]


@contextmanager
def serving(case: Case) -> Iterator[dict[str, Any]]:
    """Start the server; it ends with the block. Gives the JSON that it prints when it is ready."""
    command = [sys.executable, "-m", "fleet", f"--accounts={case.accounts}", f"--regions={case.regions}"]
    command += [f"--latency={case.latency}", f"--drift={case.drift}", f"--servers={case.servers}"]
    command += [f"--profile={case.profile}", f"--rate={case.rate}", *(["--tls"] if case.tls else [])]
    command += ["--signatures"] if case.signatures else []
    command += ["--error-rate=0.01", "--reset-rate=0.01", "--deny"] if case.faults else []
    env = {**environment(), "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "scripts")])}
    server = subprocess.Popen(  # noqa: S603 - our own module
        command, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT
    )
    try:
        ready = server.stdout.readline() if server.stdout else ""
        if not ready:
            raise RunFailed("the server did not start")
        yield json.loads(ready)
    finally:
        server.terminate()
        server.wait(30)


# A repair without what it proves beside an apply, with a page of what it did.
_FLAGS: Final = {"apply": ("--yes",), "repair": ("--no-verify", "--output", "html=report.html")}


def run(case: Case, server: dict[str, Any], file: Path, folder: str) -> Usage:
    """Run the tool as a new process. Raises RunFailed if it prints no report."""
    command = [sys.executable, "-m", "provisioner", case.command, str(file), "--json"]
    command += ["--endpoint-url", server["url"], *_FLAGS.get(case.command, ())]
    command += [f"--processes={case.processes}"] if case.processes > 1 else []
    env = {**environment(), "XDG_STATE_HOME": folder, "PYTHONPATH": str(ROOT)}
    env |= {"AWS_ACCESS_KEY_ID": "AKIAFLEETBENCH000000", "AWS_SECRET_ACCESS_KEY": SECRET}
    env |= {"AWS_CA_BUNDLE": server["ca_bundle"]} if server["ca_bundle"] else {}
    output, errors = Path(folder) / "output", Path(folder) / "errors"
    with output.open("wb") as out, errors.open("wb") as err:
        started = time.perf_counter()
        tool = subprocess.Popen(command, stdout=out, stderr=err, env=env, cwd=folder)  # noqa: S603 - the same
        memory = _Memory(tool.pid, on=case.processes > 1)
        _, status, used = os.wait4(tool.pid, 0)
        wall = time.perf_counter() - started
    tool.returncode = os.waitstatus_to_exitcode(status)
    text = output.read_text()
    document = json.loads(text) if text.startswith("{") else {}
    if "cost" not in document:
        output_end = f"{text[-1000:]}\n{errors.read_text()[-2000:]}"
        raise RunFailed(f"{' '.join(command)}: exit code {tool.returncode}\n{output_end}")
    megabytes = memory.megabytes() or used.ru_maxrss / 1024
    return Usage(wall, used.ru_utime + used.ru_stime, megabytes, tool.returncode, document)


class _Memory:
    """Watches the peak memory of a process and its children, if *on*. The sum of the peaks, which differ in time."""

    def __init__(self, pid: int, *, on: bool):
        self._most: dict[int, int] = {}
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        if on:
            self._thread.start()

    def _watch(self, pid: int) -> None:
        while self._update(pid):
            time.sleep(0.2)

    def _update(self, pid: int) -> bool:
        process = Path(f"/proc/{pid}")
        try:
            peak = re.search(r"VmHWM:\s*(\d+)", (process / "status").read_text())
            children = [each.read_text().split() for each in process.glob("task/*/children")]
        except OSError:
            return False  # the process has ended
        if peak:
            self._most[pid] = max(self._most.get(pid, 0), int(peak[1]))
        for child in chain.from_iterable(children):
            self._update(int(child))
        return bool(peak)

    def megabytes(self) -> float:
        """The sum of the peaks; 0 if not *on*."""
        return sum(self._most.values()) / 1024


def environment() -> dict[str, str]:
    """The environment without variables that set credentials or an endpoint, or slow Python down."""
    others = ("AWS_", "PROVISION_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **nowhere, "AWS_EC2_METADATA_DISABLED": "true"}


def fetch(server: dict[str, Any], path: str) -> list[Any]:
    """The answer of each server process at *path*."""
    answers = []
    for each in server["control"]:
        with urllib.request.urlopen(each + path, timeout=30) as answer:  # noqa: S310 - our own server
            answers.append(json.load(answer))
    return answers


def merged(stats: list[dict[str, Any]]) -> dict[str, Any]:
    """The statistics of several server processes as one. The state that they share is the same in each."""
    whole = dict(stats[0])
    for name in ("operations", "answers", "bytes", "connections"):
        counted = Counter[str]()
        for each in stats:
            counted.update(each[name])
        whole[name] = dict(counted)
    for name in ("requests", "asked_of_the_sandbox", "cpu"):
        whole[name] = round(sum(each[name] for each in stats), 3)
    return whole
