"""botocore's own HTTP session, with the limits of `Transport`.

It sends what Transport leaves to botocore: requests through a proxy or for credentials, and all with
PROVISION_STOCK_BOTOCORE. botocore itself reads an answer of any length, for as long as a byte comes now and then.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
    AWSPreparedRequest,
    AWSResponse,
)
from botocore.exceptions import BotoCoreError, ConnectionClosedError, ReadTimeoutError
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as Urllib3ReadTimeoutError

from ..errors import UnusableAnswer
from ..options import Limits
from ..threads import try_start
from .transport import Body

_CHUNK = 65536  # bytes
_in_use = threading.local()  # `socket`: that of the request which this thread makes


class BoundedSession:
    """Sends requests over *session*, a botocore `URLLib3Session`, within *limits*.

    The attribute `writes` of a request says whether it can change AWS; one without it, which botocore makes to find
    credentials, keeps botocore's own timeout. Raises what *session* raises, and UnusableAnswer.
    """

    def __init__(self, session: Any, limits: Limits):
        self._session, self._limits = session, limits
        pools = {"http": _HTTPPool, "https": _HTTPSPool}
        session._pool_classes_by_scheme = session._manager.pool_classes_by_scheme = pools  # noqa: SLF001 - botocore has no other way

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Send the request and return the response, whose body is read already."""
        given: Any = request
        given.stream_output = True  # the body is read below
        writes = getattr(given, "writes", None)
        context = getattr(given, "context", None)  # since botocore 1.43
        if isinstance(context, dict) and writes is not None:
            context["read_timeout"] = self._limits.silence(writes=writes)
        seconds = self._limits.read if writes is None else self._limits.total(writes=writes)
        with _time_limit(request.url, seconds):
            response = self._session.send(request)
            body = _read(response, request, self._limits.answer)
        raw: Any = Body(body)
        return AWSResponse(request.url, response.status_code, response.headers, raw)


def _read(response: Any, request: AWSPreparedRequest, most: int) -> bytes:
    """Return the response's body. Raises botocore's exceptions, and UnusableAnswer for more than *most* bytes."""
    body = bytearray()
    try:
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            body += chunk
            if len(body) > most:
                response.raw.close()
                body.clear()  # else the error would hold it for as long as the run
                raise UnusableAnswer(
                    problem=f"what answers at {request.url} is not AWS: the answer is larger than {most:,} bytes"
                )
    except Urllib3ReadTimeoutError as error:
        raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
    except HTTPError as error:
        raise ConnectionClosedError(endpoint_url=request.url, error=error, request=request) from error
    length = response.headers.get("content-length", "")
    if request.method != "HEAD" and length.isdecimal() and len(body) < int(length):
        raise ConnectionClosedError(endpoint_url=request.url, error="a part is missing", request=request)
    return bytes(body)


@contextmanager
def _time_limit(url: str, seconds: float) -> Iterator[None]:
    """Raise ReadTimeoutError if the request that the block makes takes longer: its socket is shut down then."""
    _in_use.socket = _in_use.timer = None
    mine, over = _in_use.__dict__, []

    def end() -> None:
        over.append(True)
        with suppress(OSError):
            # Not the method of a TLS socket, which would send a message first.
            socket.socket.shutdown(mine["socket"], socket.SHUT_RDWR)

    _in_use.new_timer = partial(threading.Timer, seconds, end)
    late = ReadTimeoutError(endpoint_url=url, error=f"the answer was not complete after {seconds:g} s")
    try:
        yield
    except BotoCoreError as error:
        if over:
            raise late from error
        raise
    finally:
        if _in_use.timer is not None:
            _in_use.timer.cancel()
        _in_use.new_timer = None
    if over:  # a body without a length ends where its connection does
        raise late


class _Noted:
    """A connection that notes its socket in `_in_use`, and starts the clock of the request with the first one."""

    sock: Any

    def _new_conn(self) -> Any:
        return _note(super()._new_conn())  # type: ignore[misc] # for the answer of a proxy to CONNECT

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        _note(self.sock)
        return super().getresponse(*args, **kwargs)  # type: ignore[misc]


def _note(sock: Any) -> Any:
    _in_use.socket = sock
    new_timer = getattr(_in_use, "new_timer", None)
    if new_timer is not None and _in_use.timer is None:
        _in_use.timer = timer = new_timer()
        timer.daemon = True
        try_start(timer)  # here, so that there is none where nothing is sent, as in the sandbox
    return sock


class _HTTPConnection(_Noted, AWSHTTPConnection):  # type: ignore[misc] # as botocore's own
    ...


class _HTTPSConnection(_Noted, AWSHTTPSConnection):  # type: ignore[misc] # as botocore's own
    ...


class _HTTPPool(AWSHTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(AWSHTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection
