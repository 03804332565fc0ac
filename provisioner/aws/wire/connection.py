"""An HTTP/1.1 client connection, which parses responses with httptools (llhttp, the parser of Node.js).

Python's own `http.client` parses headers as e-mail headers, which takes more CPU time than the rest of a call to AWS.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from typing import Final, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from ..options import Limits

_CHUNK: Final = 65536  # bytes
_MAX_HEAD: Final = 262_144  # bytes of status line and headers, those of interim responses included


class Broken(ConnectionError):
    """The server closed the connection early."""


class Malformed(Broken):
    """The response is not HTTP, or too large."""


class Response(NamedTuple):
    """One response. Header names are in lower case; the values of a repeated header are joined with a comma."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """An open connection. *ended* is true when it cannot be used for another request."""

    def __init__(self, sock: socket.socket | ssl.SSLSocket, limits: Limits):
        self._sock, self._limits = sock, limits
        self.ended = False
        self.idle_since = 0.0  # on its user's clock
        self.reused = False  # it has carried a request before this one

    def close(self) -> None:
        """Close the socket."""
        self.ended = True
        self._sock.close()

    @property
    def alive(self) -> bool:
        """Whether an idle connection is still open: the server sends nothing on one but its end."""
        if self.ended:
            return False
        poll = select.poll()  # select() knows no descriptor above 1023
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def exchange(self, head: bytes, body: bytes, *, is_head: bool = False, writes: bool = True) -> Response:
        """Send a request, and return its response. *is_head*: the response to HEAD has no body, whatever its headers say.

        *writes*: the request can change AWS, so that it has more time.

        Raises Broken, Malformed, TimeoutError, OSError or ssl.SSLError; the connection cannot be used after that.
        """
        self.ended = True  # until the whole response is read
        silence, total = self._limits.silence(writes=writes), self._limits.total(writes=writes)
        end = time.monotonic() + total
        self._sock.settimeout(min(silence, total))
        self._sock.sendall(head + body)
        parser = _ResponseParser(is_head=is_head, most=self._limits.answer)
        while not parser.done:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"the answer was not complete after {total:g} s")
            self._sock.settimeout(min(silence, left))
            chunk = self._sock.recv(_CHUNK)
            if not chunk:
                if not parser.ends_with_connection:
                    raise Broken("the connection was closed before the answer's end")
                break
            parser.feed(chunk)
        self.ended = not parser.keeps_connection
        return Response(parser.status, parser.headers, b"".join(parser.body))


class _ResponseParser:
    """Parses one response as it arrives. httptools calls the methods `on_…`."""

    def __init__(self, *, is_head: bool, most: int):
        self._parser = HttpResponseParser(self)
        self._is_head, self._most = is_head, most
        self._size = 0
        self._headers_done = False
        self._excess = False  # bytes came after the end of the response
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.done = False

    def feed(self, chunk: bytes) -> None:
        """Parse the next bytes. Raises Broken where they are not HTTP."""
        self._size += len(chunk)
        if not self._headers_done and self._size > _MAX_HEAD:
            raise Malformed("the answer's headers do not end")
        if self._size > self._most:
            self.body.clear()  # else the error would hold it for as long as the run
            raise Malformed(f"the answer is larger than {self._most:,} bytes")
        try:
            self._parser.feed_data(chunk)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.done:
                raise Malformed(f"the answer is no HTTP/1.1: {error}") from error
            self._excess = True

    @property
    def ends_with_connection(self) -> bool:
        """Whether the body ends where the server closes the connection, as no header gives its length."""
        return self._headers_done and not self.headers.keys() & {"content-length", "transfer-encoding"}

    @property
    def keeps_connection(self) -> bool:
        """Whether another request may be sent on the connection."""
        if not self.done or self._excess or self._parser.get_http_version() == "1.0":
            return False
        return self.headers.get("connection", "").lower() != "close"

    def on_message_begin(self) -> None:
        """The first byte of a response."""
        if self.done:
            self._excess = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header. Trailers, which follow a chunked body, are ignored."""
        if self._headers_done:
            return
        key, text = name.decode("iso-8859-1").lower(), value.decode("iso-8859-1").strip()
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """The end of the headers."""
        self._headers_done = True
        self.status = self._parser.get_status_code()
        self.done = self._is_head and not self._interim

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._is_head:
            self._excess = True
        else:
            self.body.append(body)

    def on_message_complete(self) -> None:
        """The end of the response, or of an interim one (1xx), which the response follows."""
        if self._interim:
            self._headers_done, self.headers = False, {}
        else:
            self.done = True

    @property
    def _interim(self) -> bool:
        return 100 <= self.status < 200
