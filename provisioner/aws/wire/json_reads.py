"""A short way for questions to services that speak JSON, which most questions of a long run are.

botocore makes the request's body and reads the answer, as always. Address and signing scope are those that botocore itself
used for the first question to the service in that Region; in between, it fires some thirty events for each call and makes
headers with the library for e-mails, which costs more than all the rest. Tests hold the signatures and the answers to
botocore's own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from ..guard import READS, guard
from .transport import Transport

_SCOPE: Final = re.compile(rb"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request,")


class JsonReads:
    """The short way to one service in one Region, open after the first question that went the long way."""

    def __init__(
        self,
        client: Any,
        transport: Transport,
        credentials: Callable[[], ReadOnlyCredentials | None],
        count: Callable[[str], None],
    ):
        self._client, self._transport = client, transport
        self._credentials, self._count = credentials, count
        self._model = client.meta.service_model
        self._names: Mapping[str, str] = client.meta.method_to_api_mapping
        self._fits: dict[str, bool] = {}
        self._scope: tuple[str, str] | None = None  # Region and service that requests are signed for

    def learn(self, request: AWSPreparedRequest, **_: Any) -> None:
        """A request that botocore made shows where the service is, and for what it is to be signed."""
        if self._scope is not None or self._model.resolved_protocol != "json":
            return
        authorization: Any = request.headers.get("Authorization", "")
        raw = authorization if isinstance(authorization, bytes) else authorization.encode()
        found, url = _SCOPE.match(raw), urlsplit(request.url)
        if found and request.method == "POST" and url.path in {"", "/"} and not url.query:
            if self._transport.by_proxy(url):
                return
            agent: Any = request.headers["User-Agent"]
            self._agent = agent.decode() if isinstance(agent, bytes) else agent
            self._url = url
            self._serializer = create_serializer("json")
            self._parser = create_parser("json")
            self._scope = (found[1].decode(), found[2].decode())

    def takes(self, operation: str) -> bool:
        """The operation can go this way: it asks, in a plain request with a plain answer."""
        if self._scope is None:
            return False
        known = self._fits.get(operation)
        if known is None:
            name = self._names[operation]
            model = self._model.operation_model(name)
            known = self._fits[operation] = name.startswith(READS) and not any(
                (
                    model.endpoint,  # a host of its own
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
        return known

    def ask(self, operation: str, params: dict[str, Any]) -> Any:
        """The answer. Raises what botocore raises, of the service's own exceptions too."""
        name = self._names[operation]
        model = self._model.operation_model(name)
        guard(params, model)
        made = self._serializer.serialize_to_request(params, model)
        body = made["body"]
        data: bytes = body.encode() if isinstance(body, str) else body
        headers = {**made["headers"], "User-Agent": self._agent}
        self._count(f"{self._model.service_id.hyphenize()}.{name}")
        answer = self._transport.send("POST", self._url, self._signed(headers, data), data)
        parsed = self._parser.parse(
            {
                "headers": answer.headers,
                "status_code": answer.status,
                "body": answer.body,
                "context": {"operation_name": name},
            },
            model.output_shape,
        )
        if answer.status >= 300:
            error = parsed.get("Error", {})
            known = self._client.exceptions.from_code(error.get("QueryErrorCode") or error.get("Code"))
            raise known(parsed, name)
        return parsed

    def _signed(self, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """The headers with a signature of version 4."""
        credentials, scope = self._credentials(), self._scope
        if credentials is None:
            raise NoCredentialsError
        assert scope is not None  # noqa: S101 - `takes` has said so
        signed = sign(
            headers, body, host=self._url.netloc, scope=scope, credentials=credentials, now=datetime.now(UTC)
        )
        return {**headers, **signed}


def sign(
    headers: Mapping[str, str],
    body: bytes,
    *,
    host: str,
    scope: tuple[str, str],
    credentials: ReadOnlyCredentials,
    now: datetime,
) -> dict[str, str]:
    """The headers to add to a POST of `/`: host, date, token, and the signature (AWS's page "SigV4 signing elements").

    *scope* is Region and service. Every header but User-Agent is signed.
    """
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    day, (region, service) = moment[:8], scope
    added = {"Host": host, "X-Amz-Date": moment}
    if credentials.token:
        added["X-Amz-Security-Token"] = credentials.token
    all_headers = {**headers, **added}
    canonical = sorted(
        (name.lower(), " ".join(value.split())) for name, value in all_headers.items() if name != "User-Agent"
    )
    names = ";".join(name for name, _ in canonical)
    lines = "".join(f"{name}:{value}\n" for name, value in canonical)
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    where = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{where}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, region, service, "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
    added["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{where}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return added
