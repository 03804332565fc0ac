#!/usr/bin/env python3
"""Time `provision` over an organization of any size, on this machine, and print how far it is from what is possible.

    ./scripts/provision --version && .venv/bin/python scripts/fleet_bench.py [--accounts 100] [--regions 4] [--matrix]

The server (`scripts/fleet`) is a process of its own that gives the strict sandbox's answers, each `--latency` seconds
late, and refuses what comes faster than AWS allows. The tool is a fresh process for each row; what it cost is what the
kernel says of it and of its own processes. What it could have cost is beside it: `rate s`, by AWS's limits, and
`CPU/core s`. Server and tool share the machine, with all that is in `load` (the kernel's average of a minute); `loop ms`
tells how fast it was. An answer comes half a millisecond early or late, and connections cost no round trip here.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from fleet.measure import ROOT, Case, Spent, Unmeasured, asked, run, serving, together

HEADINGS: Final = (
    ("accounts x Regions", 18),
    ("drift", 5),
    ("procs", 5),
    ("ms", 4),
    ("wall s", 7),
    ("CPU s", 7),
    ("CPU ms/AR", 9),
    ("calls", 6),
    ("calls/s", 7),
    ("calls/AR", 8),
    ("RSS MB", 6),
    ("throttled", 9),
    ("opened", 6),
    ("peak", 5),
    ("rate s", 6),
    ("CPU/core s", 10),
    ("server s", 8),
    ("loop ms", 7),
    ("load", 5),
    ("", 8),
)


def matrix() -> Iterator[Case]:
    """The rows to know: one account at several latencies, and growing organizations."""
    for milliseconds in (0, 30, 50, 100):
        yield Case(1, 1, milliseconds / 1000)
    yield Case(1, 17)
    for accounts in (100, 1000):
        for regions in (4, 17):
            for drift in (0.0, 0.1):
                for processes in (1, 2):
                    yield Case(accounts, regions, drift=drift, processes=processes)


def main() -> None:
    """Print one row for each case and run."""
    given = _given()
    one = Case(**{each.name: getattr(given, each.name) for each in fields(Case)})
    cases = [one]
    if given.matrix:
        same = {
            "tls": given.tls,
            "servers": given.servers,
            "rate": given.rate,
            "command": given.command,
            "profile": given.profile,
        }
        cases = [replace(each, **same) for each in matrix()]
    compileall.compile_dir(ROOT / "provisioner", quiet=2)  # as an installed package is
    _say(" ".join(f"{name:>{width}}" for name, width in HEADINGS))
    good = True
    for case in cases:
        try:
            good &= all([*_rows(case, given.runs, given.keep)])
        except Unmeasured as why:
            sys.stderr.write(f"{case}: {why}\n")
            good = False
    sys.exit(0 if good else 1)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time provision over an organization on this machine.")
    add = parser.add_argument
    add("--accounts", type=int, default=100, help="with the management account; 1 is a file for one account")
    add("--regions", type=int, default=4)
    add("--latency", type=float, default=0.05, help="seconds added to every answer")
    add("--drift", type=float, default=0.1, help="the share of the member accounts that has drifted")
    add("--processes", type=int, default=1, help="of the tool")
    add("--servers", type=int, default=1, help="processes that answer")
    add("--rate", type=float, default=100.0, help="calls a second where AWS documents none")
    add("--profile", default="simple", help="of `provisioner/profiles`: what the accounts obey")
    add("--tls", action="store_true")
    add(
        "--signatures", action="store_true", help="the server checks each, which costs it more than an answer"
    )
    add(
        "--faults",
        action="store_true",
        help="1 %% answer 500, 1 %% break off; an account and a Region are denied",
    )
    add("--command", choices=["diff", "apply", "verify"], default="diff")
    add("--runs", type=int, default=1)
    add("--matrix", action="store_true", help="the table, whatever sizes are given")
    add(
        "--keep", type=Path, metavar="FILE", help="append what the server counted, a JSON object for each run"
    )
    return parser.parse_args()


def _rows(case: Case, runs: int, keep: Path | None) -> Iterator[bool]:
    """Run the case, print its rows, and tell of each whether the tool found what there was to find."""
    with serving(case) as server, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "baseline.yaml"
        file.write_text(server["baseline"])
        if case.places <= 100:  # the first asks the server what it has to ask the sandbox first
            run(case, server, file, folder)
        for _ in range(runs):
            asked(server, "/__reset")
            loop, load = _calibrated(), os.getloadavg()[0]
            spent = run(case, server, file, folder)
            stats = together(asked(server, "/__stats"))
            wrong = _wrong(case, server, spent, stats)
            _say(_row(case, spent, stats, (f"{loop:.1f}", f"{load:.1f}"), wrong))
            if keep:
                with keep.open("a") as kept:
                    kept.write(json.dumps({"case": case.__dict__, "stats": stats, "wrong": wrong}) + "\n")
            yield not wrong


def _calibrated() -> float:
    """Milliseconds of a loop that is always the same: how fast the machine is now."""
    best = 1e9
    for _ in range(5):
        started = time.process_time()
        sum(each * each for each in range(300_000))
        best = min(best, time.process_time() - started)
    return best * 1000


def _wrong(case: Case, server: dict[str, Any], spent: Spent, stats: dict[str, Any]) -> str:
    """What the tool did not find or do; empty where all is as it should be."""
    drifted = server["drifted"]
    expected = 3 if case.faults and case.accounts > 1 else 2 if drifted and case.command != "apply" else 0
    if spent.code != expected:
        return f"exit code {spent.code}, not {expected}"
    changes = spent.document["counts"]["change"]
    if (
        case.command == "diff" and not case.faults and changes != 2 * drifted
    ):  # one of the account, one in a Region
        return f"{changes} changes, where {drifted} accounts have drifted"
    if not case.faults and stats["drifted"] != (0 if case.command == "apply" else drifted):
        return f"{stats['drifted']} accounts have drifted"
    return ""


def _row(case: Case, spent: Spent, stats: dict[str, Any], machine: tuple[str, str], wrong: str) -> str:
    """The figures of one run under their headings. *machine*: how fast and how busy it was before."""
    cores = min(case.processes, os.cpu_count() or 1)
    calls = stats["requests"]
    figures = (
        f"{case.command} {case.accounts} x {case.regions}{' tls' if case.tls else ''}",
        f"{case.drift:.0%}",
        case.processes,
        f"{case.latency * 1000:.0f}",
        f"{spent.wall:.2f}",
        f"{spent.cpu:.2f}",
        f"{spent.cpu * 1000 / case.places:.2f}",
        calls,
        f"{calls / spent.wall:.0f}",
        f"{calls / case.places:.2f}",
        f"{spent.megabytes:.0f}",
        stats["answers"].get("throttled", 0),
        stats["connections"]["opened"],
        stats["connections"]["peak"],
        f"{stats['rate']['seconds']:.2f}",
        f"{spent.cpu / cores:.2f}",
        f"{stats['cpu']:.2f}",
        *machine,
        f"WRONG: {wrong}" if wrong else f"exit {spent.code}",
    )
    return " ".join(f"{figure!s:>{width}}" for figure, (_, width) in zip(figures, HEADINGS, strict=True))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
