"""Pass a request to moto's handler for it, and normalize the response."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.core import errors, responses
from moto.core.request import Request as HttpRequest
from werkzeug.exceptions import HTTPException

from .ask import Request
from .model import Refused, Response
from .responses import error_response

# Moto searches the class of a service for each request, and its errors for each error, always with the same result.
# Without these caches that search takes half the time of a response.
responses.method_names_from_class = cache(responses.method_names_from_class)
errors.ErrorLookupFactory = cache(errors.ErrorLookupFactory)  # type: ignore[assignment, misc]


@cache
def _handlers(module: str) -> tuple[tuple[re.Pattern[str], Callable[..., Any]], ...]:
    from moto.backends import get_backend, list_of_moto_modules
    from moto.core.base_backend import BackendDict

    if module not in list_of_moto_modules():
        return ()
    held: Any = get_backend(module)  # type: ignore[call-overload]
    urls = _urls(held) if isinstance(held, BackendDict) else held["global"].urls
    return tuple((re.compile(url), handler) for url, handler in urls.items())


def _urls(held: Any) -> dict[str, Callable[..., Any]]:
    """The URL patterns of a service, found without creating a backend that would be part of the state."""
    urls: dict[str, Callable[..., Any]] = held.backend.__new__(held.backend).urls
    return urls


def dispatch(request: Request) -> Response:
    """Moto's response; an operation that moto lacks is a 501, which clients do not retry."""
    http = _rewritten(request) if request.rewritten else request.http
    url = http.raw_url
    clean = url.split("?", 1)[0]
    module = "awslambda" if request.service == "lambda" else request.service
    handler = next((found for pattern, found in _handlers(module) if pattern.match(clean)), None)
    if handler is None:
        return missing(request)
    try:
        status, headers, body = handler(http, url, http.headers)
    except HTTPException as error:
        status, headers, body = error.code or 400, dict(error.get_headers()), error.get_body()
    except NotImplementedError:
        return missing(request)
    except Refused:
        raise
    except Exception as defect:  # noqa: BLE001 moto lets KeyError and the like escape; a 501 is not retried
        text = f"moto failed in {request.service}:{request.operation}: {type(defect).__name__}: {defect}"
        return error_response(request, Refused("SandboxDefect", text, 501))
    raw = body if isinstance(body, bytes) else str(body or "").encode()
    if status == 404 and b"Not yet implemented" in raw:
        return missing(request)
    return Response(int(status), {str(k): str(v) for k, v in dict(headers).items()}, raw)


def _rewritten(request: Request) -> HttpRequest:
    old = request.http
    shown = {k: v for k, v in request.params.items() if k not in request.omitted}
    headers = {**dict(old.headers), "X-Moto-Account-Id": request.acting_account or request.account}
    return HttpRequest.from_primitives(old.method, old.raw_url, headers, json.dumps(shown).encode())


def missing(request: Request) -> Response:
    """The response for an operation that neither moto nor the sandbox implements."""
    text = f"the sandbox does not know {request.service}:{request.operation}"
    return error_response(request, Refused("SandboxNotImplemented", text, 501))
