"""Sends botocore's signed requests over connections that are kept open and share one TLS context.

botocore reads 126 root certificates anew for each connection that it opens, for 17 ms of CPU time each (botocore #3171,
urllib3 #3623, cpython #95031). Its documented event `before-send` lets us send the request instead. Requests through a
proxy, and those whose body is a stream, are left to botocore.
"""

from __future__ import annotations

import io
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from ..errors import UnusableAnswer
from ..options import Limits
from .connection import Connection, Malformed, Response

_IDLE = 300  # with the connections in use, well below the limit of 1,024 open files of a process
_IDLE_SECONDS = 30.0  # after which a firewall may have forgotten a connection, and drop what is sent on it


class Transport:
    """Sends prepared requests within *limits*. *ca_bundle* is a file or folder of certificates.

    At most *idle* connections are kept open when not in use, for at most 30 s on the clock *now*; the least recently
    used are closed first.

    Raises the exceptions of botocore's own HTTP session, and UnusableAnswer.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        ca_bundle: str | None = None,
        idle: int = _IDLE,
        now: Callable[[], float] = time.monotonic,
    ):
        self._limits, self._max_idle, self._now = limits, idle, now
        self._ca_bundle = ca_bundle
        self._context: ssl.SSLContext | None = None
        # By scheme and host; the least recently used connection is the first.
        self._idle: list[tuple[tuple[str, str], Connection]] = []
        self._proxied: dict[str, bool] = {}
        self._lock = threading.Lock()

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        """Return the response, or None to leave the request to botocore (a handler of its event `before-send`).

        The attribute `writes` of the request says whether it can change AWS.
        """
        url = urlsplit(request.url)
        body = request.body
        if self.is_proxied(url) or not isinstance(body, bytes | str | None):
            return None
        data = body.encode() if isinstance(body, str) else body or b""
        headers = {name: value for name, value in request.headers.items()}  # noqa: C416 - of several forms
        writes: bool = getattr(request, "writes")  # noqa: B009 - botocore's type does not have it
        response = self.send(request.method, url, headers, data, writes=writes)
        response_headers: Any = response.headers
        return AWSResponse(request.url, response.status, response_headers, Body(response.body))

    def send(
        self,
        method: str,
        url: SplitResult,
        headers: Mapping[str, str | bytes],
        body: bytes,
        *,
        writes: bool = False,
    ) -> Response:
        """Send a request that is signed already, over an idle connection or a new one, and return the response."""
        connection = self._connection(url)
        try:
            head = _head(method, url, headers, body)
            response = connection.exchange(head, body, is_head=method == "HEAD", writes=writes)
        except BaseException as error:
            connection.close()
            if connection.reused and isinstance(error, TimeoutError):
                self._close_idle(url)  # they are as old: the next try needs a new one
            raise _as_botocore_error(error, url.geturl()) from error
        if connection.ended:
            connection.close()
        else:
            self._keep(url, connection)
        return response

    def close(self) -> None:
        """Close all idle connections."""
        self._close_idle()

    def _close_idle(self, url: SplitResult | None = None) -> None:
        """Close the idle connections to the host of *url*; by default all."""
        with self._lock:
            for host, connection in [*self._idle]:
                if url is None or host == (url.scheme, url.netloc):
                    connection.close()
                    self._idle.remove((host, connection))

    def is_proxied(self, url: SplitResult) -> bool:
        """Whether the environment sets a proxy for the host."""
        if url.netloc not in self._proxied:
            self._proxied[url.netloc] = bool(get_environ_proxies(f"{url.scheme}://{url.netloc}/"))
        return self._proxied[url.netloc]

    def _connection(self, url: SplitResult) -> Connection:
        """Return an idle connection that the server has not closed, or a new one."""
        while (connection := self._take(url)) is not None:
            if connection.alive and self._now() - connection.idle_since < _IDLE_SECONDS:
                connection.reused = True
                return connection
            connection.close()
        return self._open(url)

    def _take(self, url: SplitResult) -> Connection | None:
        """Remove and return the host's most recently used idle connection, if there is one."""
        host = (url.scheme, url.netloc)
        with self._lock:
            for index in reversed(range(len(self._idle))):
                if self._idle[index][0] == host:
                    return self._idle.pop(index)[1]
        return None

    def _keep(self, url: SplitResult, connection: Connection) -> None:
        """Keep the connection for the next request, and close those that are too many or idle for too long."""
        now = connection.idle_since = self._now()
        old = []
        with self._lock:
            self._idle.append(((url.scheme, url.netloc), connection))
            while len(self._idle) > self._max_idle or now - self._idle[0][1].idle_since >= _IDLE_SECONDS:
                old.append(self._idle.pop(0)[1])
        for each in old:
            each.close()

    def _open(self, url: SplitResult) -> Connection:
        host = url.hostname or ""
        port = url.port or (443 if url.scheme == "https" else 80)
        endpoint = url.geturl()
        sock: socket.socket | None = None
        try:
            sock = socket.create_connection((host, port), self._limits.connect)
            if url.scheme == "https":
                sock = self._tls().wrap_socket(sock, server_hostname=host)
        except OSError as error:
            if sock is not None:
                sock.close()
            if isinstance(error, TimeoutError):
                raise ConnectTimeoutError(endpoint_url=endpoint, error=error) from error
            failure = SSLError if isinstance(error, ssl.SSLError) else EndpointConnectionError
            raise failure(endpoint_url=endpoint, error=error) from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):  # Linux
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, int(_IDLE_SECONDS))
        return Connection(sock, self._limits)

    def _tls(self) -> ssl.SSLContext:
        """Return the TLS context, for which the certificates are read once."""
        with self._lock:
            if self._context is None:
                bundle = self._ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or get_cert_path(verify=True)
                path = str(bundle)
                is_dir = Path(path).is_dir()
                context = ssl.create_default_context(
                    cafile=None if is_dir else path, capath=path if is_dir else None
                )
                # botocore does not set it either, and the certificates of many private CAs do not comply.
                context.verify_flags &= ~ssl.VERIFY_X509_STRICT
                self._context = context
            return self._context


class Body(io.BytesIO):
    """A response's body, with the interface that botocore reads."""

    def stream(self) -> Iterator[bytes]:
        """Yield the whole body at once."""
        yield self.getvalue()


def _head(method: str, url: SplitResult, headers: Mapping[str, str | bytes], body: bytes) -> bytes:
    """Return request line and headers. Raises ValueError for a line break in a header, which would make it two."""
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    lines = [f"{method} {target} HTTP/1.1"]
    names = set()
    for name, value in headers.items():
        text = value.decode("iso-8859-1") if isinstance(value, bytes) else value
        if "\n" in text or "\r" in text:
            raise ValueError(f"header {name} holds a line break")
        lines.append(f"{name}: {text}")
        names.add(name.lower())
    if "host" not in names:
        lines.append(f"Host: {url.netloc}")
    if "content-length" not in names and (body or method in {"PUT", "POST"}):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("iso-8859-1")


def _as_botocore_error(error: BaseException, endpoint: str) -> BaseException:
    """Return the exception that botocore raises for this failure."""
    if isinstance(error, TimeoutError):
        return ReadTimeoutError(endpoint_url=endpoint, error=error)
    if isinstance(error, ssl.SSLError):
        return SSLError(endpoint_url=endpoint, error=error)
    if isinstance(error, Malformed):
        return UnusableAnswer(problem=f"what answers at {endpoint} is not AWS: {error}")
    if isinstance(error, ConnectionError):
        return ConnectionClosedError(endpoint_url=endpoint, error=error)
    return HTTPClientError(error=error) if isinstance(error, OSError) else error
