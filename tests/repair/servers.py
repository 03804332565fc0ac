"""Servers on this machine that answer as webhooks do, and as they do when they are broken."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hook:
    """A server, and what it received. *stop* ends answers that hang."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def hook(
    status: int = 200, body: bytes = b"ok", *, tls: ssl.SSLContext | None = None, **headers: str
) -> Iterator[Hook]:
    """A server that gives every request the same answer."""
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.received.append(Received(self.path, dict(self.headers), content))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that does not trust it
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def raw(answer: Callable[[socket.socket, Hook], None]) -> Iterator[Hook]:
    """A server that does with each connection what *answer* does."""
    found = Hook()
    listening = socket.create_server(("127.0.0.1", 0))
    found.port = listening.getsockname()[1]

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            answer(connection, found)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield found
    finally:
        found.stop.set()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def hang(connection: socket.socket, found: Hook) -> None:
    """Take everything, and never answer."""
    connection.recv(65536)
    found.stop.wait(30)


def trickle(connection: socket.socket, found: Hook) -> None:
    """Answer one byte of a header now and then, for ever."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not found.stop.wait(0.02):
        connection.sendall(b"a")


def huge(connection: socket.socket, found: Hook) -> None:
    """Answer an error whose body has no end."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 500 Oops\r\n\r\n")
    while not found.stop.is_set():
        connection.sendall(b"x" * 65536)


def not_http(connection: socket.socket, found: Hook) -> None:
    connection.recv(65536)
    connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")


def slam(connection: socket.socket, found: Hook) -> None:
    """Close without an answer."""
    connection.recv(65536)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def proxy(to: int) -> Callable[[socket.socket, Hook], None]:
    """An HTTP proxy that connects everybody with the port *to* of this machine, and notes what it was asked."""

    def answer(connection: socket.socket, found: Hook) -> None:
        asked = connection.recv(65536)
        found.received.append(Received(asked.split()[1].decode(), {}, asked))
        with socket.create_connection(("127.0.0.1", to)) as other:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_copy, args=(other, connection), daemon=True)
            back.start()
            _copy(connection, other)
            back.join(1)

    return answer


def _copy(start: socket.socket, end: socket.socket) -> None:
    with suppress(OSError):
        while data := start.recv(65536):
            end.sendall(data)
        end.shutdown(socket.SHUT_WR)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """The context of a server named `hooks.example.test` and 127.0.0.1, and the file with what signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    names = [x509.DNSName("hooks.example.test"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    bundle, both = folder / "ca.pem", folder / "server.pem"
    bundle.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(secret + bundle.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, bundle
