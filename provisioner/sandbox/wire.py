"""Requests and answers as they look on the wire, the same whichever door they came through."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from moto.backend_index import backend_url_patterns
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request
from moto.core.routing import NotFound, get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from .words import Answer, Refused

if TYPE_CHECKING:
    from .world import World

# moto's module where it is not botocore's service name.
MODULES = {"lambda": "awslambda", "monitoring": "cloudwatch", "events": "events"}
SIGNED_AS = {"cloudwatch": "monitoring", "awslambda": "lambda"}
CLIENT_NAMES = {"monitoring": "cloudwatch", "awslambda": "lambda"}
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


def understand(world: World, request: Request) -> Ask:
    """Which operation of which service a request is, for which account and Region, with its parameters."""
    from moto.iam.models import get_account_id_from

    scope = credential(dict(request.headers))
    key, region = (scope[0], scope[1]) if scope else ("", "us-east-1")
    host = request.host
    module = _module_of(host)
    if module is None:
        raise Refused("UnknownHost", f"the sandbox has no service at {host}", 501)
    if module == "s3bucket_path":
        module = "s3"
    service = CLIENT_NAMES.get(module, module)
    account = get_account_id_from(key)
    ask = Ask(world, account, region, service, "", {}, request, "json", key)
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
    except (NotFound, NotImplementedError):
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


@cache
def _handlers(module: str) -> tuple[tuple[re.Pattern[str], Callable[..., Any]], ...]:
    from moto.backends import get_backend
    from moto.core.base_backend import BackendDict

    held: Any = get_backend(module)  # type: ignore[call-overload]
    urls = importlib_urls(held) if isinstance(held, BackendDict) else held["global"].urls
    return tuple((re.compile(url), handler) for url, handler in urls.items())


def importlib_urls(held: Any) -> dict[str, Callable[..., Any]]:
    """The URL patterns of a service, without making a backend that would then be part of the state."""
    made = held.backend.__new__(held.backend)
    urls: dict[str, Callable[..., Any]] = made.urls
    return urls


def dispatch(ask: Ask) -> Answer:
    """Moto's answer, whatever way moto chose to give it; what moto lacks is a 501, which nobody retries."""
    request = _rewritten(ask) if ask.rewritten else ask.request
    url = request.raw_url
    clean = url.split("?", 1)[0]
    module = MODULES.get(ask.service, ask.service)
    handler = next((found for pattern, found in _handlers(module) if pattern.match(clean)), None)
    if handler is None:
        return missing(ask)
    try:
        status, headers, body = handler(request, url, request.headers)
    except HTTPException as error:
        status, headers, body = error.code or 400, dict(error.get_headers()), error.get_body()
    except NotImplementedError:
        return missing(ask)
    except Refused:
        raise
    except Exception as defect:  # noqa: BLE001 moto leaks KeyError and the like; a 501 says so and is not retried
        text = f"moto failed in {ask.service}:{ask.operation}: {type(defect).__name__}: {defect}"
        return refuse(ask, Refused("SandboxDefect", text, 501))
    raw = body if isinstance(body, bytes) else str(body or "").encode()
    if status == 404 and b"Not yet implemented" in raw:
        return missing(ask)
    return Answer(int(status), {str(k): str(v) for k, v in dict(headers).items()}, raw)


def _rewritten(ask: Ask) -> Request:
    old = ask.request
    shown = {k: v for k, v in ask.params.items() if k not in ask.hidden}
    headers = dict(old.headers) | ({"x-moto-account-id": ask.acting} if ask.acting else {})
    return Request.from_primitives(old.method, old.raw_url, headers, json.dumps(shown).encode())


def missing(ask: Ask) -> Answer:
    """The answer for an operation that neither moto nor the sandbox knows."""
    text = f"the sandbox does not know {ask.service}:{ask.operation}"
    return refuse(ask, Refused("SandboxNotImplemented", text, 501))


def succeed(ask: Ask, result: Mapping[str, Any]) -> Answer:
    """A result in the protocol of the service."""
    if ask.protocol in ("json", "rest-json"):
        kind = "application/x-amz-json-1.1" if ask.protocol == "json" else "application/json"
        return Answer(200, {"Content-Type": kind, "x-amzn-RequestId": _request_id()}, _json(result))
    model = get_service_model(ask.service)
    operation: OperationModel = model.operation_model(ask.operation)
    made = get_serializer_class(ask.service, ask.protocol)(operation).serialize(dict(result))
    body = made["body"]
    headers = {**made["headers"], "x-amz-request-id": _request_id()}
    return Answer(made["status_code"], headers, body if isinstance(body, bytes) else body.encode())


def refuse(ask: Ask, error: Refused) -> Answer:
    """An error in the protocol of the service."""
    code, text, number = error.code, escape(error.message), _request_id()
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": number, "x-amz-request-id": number}
    if ask.protocol in ("json", "rest-json"):
        headers |= {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
        return Answer(error.status, headers, _json({"__type": code, "message": error.message}))
    inner = f"<Code>{escape(code)}</Code><Message>{text}</Message>"
    if ask.protocol == "rest-xml":
        body = f"<Error>{inner}<RequestId>{number}</RequestId></Error>"
    elif ask.protocol == "ec2":
        body = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{number}</RequestID></Response>"
    else:
        inner = f"<Error><Type>Sender</Type>{inner}</Error>"
        body = f"<ErrorResponse>{inner}<RequestId>{number}</RequestId></ErrorResponse>"
    empty = ask.request.method == "HEAD"
    return Answer(error.status, headers, b"" if empty else body.encode())


def error_code(ask: Ask, answer: Answer) -> str | None:
    """The error code an answer carries; None for a success."""
    if answer.status < 300:
        return None
    if ask.protocol in ("json", "rest-json"):
        try:
            said = json.loads(answer.body)
        except ValueError:
            said = {}
        code = (
            said.get("__type") or said.get("code") or answer.headers.get("x-amzn-ErrorType") or answer.status
        )
        return str(code).rpartition("#")[2]
    found = re.search(rb"<Code>(.*?)</Code>", answer.body)
    return found[1].decode() if found else str(answer.status)


def _request_id() -> str:
    from uuid import uuid4

    return str(uuid4())


def _json(value: Any) -> bytes:
    return json.dumps(value, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(aware.timestamp(), 3)
    raise TypeError(f"not JSON: {value!r}")
