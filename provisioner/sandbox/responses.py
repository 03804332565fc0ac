"""Convert results and errors to HTTP responses in the protocol of each service, and read error codes from them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from .ask import Request
from .model import Refused, Response


def success(request: Request, result: Mapping[str, Any]) -> Response:
    """A result as a response in the protocol of the service."""
    if request.protocol in ("json", "rest-json"):
        kind = "application/x-amz-json-1.1" if request.protocol == "json" else "application/json"
        return Response(200, {"Content-Type": kind, "x-amzn-RequestId": str(uuid4())}, _json(result))
    model = get_service_model(request.service)
    operation = model.operation_model(request.operation)
    made = get_serializer_class(request.service, request.protocol)(operation).serialize(dict(result))
    body = made["body"]
    headers = {**made["headers"], "x-amz-request-id": str(uuid4())}
    return Response(made["status_code"], headers, body if isinstance(body, bytes) else body.encode())


def elements(request: Request, answer: Response) -> Any:
    """What a successful response in JSON holds. Nothing of XML, which the sandbox itself never has to read."""
    if request.protocol not in {"json", "rest-json"}:
        return {}
    return json.loads(answer.body or b"{}") or {}  # moto answers some writes with `null`


def error_response(request: Request, error: Refused) -> Response:
    """An error as a response in the protocol of the service."""
    code, text, number = error.code, escape(error.message), str(uuid4())
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": number, "x-amz-request-id": number}
    headers |= error.headers
    if request.protocol in ("json", "rest-json"):
        headers |= {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
        return Response(error.status, headers, _json({"__type": code, "message": error.message}))
    inner = f"<Code>{escape(code)}</Code><Message>{text}</Message>"
    if request.protocol == "rest-xml":
        body = f"<Error>{inner}<RequestId>{number}</RequestId></Error>"
    elif request.protocol == "ec2":
        body = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{number}</RequestID></Response>"
    else:
        inner = f"<Error><Type>Sender</Type>{inner}</Error>"
        body = f"<ErrorResponse>{inner}<RequestId>{number}</RequestId></ErrorResponse>"
    empty = request.http.method == "HEAD"
    return Response(error.status, headers, b"" if empty else body.encode())


def error_code(request: Request, answer: Response) -> str | None:
    """The error code in a response; None for a success."""
    if answer.status < 300:
        return None
    if request.protocol in ("json", "rest-json"):
        try:
            error = json.loads(answer.body)
        except ValueError:
            error = {}
        code = (
            error.get("__type")
            or error.get("code")
            or answer.headers.get("x-amzn-ErrorType")
            or answer.status
        )
        return str(code).rpartition("#")[2]
    found = re.search(rb"<Code>(.*?)</Code>", answer.body)
    return found[1].decode() if found else str(answer.status)


def _json(value: Any) -> bytes:
    return json.dumps(value, default=_timestamp).encode()


def _timestamp(value: Any) -> float:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(aware.timestamp(), 3)
    raise TypeError(f"not JSON: {value!r}")
