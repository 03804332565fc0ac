"""Serve an organization until SIGINT or SIGTERM: `python -m fleet --accounts 100 --regions 4`.

The first line on stdout is JSON: the URL, the text of the file that the accounts match, and the account and Region to which
access is denied. Each server process has an address of its own in `control`, with `GET /__stats` and `GET /__reset`.
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
from .answers import Organization
from .faults import Faults
from .state import State
from .stats import Stats
from .tls import server_context
from .wire import Loop

_BACKLOG: Final = 4096


def main() -> None:
    """Set up the organization, listen, and serve."""
    given = _arguments()
    regions = world.REGIONS[: given.regions]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        context, bundle = server_context(folder) if given.tls else (None, None)
        recorder, members = stack.enter_context(
            world.organization(given.accounts, regions, given.seed, given.profile)
        )
        accounts = [MANAGEMENT, *members]
        state = State(len(accounts), len(regions) + 1, given.rate)
        state.drift(given.drift, len(regions), given.seed)
        faults = _faults(given, accounts, state, regions)
        organization = Organization(recorder, accounts, regions, state, faults)
        organization.checks_signatures = given.signatures
        listeners, controls = _listeners(given.port, given.servers)
        ready = {
            "url": f"{'https' if given.tls else 'http'}://127.0.0.1:{listeners[0].getsockname()[1]}",
            "control": [f"http://127.0.0.1:{each.getsockname()[1]}" for each in controls],
            "ca_bundle": str(bundle) if bundle else None,
            "baseline": world.baseline(
                ["all"] if given.all_regions else regions, fleet=given.accounts > 1, profile=given.profile
            ),
            "drifted": state.drifted,
            "denied": {"account": faults.account, "region": faults.region},
        }
        stats = Stats(organization)
        _allow_many_connections()
        loops = [
            partial(Loop, listener, control, organization, given.latency, context)
            for listener, control in zip(listeners, controls, strict=True)
        ]
        children = [_fork(make, stats) for make in loops[1:]]
        stack.callback(_end, children)
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        _run(loops[0](), stats)


def _run(loop: Loop, stats: Stats) -> None:
    """Serve until a signal."""
    stats.loop = loop
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.stop())
    gc.freeze()
    loop.run()


def _fork(make: Callable[[], Loop], stats: Stats) -> int:
    """Serve in a child process, and return its id."""
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fleet", description="Serve an organization of AWS accounts.")
    add = parser.add_argument
    add("--accounts", type=int, default=100, help="including the management account")
    add("--regions", type=int, default=4, choices=range(1, len(world.REGIONS) + 1), metavar="1-17")
    add("--profile", default="simple", help="of `provisioner/profiles`: the file that the accounts match")
    add("--all-regions", action="store_true", help="the file says `regions: all`")
    add("--latency", type=float, default=0.05, help="seconds added to every answer")
    add("--drift", type=float, default=0.1, help="share of the member accounts that have drifted")
    add("--seed", type=int, default=1, help="of account ids and drift")
    add("--rate", type=float, default=100.0, help="calls a second where AWS documents none")
    add("--servers", type=int, default=1, help="server processes")
    add("--port", type=int, default=0)
    add("--tls", action="store_true")
    add("--signatures", action="store_true", help="check signatures, which costs more than an answer")
    add("--error-rate", type=float, default=0.0, help="share of requests answered with status 500")
    add("--reset-rate", type=float, default=0.0, help="share of requests whose connection is reset")
    add("--deny", action="store_true", help="deny access to one account, and to one Region for all members")
    return parser.parse_args()


def _faults(given: argparse.Namespace, accounts: list[str], state: State, regions: Sequence[str]) -> Faults:
    """The faults to inject. The denied account is one in sync, the denied Region is the last one."""
    faults = Faults(given.error_rate, given.reset_rate)
    if not given.deny:
        return faults
    in_sync = (each for index, each in enumerate(accounts) if index and not state.account_drift[index])
    return replace(faults, account=next(in_sync, ""), region=regions[-1] if len(regions) > 1 else "")


def _listeners(port: int, count: int) -> tuple[list[socket.socket], list[socket.socket]]:
    """Two sockets for each process: one at a common port (the kernel distributes connections), one of its own."""
    common: list[socket.socket] = []
    for _ in range(count):
        address = ("127.0.0.1", common[0].getsockname()[1] if common else port)
        common.append(socket.create_server(address, backlog=_BACKLOG, reuse_port=True))
    return common, [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]


if __name__ == "__main__":
    main()
