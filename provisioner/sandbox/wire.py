"""Parse HTTP requests to AWS, whether they come from this process or over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import UnknownServiceError
from moto.backend_index import backend_url_patterns
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request as HttpRequest
from moto.core.routing import NotFound, get_service_router

from .ask import Request, SandboxState
from .callers import account_of
from .models import LOADER
from .partitions import DNS_SUFFIXES
from .seed import MANAGEMENT

# Moto's module -> botocore's service name, where they differ.
_CLIENT_NAMES = {"awslambda": "lambda", "s3bucket_path": "s3"}
_ACCOUNT = "X-Moto-Account-Id"
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_S3_HOST = re.compile(
    r"^(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.|fips\.)?(?P<region>[a-z0-9-]+))?"
    rf"(?:{'|'.join(map(re.escape, DNS_SUFFIXES))})$"
)


@cache
def _module_of(host: str) -> str | None:
    for module, pattern in backend_url_patterns:
        if pattern.match(f"https://{host}"):
            return str(module)
    return None


def credential(headers: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Access key, Region and signing name of a signed request; None for an unsigned one."""
    found = _SCOPE.search(headers.get("Authorization", "") or "")
    return (found[1], found[2], found[3]) if found else None


def normal_url(url: str, scope: tuple[str, str, str] | None, account: str = "") -> str:
    """The URL that moto gets: `https://service.region.amazonaws.com`, with S3 in path style.

    Moto derives Region, partition and bucket from the host, which has none of them when the sandbox is served over HTTP.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    query = f"?{parts.query}" if parts.query else ""
    path = parts.path or "/"
    region, name = (scope[1], scope[2]) if scope else ("us-east-1", "")
    at_aws = host.endswith(DNS_SUFFIXES)
    if name == "s3" or (at_aws and not name and _S3_HOST.match(host)):
        if path.startswith("/v20180820/") or ".s3-control" in host:
            owner = host.split(".")[0] if at_aws else account
            return f"https://{owner}.s3-control.{region}.amazonaws.com{path}{query}"
        virtual = _S3_HOST.match(host)
        bucket = f"/{virtual['bucket']}" if virtual and virtual["bucket"] else ""
        return f"https://s3.{region}.amazonaws.com{bucket}{path}{query}"
    if at_aws and not name:
        return url
    return f"https://{name or 's3'}.{region}.amazonaws.com{path}{query}"


@cache
def _service_signed_as(name: str) -> str:
    """Botocore's name of the service with that signing name; it may lack the hyphens."""
    known = LOADER.list_available_services("service-2")
    return next((each for each in (name, name.replace("-", "")) if each in known), name)


def understand(world: SandboxState, method: str, url: str, headers: Mapping[str, str], body: Any) -> Request:
    """Parse a request: its account, Region, service, operation and parameters."""
    scope = credential(headers)
    key, region = (scope[0], scope[1]) if scope else ("", "us-east-1")
    owner = account_of(key, world.memory.get("sessions", {}))
    account = owner or MANAGEMENT
    # Passed to moto, whose own lookup of the account searches every account, more than once.
    kept = {k: v for k, v in headers.items() if k.lower() not in ("host", _ACCOUNT.lower())}
    http = HttpRequest.from_primitives(method, url, {**kept, _ACCOUNT: account}, body)
    # A service that moto lacks keeps its signing name; `dispatch` refuses it.
    module = _module_of(http.host) or (scope[2] if scope else "unknown")
    service = _CLIENT_NAMES.get(module) or _service_signed_as(module)
    request = Request(world, account, region, service, "", {}, http, "json", key, known=owner is not None)
    _read_operation(request)
    return request


def _read_operation(request: Request) -> None:
    """Fill in operation, parameters and protocol."""
    http = request.http
    target = http.headers.get("X-Amz-Target")
    if target:
        request.operation = target.rpartition(".")[2]
        request.params = json.loads(http.get_data() or b"{}")
        return
    if action := http.values.get("Action"):
        request.operation = action
        request.protocol = "ec2" if request.service == "ec2" else "query"
    else:
        request.protocol = "rest-xml" if request.service in ("s3", "s3control") else "rest-json"
    try:
        operation, uri = get_service_router(request.service).match(http)
    except (NotFound, NotImplementedError, UnknownServiceError):
        request.operation = request.operation or f"{http.method} {http.path}"
        return
    request.operation = str(operation.name)
    asked: Any = {
        "method": http.method,
        "values": http.values,
        "headers": http.headers,
        "body": http.get_data(),
        "url_path": http.path,
        "url_params": uri,
    }
    try:
        request.params = PROTOCOL_PARSERS[request.protocol](operation).parse(asked)
    except RequestParserError as error:
        request.params = {**uri, "?": str(error)}
