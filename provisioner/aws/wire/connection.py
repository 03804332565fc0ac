"""One HTTP/1.1 connection: a request out, its answer back. httptools (llhttp, the parser of Node.js) reads the answer.

Python's own `http.client` reads headers with the parser of e-mails, which costs more than all the rest of a call to AWS.
"""

from __future__ import annotations

import select
import socket
import ssl
from typing import Final, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

_PIECE: Final = 65536
_MOST_HEAD: Final = 262_144  # bytes of status line and headers


class Broken(ConnectionError):
    """The other side closed the connection, or what it sent is no HTTP."""


class Answer(NamedTuple):
    """One answer. The names of headers are in lower case; of one that comes twice, the values are joined."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """An open connection. *ended*: it cannot be used for another request."""

    def __init__(self, sock: socket.socket | ssl.SSLSocket):
        self._sock = sock
        self.ended = False

    def close(self) -> None:
        """Nothing is sent or read any more."""
        self.ended = True
        self._sock.close()

    @property
    def alive(self) -> bool:
        """Nothing waits to be read: on an idle connection that could only be its end."""
        if self.ended:
            return False
        poll = select.poll()  # select() knows no descriptor above 1023
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def exchange(self, head: bytes, body: bytes, *, bodiless: bool = False) -> Answer:
        """The answer to the request. *bodiless*: it was a HEAD, whose answer has no body whatever its headers say.

        Raises Broken, OSError or ssl.SSLError; after that the connection is of no use.
        """
        self.ended = True  # until the answer is here in full
        self._sock.sendall(head + body)
        reading = _Reading(bodiless=bodiless)
        while not reading.done:
            piece = self._sock.recv(_PIECE)
            if not piece:
                if not reading.ends_with_connection:
                    raise Broken("the connection was closed before the answer's end")
                break
            reading.feed(piece)
        self.ended = not reading.keeps_connection
        return Answer(reading.status, reading.headers, b"".join(reading.body))


class _Reading:
    """An answer as it comes, told by httptools."""

    def __init__(self, *, bodiless: bool):
        self._parser = HttpResponseParser(self)
        self._bodiless = bodiless
        self._fed = 0
        self._headers_done = False
        self._more = False  # something came after the end: not from a server that is asked one thing
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.done = False

    def feed(self, piece: bytes) -> None:
        """The next bytes. Raises Broken where they are no HTTP."""
        self._fed += len(piece)
        if not self._headers_done and self._fed > _MOST_HEAD:
            raise Broken("the answer's headers do not end")
        try:
            self._parser.feed_data(piece)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.done:
                raise Broken(f"the answer is no HTTP/1.1: {error}") from error
            self._more = True

    @property
    def ends_with_connection(self) -> bool:
        """The headers do not say where the body ends."""
        return self._headers_done and not self.headers.keys() & {"content-length", "transfer-encoding"}

    @property
    def keeps_connection(self) -> bool:
        """Another request may be sent."""
        if not self.done or self._more or self._parser.get_http_version() == "1.0":
            return False
        return self.headers.get("connection", "").lower() != "close"

    def on_message_begin(self) -> None:
        """The first byte of an answer."""
        if self.done:
            self._more = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header. Those after the last piece of a body are passed over."""
        if self._headers_done:
            return
        key, text = name.decode("iso-8859-1").lower(), value.decode("iso-8859-1").strip()
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """All headers are there."""
        self._headers_done = True
        self.status = self._parser.get_status_code()
        self.done = self._bodiless and not self._goes_on

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._bodiless:
            self._more = True
        else:
            self.body.append(body)

    def on_message_complete(self) -> None:
        """The answer has ended. One of the kind "still here" is followed by the answer."""
        if self._goes_on:
            self._headers_done, self.headers = False, {}
        else:
            self.done = True

    @property
    def _goes_on(self) -> bool:
        return 100 <= self.status < 200
