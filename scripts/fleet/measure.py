"""What a run costs: the server beside it, the tool as a fresh process, and what the kernel says of that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent


class Unmeasured(Exception):
    """The tool or the server did not come as far as to tell what it had cost."""


@dataclass(frozen=True)
class Case:
    """One row. *faults*: some answers fail, some connections break, one account and one Region are denied."""

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
class Spent:
    """What one process cost, with the processes it started."""

    wall: float
    cpu: float
    megabytes: float
    code: int
    document: dict[str, Any]


@contextmanager
def serving(case: Case) -> Iterator[dict[str, Any]]:
    """What the server said when it was ready. It ends with the block."""
    command = [sys.executable, "-m", "fleet", f"--accounts={case.accounts}", f"--regions={case.regions}"]
    command += [f"--latency={case.latency}", f"--drift={case.drift}", f"--servers={case.servers}"]
    command += [f"--profile={case.profile}", f"--rate={case.rate}", *(["--tls"] if case.tls else [])]
    command += ["--signatures"] if case.signatures else []
    command += ["--broken=0.01", "--reset=0.01", "--deny"] if case.faults else []
    env = {**_clean(), "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "scripts")])}
    server = subprocess.Popen(  # noqa: S603 - ourselves
        command, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT
    )
    try:
        ready = server.stdout.readline() if server.stdout else ""
        if not ready:
            raise Unmeasured("the server did not start")
        yield json.loads(ready)
    finally:
        server.terminate()
        server.wait(30)


def run(case: Case, server: dict[str, Any], file: Path, folder: str) -> Spent:
    """The tool as a fresh process."""
    command = [sys.executable, "-m", "provisioner", case.command, str(file), "--json"]
    command += ["--endpoint-url", server["url"], *(["--yes"] if case.command == "apply" else [])]
    command += [f"--processes={case.processes}"] if case.processes > 1 else []
    env = {**_clean(), "AWS_ACCESS_KEY_ID": "AKIAFLEETBENCH000000", "AWS_SECRET_ACCESS_KEY": "fleetBench"}
    env |= {"XDG_STATE_HOME": folder, "PYTHONPATH": str(ROOT)}
    env |= {"AWS_CA_BUNDLE": server["ca_bundle"]} if server["ca_bundle"] else {}
    output, errors = Path(folder) / "output", Path(folder) / "errors"
    with output.open("wb") as out, errors.open("wb") as err:
        started = time.perf_counter()
        tool = subprocess.Popen(command, stdout=out, stderr=err, env=env, cwd=ROOT)  # noqa: S603 - the same
        watch = _Watch(tool.pid, on=case.processes > 1)
        _, status, used = os.wait4(tool.pid, 0)
        wall = time.perf_counter() - started
    tool.returncode = os.waitstatus_to_exitcode(status)
    said = output.read_text()
    document = json.loads(said) if said.startswith("{") else {}
    if "cost" not in document:
        told = f"{said[-1000:]}\n{errors.read_text()[-2000:]}"
        raise Unmeasured(f"{' '.join(command)}: exit code {tool.returncode}\n{told}")
    megabytes = watch.megabytes() or used.ru_maxrss / 1024
    return Spent(wall, used.ru_utime + used.ru_stime, megabytes, tool.returncode, document)


class _Watch:
    """The most memory that a process and those below it had, each at its own time, added up. Only where it is *on*."""

    def __init__(self, pid: int, *, on: bool):
        self._most: dict[int, int] = {}
        self._thread = threading.Thread(target=self._look, args=(pid,), daemon=True)
        if on:
            self._thread.start()

    def _look(self, pid: int) -> None:
        while self._one(pid):
            time.sleep(0.2)

    def _one(self, pid: int) -> bool:
        process = Path(f"/proc/{pid}")
        try:
            peak = [x for x in (process / "status").read_text().splitlines() if x.startswith("VmHWM:")]
            children = [
                x for task in (process / "task").iterdir() for x in (task / "children").read_text().split()
            ]
        except OSError:
            return False  # it has ended
        if peak:
            self._most[pid] = max(self._most.get(pid, 0), int(peak[0].split()[1]))
        for child in children:
            self._one(int(child))
        return bool(peak)

    def megabytes(self) -> float:
        """All of them; 0 where nobody looked."""
        return sum(self._most.values()) / 1024


def _clean() -> dict[str, str]:
    """The environment without what could lead to other credentials or another endpoint, or slow Python down."""
    others = ("AWS_", "PROVISION_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **nowhere, "AWS_EC2_METADATA_DISABLED": "true"}


def _read(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own server
        return json.load(answer)


def asked(server: dict[str, Any], path: str) -> list[Any]:
    """What each process of the server says at *path*."""
    return [_read(each + path) for each in server["control"]]


def together(told: list[dict[str, Any]]) -> dict[str, Any]:
    """What several processes counted, as if it were one. What they share is the same in each."""
    whole = dict(told[0])
    for name in ("operations", "answers", "bytes", "connections"):
        counted = Counter[str]()
        for each in told:
            counted.update(each[name])
        whole[name] = dict(counted)
    for name in ("requests", "asked_of_the_sandbox", "cpu"):
        whole[name] = round(sum(each[name] for each in told), 3)
    return whole
