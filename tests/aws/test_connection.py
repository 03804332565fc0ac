"""Tests of the HTTP/1.1 connection: responses that are complete, chunked, cut short or malformed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.aws.options import Limits
from provisioner.aws.wire.connection import Broken, Connection, Response

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nWiki\r\n6;x=y\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: t\r\n\r\n"
)
GOOD = {
    "content length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
        Response(200, {"content-length": "5", "x-a": "b"}, b"hello"),
        True,
    ),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", Response(204, {}, b""), True),
    "empty body": (
        b"HTTP/1.1 404\r\ncontent-length:0\r\n\r\n",
        Response(404, {"content-length": "0"}, b""),
        True,
    ),
    "chunked": (
        CHUNKED,
        Response(200, {"transfer-encoding": "chunked"}, b"Wikipedia in \r\n\r\nchunks."),
        True,
    ),
    "until the connection closes": (
        b"HTTP/1.1 200 OK\r\n\r\nall of it",
        Response(200, {}, b"all of it"),
        False,
    ),
    "connection: close": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        Response(200, {"connection": "close", "content-length": "2"}, b"ok"),
        False,
    ),
    "HTTP/1.0": (
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        Response(200, {"content-length": "2"}, b"ok"),
        False,
    ),
    "after 100 Continue": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!",
        Response(200, {"content-length": "1"}, b"!"),
        True,
    ),
    "repeated header": (
        b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 0\r\n\r\n",
        Response(200, {"a": "1, 2", "content-length": "0"}, b""),
        True,
    ),
}
BAD = [
    b"",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    b"HTTP/1.1 2x0 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWikipedia\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki",
]


@contextmanager
def serving(*chunks: bytes) -> Iterator[Connection]:
    """A connection whose server sends these chunks, and then closes its side."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)

    def send() -> None:
        for chunk in chunks:
            theirs.sendall(chunk)
        theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield Connection(ours, Limits())
    finally:
        thread.join()
        ours.close()
        theirs.close()


@pytest.mark.parametrize("name", GOOD)
def test_a_response_is_read_to_its_end(name: str) -> None:
    raw, response, keep = GOOD[name]
    with serving(raw) as connection:
        assert connection.exchange(b"GET / HTTP/1.1\r\n\r\n", b"") == response
        assert connection.ended is not keep


@settings(max_examples=200)
@given(name=st.sampled_from(sorted(GOOD)), cuts=st.lists(st.integers(1, 200), max_size=6))
def test_a_response_may_arrive_in_any_chunks(name: str, cuts: list[int]) -> None:
    raw, response, _ = GOOD[name]
    places = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    with serving(*(raw[a:b] for a, b in pairwise(places))) as connection:
        assert connection.exchange(b"", b"") == response


@pytest.mark.parametrize("raw", BAD)
def test_a_truncated_or_malformed_response_is_an_error(raw: bytes) -> None:
    with serving(raw) as connection:
        with pytest.raises(Broken):
            connection.exchange(b"", b"")
        assert connection.ended


@settings(max_examples=200)
@given(raw=st.binary(max_size=80), head=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", CHUNKED[:60]]))
def test_random_bytes_raise_nothing_but_broken(raw: bytes, head: bytes) -> None:
    with serving(head + raw) as connection:
        try:
            response = connection.exchange(b"", b"")
        except Broken:
            assert connection.ended
        else:
            assert 0 <= response.status <= 999


def test_the_response_to_head_has_no_body() -> None:
    with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 512\r\n\r\n") as connection:
        assert connection.exchange(b"", b"", is_head=True).body == b""
        assert not connection.ended


def test_two_responses_over_one_connection() -> None:
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    ours, theirs = socket.socketpair()
    connection = Connection(ours, Limits())
    for body in (b"a", b"b"):
        theirs.sendall(one + body)
        assert connection.exchange(b"", b"").body == body
        assert connection.alive
    theirs.close()
    assert not connection.alive
    ours.close()


@pytest.mark.parametrize("more", [b"x", b"HTTP/1.1 200 OK\r\n"])
def test_bytes_after_a_response_end_the_connection(more: bytes) -> None:
    with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na" + more) as connection:
        assert connection.exchange(b"", b"").body == b"a"
        assert connection.ended


def test_endless_headers_are_an_error() -> None:
    with (
        serving(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 60_000) as connection,
        pytest.raises(Broken, match="do not end"),
    ):
        connection.exchange(b"", b"")
