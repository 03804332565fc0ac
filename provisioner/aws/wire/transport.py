"""How a signed request gets to AWS and its answer back: kept connections, and one TLS context for all of them.

The stock way reads 126 root certificates anew for each connection that it opens, for 17 ms of CPU each (botocore #3171,
urllib3 #3623, cpython #95031). botocore's documented `before-send` event lets us send the request ourselves. Where a
proxy is set, or the body is a stream, the stock way is taken.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
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

from .connection import Answer, Connection

_KEPT = 64  # idle connections to one host
_IDLE = (
    300  # to all hosts together: with those at work, well below the 1,024 files that a process may have open
)


class Transport:
    """Sends prepared requests. *connect* and *read* are seconds; *ca_bundle* is a file or folder of certificates.

    At most *idle* connections are kept open without work; those used longest ago are closed first.

    Raises what botocore's own session raises, so that a failure means the same whichever way was taken.
    """

    def __init__(self, *, connect: float, read: float, ca_bundle: str | None = None, idle: int = _IDLE):
        self._most = idle
        self._connect, self._read = connect, read
        self._ca_bundle = ca_bundle
        self._context: ssl.SSLContext | None = None
        self._idle: dict[tuple[str, str], list[Connection]] = defaultdict(
            list
        )  # the host used longest ago first
        self._count = 0  # of them all
        self._stock: dict[str, bool] = {}
        self._lock = threading.Lock()

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        """The answer, or None where the stock way is to be taken."""
        url = urlsplit(request.url)
        body = request.body
        if self.by_proxy(url) or not isinstance(body, bytes | str | None):
            return None
        data = body.encode() if isinstance(body, str) else body or b""
        headers = {name: value for name, value in request.headers.items()}  # noqa: C416 - of several forms
        answer = self.send(request.method, url, headers, data)
        found: Any = answer.headers
        return AWSResponse(request.url, answer.status, found, _Body(answer.body))

    def send(self, method: str, url: SplitResult, headers: Mapping[str, str | bytes], body: bytes) -> Answer:
        """The answer to a request that is signed already, over a kept connection or a new one."""
        connection = self._connection(url)
        try:
            answer = connection.exchange(_head(method, url, headers, body), body, bodiless=method == "HEAD")
        except BaseException as error:
            connection.close()
            raise _told(error, url.geturl()) from error
        if connection.ended:
            connection.close()
        else:
            self._keep(url, connection)
        return answer

    def close(self) -> None:
        """No connection is kept."""
        with self._lock:
            for each in self._idle.values():
                for connection in each:
                    connection.close()
            self._idle.clear()
            self._count = 0

    def by_proxy(self, url: SplitResult) -> bool:
        """The host is reached through a proxy, which botocore's own way knows."""
        if url.netloc not in self._stock:
            self._stock[url.netloc] = bool(get_environ_proxies(f"{url.scheme}://{url.netloc}/"))
        return self._stock[url.netloc]

    def _connection(self, url: SplitResult) -> Connection:
        """An idle connection that the other side has not closed, or a new one."""
        while True:
            with self._lock:
                idle = self._idle[url.scheme, url.netloc]
                connection = idle.pop() if idle else None
                self._count -= connection is not None
            if connection is None:
                return self._open(url)
            if connection.alive:
                return connection
            connection.close()

    def _open(self, url: SplitResult) -> Connection:
        host = url.hostname or ""
        port = url.port or (443 if url.scheme == "https" else 80)
        endpoint = url.geturl()
        sock: socket.socket | None = None
        try:
            sock = socket.create_connection((host, port), self._connect)
            if url.scheme == "https":
                sock = self._tls().wrap_socket(sock, server_hostname=host)
        except OSError as error:
            if sock is not None:
                sock.close()
            if isinstance(error, ssl.SSLError):
                raise SSLError(endpoint_url=endpoint, error=error) from error
            if isinstance(error, TimeoutError):
                raise ConnectTimeoutError(endpoint_url=endpoint, error=error) from error
            raise EndpointConnectionError(endpoint_url=endpoint, error=error) from error
        sock.settimeout(self._read)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Connection(sock)

    def _tls(self) -> ssl.SSLContext:
        """The context, with the certificates read once."""
        with self._lock:
            if self._context is None:
                bundle = self._ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or get_cert_path(verify=True)
                path = Path(str(bundle))
                context = ssl.create_default_context(
                    cafile=None if path.is_dir() else str(path), capath=str(path) if path.is_dir() else None
                )
                # The stock context is not that strict, and private CAs often are not either.
                context.verify_flags &= ~ssl.VERIFY_X509_STRICT
                self._context = context
            return self._context

    def _keep(self, url: SplitResult, connection: Connection) -> None:
        host = (url.scheme, url.netloc)
        with self._lock:
            idle = self._idle.pop(host, [])  # to the end: it was used last
            self._idle[host] = idle
            idle.append(connection)
            self._count += 1
            old = idle.pop(0) if len(idle) > _KEPT else self._oldest() if self._count > self._most else None
            self._count -= old is not None
        if old is not None:
            old.close()

    def _oldest(self) -> Connection:
        """The connection that was used longest ago, taken out."""
        host = next(host for host, idle in self._idle.items() if idle)
        connection = self._idle[host].pop(0)
        if not self._idle[host]:
            del self._idle[host]
        return connection


class _Body:
    """An answer's body as botocore reads it."""

    def __init__(self, data: bytes):
        self._data = data

    def stream(self) -> Iterator[bytes]:
        """All of it, at once."""
        yield self._data


def _head(method: str, url: SplitResult, headers: Mapping[str, str | bytes], body: bytes) -> bytes:
    """Request line and headers. Raises ValueError for a header that would be two."""
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


def _told(error: BaseException, endpoint: str) -> BaseException:
    """The failure as botocore names it."""
    if isinstance(error, TimeoutError):
        return ReadTimeoutError(endpoint_url=endpoint, error=error)
    if isinstance(error, ssl.SSLError):
        return SSLError(endpoint_url=endpoint, error=error)
    if isinstance(error, ConnectionError):
        return ConnectionClosedError(endpoint_url=endpoint, error=error)
    return HTTPClientError(error=error) if isinstance(error, OSError) else error
