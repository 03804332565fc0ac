"""The way to moto: which of its handlers takes a request, and what comes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.core import errors, responses
from moto.core.request import Request
from werkzeug.exceptions import HTTPException

from .answers import refuse
from .ask import Ask
from .wire import module_of_service
from .words import Answer, Refused

# Moto looks through the class of a service for each request, and through its errors for each error. It finds the
# same each time; that it does not remember was half the time of an answer.
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
    """The URL patterns of a service, without making a backend that would then be part of the state."""
    made = held.backend.__new__(held.backend)
    urls: dict[str, Callable[..., Any]] = made.urls
    return urls


def dispatch(ask: Ask) -> Answer:
    """Moto's answer, whatever way moto chose to give it; what moto lacks is a 501, which nobody retries."""
    request = _rewritten(ask) if ask.rewritten else ask.request
    url = request.raw_url
    clean = url.split("?", 1)[0]
    module = module_of_service(ask.service)
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
    headers = {**dict(old.headers), "X-Moto-Account-Id": ask.acting or ask.account}
    return Request.from_primitives(old.method, old.raw_url, headers, json.dumps(shown).encode())


def missing(ask: Ask) -> Answer:
    """The answer for an operation that neither moto nor the sandbox knows."""
    text = f"the sandbox does not know {ask.service}:{ask.operation}"
    return refuse(ask, Refused("SandboxNotImplemented", text, 501))
