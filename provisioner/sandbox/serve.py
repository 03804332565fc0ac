"""Serve the sandbox over HTTP, for the aws command, other SDKs and other processes."""

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
from urllib.parse import urlsplit

from . import open_sandbox
from .model import CONTROL, Response, SandboxError

if TYPE_CHECKING:
    from .world import World

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Headers of one connection, or that the server sets itself.
_SERVER_HEADERS = {"content-length", "connection", "transfer-encoding", "status"}


class Server(ThreadingHTTPServer):
    """An HTTP/1.1 server for one world, with persistent connections."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], world: World, latency: float) -> None:
        from .control import Control  # imports moto, which is slow

        self.world = world
        self.control = Control(world)
        self.latency = latency
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            text = f"cannot listen on `{address[0]}:{address[1]}`: {error.strerror}; choose another port"
            raise SandboxError(text) from error

    @property
    def url(self) -> str:
        """The value for AWS_ENDPOINT_URL."""
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise headers and body are two packets, and Nagle's algorithm delays the second by 40 ms.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def handle_expect_100(self) -> bool:
        """Answer `100 Continue`, which S3 clients wait a second for before they send an object."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def _exchange(self) -> None:
        body = self._body()
        if self.server.latency:
            time.sleep(self.server.latency)  # outside the world's lock, so that requests wait in parallel
        try:
            answer = self._answer(body)
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # an injected fault: the client sees the connection end
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _SERVER_HEADERS:
                self.send_header(name, value)
        head = self.command == "HEAD"
        length = answer.headers.get("content-length") if head else None
        self.send_header("Content-Length", length or str(len(answer.body)))
        self.end_headers()
        if not head:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _answer(self, body: bytes) -> Response:
        site = self.headers.get(
            "Sec-Fetch-Site", "none"
        )  # of a browser; `none` is a page that the user opened
        if site not in {"none", "same-origin"}:
            text = "the sandbox is for this machine: no page of another site may use it\n"
            return Response(403, {"Content-Type": "text/plain; charset=utf-8"}, text.encode())
        if foreign := next((each for each in self._named() if not _is_local(each)), None):
            text = (
                f"the sandbox is for this machine: want a Host of 127.0.0.1 or localhost, got {foreign!r}\n"
            )
            return Response(403, {"Content-Type": "text/plain; charset=utf-8"}, text.encode())
        if self.path == CONTROL or self.path.startswith((f"{CONTROL}/", f"{CONTROL}?")):
            kind = self.headers.get("Content-Type") or ""
            status, result = self.server.control.answer(self.command, self.path, kind, body)
            return Response(status, {"Content-Type": "application/json"}, result)
        host = self.headers.get("Host") or "127.0.0.1"
        return self.server.world.exchange(self.command, f"http://{host}{self.path}", self.headers, body)

    def _named(self) -> Iterator[str]:
        """The hosts that the request names: a web page that a browser shows can send one, under a name of its own."""
        for host in self.headers.get_all("Host") or ():
            yield f"//{host}"
        for name in ("Origin", "Referer"):
            yield from self.headers.get_all(name) or ()
        if not self.path.startswith("/"):
            yield self.path

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
        """Log nothing; calls are in `World.calls`."""


def _is_local(url: str) -> bool:
    """Whether the host of a URL is this machine. `BUCKET.localhost` is; no other DNS name is certain to be."""
    try:
        found = urlsplit(url)
        host = found.hostname or ""
    except ValueError:  # a broken IPv6 address
        return False
    if "@" in found.netloc:
        return False
    return host in _LOOPBACK or host.endswith(".localhost")


@contextmanager
def serving(
    world: World, *, host: str = "127.0.0.1", port: int = 0, latency: float = 0.0
) -> Iterator[Server]:
    """Serve an open sandbox over HTTP until the block ends; port 0 is any free port. Raises `SandboxError`."""
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
    """Serve the sandbox of *path*, or the open *world*, over HTTP until SIGINT, SIGTERM or SIGHUP.

    *latency* is in seconds and added to each response. *ready* is called with the endpoint URL once it can be used. Raises
    `SandboxError` for an address that is not this machine's, or a port that is taken.
    """
    done = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        done.set()

    in_main = threading.current_thread() is threading.main_thread()
    ends = [signal.SIGINT, signal.SIGTERM]
    ends += [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else []  # `nohup` ignores it
    kept = [(each, signal.signal(each, stop)) for each in ends if in_main]
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
