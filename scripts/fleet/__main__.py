"""Serve an organization until a signal ends it: `python -m fleet --accounts 100 --regions 4`.

The first line on stdout is JSON: where it listens, what the file is that its accounts obey, and whom nobody may enter.
Each process tells about itself at its own address in `control`: `GET /__stats`; `GET /__reset` begins anew.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from provisioner.sandbox.seed import MANAGEMENT

from . import world
from .answers import Organization, Weather
from .state import State
from .stats import Stats
from .tls import certified
from .wire import Loop

_BACKLOG: Final = 4096


def main() -> None:
    """Record, listen, serve."""
    given = _given()
    regions = world.REGIONS[: given.regions]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        context, bundle = certified(folder) if given.tls else (None, None)
        recorder, members = stack.enter_context(
            world.organization(given.accounts, regions, given.seed, given.profile)
        )
        accounts = [MANAGEMENT, *members]
        state = State(len(accounts), len(regions) + 1, given.rate)
        state.drift(given.drift, len(regions), given.seed)
        weather = _weather(given, accounts, state, regions)
        organization = Organization(recorder, accounts, regions, state, weather)
        organization.checks_signatures = given.signatures
        listeners, controls = _listeners(given.port, given.servers)
        ready = {
            "url": f"{'https' if given.tls else 'http'}://127.0.0.1:{listeners[0].getsockname()[1]}",
            "control": [f"http://127.0.0.1:{each.getsockname()[1]}" for each in controls],
            "ca_bundle": str(bundle) if bundle else None,
            "baseline": world.baseline(
                ["all"] if given.all_regions else regions,
                fleet=given.accounts > 1,
                profile=given.profile,
            ),
            "drifted": state.drifted,
            "denied": {"account": weather.account, "region": weather.region},
        }
        stats = Stats(organization, state, accounts, regions)
        _allow_many_connections()
        loops = [
            partial(Loop, mine, control, organization, given.latency, context)
            for mine, control in zip(listeners, controls, strict=True)
        ]
        children = [_apart(make, stats) for make in loops[1:]]
        stack.callback(_end, children)
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        _run(loops[0](), stats)


def _run(loop: Loop, stats: Stats) -> None:
    """Serve until a signal comes."""
    stats.loop = loop
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.stop())
    gc.freeze()
    loop.run()


def _apart(make: Callable[[], Loop], stats: Stats) -> int:
    """Serve in a process of its own, and return its number here."""
    child = os.fork()
    if not child:
        try:
            _run(make(), stats)
        finally:
            os._exit(0)
    return child


def _end(children: Sequence[int]) -> None:
    for child in children:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fleet", description="Serve an organization of AWS accounts.")
    add = parser.add_argument
    add("--accounts", type=int, default=100, help="with the management account")
    add("--regions", type=int, default=4, choices=range(1, len(world.REGIONS) + 1), metavar="1-17")
    add("--profile", default="simple", help="of `provisioner/profiles`: what the accounts obey")
    add("--all-regions", action="store_true", help="the file says `regions: all`")
    add("--latency", type=float, default=0.05, help="seconds added to every answer")
    add("--drift", type=float, default=0.1, help="the share of members that has drifted")
    add("--seed", type=int, default=1, help="of account numbers and drift")
    add("--rate", type=float, default=100.0, help="calls a second where AWS documents none")
    add("--servers", type=int, default=1, help="processes that serve")
    add("--port", type=int, default=0)
    add("--tls", action="store_true")
    add("--signatures", action="store_true", help="each is checked, which costs more than its answer")
    add("--broken", type=float, default=0.0, help="the share of requests that are answered with status 500")
    add("--reset", type=float, default=0.0, help="the share of requests whose connection breaks")
    add(
        "--deny",
        action="store_true",
        help="one account may not be entered, one Region is forbidden to all members",
    )
    return parser.parse_args()


def _weather(given: argparse.Namespace, accounts: list[str], state: State, regions: Sequence[str]) -> Weather:
    """The denied account is one in sync, the denied Region the last one."""
    weather = Weather(given.broken, given.reset)
    if not given.deny:
        return weather
    in_sync = (each for place, each in enumerate(accounts) if place and not state.account_drift[place])
    return replace(weather, account=next(in_sync, ""), region=regions[-1] if len(regions) > 1 else "")


def _listeners(port: int, count: int) -> tuple[list[socket.socket], list[socket.socket]]:
    """For each process a socket at the common port, among which the kernel divides the connections, and one of its own."""
    common: list[socket.socket] = []
    for _ in range(count):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("127.0.0.1", common[0].getsockname()[1] if common else port))
        common.append(made)
    own = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    for each in common:
        each.listen(_BACKLOG)
    return common, own


if __name__ == "__main__":
    main()
