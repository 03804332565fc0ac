"""Our own way to AWS's sockets: the same answers and the same errors as botocore's, and each certificate read once."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
import time
from collections.abc import Callable, Iterator
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

from provisioner.aws.cloud import Cloud, Options
from provisioner.aws.wire.transport import Transport
from provisioner.model import Target
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was sent, or misbehaves as the path says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.connections.add(self.client_address)  # type: ignore[attr-defined]
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
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.go_on.set()  # type: ignore[attr-defined]
    made.shutdown()
    made.server_close()


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(connect=5, read=5)
    yield made
    made.close()


def request(
    server: ThreadingHTTPServer, path: str = "/", method: str = "GET", body: Any = None, **given: str
) -> AWSPreparedRequest:
    scheme = given.get("scheme", "http")
    url = f"{scheme}://localhost:{server.server_address[1]}{path}"
    return AWSRequest(method=method, url=url, data=body, headers={"X-Amz-Date": "now"}).prepare()


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
def test_a_request_goes_out_as_it_was_signed(
    server: Any, transport: Transport, method: str, path: str, body: Any, expected: bytes
) -> None:
    answer = transport(request(server, path, method, body))
    assert answer is not None
    assert answer.content == expected
    assert answer.status_code == (404 if path == "/404" else 200)
    assert answer.headers["x-host"] == f"localhost:{server.server_address[1]}"


def test_a_connection_is_used_again_unless_the_other_side_ends_it(server: Any, transport: Transport) -> None:
    for _ in range(5):
        transport(request(server))
    assert len(server.connections) == 1
    transport(request(server, "/last"))
    transport(request(server))
    assert len(server.connections) == 2


def test_a_connection_that_was_closed_while_idle_is_not_used(server: Any, transport: Transport) -> None:
    transport(request(server))
    [[connection]] = [idle for idle in transport._idle.values() if idle]
    connection._sock.shutdown(2)
    answer = transport(request(server))
    assert answer is not None
    assert answer.status_code == 200
    assert len(server.connections) == 2


def test_many_threads(server: Any, transport: Transport) -> None:
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
    transport = Transport(connect=5, read=5, idle=2)
    port = server.server_address[1]
    hosts = [f"http://127.0.0.{last}:{port}" for last in (1, 2, 3, 4)]
    listening = [ThreadingHTTPServer((f"127.0.0.{last}", port), Handler) for last in (2, 3, 4)]
    try:
        for each in listening:
            each.daemon_threads, each.connections = True, set()  # type: ignore[attr-defined]
            threading.Thread(target=each.serve_forever, daemon=True).start()
        for host in hosts:
            transport(AWSRequest(method="GET", url=f"{host}/").prepare())
        open_to = {host for (_, host), idle in transport._idle.items() if idle}
        assert open_to == {f"127.0.0.3:{port}", f"127.0.0.4:{port}"}, "those used last"
        transport(AWSRequest(method="GET", url=f"{hosts[0]}/").prepare())
        assert sum(map(len, transport._idle.values())) == 2
    finally:
        transport.close()
        for each in listening:
            each.shutdown()
            each.server_close()


def test_failures_have_botocores_names(server: Any, transport: Transport) -> None:
    with pytest.raises(ConnectionClosedError):
        transport(request(server, "/cut"))
    impatient = Transport(connect=5, read=0.2)
    with pytest.raises(ReadTimeoutError):
        impatient(request(server, "/stall"))
    with pytest.raises(SSLError):
        transport(request(server, scheme="https"))
    port = server.server_address[1]
    server.shutdown()
    server.server_close()
    with pytest.raises(EndpointConnectionError, match=str(port)):
        Transport(connect=5, read=5)(request(server))


def test_a_host_that_does_not_answer_is_a_connect_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    listener.server_bind()
    listener.socket.listen(0)
    filled = Transport(connect=0.2, read=0.2)
    # The backlog takes a connection or two before it is full.
    with pytest.raises((ConnectTimeoutError, ReadTimeoutError)):
        filled(request(listener))
    listener.server_close()


def test_where_a_proxy_is_set_the_stock_way_is_taken(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert Transport(connect=1, read=1)(request(server)) is None
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert Transport(connect=1, read=1)(request(server)) is not None


def certificate(folder: Path, name: str) -> Path:
    """A certificate for `localhost` that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
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
def test_a_private_ca_is_believed_where_it_is_named(
    tls: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    server, path = tls
    if given == "environment":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    bundle = str(path) if given == "option" else None
    transport = Transport(connect=5, read=5, ca_bundle=bundle)
    answer = transport(request(server, scheme="https"))
    assert answer is not None
    assert answer.status_code == 200


def test_another_certificate_is_not_believed(tls: tuple[Any, Path], tmp_path: Path) -> None:
    server, _ = tls
    for bundle in (None, str(certificate(tmp_path, "other"))):
        with pytest.raises(SSLError):
            Transport(connect=5, read=5, ca_bundle=bundle)(request(server, scheme="https"))


def test_certificates_are_read_once_for_all_connections(
    tls: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, path = tls
    transport = Transport(connect=5, read=5, ca_bundle=str(path))
    contexts = set()
    for _ in range(4):
        transport(request(server, "/last", scheme="https"))
        contexts.add(id(transport._context))
    assert len(server.connections) == 4
    assert len(contexts) == 1


ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("sts", "get_caller_identity", {}),
    ("iam", "list_account_aliases", {}),
    ("iam", "get_account_password_policy", {}),
    ("cloudtrail", "describe_trails", {}),
    ("config", "describe_config_rules", {}),
    ("organizations", "describe_organization", {}),
    ("organizations", "list_accounts", {}),
    ("s3", "head_bucket", {"Bucket": "one-bucket", "ExpectedBucketOwner": "123456789012"}),
    ("s3", "get_bucket_encryption", {"Bucket": "one-bucket", "ExpectedBucketOwner": "123456789012"}),
    ("s3", "get_bucket_policy", {"Bucket": "no-bucket", "ExpectedBucketOwner": "123456789012"}),
]


def outcome(cloud: Cloud, service: str, operation: str, params: dict[str, Any]) -> Any:
    try:
        answer = cloud.read(Target("123456789012", "us-east-1"), service, "us-east-1", operation, params)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must be the same both ways
        return type(error).__name__, str(error)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_answers_and_errors_are_those_of_the_stock_way() -> None:
    with open_sandbox(None) as world, serving(world, host="127.0.0.1", port=0, latency=0.0) as door:
        ways = [
            Cloud(Options(endpoint_url=door.url, own_connections=own_connections))
            for own_connections in (False, True)
        ]
        maker: Callable[..., Any] = ways[0].write
        maker(
            Target("123456789012", "us-east-1"),
            "s3",
            "us-east-1",
            "create_bucket",
            {"Bucket": "one-bucket"},
            (),
        )
        for service, operation, params in ASKED:
            stock, ours = (outcome(way, service, operation, params) for way in ways)
            assert ours == stock
        started = time.monotonic()
        for way in ways:
            way.close()
        assert time.monotonic() - started < 10
