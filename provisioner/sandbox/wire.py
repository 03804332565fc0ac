"""Requests and answers as they look on the wire, the same whichever door they came through."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import UnknownServiceError
from moto.backend_index import backend_url_patterns
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request
from moto.core.routing import NotFound, get_service_router
from moto.utilities.utils import get_partition

from .callers import account_of
from .seed import MANAGEMENT
from .words import Answer

if TYPE_CHECKING:
    from .world import World

# moto's module where it is not botocore's service name.
MODULES = {"lambda": "awslambda"}
CLIENT_NAMES = {"awslambda": "lambda", "s3bucket_path": "s3"}
_ACCOUNT = "X-Moto-Account-Id"
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_S3_HOST = re.compile(
    r"^(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.|fips\.)?(?P<region>[a-z0-9-]+))?\.amazonaws\.com(\.cn)?$"
)


@dataclass
class Ask:
    """One request as the server understands it. *service* is botocore's name of it."""

    world: World
    account: str
    region: str
    service: str
    operation: str
    params: dict[str, Any]
    request: Request
    protocol: str
    access_key: str = ""
    known: bool = False  # the key is one that was made here
    rewritten: bool = False
    hidden: frozenset[str] | set[str] = frozenset()  # parameters that moto is not shown
    carried: dict[str, Any] = field(default_factory=dict)  # from one part of a rule to its next
    acting: str | None = None  # the account moto takes for the caller's, where that is another one

    @property
    def partition(self) -> str:
        """The partition of the Region that the request was signed for."""
        return str(get_partition(self.region))

    @property
    def memory(self) -> dict[str, Any]:
        """What the rules remember beyond moto's own state; saved with it."""
        return self.world.memory

    def store(self, service: str | None = None, account: str | None = None, region: str | None = None) -> Any:
        """Moto's backend of a service: of this request's account and Region unless told otherwise."""
        return backend(service or self.service, account or self.account, region or self.region)

    def note(self, kind: str) -> dict[Any, Any]:
        """The rules' own dictionary of one *kind*, e.g. what moto drops from a lifecycle rule."""
        kept: dict[Any, Any] = self.memory.setdefault(kind, {})
        return kept

    def rewrite(self, **params: Any) -> None:
        """Moto sees the request with these parameters (of services that speak JSON)."""
        self.params.update(params)
        self.rewritten = True

    def act_as(self, account: str) -> None:
        """Moto takes the request as made by *account*: a delegated administrator for its organization."""
        self.acting, self.rewritten = account, True

    def moto(self) -> Answer:
        """What moto answers to the request."""
        from .dispatch import dispatch

        return dispatch(self)


GLOBAL_STORES = ("s3", "iam", "sts", "organizations", "account", "s3control")


def backend(service: str, account: str, region: str) -> Any:
    """Moto's object that holds one service's state in one account and Region (or partition)."""
    from moto.backends import get_backend

    held: Any = get_backend(service)[account]  # type: ignore[call-overload]
    return held[get_partition(region) if service in GLOBAL_STORES else region]


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
    if name in ("iam", "organizations", "sts", "account", "config", "cloudtrail") or not at_aws:
        return f"https://{name or 's3'}.{region}.amazonaws.com{path}{query}"
    return url


def module_of_service(service: str) -> str:
    """Moto's name of a service."""
    return MODULES.get(service, service)


def understand(world: World, method: str, url: str, headers: Mapping[str, str], body: Any) -> Ask:
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
    service = CLIENT_NAMES.get(module, module)
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
