"""HTTP/1.1 on one core, as fast as Python goes: no threads, one `epoll`, and answers that are bytes already.

Every answer is as late as the next, so those that wait are a queue. The kernel's clock ticks in milliseconds: an answer
comes up to half of one early or late.
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
_GO_ON: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_NO_CHUNKS: Final = b"HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_RESET: Final = struct.pack(
    "ii", 1, 0
)  # SO_LINGER: what is unsent is thrown away, and the other side is told

Answering = Callable[
    [bytes, bytes, bytes], bytes | None
]  # head, the same in lower case, body; None breaks off


@dataclass
class Traffic:
    """What went over the wire. *peak* is the most connections that were open at the same time."""

    requests: int = 0
    received: int = 0
    sent: int = 0
    opened: int = 0
    peak: int = 0


class _Connection:
    """One client. *rest* is a request that is not whole yet, *unsent* what the socket did not take."""

    __slots__ = ("delay", "greeting", "last", "number", "rest", "socket", "told", "unsent")

    def __init__(self, sock: socket.socket, delay: float, *, greeting: bool):
        self.socket = sock
        self.number = sock.fileno()
        self.delay = delay
        self.greeting = greeting  # TLS's handshake is under way
        self.rest = b""
        self.unsent = b""
        self.told = False  # that it may send the body
        self.last = False  # it ends with the answer that is under way


class Loop:
    """Serves *listener* and *control* until `stop`. At *control*, there is no latency and no TLS."""

    def __init__(
        self,
        listener: socket.socket,
        control: socket.socket,
        answering: Answering,
        latency: float,
        context: ssl.SSLContext | None,
    ):
        self.traffic = Traffic()
        self._answering = answering
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
        """Serve no more, from the next half second on."""
        self._running = False

    def begin_anew(self) -> None:
        """Nothing is counted yet but the connections that are open."""
        self.traffic = Traffic(peak=len(self._connections))

    def run(self) -> None:
        """Serve."""
        while self._running:
            for number, event in self._epoll.poll(self._patience()):
                if number in self._listeners:
                    self._accept(number)
                elif connection := self._connections.get(number):
                    self._happened(connection, event)
            self._send_due()
        for each in [*self._connections.values()]:
            self._close(each)
        self._epoll.close()

    def _patience(self) -> float:
        if not self._due:
            return 0.5
        return min(max(self._due[0][0] - monotonic() - _TICK, 0.0), 0.5)

    def _accept(self, number: int) -> None:
        for _ in range(64):
            try:
                sock, _address = self._listeners[number].accept()
            except (BlockingIOError, ConnectionError):
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure = self._context is not None and number != self._control
            if secure and self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            delay = 0.0 if number == self._control else self._latency
            self._connections[sock.fileno()] = _Connection(sock, delay, greeting=secure)
            self._epoll.register(sock.fileno(), select.EPOLLIN)
            if number != self._control:
                self.traffic.opened += 1
                self.traffic.peak = max(self.traffic.peak, len(self._connections))

    def _happened(self, connection: _Connection, event: int) -> None:
        try:
            if connection.greeting:
                connection.socket.do_handshake()  # type: ignore[attr-defined]
                connection.greeting = False
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
            self._read(connection)  # TLS may hold more than the socket shows; ends with SSLWantReadError

    def _requests(self, connection: _Connection, data: bytes) -> bytes:
        """Answer every whole request in *data*; what is left is returned."""
        while (end := data.find(_END)) >= 0:
            head = data[:end]
            low = head.lower()
            at = low.find(b"\r\ncontent-length:")
            if at < 0 and b"\r\ntransfer-encoding:" in low:
                connection.last = True
                self._write(connection, _NO_CHUNKS)
                return b""
            said = low[at + 17 :].partition(b"\r")[0].strip() if at >= 0 else b""
            size = int(said) if said.isdigit() else 0
            whole = end + 4 + size
            if len(data) < whole:
                if b"\r\nexpect: 100-continue" in low and not connection.told:
                    connection.told = True
                    self._write(connection, _GO_ON)
                return data
            answer = self._answering(head, low, data[end + 4 : whole])
            data = data[whole:]
            connection.told = False
            connection.last = b"\r\nconnection: close" in low
            self.traffic.requests += 1
            if connection.delay:
                self._due.append((monotonic() + connection.delay, connection, answer))
            else:
                self._give(connection, answer)
        return data

    def _send_due(self) -> None:
        due = self._due
        limit = monotonic() + _TICK
        while due and due[0][0] <= limit:
            _, connection, answer = due.popleft()
            self._give(connection, answer)

    def _give(self, connection: _Connection, answer: bytes | None) -> None:
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
