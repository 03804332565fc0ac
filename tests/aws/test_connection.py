"""HTTP/1.1 as a server may speak it: whole, in pieces, cut short, or wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.aws.wire.connection import Answer, Broken, Connection

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nWiki\r\n6;x=y\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: t\r\n\r\n"
)
GOOD = {
    "a body of a length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
        Answer(200, {"content-length": "5", "x-a": "b"}, b"hello"),
        True,
    ),
    "none": (b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204, {}, b""), True),
    "an empty one": (
        b"HTTP/1.1 404\r\ncontent-length:0\r\n\r\n",
        Answer(404, {"content-length": "0"}, b""),
        True,
    ),
    "in pieces": (
        CHUNKED,
        Answer(200, {"transfer-encoding": "chunked"}, b"Wikipedia in \r\n\r\nchunks."),
        True,
    ),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\nall of it", Answer(200, {}, b"all of it"), False),
    "the last one": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        Answer(200, {"connection": "close", "content-length": "2"}, b"ok"),
        False,
    ),
    "of an old server": (
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        Answer(200, {"content-length": "2"}, b"ok"),
        False,
    ),
    "after a pause": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!",
        Answer(200, {"content-length": "1"}, b"!"),
        True,
    ),
    "with a header twice": (
        b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 0\r\n\r\n",
        Answer(200, {"a": "1, 2", "content-length": "0"}, b""),
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
def talking(*pieces: bytes) -> Iterator[Connection]:
    """A connection whose other side sends these pieces, and then no more."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)

    def send() -> None:
        for piece in pieces:
            theirs.sendall(piece)
        theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield Connection(ours)
    finally:
        thread.join()
        ours.close()
        theirs.close()


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_is_read_to_its_end_and_no_further(name: str) -> None:
    raw, answer, keep = GOOD[name]
    with talking(raw) as connection:
        assert connection.exchange(b"GET / HTTP/1.1\r\n\r\n", b"") == answer
        assert connection.ended is not keep


@settings(max_examples=200)
@given(name=st.sampled_from(sorted(GOOD)), cuts=st.lists(st.integers(1, 200), max_size=6))
def test_however_it_is_cut_on_the_way_it_is_the_same(name: str, cuts: list[int]) -> None:
    raw, answer, _ = GOOD[name]
    places = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    pieces = [raw[a:b] for a, b in pairwise(places)]
    with talking(*pieces) as connection:
        assert connection.exchange(b"", b"") == answer


@pytest.mark.parametrize("raw", BAD)
def test_what_is_cut_short_or_wrong_is_never_an_answer(raw: bytes) -> None:
    with talking(raw) as connection:
        with pytest.raises(Broken):
            connection.exchange(b"", b"")
        assert connection.ended


@settings(max_examples=200)
@given(raw=st.binary(max_size=80), head=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", CHUNKED[:60]]))
def test_no_bytes_make_it_fail_otherwise(raw: bytes, head: bytes) -> None:
    with talking(head + raw) as connection:
        try:
            answer = connection.exchange(b"", b"")
        except Broken:
            assert connection.ended
        else:
            assert 0 <= answer.status <= 999


def test_the_answer_to_head_has_no_body() -> None:
    with talking(b"HTTP/1.1 200 OK\r\nContent-Length: 512\r\n\r\n") as connection:
        assert connection.exchange(b"", b"", bodiless=True).body == b""
        assert not connection.ended


def test_two_answers_over_one_connection() -> None:
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    ours, theirs = socket.socketpair()
    connection = Connection(ours)
    for body in (b"a", b"b"):
        theirs.sendall(one + body)
        assert connection.exchange(b"", b"").body == body
        assert connection.alive
    theirs.close()
    assert not connection.alive
    ours.close()


@pytest.mark.parametrize("more", [b"x", b"HTTP/1.1 200 OK\r\n"])
def test_what_comes_after_an_answer_ends_the_connection(more: bytes) -> None:
    with talking(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na" + more) as connection:
        assert connection.exchange(b"", b"").body == b"a"
        assert connection.ended


def test_headers_without_an_end_are_no_answer() -> None:
    with (
        talking(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 60_000) as connection,
        pytest.raises(Broken, match="do not end"),
    ):
        connection.exchange(b"", b"")
