"""How a signed request gets to AWS and its answer back: kept connections, and one TLS context for all of them.

The stock way reads 126 root certificates anew for each connection that it opens, for 17 ms of CPU each (botocore #3171,
urllib3 #3623, cpython #95031). botocore's documented `before-send` event lets us send the request ourselves. Where a
proxy is set, or the body is a stream, the stock way is taken.
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
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

Connection = http.client.HTTPConnection
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
        if self._by_proxy(url) or not isinstance(body, bytes | str | None):
            return None
        connection = self._connection(url, request)
        try:
            answer = _exchange(connection, request, url, body)
        except BaseException as error:
            connection.close()
            raise _told(error, request) from error
        if not connection.sock:
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

    def _by_proxy(self, url: SplitResult) -> bool:
        if url.netloc not in self._stock:
            self._stock[url.netloc] = bool(get_environ_proxies(f"{url.scheme}://{url.netloc}/"))
        return self._stock[url.netloc]

    def _connection(self, url: SplitResult, request: AWSPreparedRequest) -> Connection:
        """An idle connection that the other side has not closed, or a new one."""
        while True:
            with self._lock:
                idle = self._idle[url.scheme, url.netloc]
                connection = idle.pop() if idle else None
                self._count -= connection is not None
            if connection is None:
                return self._open(url, request)
            if _alive(connection):
                return connection
            connection.close()

    def _open(self, url: SplitResult, request: AWSPreparedRequest) -> Connection:
        host = url.hostname or ""
        connection: Connection
        if url.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, url.port, timeout=self._connect, context=self._tls()
            )
        else:
            connection = http.client.HTTPConnection(host, url.port, timeout=self._connect)
        try:
            connection.connect()
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=request.url, error=error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=request.url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=request.url, error=error) from error
        connection.sock.settimeout(self._read)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

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


def _exchange(
    connection: Connection, request: AWSPreparedRequest, url: SplitResult, body: bytes | str | None
) -> AWSResponse:
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    names = {name.lower() for name in request.headers}
    connection.putrequest(request.method, target, skip_host="host" in names, skip_accept_encoding=True)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    data = body.encode() if isinstance(body, str) else body
    if "content-length" not in names and (data or request.method in {"PUT", "POST"}):
        connection.putheader("Content-Length", str(len(data or b"")))
    connection.endheaders(data)
    response = connection.getresponse()
    content = response.read()
    if response.will_close:
        connection.close()
    headers: Any = dict(response.getheaders())
    return AWSResponse(request.url, response.status, headers, _Body(content))


def _alive(connection: Connection) -> bool:
    """Nothing waits to be read: on an idle connection that could only be its end."""
    if connection.sock is None:
        return False
    poll = select.poll()  # select() knows no descriptor above 1023
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)


def _told(error: BaseException, request: AWSPreparedRequest) -> BaseException:
    """The failure as botocore names it."""
    if isinstance(error, TimeoutError):
        return ReadTimeoutError(endpoint_url=request.url, error=error)
    if isinstance(error, ssl.SSLError):
        return SSLError(endpoint_url=request.url, error=error)
    if isinstance(error, http.client.HTTPException | ConnectionError):
        return ConnectionClosedError(endpoint_url=request.url, error=error, request=request)
    return HTTPClientError(error=error) if isinstance(error, OSError) else error
