"""An HTTP/1.1 server with one thread and one `epoll`, as fast as Python allows.

The latency is the same for all answers, so those that wait are a queue. `epoll` counts in milliseconds: an answer comes up
to half of one early or late.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

_TICK: Final = 0.0005
_END: Final = b"\r\n\r\n"
_READ: Final = 65536
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_LENGTH_REQUIRED: Final = b"HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: discard what is unsent, and send RST

# Takes head, head in lower case, and body; returns the answer, or None to reset the connection.
Answer = Callable[[bytes, bytes, bytes], bytes | None]


@dataclass
class Traffic:
    """Requests, bytes and connections. *peak*: the most connections that were open at the same time."""

    requests: int = 0
    received: int = 0
    sent: int = 0
    opened: int = 0
    peak: int = 0


class _Connection:
    """One client. *rest* is an incomplete request, *unsent* the part of an answer that the socket did not take."""

    __slots__ = ("continued", "delay", "handshake", "last", "number", "rest", "socket", "unsent")

    def __init__(self, sock: socket.socket, delay: float, *, handshake: bool):
        self.socket = sock
        self.number = sock.fileno()
        self.delay = delay
        self.handshake = handshake  # the TLS handshake is not complete
        self.rest = b""
        self.unsent = b""
        self.continued = False  # "100 Continue" was sent
        self.last = False  # close it after this answer


class Loop:
    """Serves *listener* and *control* until `stop`. *control* has no latency and no TLS."""

    def __init__(
        self,
        listener: socket.socket,
        control: socket.socket,
        answer: Answer,
        latency: float,
        context: ssl.SSLContext | None,
    ):
        self.traffic = Traffic()
        self._answer = answer
        self._latency = latency
        self._context = context
        self._listeners = {each.fileno(): each for each in (listener, control)}
        self._control = control.fileno()
        self._epoll = select.epoll()
        for number, each in self._listeners.items():
            each.setblocking(False)
            self._epoll.register(number, select.EPOLLIN)
        self._connections: dict[int, _Connection] = {}
        self._due: deque[tuple[float, _Connection, bytes | None]] = deque()
        self._running = True

    def stop(self) -> None:
        """End `run`, within half a second."""
        self._running = False

    def reset(self) -> None:
        """Set the traffic to zero, except for the connections that are open."""
        self.traffic = Traffic(peak=len(self._connections))

    def run(self) -> None:
        """Serve until `stop` is called."""
        while self._running:
            for number, event in self._epoll.poll(self._timeout()):
                if number in self._listeners:
                    self._accept(number)
                elif connection := self._connections.get(number):
                    self._on_event(connection, event)
            self._send_due()
        for each in [*self._connections.values()]:
            self._close(each)
        self._epoll.close()

    def _timeout(self) -> float:
        next_due = self._due[0][0] - monotonic() - _TICK if self._due else 0.5
        return min(max(next_due, 0.0), 0.5)

    def _accept(self, number: int) -> None:
        for _ in range(64):
            try:
                sock, _address = self._listeners[number].accept()
            except (BlockingIOError, ConnectionError):
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            at_control = number == self._control
            context = None if at_control else self._context
            if context:
                sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            delay = 0.0 if at_control else self._latency
            self._connections[sock.fileno()] = _Connection(sock, delay, handshake=context is not None)
            self._epoll.register(sock.fileno(), select.EPOLLIN)
            if not at_control:
                self.traffic.opened += 1
                self.traffic.peak = max(self.traffic.peak, len(self._connections))

    def _on_event(self, connection: _Connection, event: int) -> None:
        try:
            if connection.handshake:
                connection.socket.do_handshake()  # type: ignore[attr-defined]
                connection.handshake = False
            if event & select.EPOLLOUT:
                self._write(connection, b"")
            if event & ~select.EPOLLOUT:
                self._read(connection)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:  # the client went away
            self._close(connection)

    def _read(self, connection: _Connection) -> None:
        data = connection.socket.recv(_READ)
        if not data:
            self._close(connection)
            return
        self.traffic.received += len(data)
        if connection.rest:
            data = connection.rest + data
        connection.rest = self._requests(connection, data)
        if self._context is not None:
            self._read(connection)  # TLS may have buffered more; ends with SSLWantReadError

    def _requests(self, connection: _Connection, data: bytes) -> bytes:
        """Answer every complete request in *data*, and return the rest."""
        while (end := data.find(_END)) >= 0:
            head = data[:end]
            low = head.lower()
            at = low.find(b"\r\ncontent-length:")
            if at < 0 and b"\r\ntransfer-encoding:" in low:
                connection.last = True
                self._write(connection, _LENGTH_REQUIRED)
                return b""
            length = low[at + 17 :].partition(b"\r")[0].strip() if at >= 0 else b""
            size = end + 4 + (int(length) if length.isdigit() else 0)
            if len(data) < size:
                if b"\r\nexpect: 100-continue" in low and not connection.continued:
                    connection.continued = True
                    self._write(connection, _CONTINUE)
                return data
            answer = self._answer(head, low, data[end + 4 : size])
            data = data[size:]
            connection.continued = False
            connection.last = b"\r\nconnection: close" in low
            self.traffic.requests += 1
            if connection.delay:
                self._due.append((monotonic() + connection.delay, connection, answer))
            else:
                self._send(connection, answer)
        return data

    def _send_due(self) -> None:
        due = self._due
        limit = monotonic() + _TICK
        while due and due[0][0] <= limit:
            _, connection, answer = due.popleft()
            self._send(connection, answer)

    def _send(self, connection: _Connection, answer: bytes | None) -> None:
        try:
            if answer is not None:
                self._write(connection, answer)
                return
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        except OSError:  # the client went away
            pass
        self._close(connection)

    def _write(self, connection: _Connection, data: bytes) -> None:
        waiting = connection.unsent
        try:
            sent = connection.socket.send(waiting + data if waiting else data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent = 0
        self.traffic.sent += sent
        if waiting or sent < len(data):
            connection.unsent = (waiting + data)[sent:]
            more = select.EPOLLOUT if connection.unsent else 0
            self._epoll.modify(connection.number, select.EPOLLIN | more)
        if connection.last and not connection.unsent:
            self._close(connection)

    def _close(self, connection: _Connection) -> None:
        if self._connections.get(connection.number) is connection:
            del self._connections[connection.number]
            connection.socket.close()
