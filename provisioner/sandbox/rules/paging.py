"""Pages: Organizations' are small and may be empty, and a test may ask for small ones everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..rule import after, before
from ..wire import Ask

_ORGANIZATIONS = {
    "ListAccounts": "Accounts",
    "ListAccountsForParent": "Accounts",
    "ListOrganizationalUnitsForParent": "OrganizationalUnits",
    "ListChildren": "Children",
    "ListParents": "Parents",
    "ListRoots": "Roots",
    "ListTagsForResource": "Tags",
    "ListDelegatedAdministrators": "DelegatedAdministrators",
    "ListAWSServiceAccessForOrganization": "EnabledServicePrincipals",
}
# Operation: the list, and what the token is called.
_OTHERS = {
    "config:DescribeConfigRules": ("ConfigRules", "NextToken"),
    "config:DescribeConfigRuleEvaluationStatus": ("ConfigRulesEvaluationStatus", "NextToken"),
    "config:DescribeComplianceByConfigRule": ("ComplianceByConfigRules", "NextToken"),
    "config:ListTagsForResource": ("Tags", "NextToken"),
    "config:ListConfigurationRecorders": ("ConfigurationRecorderSummaries", "NextToken"),
    "cloudtrail:ListTags": ("ResourceTagList", "NextToken"),
    "logs:DescribeLogGroups": ("logGroups", "nextToken"),
}
_LIMITS = {"MaxResults", "Limit", "limit"}


@before("organizations.pages", *_ORGANIZATIONS, row="13.5 31 accounts in one page; 1.3")
def whole_organization(ask: Ask) -> None:
    """Organizations answers pages of at most 20; with a page size set, the first is empty and has a token."""
    _ask_for_all(ask, "NextToken")


@after("organizations.pages", *_ORGANIZATIONS)
def organization_page(ask: Ask, answer: dict[str, Any]) -> None:
    """One page of the list."""
    size = min(int(ask.params.get("MaxResults") or 20), ask.world.page_size or 20)
    key, token = _ORGANIZATIONS[ask.operation], ask.params.get("NextToken") or ""
    if token.startswith("e") or (ask.world.page_size and not token):
        # AWS: "the NextToken response parameter value is null only when there are no more results".
        answer[key], answer["NextToken"] = [], f"p{token[1:] or 0}"
        return
    _cut(ask, answer, key, "NextToken", size)
    if ask.world.empty_pages and "NextToken" in answer:
        answer["NextToken"] = f"e{answer['NextToken'][1:]}"


@before("paging.small_pages", *_OTHERS, row="1.3 Pagination")
def whole_list(ask: Ask) -> None:
    """Where `World.page_size` is set, lists come in pages of that size."""
    if ask.world.page_size:
        _ask_for_all(ask, _OTHERS[f"{ask.service}:{ask.operation}"][1])


@after("paging.small_pages", *_OTHERS)
def small_page(ask: Ask, answer: dict[str, Any]) -> None:
    """One page of the list."""
    if ask.world.page_size:
        key, token = _OTHERS[f"{ask.service}:{ask.operation}"]
        _cut(ask, answer, key, token, ask.world.page_size)


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
