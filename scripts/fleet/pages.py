"""The accounts of a large organization in the sandbox's store, and the pages in which Organizations lists them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from provisioner.sandbox.ask import backend
from provisioner.sandbox.seed import MANAGEMENT, MEMBERS

_LISTS: Final = ("ListAccounts", "ListAccountsForParent")
_PAGE: Final = 20  # the largest that Organizations returns


def _backend() -> Any:
    return backend("organizations", MANAGEMENT, "us-east-1")


def populate(members: Sequence[str]) -> None:
    """Replace the sample accounts in the lists of the organization by *members*."""
    organizations = _backend()
    sample = organizations.get_account_by_id(next(iter(MEMBERS)))
    organizations.accounts[:] = [each for each in organizations.accounts if each.id not in MEMBERS]
    units = [unit.id for unit in organizations.ou]  # the root is the first of them
    for index, account in enumerate(members):
        made = copy.copy(sample)
        made.id, made.name, made.email = account, f"account-{index:05}", f"aws+{index:05}@example.com"
        made.parent_id = units[index % len(units)]
        made.create_time = sample.create_time + timedelta(minutes=index + 10)
        organizations.accounts.append(made)


@contextmanager
def one_page(operation: str, body: bytes) -> Iterator[tuple[bytes, str | None]]:
    """Leave only one page of accounts in the sandbox while it answers, because listing thousands takes it long.

    Gives the request for that page, without its token, and the token of the next page.
    """
    if operation not in _LISTS:
        yield body, None
        return
    organizations = _backend()
    every = organizations.accounts
    request = json.loads(body)
    start = int(str(request.pop("NextToken", "p0"))[1:])
    end = start + min(int(request.pop("MaxResults", _PAGE)), _PAGE)
    listed = [each for each in every if request.get("ParentId") in (None, each.parent_id)]
    try:
        organizations.accounts = listed[start:end]
        yield json.dumps(request).encode(), f"p{end}" if end < len(listed) else None
    finally:
        organizations.accounts = every


def with_token(body: bytes, token: str | None) -> bytes:
    """The page with the token of the next one."""
    return json.dumps({**json.loads(body), "NextToken": token}).encode() if token else body
