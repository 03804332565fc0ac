"""The HTTP door: the same sandbox for the aws command, other SDKs and other processes."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from . import open_sandbox
from .words import CONTROL, Answer, SandboxError

if TYPE_CHECKING:
    from .world import World

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Headers of one connection, or that we set ourselves.
_OWN = {"content-length", "connection", "transfer-encoding", "status"}


class Server(ThreadingHTTPServer):
    """One sandbox behind HTTP/1.1 with connections kept alive."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], world: World, latency: float) -> None:
        from .control import Control  # it brings moto, and this module costs nothing to import

        self.world = world
        self.control = Control(world)
        self.latency = latency
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            where = f"{address[0]}:{address[1]}"
            raise SandboxError(
                f"cannot listen on `{where}`: {error.strerror}; choose another port"
            ) from error

    @property
    def url(self) -> str:
        """What goes into AWS_ENDPOINT_URL."""
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else headers and body are two packets, and Nagle's algorithm holds the second back for 40 ms.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def _exchange(self) -> None:
        body = self._body()
        if self.server.latency:
            time.sleep(self.server.latency)  # outside the sandbox's lock: the waits of many requests overlap
        try:
            answer = self._answer(body)
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # what a test injected: the client sees the connection end
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _OWN:
                self.send_header(name, value)
        head = self.command == "HEAD"
        length = answer.headers.get("content-length") if head else None
        self.send_header("Content-Length", length or str(len(answer.body)))
        self.end_headers()
        if not head:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _answer(self, body: bytes) -> Answer:
        if self.path == CONTROL or self.path.startswith((f"{CONTROL}/", f"{CONTROL}?")):
            kind = self.headers.get("Content-Type") or ""
            status, told = self.server.control.answer(self.command, self.path, kind, body)
            return Answer(status, {"Content-Type": "application/json"}, told)
        host = self.headers.get("Host") or "127.0.0.1"
        return self.server.world.exchange(self.command, f"http://{host}{self.path}", self.headers, body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _exchange  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Calls are in `World.calls`, not on stderr."""


@contextmanager
def serving(
    world: World, *, host: str = "127.0.0.1", port: int = 0, latency: float = 0.0
) -> Iterator[Server]:
    """An open sandbox answers HTTP until the block ends; port 0 means any free one."""
    if host not in _LOOPBACK:
        raise SandboxError(f"the sandbox has no passwords: it listens on this machine only, not on `{host}`")
    server = Server((host, port), world, latency)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def serve(
    path: Path | None,
    *,
    host: str = "127.0.0.1",
    port: int = 4566,
    latency: float = 0.0,
    ready: Callable[[str], None] | None = None,
    world: World | None = None,
) -> None:
    """The sandbox of *path* (or the open *world*) answers HTTP until SIGINT or SIGTERM.

    *latency* is in seconds and added to each answer. *ready* is called with the endpoint URL when it can be
    used. Raises `SandboxError` for an address that is not this machine's, or a port that is taken.
    """
    done = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        done.set()

    in_main = threading.current_thread() is threading.main_thread()
    kept = [(number, signal.signal(number, stop)) for number in (signal.SIGINT, signal.SIGTERM) if in_main]
    try:
        with (
            nullcontext(world) if world else open_sandbox(path) as opened,
            serving(opened, host=host, port=port, latency=latency) as server,
        ):
            if ready is not None:
                ready(server.url)
            while not done.wait(0.5):
                pass
    finally:
        for number, handler in kept:
            signal.signal(number, handler)
