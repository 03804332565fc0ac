"""Tests that every answer is bounded, in bytes, time and pages, and that one that is not AWS's fails its step only.

The servers are real sockets; each connection is one request.
"""

from __future__ import annotations

import gc
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ConnectionClosedError, ReadTimeoutError

from provisioner.aws import Incomplete, Options, Reading, Waiting, clients, describe, silence
from provisioner.aws import cloud as cloud_module
from provisioner.aws.cloud import Cloud
from provisioner.aws.errors import ClientError, OutcomeUnknown, UnusableAnswer, status_of
from provisioner.aws.options import Limits, Tally
from provisioner.aws.wire import transport
from provisioner.cli import run
from provisioner.model import Call, Target
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.model import Response
from provisioner.sandbox.serve import serving
from provisioner.sandbox.world import World

from ..conftest import EXAMPLE, FakeClock

HERE = Target("123456789012", "us-east-1")
Answer = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\n"
# Own connections with own signatures, own connections, botocore's, and botocore's through a proxy.
PATHS = ["signatures", "own", "stock", "proxy"]
ANSWER = 300_000  # bytes
SHORT = Limits(read=0.05, write=0.05, answer=ANSWER)  # for what is never answered
LONG = Limits(answer=ANSWER)  # for what is answered at once


class Server:
    """Answers each request as *answer* does, until the client closes its connection."""

    def __init__(self, answer: Answer):
        self.answer, self.requests = answer, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError), sock, sock.makefile("rb") as stream:
            while head := b"".join(takewhile(lambda line: line.strip(), iter(stream.readline, b""))):
                length = re.search(rb"(?i)content-length: *(\d+)", head)
                stream.read(int(length[1]) if length else 0)
                self.requests += 1
                self.answer(sock)


@contextmanager
def server_of(answer: Answer) -> Iterator[Server]:
    made = Server(answer)
    try:
        yield made
    finally:
        made.listener.close()


def answers(head: bytes, body: bytes) -> Answer:
    return lambda sock: sock.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def drips(head: bytes, byte: bytes) -> Answer:
    """Send the head, and then one piece each few milliseconds, for longer than anybody waits."""

    def answer(sock: socket.socket) -> None:
        sock.sendall(head)
        pause = threading.Event()
        for _ in range(3_000):
            sock.sendall(byte)
            pause.wait(0.01)

    return answer


def floods(head: bytes, block: bytes) -> Answer:
    def answer(sock: socket.socket) -> None:
        sock.sendall(head)
        while True:
            sock.sendall(block)

    return answer


def is_silent(sock: socket.socket) -> None:
    sock.recv(1)  # until the client closes


@contextmanager
def cloud_on(path: str, url: str, limits: Limits, **given: Any) -> Iterator[Cloud]:
    """A Cloud that reaches the server in one of the PATHS, and whose clock does not wait."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [*os.environ]:
            if name.startswith("AWS_") or name.lower() in {"no_proxy", "http_proxy"}:
                environment.delenv(name)
        environment.setenv("AWS_ACCESS_KEY_ID", "x")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "x")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.setenv("AWS_CONFIG_FILE", os.devnull)
        environment.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        environment.setenv(clients.STOCK, "1" if path == "stock" else "")
        if path == "proxy":
            environment.setenv("HTTP_PROXY", url)
        options = Options(
            endpoint_url="http://aws.invalid" if path == "proxy" else url,
            own_connections=True,
            own_signatures=path == "signatures",
            limits=limits,
        )
        made = Cloud(options, clock=FakeClock(), **given)
        try:
            yield made
        finally:
            made.close()


@pytest.mark.parametrize("path", PATHS[1:])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (is_silent, {ReadTimeoutError}),
        (drips(OK, b"x"), {ReadTimeoutError}),
        (drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), {ReadTimeoutError}),
        (drips(OK + b"\r\n", b"x"), {ReadTimeoutError}),
        (drips(OK + b"Content-Length: 99999\r\n\r\n", b"x"), {ReadTimeoutError}),
        (drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), {ReadTimeoutError}),
        (floods(OK + b"\r\n", b"x" * 60_000), {UnusableAnswer}),
        (floods(OK + b"Content-Length: 999999999999\r\n\r\n", b"x" * 60_000), {UnusableAnswer}),
        (
            floods(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"ea60\r\n" + b"x" * 60_000 + b"\r\n"),
            {UnusableAnswer},
        ),
        (floods(OK, b"A: b\r\n" * 1_000), {UnusableAnswer, ConnectionClosedError}),
        (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), {UnusableAnswer, ReadTimeoutError}),
    ],
    ids=[
        "silent",
        "drips headers",
        "drips interim responses",
        "drips a body",
        "drips a body of known length",
        "drips chunks",
        "endless body",
        "body of a terabyte",
        "endless chunks",
        "endless headers",
        "endless interim responses",
    ],
)
def test_an_answer_without_end_is_asked_for_again_and_then_an_error(
    path: str, answer: Answer, expected: set[type[Exception]]
) -> None:
    limits = SHORT if ReadTimeoutError in expected else LONG
    with server_of(answer) as server, cloud_on(path, server.url, limits) as cloud:
        with pytest.raises(tuple(expected)) as caught:
            cloud.read(HERE, "sts", "us-east-1", "get_caller_identity", {})
        assert cloud.tally.calls == (8 if isinstance(caught.value, ConnectionClosedError) else 3)
        assert describe("reading", caught.value).hint


@pytest.mark.parametrize("path", PATHS)
def test_a_read_that_hangs_once_is_asked_again_over_a_new_connection(path: str) -> None:
    numbers = count()

    def hang_at_the_second(sock: socket.socket) -> None:
        (is_silent if next(numbers) == 1 else answers(OK, b'{"trailList": []}'))(sock)

    limits = Limits(read=3)  # a busy machine may take a second to answer
    with server_of(hang_at_the_second) as server, cloud_on(path, server.url, limits) as cloud:
        for _ in range(3):
            answer = cloud.read(HERE, "cloudtrail", "us-east-1", "describe_trails", {})
            assert answer["trailList"] == []
        assert server.requests == 4


def test_a_write_that_hangs_is_not_sent_again() -> None:
    with server_of(is_silent) as server, cloud_on("own", server.url, SHORT) as cloud:
        with pytest.raises(OutcomeUnknown):
            cloud.write(HERE, Call("iam", "create_account_alias", {"AccountAlias": "acme"}))
        assert cloud.tally.calls == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_write_gets_more_time_than_a_read(path: str) -> None:
    late = threading.Event()

    def answer_late(sock: socket.socket) -> None:
        late.wait(0.3)
        answers(OK, b"{}")(sock)

    limits = Limits(read=0.05, write=20)
    with server_of(answer_late) as server, cloud_on(path, server.url, limits) as cloud:
        with pytest.raises(ReadTimeoutError):
            cloud.read(HERE, "cloudtrail", "us-east-1", "describe_trails", {})
        cloud.write(HERE, Call("cloudtrail", "start_logging", {"Name": "trl"}))


READS: list[tuple[str, str, dict[str, Any], str]] = [  # of each protocol, with a key of the answer
    ("iam", "list_account_aliases", {}, "AccountAliases"),  # query
    ("cloudtrail", "describe_trails", {}, "trailList"),  # json
    ("accessanalyzer", "list_analyzers", {}, "analyzers"),  # rest-json
    (
        "s3",
        "get_bucket_encryption",
        {"Bucket": "b", "ExpectedBucketOwner": "123456789012"},
        "Rules",
    ),  # rest-xml
    ("logs", "describe_log_groups", {}, "logGroups"),
    ("kms", "describe_key", {"KeyId": "k"}, "KeyMetadata"),
]
GARBAGE = {
    "nothing": b"",
    "bytes": b"\x00\xff\xfe{{{",
    "web page": b"<html><body>log in</body></html>",
    "web page with doctype": b"<!DOCTYPE html><html></html>",
    "list": b"[]",
    "null": b"null",
    "text": b'"text"',
    "number": b"7",
    "cut off": b'{"trailList": [{"Name": "t',
    "wrong types": b'{"trailList": 7, "analyzers": [7], "logGroups": {"a": 1}, "KeyMetadata": [1]}',
    "wrong time": b'{"KeyMetadata": {"CreationDate": "yesterday"}, "analyzers": [{"createdAt": []}],'
    b' "logGroups": [7], "trailList": [7]}',
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 40_000,
    "deep XML": b"<a>" * 60_000 + b"</a>" * 60_000,
    "entities": b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 50_000 + b'">]><a>' + b"&x;" * 50_000 + b"</a>",
}


def error_of(cloud: Cloud, service: str, operation: str, params: dict[str, Any], key: str) -> Exception:
    """The error of a read, or of the search for *key* in its answer."""
    future = cloud.readers.submit(cloud.read, HERE, service, "us-east-1", operation, params)
    with pytest.raises((UnusableAnswer, Incomplete, ClientError)) as caught:
        Reading(future, operation).get(key)
    return caught.value


@pytest.fixture
def no_collection() -> Iterator[None]:
    """No collection of garbage, whose finalizers could not run at the end of the deepest recursion."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("path", PATHS)
def test_an_answer_that_is_not_aws_is_asked_for_again_and_then_an_error(path: str) -> None:
    good = answers(OK, b'{"trailList": [], "logGroups": []}')
    with server_of(good) as server, cloud_on(path, server.url, LONG) as cloud:
        for service, operation in [("cloudtrail", "describe_trails"), ("logs", "describe_log_groups")]:
            cloud.read(HERE, service, "us-east-1", operation, {})
            direct_reads = cloud._clients._direct_reads.get((service, "us-east-1"))
            assert (direct_reads is not None and direct_reads.supports(operation)) is (path == "signatures")
        for name, body in GARBAGE.items():
            server.answer = answers(OK, body)
            for service, operation, params, key in READS:
                server.requests = 0
                error = error_of(cloud, service, operation, params, key)
                case = (name, operation, error)
                if isinstance(error, ClientError):  # botocore makes a status 500 of what is no XML of S3's
                    assert (service, status_of(error), server.requests) == ("s3", 500, 8), case
                elif isinstance(error, UnusableAnswer):
                    assert server.requests == 3, case
                else:
                    assert (name, server.requests) == ("wrong types", 1), case
                assert len(str(error)) < 400, case


class Garbling:
    """A world in which one operation answers garbage, with the status of success."""

    def __init__(self, world: World, operation: str, times: float):
        self.world, self.operation, self.times = world, operation, times

    def exchange(self, *request: Any) -> Response:
        """The world's response, or garbage."""
        answer = self.world.exchange(*request)
        if self.world.calls[-1].operation == self.operation and self.times > 0:
            self.times -= 1
            return Response(200, {}, b"\x00{{{ no answer")
        return answer


@pytest.fixture
def command(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> Iterator[tuple[World, Callable[..., tuple[int, Any, str]]]]:
    """The world, and a function that runs a command while one operation answers garbage."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr(cloud_module, "RealClock", lambda stop: FakeClock())
    (home / "baseline.yaml").write_text(EXAMPLE)

    with open_sandbox(None) as world, serving(world) as server:

        def go(name: str, *flags: str, operation: str = "", times: float = 0) -> tuple[int, Any, str]:
            garbling: Any = Garbling(world, operation, times)
            server.world = garbling
            capfd.readouterr()
            code = run([name, str(home / "baseline.yaml"), "--endpoint-url", server.url, "--json", *flags])
            out, err = capfd.readouterr()
            return code, json.loads(out), err

        yield world, go


@pytest.mark.parametrize(
    "operation", ["GetAccountPasswordPolicy", "DescribeTrails", "GetBucketPolicy", "DescribeConfigRules"]
)
def test_garbage_fails_its_step_and_no_other(command: Any, operation: str) -> None:
    _, go = command
    assert go("apply", "--yes")[0] == 0
    code, found, err = go("diff", operation=operation, times=float("inf"))
    assert code == 3
    assert "Traceback" not in err
    [account] = found["accounts"]
    failures = account["failures"] + found["organization"]["failures"]
    assert len({each["step"] for each in failures}) == 1
    assert "is not AWS's" in json.dumps(failures)
    assert found["counts"]["steps_in_sync"] > 0
    assert account["changes"] == []
    assert go("diff", operation=operation, times=2)[0] == 0, "the third time it is AWS's answer"


def test_an_optional_read_ends_no_run(command: Any) -> None:
    _, go = command
    assert go("apply", "--yes", operation="ListAccountAliases", times=float("inf"))[0] == 0


def test_a_write_that_answers_garbage_is_read_back(command: Any) -> None:
    world, go = command
    for operation in (
        "CreateTrail",
        "PutBucketPolicy",
        "PutConfigurationRecorder",
        "UpdateAccountPasswordPolicy",
    ):
        world.reset()
        assert go("apply", "--yes", operation=operation, times=1)[0] == 0, operation
        assert go("diff")[0] == 0


def pages(page: Callable[[int], dict[str, Any]]) -> Any:
    """The whole answer, where AWS returns these pages."""
    numbers = count()
    made = clients.Clients(Options(), Tally())
    return made.whole("config", "us-east-1", "describe_config_rules", lambda **_: page(next(numbers)), {})


@pytest.mark.parametrize(
    "page",
    [
        lambda n: {"ConfigRules": [{}], "NextToken": str(n)},
        lambda n: {"ConfigRules": [], "NextToken": str(n)},
        lambda n: {"ConfigRules": [{}], "NextToken": "ab"[n % 2]},
        lambda n: {"ConfigRules": [{}], "NextToken": "always"},
    ],
    ids=["always a new token", "empty pages", "tokens in a circle", "the same token"],
)
def test_pages_that_do_not_end_are_an_error(page: Callable[[int], dict[str, Any]]) -> None:
    with pytest.raises(BotoCoreError, match=r"do not end|without an entry|same next token"):
        pages(page)


def test_as_many_pages_as_aws_can_have_are_read() -> None:
    most = 2_500  # of 20 accounts: AWS allows an organization of 50,000
    last: dict[str, Any] = {"ConfigRules": [{}]}
    answer = pages(lambda n: last if n == most - 1 else {**last, "NextToken": str(n)})
    assert len(answer["ConfigRules"]) == most


def test_slow_pages_end_together(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    clock, numbers = FakeClock(), count()

    def page(sock: socket.socket) -> None:
        clock.time += 100
        answers(OK, json.dumps({"ConfigRules": [{}], "NextToken": str(next(numbers))}).encode())(sock)

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with server_of(page) as server:
        cloud = Cloud(Options(endpoint_url=server.url, own_connections=True), clock=clock)
        with pytest.raises(Incomplete, match="not complete after 600 s"):
            cloud.read(HERE, "config", "us-east-1", "describe_config_rules", {})
        cloud.close()


def test_after_a_silence_it_is_told_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "_INTERVAL", 0.01)
    monkeypatch.setattr(silence, "_AFTER", 0.02)
    told, answer = list[Waiting](), threading.Event()

    def on_wait(waiting: Waiting) -> None:
        told.append(waiting)
        answer.set()

    def once_told(sock: socket.socket) -> None:
        answer.wait(20)
        answers(OK, b'{"trailList": []}')(sock)

    with server_of(once_told) as server, cloud_on("own", server.url, LONG, on_wait=on_wait) as cloud:
        cloud.read(HERE, "cloudtrail", "eu-west-1", "describe_trails", {})
        assert (told[0].until, told[0].target.region) == ("AWS to answer DescribeTrails", "eu-west-1")
        assert told[0].waited >= silence._AFTER
        assert told[0].limit == LONG.total(writes=False)


def test_the_limits_are_of_use() -> None:
    """A read that hangs three times is over within a minute; a proxy's or firewall's idle time is longer than ours."""
    assert 3 * Limits().read <= 60
    assert Limits().write >= 60
    assert transport._IDLE_SECONDS <= 30
