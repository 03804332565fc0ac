"""Pages: Organizations' are small and may be empty, and a test may ask for small ones everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader, create_loader

from ..ask import Ask
from ..rule import after, before

_LIMITS = {"MaxResults", "Limit", "limit", "maxResults"}


@cache
def _lists(service: str) -> Mapping[str, tuple[str, str]]:
    """The service's operations that answer a list in pages: the list, and what the token is called (botocore's own model)."""
    try:
        model = get_paginator_model(service)
    except UnknownServiceError:
        return {}
    return {
        operation: (each["result_key"], each["output_token"])
        for operation, each in model.items()
        if isinstance(each["result_key"], str) and isinstance(each["output_token"], str)
    }


def get_paginator_model(service: str) -> Mapping[str, Any]:
    """How the service's answers come in pages, by operation. Raises UnknownServiceError."""
    found: Mapping[str, Any] = _loader().load_service_model(service, "paginators-1")["pagination"]
    return found


@cache
def _loader() -> Loader:
    return create_loader()


def _page_size(ask: Ask) -> int:
    """How many entries a page of this answer has at most; 0 for no limit."""
    if ask.protocol != "json" or ask.operation not in _lists(ask.service):
        return 0
    if ask.service == "organizations":
        return min(int(ask.params.get("MaxResults") or 20), ask.world.page_size or 20)
    return ask.world.page_size


@before("organizations.pages", "*", row="13.5 31 accounts in one page; 1.3")
def whole_organization(ask: Ask) -> None:
    """Organizations answers pages of at most 20; with a page size set, the first is empty and has a token."""
    if _page_size(ask):
        _ask_for_all(ask, _lists(ask.service)[ask.operation][1])


@after("organizations.pages", "*")
def organization_page(ask: Ask, answer: dict[str, Any]) -> None:
    """One page of the list."""
    size = _page_size(ask)
    if not size:
        return
    (key, name), token = _lists(ask.service)[ask.operation], ask.params.get("NextToken") or ""
    if token.startswith("e") or (ask.world.page_size and not token):
        # AWS: "the NextToken response parameter value is null only when there are no more results".
        answer[key], answer["NextToken"] = [], f"p{token[1:] or 0}"
        return
    _cut(ask, answer, key, name, size)
    if ask.world.empty_pages and "NextToken" in answer:
        answer["NextToken"] = f"e{answer['NextToken'][1:]}"


@before("paging.small_pages", "*:*", row="1.3 Pagination")
def whole_list(ask: Ask) -> None:
    """Where `World.page_size` is set, lists come in pages of that size."""
    if ask.service != "organizations" and _page_size(ask):
        _ask_for_all(ask, _lists(ask.service)[ask.operation][1])


@after("paging.small_pages", "*:*")
def small_page(ask: Ask, answer: dict[str, Any]) -> None:
    """One page of the list."""
    if ask.service != "organizations" and (size := _page_size(ask)):
        key, token = _lists(ask.service)[ask.operation]
        _cut(ask, answer, key, token, size)


def _ask_for_all(ask: Ask, token: str) -> None:
    """Moto is shown neither token nor limit, and so answers the whole list."""
    if ask.params.get(token) or _LIMITS & set(ask.params):
        ask.rewritten, ask.hidden = True, {token, *_LIMITS}


def _cut(ask: Ask, answer: dict[str, Any], key: str, token: str, size: int) -> None:
    start = int(str(ask.params.get(token) or "p0")[1:])
    every = [*(answer.get(key) or []), *_rest(ask, answer.pop(token, None), key, token)]
    answer[key] = every[start : start + size]
    if start + size < len(every):
        answer[token] = f"p{start + size}"


def _rest(ask: Ask, more: Any, key: str, token: str) -> Iterator[Any]:
    """What is on moto's own further pages."""
    asked = ask.params.get(token)
    while more:
        ask.hidden = _LIMITS
        ask.rewrite(**{token: more})
        page = json.loads(ask.moto().body)
        yield from page[key]
        more = page.get(token)
    ask.params[token] = asked
