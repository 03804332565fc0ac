"""Requests and answers as they look on the wire, the same whichever door they came through."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader
from moto.backend_index import backend_url_patterns
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request
from moto.core.routing import NotFound, get_service_router

from .ask import Ask, Surroundings
from .callers import account_of
from .seed import MANAGEMENT

# moto's module where it is not botocore's service name.
MODULES = {"lambda": "awslambda"}
# The first part of a host where it is not the name for which requests are signed.
HOSTS: dict[str, str] = {}
CLIENT_NAMES = {"awslambda": "lambda", "s3bucket_path": "s3"}
_ACCOUNT = "X-Moto-Account-Id"
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_S3_HOST = re.compile(
    r"^(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.|fips\.)?(?P<region>[a-z0-9-]+))?\.amazonaws\.com(\.cn)?$"
)


@cache
def _module_of(host: str) -> str | None:
    for module, pattern in backend_url_patterns:
        if pattern.match(f"https://{host}"):
            return str(module)
    return None


def credential(headers: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Access key, Region and signing name of a signed request."""
    found = _SCOPE.search(headers.get("Authorization", "") or "")
    return (found[1], found[2], found[3]) if found else None


def normal_url(url: str, scope: tuple[str, str, str] | None, account: str = "") -> str:
    """The URL that both doors give to moto: `https://service.region.amazonaws.com`, S3 in path style.

    Moto derives Region, partition and bucket from the host; a request over HTTP has none of them there.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    query = f"?{parts.query}" if parts.query else ""
    path = parts.path or "/"
    region, name = (scope[1], scope[2]) if scope else ("us-east-1", "")
    at_aws = host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    if name == "s3" or (at_aws and not name and _S3_HOST.match(host)):
        if path.startswith("/v20180820/") or ".s3-control" in host:
            owner = host.split(".")[0] if at_aws else account
            return f"https://{owner}.s3-control.{region}.amazonaws.com{path}{query}"
        virtual = _S3_HOST.match(host)
        bucket = f"/{virtual['bucket']}" if virtual and virtual["bucket"] else ""
        return f"https://s3.{region}.amazonaws.com{bucket}{path}{query}"
    if at_aws and not name:
        return url
    return f"https://{HOSTS.get(name, name) or 's3'}.{region}.amazonaws.com{path}{query}"


@cache
def _service_signed_as(name: str) -> str:
    """Botocore's name of the service that requests are signed for under *name*: it may lack the hyphens."""
    known = create_loader().list_available_services("service-2")
    return next((each for each in (name, name.replace("-", "")) if each in known), name)


def module_of_service(service: str) -> str:
    """Moto's name of a service."""
    return MODULES.get(service, service)


def understand(world: Surroundings, method: str, url: str, headers: Mapping[str, str], body: Any) -> Ask:
    """Which operation of which service a request is, for which account and Region, with its parameters."""
    scope = credential(headers)
    key, region = (scope[0], scope[1]) if scope else ("", "us-east-1")
    owner = account_of(key, world.memory.get("sessions", {}))
    account = owner or MANAGEMENT
    # Moto is told whose request it is: its own way to find out looks through every account, more than once.
    told = {k: v for k, v in headers.items() if k.lower() not in ("host", _ACCOUNT.lower())}
    told[_ACCOUNT] = account
    request = Request.from_primitives(method, url, told, body)
    # A service that moto has not heard of keeps the name it was signed for; nothing answers it.
    module = _module_of(request.host) or (scope[2] if scope else "unknown")
    service = CLIENT_NAMES.get(module) or _service_signed_as(module)
    ask = Ask(world, account, region, service, "", {}, request, "json", key, known=owner is not None)
    _read_operation(ask)
    return ask


def _read_operation(ask: Ask) -> None:
    """Fill in operation, parameters and protocol."""
    request = ask.request
    target = request.headers.get("X-Amz-Target")
    if target:
        ask.operation = target.rpartition(".")[2]
        ask.params = json.loads(request.get_data() or b"{}")
        return
    if action := request.values.get("Action"):
        ask.operation = action
        ask.protocol = "ec2" if ask.service == "ec2" else "query"
    else:
        ask.protocol = "rest-xml" if ask.service in ("s3", "s3control") else "rest-json"
    try:
        operation, uri = get_service_router(ask.service).match(request)
    except (NotFound, NotImplementedError, UnknownServiceError):
        ask.operation = ask.operation or f"{request.method} {request.path}"
        return
    ask.operation = str(operation.name)
    asked: Any = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": request.get_data(),
        "url_path": request.path,
        "url_params": uri,
    }
    try:
        ask.params = PROTOCOL_PARSERS[ask.protocol](operation).parse(asked)
    except RequestParserError as wrong:
        ask.params = {**uri, "?": str(wrong)}
