"""Tests of the transport: kept connections, proxies, certificates, and botocore's exceptions."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from provisioner.aws.options import Limits
from provisioner.aws.wire.transport import Transport

FIVE = Limits(connect=5, read=5)  # seconds
POLL = 0.01  # seconds after which a server sees that it is to end


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was sent, or misbehaves as the path says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.connections.add(self.client_address)  # type: ignore[attr-defined]
        if self.path == "/together":
            self.server.together.wait(20)  # type: ignore[attr-defined]
        if self.path == "/stall":
            self.server.go_on.wait(20)  # type: ignore[attr-defined]
        if self.path in {"/cut", "/stall"}:
            self.close_connection = True
            return
        data = b"" if self.command == "HEAD" else f"{self.command} {self.path} ".encode() + body
        self.send_response(404 if self.path == "/404" else 200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Host", self.headers["Host"])
        if self.path == "/last":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_HEAD = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    made.connections = set()  # type: ignore[attr-defined]
    made.go_on = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=made.serve_forever, args=(POLL,), daemon=True).start()
    yield made
    made.go_on.set()  # type: ignore[attr-defined]
    made.shutdown()
    made.server_close()


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(FIVE)
    yield made
    made.close()


def request(
    server: ThreadingHTTPServer, path: str = "/", method: str = "GET", body: Any = None, **given: str
) -> AWSPreparedRequest:
    scheme = given.get("scheme", "http")
    url = f"{scheme}://localhost:{server.server_address[1]}{path}"
    return prepared(AWSRequest(method=method, url=url, data=body, headers={"X-Amz-Date": "now"}))


def prepared(request: AWSRequest) -> AWSPreparedRequest:
    """A request of a read, as our clients mark it."""
    made: Any = request.prepare()
    made.writes = False
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/a?b=c%2Fd", None, b"GET /a?b=c%2Fd "),
        ("POST", "/", b"{}", b"POST / {}"),
        ("PUT", "/bucket?policy", "text", b"PUT /bucket?policy text"),
        ("PUT", "/bucket", None, b"PUT /bucket "),
        ("HEAD", "/bucket", None, b""),
        ("GET", "/404", None, b"GET /404 "),
    ],
)
def test_a_request_is_sent_as_it_was_signed(
    server: Any, transport: Transport, method: str, path: str, body: Any, expected: bytes
) -> None:
    answer = transport(request(server, path, method, body))
    assert answer is not None
    assert answer.content == expected
    assert answer.status_code == (404 if path == "/404" else 200)
    assert answer.headers["x-host"] == f"localhost:{server.server_address[1]}"


def test_a_connection_is_reused_unless_the_server_closes_it(server: Any, transport: Transport) -> None:
    for _ in range(5):
        transport(request(server))
    assert len(server.connections) == 1
    transport(request(server, "/last"))
    transport(request(server))
    assert len(server.connections) == 2


def test_a_connection_that_closed_while_idle_is_not_reused(server: Any, transport: Transport) -> None:
    transport(request(server))
    [(_, connection)] = transport._idle
    connection._sock.shutdown(2)
    answer = transport(request(server))
    assert answer is not None
    assert answer.status_code == 200
    assert len(server.connections) == 2


def test_a_connection_that_was_idle_for_long_is_closed_and_not_reused(server: Any) -> None:
    now = [0.0]
    transport = Transport(FIVE, now=lambda: now[0])
    transport(request(server))
    [(_, old)] = transport._idle
    now[0] = 29.0
    transport(request(server))
    assert len(server.connections) == 1
    now[0] = 59.0
    transport(request(server))
    assert len(server.connections) == 2
    assert old.ended
    transport.close()


def test_after_a_timeout_no_idle_connection_to_the_host_is_reused(server: Any) -> None:
    """What is between us and AWS has forgotten them all, and drops what is sent on them."""
    transport = Transport(Limits(connect=5, read=0.1, write=20))
    together = threading.Barrier(3)

    def ask() -> None:
        asked: Any = request(server, "/together")
        asked.writes = True  # they have the time to wait for each other
        together.wait(20)
        transport(asked)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    server.together = threading.Barrier(3)
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(transport._idle) == 3
    with pytest.raises(ReadTimeoutError):
        transport(request(server, "/stall"))
    assert transport._idle == []
    transport.close()


def test_connections_are_kept_alive(server: Any, transport: Transport) -> None:
    transport(request(server))
    [(_, connection)] = transport._idle
    assert connection._sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


def test_threads_share_a_transport(server: Any, transport: Transport) -> None:
    wrong: list[str] = []

    def ask(name: str) -> None:
        for n in range(20):
            answer = transport(request(server, f"/{name}/{n}"))
            if answer is None or answer.content != f"GET /{name}/{n} ".encode():
                wrong.append(name)

    threads = [threading.Thread(target=ask, args=(str(n),)) for n in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    assert len(server.connections) <= 320


def test_idle_connections_are_bounded_over_all_hosts(server: Any) -> None:
    transport = Transport(FIVE, idle=2)
    port = server.server_address[1]
    hosts = [f"http://127.0.0.{last}:{port}" for last in (1, 2, 3, 4)]
    listening = [ThreadingHTTPServer((f"127.0.0.{last}", port), Handler) for last in (2, 3, 4)]
    try:
        for each in listening:
            each.daemon_threads, each.connections = True, set()  # type: ignore[attr-defined]
            threading.Thread(target=each.serve_forever, args=(POLL,), daemon=True).start()
        for host in hosts:
            transport(prepared(AWSRequest(method="GET", url=f"{host}/")))
        hosts_kept = {host for (_, host), _ in transport._idle}
        assert hosts_kept == {f"127.0.0.3:{port}", f"127.0.0.4:{port}"}, "the most recently used"
        transport(prepared(AWSRequest(method="GET", url=f"{hosts[0]}/")))
        assert len(transport._idle) == 2
    finally:
        transport.close()
        for each in listening:
            each.shutdown()
            each.server_close()


def test_failures_raise_botocores_exceptions(server: Any, transport: Transport) -> None:
    with pytest.raises(ConnectionClosedError):
        transport(request(server, "/cut"))
    with pytest.raises(ReadTimeoutError):
        Transport(Limits(connect=5, read=0.1))(request(server, "/stall"))
    with pytest.raises(SSLError):
        transport(request(server, scheme="https"))
    port = server.server_address[1]
    server.shutdown()
    server.server_close()
    with pytest.raises(EndpointConnectionError, match=str(port)):
        Transport(FIVE)(request(server))


def test_a_host_that_does_not_answer_is_a_connect_timeout() -> None:
    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    listener.server_bind()
    listener.socket.listen(0)
    # The backlog takes a connection or two before it is full.
    with pytest.raises((ConnectTimeoutError, ReadTimeoutError)):
        Transport(Limits(connect=0.1, read=0.1))(request(listener))
    listener.server_close()


def test_requests_through_a_proxy_are_left_to_botocore(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert Transport(FIVE)(request(server)) is None
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert Transport(FIVE)(request(server)) is not None


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate for `localhost`, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(server: Any, tmp_path: Path) -> tuple[Any, Path]:
    path = certificate(tmp_path, "private")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server, path


@pytest.mark.parametrize("given", ["option", "environment"])
def test_a_private_ca_is_trusted_where_it_is_configured(
    tls: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    server, path = tls
    if given == "environment":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    bundle = str(path) if given == "option" else None
    transport = Transport(FIVE, ca_bundle=bundle)
    answer = transport(request(server, scheme="https"))
    assert answer is not None
    assert answer.status_code == 200


def test_another_certificate_is_not_trusted(tls: tuple[Any, Path], tmp_path: Path) -> None:
    server, _ = tls
    for bundle in (None, str(certificate(tmp_path, "other"))):
        with pytest.raises(SSLError):
            Transport(FIVE, ca_bundle=bundle)(request(server, scheme="https"))


def test_certificates_are_read_once_for_all_connections(
    tls: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, path = tls
    transport = Transport(FIVE, ca_bundle=str(path))
    contexts = set()
    for _ in range(4):
        transport(request(server, "/last", scheme="https"))
        contexts.add(id(transport._context))
    assert len(server.connections) == 4
    assert len(contexts) == 1
