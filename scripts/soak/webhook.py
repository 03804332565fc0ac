"""A webhook on this machine that keeps what it receives, and is down at times."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Told:
    """One notice that arrived. *about* is the text of an address, or of what else it is about."""

    time: float
    about: str
    trigger: str
    phase: str
    who: str
    run: str  # that sent it
    runs: tuple[str, ...] = ()  # of which it tells what they found or repaired, such as one that was killed


@dataclass
class Webhook:
    """The notices that arrived, and those that were refused while it was *down*."""

    url: str = ""
    told: list[Told] = field(default_factory=list)
    down: bool = False
    refused: list[Told] = field(default_factory=list)


@contextmanager
def webhook(now: Callable[[], float]) -> Iterator[Webhook]:
    """Listen until the block ends."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept = hook.refused if hook.down else hook.told
            kept += _notices(json.loads(body), now())
            self.send_response(404 if hook.down else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


def _notices(message: dict[str, Any], now: float) -> Iterator[Told]:
    for each in message["items"]:
        who = (each["who"] or {}).get("name", "")
        trigger, phase, run = (str(message[key]) for key in ("trigger", "phase", "run"))
        yield Told(now, each["about"], trigger, phase, who, run, tuple(each["runs"]))
