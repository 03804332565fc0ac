"""Results and errors in the protocol of each service, and back."""

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

from .ask import Ask
from .words import Answer, Refused


def succeed(ask: Ask, result: Mapping[str, Any]) -> Answer:
    """A result in the protocol of the service."""
    if ask.protocol in ("json", "rest-json"):
        kind = "application/x-amz-json-1.1" if ask.protocol == "json" else "application/json"
        return Answer(200, {"Content-Type": kind, "x-amzn-RequestId": _request_id()}, _json(result))
    model = get_service_model(ask.service)
    operation = model.operation_model(ask.operation)
    made = get_serializer_class(ask.service, ask.protocol)(operation).serialize(dict(result))
    body = made["body"]
    headers = {**made["headers"], "x-amz-request-id": _request_id()}
    return Answer(made["status_code"], headers, body if isinstance(body, bytes) else body.encode())


def refuse(ask: Ask, error: Refused) -> Answer:
    """An error in the protocol of the service."""
    code, text, number = error.code, escape(error.message), _request_id()
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": number, "x-amz-request-id": number}
    headers |= error.headers
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
    return str(uuid4())


def _json(value: Any) -> bytes:
    return json.dumps(value, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(aware.timestamp(), 3)
    raise TypeError(f"not JSON: {value!r}")
