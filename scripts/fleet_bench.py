#!/usr/bin/env python3
"""Time `provision` over an organization of any size on this machine, and compare it with the lower limits.

    ./scripts/provision --version && .venv/bin/python scripts/fleet_bench.py [--accounts 100] [--regions 4] [--matrix]

The server (`scripts/fleet`) is a process of its own. It gives the answers of the strict sandbox after `--latency` seconds,
and throttles calls above AWS's rates. The tool is a new process for each row; the kernel measures it and its children.
The lower limits of its time are `rate s`, by AWS's rates, and `CPU/core s`. Server and tool share the machine with
everything in `load` (the kernel's average of a minute); `loop ms` is the time of a fixed loop, for the machine's speed.
Latency is exact to half a millisecond, and connecting costs no round trip here.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from time import process_time
from timeit import repeat
from typing import Any

from fleet.measure import ROOT, Case, RunFailed, Usage, fetch, merged, run, serving


def matrix() -> Iterator[Case]:
    """The cases of `--matrix`: one account at several latencies, and growing organizations."""
    for milliseconds in (0, 30, 50, 100):
        yield Case(1, 1, milliseconds / 1000)
    yield Case(1, 17)
    for accounts in (100, 1000):
        for regions in (4, 17):
            for drift in (0.0, 0.1):
                for processes in (1, 2):
                    yield Case(accounts, regions, drift=drift, processes=processes)


def main() -> None:
    """Print one row for each run of each case. Exit code 1 if a run failed or did not find the drift."""
    given = _arguments()
    cases = [Case(**{each.name: getattr(given, each.name) for each in fields(Case)})]
    if given.matrix:
        same = {name: getattr(given, name) for name in ("tls", "servers", "rate", "command", "profile")}
        cases = [replace(each, **same) for each in matrix()]
    compileall.compile_dir(ROOT / "provisioner", quiet=2)  # as in an installed package
    headings = failed = False
    for case in cases:
        try:
            for row, wrong in _rows(case, given.runs, given.keep):
                if not headings:
                    _print(" ".join(f"{name:>7}" for name in row))
                headings = True
                _print(" ".join(f"{figure!s:>{max(len(name), 7)}}" for name, figure in row.items()))
                failed |= bool(wrong)
        except RunFailed as error:
            sys.stderr.write(f"{case}: {error}\n")
            failed = True
    sys.exit(int(failed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time provision over an organization on this machine.")
    add = parser.add_argument
    add("--accounts", type=int, default=100, help="including the management account; 1: no organization")
    add("--regions", type=int, default=4)
    add("--latency", type=float, default=0.05, help="seconds added to every answer")
    add("--drift", type=float, default=0.1, help="share of the member accounts that have drifted")
    add("--processes", type=int, default=1, help="processes of the tool")
    add("--servers", type=int, default=1, help="server processes")
    add("--rate", type=float, default=100.0, help="calls a second where AWS documents none")
    add("--profile", default="simple", help="of `provisioner/profiles`: the file that the accounts match")
    add("--tls", action="store_true")
    add(
        "--signatures",
        action="store_true",
        help="check signatures, which costs the server more than an answer",
    )
    add(
        "--faults",
        action="store_true",
        help="1 %% errors, 1 %% resets; one account and one Region are denied",
    )
    add(
        "--command",
        choices=["diff", "apply", "verify", "repair"],
        default="diff",
        help="`repair` costs what `apply` does, and journal, notices and reports",
    )
    add("--runs", type=int, default=1)
    add("--matrix", action="store_true", help="run many cases; the sizes given are ignored")
    add(
        "--keep", type=Path, metavar="FILE", help="append the server's statistics, a JSON object for each run"
    )
    return parser.parse_args()


def _rows(case: Case, runs: int, keep: Path | None) -> Iterator[tuple[dict[str, object], str]]:
    """Run the case. Yields a row for each run, and an error text if the tool did not find or repair the drift."""
    with serving(case) as server, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "baseline.yaml"
        file.write_text(server["baseline"])
        if case.places <= 100:  # warm up: the server asks the sandbox only the first time
            run(case, server, file, folder)
        for _ in range(runs):
            fetch(server, "/__reset")
            loop, load = _loop_time(), os.getloadavg()[0]
            usage = run(case, server, file, folder)
            stats = merged(fetch(server, "/__stats"))
            wrong = _wrong(case, server, usage, stats)
            if keep:
                with keep.open("a") as kept:
                    kept.write(json.dumps({"case": case.__dict__, "stats": stats, "wrong": wrong}) + "\n")
            machine = {"loop ms": f"{loop:.1f}", "load": f"{load:.1f}"}
            result = f"WRONG: {wrong}" if wrong else f"exit {usage.code}"
            yield {**_row(case, usage, stats), **machine, "result": result}, wrong


def _loop_time() -> float:
    """Milliseconds of a fixed loop, which show how fast the machine is now."""
    times = repeat(lambda: sum(each * each for each in range(300_000)), timer=process_time, number=1)
    return min(times) * 1000


def _wrong(case: Case, server: dict[str, Any], usage: Usage, stats: dict[str, Any]) -> str:
    """The error if the tool did not find or repair the drift, or else an empty text."""
    drifted = server["drifted"]
    repairs = case.command in {"apply", "repair"}
    expected = 3 if case.faults and case.accounts > 1 else 2 if drifted and not repairs else 0
    if usage.code != expected:
        return f"exit code {usage.code}, not {expected}"
    changes = usage.document["counts"]["change"]
    # Each has drifted in two settings: one of the account, one of a Region.
    if case.command == "diff" and not case.faults and changes != 2 * drifted:
        return f"{changes} changes, where {drifted} accounts have drifted"
    if not case.faults and stats["drifted"] != (0 if repairs else drifted):
        return f"{stats['drifted']} accounts have drifted"
    return ""


def _row(case: Case, usage: Usage, stats: dict[str, Any]) -> dict[str, object]:
    """The figures of one run by heading."""
    cores = min(case.processes, os.cpu_count() or 1)
    calls = stats["requests"]
    return {
        "accounts x Regions": f"{case.command} {case.accounts} x {case.regions}{' tls' if case.tls else ''}",
        "drift": f"{case.drift:.0%}",
        "procs": case.processes,
        "ms": f"{case.latency * 1000:.0f}",
        "wall s": f"{usage.wall:.2f}",
        "CPU s": f"{usage.cpu:.2f}",
        "CPU ms/AR": f"{usage.cpu * 1000 / case.places:.2f}",
        "calls": calls,
        "calls/s": f"{calls / usage.wall:.0f}",
        "calls/AR": f"{calls / case.places:.2f}",
        "RSS MB": f"{usage.megabytes:.0f}",
        "throttled": stats["answers"].get("throttled", 0),
        "opened": stats["connections"]["opened"],
        "peak": stats["connections"]["peak"],
        "rate s": f"{stats['rate']['seconds']:.2f}",
        "CPU/core s": f"{usage.cpu / cores:.2f}",
        "server s": f"{stats['cpu']:.2f}",
    }


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
