"""Reads without botocore's event system, for runs with many calls.

botocore still serializes the request and parses the answer. Its events (some thirty for a call) and its headers, built as
e-mail headers, take more CPU time than that; both are skipped. Host and signing scope are copied from the first request that
botocore sends to the service in the Region. Tests compare signatures and answers with botocore's own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.serialize import create_serializer
from botocore.utils import normalize_url_path, percent_encode_sequence

from ..guard import READS, guard
from ..options import Tally
from .parsing import CheckedParserFactory
from .transport import Transport

# What most calls use. S3's `rest-xml` has signatures of its own.
_PROTOCOLS: Final = frozenset({"ec2", "json", "rest-json"})
_SCOPE: Final = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request,", re.ASCII)

# The services, and the operations of services, that botocore's own handlers of events change something of.
_HANDLED: Final = {tuple(event.split(".")[1:]) for event, *_ in BUILTIN_HANDLERS}


class DirectReads:
    """Reads from one service in one Region, once `learn` has seen a request of botocore's to it."""

    def __init__(
        self,
        client: Any,
        transport: Transport,
        credentials: Callable[[], ReadOnlyCredentials | None],
        tally: Tally,
    ):
        self._client, self._transport = client, transport
        self._credentials, self._tally = credentials, tally
        self._model = client.meta.service_model
        self._names: Mapping[str, str] = client.meta.method_to_api_mapping
        self._supported: dict[str, bool] = {}
        self._scope: tuple[str, str] | None = None  # Region and service of the signature

    def learn(self, request: AWSPreparedRequest, **_: Any) -> None:
        """Copy host, user agent and signing scope from a request of botocore's (a handler of `before-send`)."""
        protocol = self._model.resolved_protocol
        if self._scope is not None or protocol not in _PROTOCOLS:
            return
        scope, url = _SCOPE.match(_text(request.headers.get("Authorization", ""))), urlsplit(request.url)
        endpoint = urlsplit(self._client.meta.endpoint_url)
        if not scope or endpoint[:2] != url[:2] or endpoint.path not in {"", "/"}:
            return
        if self._transport.is_proxied(url):
            return
        self._agent = _text(request.headers["User-Agent"])
        self._url = endpoint
        self._serializer = create_serializer(protocol)
        self._parser = CheckedParserFactory().create_parser(protocol)
        self._scope = (scope[1], scope[2])

    def supports(self, operation: str) -> bool:
        """Whether the operation can be called here: a read that botocore's events change nothing of.

        So not one with streams, a host, checksums or an auth type of its own.
        """
        if self._scope is None:
            return False
        if operation not in self._supported:
            service, name = self._model.service_id.hyphenize(), self._names[operation]
            model = self._model.operation_model(name)
            self._supported[operation] = name.startswith(READS) and not any(
                (
                    not _HANDLED.isdisjoint({(service,), (service, name)}),
                    model.endpoint,
                    model.idempotent_members,
                    model.has_event_stream_input,
                    model.has_event_stream_output,
                    model.has_streaming_input,
                    model.has_streaming_output,
                    model.auth_type,
                    model.http_checksum,
                    model.endpoint_discovery,
                )
            )
        return self._supported[operation]

    def call(self, operation: str, params: dict[str, Any]) -> Any:
        """Return AWS's answer. Raises what botocore's client raises, the service's own exceptions included."""
        name = self._names[operation]
        model = self._model.operation_model(name)
        guard(params, model)
        request = self._serializer.serialize_to_request(params, model)
        body, method = request["body"], request["method"]
        text = urlencode(body, doseq=True) if isinstance(body, dict) else body
        data: bytes = text.encode() if isinstance(text, str) else text
        query = percent_encode_sequence(request["query_string"])
        url = self._url._replace(path=request["url_path"], query=query)
        headers = {**request["headers"], "User-Agent": self._agent}
        self._tally.count(writes=False)
        response = self._transport.send(method, url, self._signed(method, url, headers, data), data)
        parsed = self._parser.parse(
            {
                "headers": response.headers,
                "status_code": response.status,
                "body": response.body,
                "context": {"operation_name": name},
            },
            model.output_shape,
        )
        if response.status >= 300:
            error = parsed.get("Error", {})
            exception = self._client.exceptions.from_code(error.get("QueryErrorCode") or error.get("Code"))
            raise exception(parsed, name)
        return parsed

    def _signed(self, method: str, url: SplitResult, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """Return the headers with a signature."""
        credentials, scope = self._credentials(), self._scope
        if credentials is None:
            raise NoCredentialsError
        assert scope is not None  # noqa: S101 - `supports` has checked it
        signed = sign(method, url, headers, body, scope=scope, credentials=credentials, now=datetime.now(UTC))
        return {**headers, **signed}


def sign(
    method: str,
    url: SplitResult,
    headers: Mapping[str, str],
    body: bytes,
    *,
    scope: tuple[str, str],
    credentials: ReadOnlyCredentials,
    now: datetime,
) -> dict[str, str]:
    """Return the headers to add to a request: host, date, token and signature (AWS's page "SigV4 signing elements").

    *scope* is Region and service. Path and query of *url* are percent-encoded. All headers but User-Agent are signed.
    """
    timestamp = now.strftime("%Y%m%dT%H%M%SZ")
    day, (region, service) = timestamp[:8], scope
    added = {"Host": url.netloc, "X-Amz-Date": timestamp}
    if credentials.token:
        added["X-Amz-Security-Token"] = credentials.token
    all_headers = {**headers, **added}
    canonical = sorted(
        (name.lower(), " ".join(value.split())) for name, value in all_headers.items() if name != "User-Agent"
    )
    names = ";".join(name for name, _ in canonical)
    lines = "".join(f"{name}:{value}\n" for name, value in canonical)
    path = quote(normalize_url_path(url.path), safe="/~")
    query = "&".join("=".join(pair) for pair in sorted(each.split("=", 1) for each in url.query.split("&")))
    request = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    full_scope = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{timestamp}\n{full_scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, region, service, "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
    added["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{full_scope}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return added


def _text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header
