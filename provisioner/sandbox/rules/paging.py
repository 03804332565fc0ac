"""Pagination: AWS's page size for Organizations, and small or empty pages for tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError

from ..ask import Request
from ..models import LOADER
from ..rule import after, before

_LIMITS = {"MaxResults", "Limit", "limit", "maxResults"}


@cache
def _lists(service: str) -> Mapping[str, tuple[str, str]]:
    """The service's paginated operations: the key of the list, and of the token (botocore's own model)."""
    try:
        model = LOADER.load_service_model(service, "paginators-1")
    except UnknownServiceError:
        return {}
    return {
        operation: (each["result_key"], each["output_token"])
        for operation, each in model["pagination"].items()
        if isinstance(each["result_key"], str) and isinstance(each["output_token"], str)
    }


def _page_size(request: Request) -> int:
    """The maximum number of entries on a page of this result; 0 for no limit."""
    if request.protocol != "json" or request.operation not in _lists(request.service):
        return 0
    if request.service == "organizations":
        return min(int(request.params.get("MaxResults") or 20), request.world.page_size or 20)
    return request.world.page_size


@before("organizations.pages", "*", row="13.5 31 accounts in one page; 1.3")
def whole_organization(request: Request) -> None:
    """Organizations returns pages of at most 20; with a page size set, the first is empty and has a token."""
    if _page_size(request):
        _ask_for_all(request, _lists(request.service)[request.operation][1])


@after("organizations.pages", "*")
def organization_page(request: Request, answer: dict[str, Any]) -> None:
    """Return one page of the list."""
    size = _page_size(request)
    if not size:
        return
    (key, name), token = _lists(request.service)[request.operation], request.params.get("NextToken") or ""
    if token.startswith("e") or (request.world.page_size and not token):
        # AWS: "the NextToken response parameter value is null only when there are no more results".
        answer[key], answer["NextToken"] = [], f"p{token[1:] or 0}"
        return
    _cut(request, answer, key, name, size)
    if request.world.empty_pages and "NextToken" in answer:
        answer["NextToken"] = f"e{answer['NextToken'][1:]}"


@before("paging.small_pages", "*:*", row="1.3 Pagination")
def whole_list(request: Request) -> None:
    """With `World.page_size`, lists come in pages of that size."""
    if request.service != "organizations" and _page_size(request):
        _ask_for_all(request, _lists(request.service)[request.operation][1])


@after("paging.small_pages", "*:*")
def small_page(request: Request, answer: dict[str, Any]) -> None:
    """Return one page of the list."""
    if request.service != "organizations" and (size := _page_size(request)):
        key, token = _lists(request.service)[request.operation]
        _cut(request, answer, key, token, size)


def _ask_for_all(request: Request, token: str) -> None:
    """Hide token and limit from moto, so that it returns the whole list."""
    if request.params.get(token) or _LIMITS & set(request.params):
        request.rewritten, request.omitted = True, {token, *_LIMITS}


def _cut(request: Request, answer: dict[str, Any], key: str, token: str, size: int) -> None:
    start = int(str(request.params.get(token) or "p0")[1:])
    every = [*(answer.get(key) or []), *_rest(request, answer.pop(token, None), key, token)]
    answer[key] = every[start : start + size]
    if start + size < len(every):
        answer[token] = f"p{start + size}"


def _rest(request: Request, more: Any, key: str, token: str) -> Iterator[Any]:
    """The entries on moto's own further pages."""
    original = request.params.get(token)
    while more:
        request.omitted = _LIMITS
        request.rewrite(**{token: more})
        page = json.loads(request.moto().body)
        yield from page[key]
        more = page.get(token)
    request.params[token] = original
