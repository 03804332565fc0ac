"""Send the requests of botocore clients in this process to a sandbox instead of the network."""

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

from .model import SandboxError
from .partitions import DNS_SUFFIXES
from .world import World

_open = Lock()
# Variables that could make a client find real credentials or another endpoint.
_UNSET = (
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
    """Whether a sandbox is open in this process."""
    return _open.locked()


@contextmanager
def exclusive() -> Iterator[None]:
    """Allow one open sandbox per process, because moto's state is global. Raises `SandboxError`."""
    if not _open.acquire(blocking=False):
        raise SandboxError("a sandbox is open in this process already")
    try:
        yield
    finally:
        _open.release()


@contextmanager
def fake_environment() -> Iterator[None]:
    """Set environment variables that give sessions the sandbox's credentials only; restore them at the end."""
    kept = dict(os.environ)
    session = boto3.DEFAULT_SESSION
    for name in kept:
        if name in _UNSET or name.startswith(("AWS_ENDPOINT_URL", "MOTO_", "TEST_SERVER_MODE")):
            del os.environ[name]
    os.environ.update(_SET)
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        for name in {*_UNSET, *_SET, *kept} | {n for n in os.environ if n.startswith("AWS_")}:
            if name in kept:
                os.environ[name] = kept[name]
            else:
                os.environ.pop(name, None)
        boto3.DEFAULT_SESSION = session


@contextmanager
def intercept_botocore(world: World) -> Iterator[None]:
    """Answer every request of every botocore client from the world until the block ends.

    The HTTP layer is replaced, below retries, signing and parsing, so those run for real. Requests to this machine, such as
    those to a sandbox served over HTTP, pass through.
    """
    real = URLLib3Session.send

    def send(self: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        host = urlsplit(request.url).hostname or ""
        if host in ("127.0.0.1", "localhost", "::1"):
            direct: AWSResponse = real(self, request)
            return direct
        if not host.endswith(DNS_SUFFIXES):
            raise EndpointConnectionError(endpoint_url=request.url)
        try:
            answer = world.exchange(request.method, request.url, request.headers, _body(request))
        except ConnectionRefusedError as error:
            raise EndpointConnectionError(endpoint_url=request.url, error=error) from error
        except ConnectionError as error:
            raise ConnectionClosedError(endpoint_url=request.url, request=request, error=error) from error
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        headers: Any = dict(answer.headers)
        response = AWSResponse(request.url, answer.status, headers, _Raw(answer.body))
        if not request.stream_output:
            response.content  # noqa: B018 botocore reads it at once, too
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
    """A response body with the interface of urllib3's."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """The rest of the body."""
        yield self.read()
