"""One HTTP/1.1 connection: a request out, its answer back. As much of RFC 9112 as a client needs that asks one thing at a time.

Python's own `http.client` reads headers with the parser of e-mails, which costs more than all the rest of a call to AWS.
"""

from __future__ import annotations

import select
import socket
import ssl
from typing import Final, NamedTuple

_PIECE: Final = 65536
_MOST_HEAD: Final = 262_144  # bytes of status line and headers
_LINE, _END = b"\r\n", b"\r\n\r\n"


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
        self._rest = (
            b""  # what came after the last answer's end: nothing, from a server that is asked one thing
        )
        self.ended = False

    def close(self) -> None:
        """Nothing is sent or read any more."""
        self.ended = True
        self._sock.close()

    @property
    def alive(self) -> bool:
        """Nothing waits to be read: on an idle connection that could only be its end."""
        if self.ended or self._rest:
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
        status, version, headers = self._head()
        while 100 <= status < 200:  # "still here"; the answer follows
            status, version, headers = self._head()
        keep = headers.get("connection", "").lower() != "close" and version != b"HTTP/1.0"
        if bodiless or status in {204, 304}:
            content = b""
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            content = self._chunks()
        elif "content-length" in headers:
            content = self._exactly(_number(headers["content-length"].encode(), 10))
        else:
            content, keep = self._all(), False
        self.ended = not keep
        return Answer(status, headers, content)

    def _head(self) -> tuple[int, bytes, dict[str, str]]:
        """Status, version and headers of the next answer."""
        while (end := self._rest.find(_END)) < 0:
            if len(self._rest) > _MOST_HEAD:
                raise Broken("the answer's headers do not end")
            self._rest += self._more()
        first, *lines = self._rest[:end].split(_LINE)
        self._rest = self._rest[end + 4 :]
        version, _, after = first.partition(b" ")
        if not version.startswith(b"HTTP/1."):
            raise Broken("the answer is no HTTP/1.1")
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.decode("iso-8859-1").partition(":")
            if not colon:
                raise Broken("a line among the answer's headers is none")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return _number(after[:3], 10), version, headers

    def _chunks(self) -> bytes:
        """A body that comes in pieces, each after its length; and what comes after the last is passed over."""
        pieces: list[bytes] = []
        while length := _number(self._line().partition(b";")[0], 16):
            pieces.append(self._exactly(length))
            if self._line():
                raise Broken("a piece of the answer is longer than it says")
        while self._line():
            pass
        return b"".join(pieces)

    def _line(self) -> bytes:
        while (end := self._rest.find(_LINE)) < 0:
            if len(self._rest) > _MOST_HEAD:
                raise Broken("a line of the answer does not end")
            self._rest += self._more()
        line, self._rest = self._rest[:end], self._rest[end + 2 :]
        return line

    def _exactly(self, length: int) -> bytes:
        if len(self._rest) >= length:
            found, self._rest = self._rest[:length], self._rest[length:]
            return found
        pieces, missing = [self._rest], length - len(self._rest)
        self._rest = b""
        while missing > 0:
            piece = self._more()
            pieces.append(piece[:missing])
            self._rest = piece[missing:]
            missing -= len(piece)
        return b"".join(pieces)

    def _all(self) -> bytes:
        """A body that ends with the connection."""
        pieces, self._rest = [self._rest], b""
        while piece := self._sock.recv(_PIECE):
            pieces.append(piece)
        return b"".join(pieces)

    def _more(self) -> bytes:
        piece = self._sock.recv(_PIECE)
        if not piece:
            raise Broken("the connection was closed before the answer's end")
        return piece


def _number(text: bytes, base: int) -> int:
    """A number of digits only; Python would take `+1` and `1_0` too."""
    clean = text.strip()
    if not clean.isalnum():
        raise Broken("a number in the answer is none")
    try:
        return int(clean, base)
    except ValueError:
        raise Broken("a number in the answer is none") from None
