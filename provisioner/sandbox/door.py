"""The door in this process: whatever botocore would send over the network goes to the sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from .words import SandboxError
from .world import World

_one = Lock()
# Whatever could make a client find real credentials or another endpoint.
_GONE = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CREDENTIAL_FILE",
    "AWS_SECURITY_TOKEN",
    "AWS_CA_BUNDLE",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "BOTO_CONFIG",
)
_SET = {
    "AWS_ACCESS_KEY_ID": "SANDBOX",
    "AWS_SECRET_ACCESS_KEY": "sandbox",
    "AWS_SESSION_TOKEN": "sandbox",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def is_open() -> bool:
    """A sandbox is open in this process."""
    return _one.locked()


@contextmanager
def only_one() -> Iterator[None]:
    """No other sandbox is open in this process: moto's state is global."""
    if not _one.acquire(blocking=False):
        raise SandboxError("a sandbox is open in this process already")
    try:
        yield
    finally:
        _one.release()


@contextmanager
def fake_environment() -> Iterator[None]:
    """A session finds the sandbox's credentials and no others; at the end everything is as it was."""
    kept = dict(os.environ)
    session = boto3.DEFAULT_SESSION
    for name in kept:
        if name in _GONE or name.startswith(("AWS_ENDPOINT_URL", "MOTO_", "TEST_SERVER_MODE")):
            del os.environ[name]
    os.environ.update(_SET)
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        for name in {*_GONE, *_SET, *kept} | {n for n in os.environ if n.startswith("AWS_")}:
            if name in kept:
                os.environ[name] = kept[name]
            else:
                os.environ.pop(name, None)
        boto3.DEFAULT_SESSION = session


@contextmanager
def in_process(world: World) -> Iterator[None]:
    """No request of any botocore client, whenever it was made, leaves the process.

    This is below botocore's retries, signing and parsing, so these run for real. What is addressed to this
    machine (an HTTP door) goes through.
    """
    real = URLLib3Session.send

    def send(self: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        host = urlsplit(request.url).hostname or ""
        if host in ("127.0.0.1", "localhost", "::1"):
            passed: AWSResponse = real(self, request)
            return passed
        if not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
            raise EndpointConnectionError(endpoint_url=request.url)
        try:
            answer = world.exchange(request.method, request.url, request.headers, _body(request))
        except ConnectionRefusedError as nobody:
            raise EndpointConnectionError(endpoint_url=request.url, error=nobody) from nobody
        except ConnectionError as broken:
            raise ConnectionClosedError(endpoint_url=request.url, request=request, error=broken) from broken
        except TimeoutError as late:
            raise ReadTimeoutError(endpoint_url=request.url, error=late) from late
        headers: Any = dict(answer.headers)
        response = AWSResponse(request.url, answer.status, headers, _Raw(answer.body))
        if not request.stream_output:
            response.content  # noqa: B018 as botocore does: read at once
        return response

    URLLib3Session.send = send  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        URLLib3Session.send = real  # type: ignore[method-assign]


def _body(request: AWSPreparedRequest) -> Any:
    body: Any = request.body
    if body is None or isinstance(body, (bytes, str, bytearray)):
        return body
    return body.read()


class _Raw(BytesIO):
    """A body that reads like urllib3's."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """The rest of the body."""
        yield self.read()
