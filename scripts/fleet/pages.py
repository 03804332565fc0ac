"""The accounts of a large organization, in the sandbox's own store, and the pages in which Organizations lists them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from provisioner.sandbox import WireCall
from provisioner.sandbox.seed import MANAGEMENT, MEMBERS
from provisioner.sandbox.wire import backend

OF_ACCOUNTS: Final = ("ListAccounts", "ListAccountsForParent")
_PAGE: Final = 20  # Organizations gives no larger ones


def _held() -> Any:
    return backend("organizations", MANAGEMENT, "us-east-1")


def populate(members: Sequence[str]) -> None:
    """The organization lists *members*, and no longer those that stand for them."""
    held = _held()
    sample = held.get_account_by_id(next(iter(MEMBERS)))
    held.accounts[:] = [each for each in held.accounts if each.id not in MEMBERS]
    units = [unit.id for unit in held.ou]  # the root is the first of them
    for place, account in enumerate(members):
        made = copy.copy(sample)
        made.id, made.name, made.email = account, f"account-{place:05}", f"aws+{place:05}@example.com"
        made.parent_id = units[place % len(units)]
        made.create_time = sample.create_time + timedelta(minutes=place + 1)
        held.accounts.append(made)


@contextmanager
def few(question: str) -> Iterator[None]:
    """The sandbox lists one account, where *question* is for a list: it would take long over thousands."""
    held = _held()
    every = held.accounts
    held.accounts = every[:1] if question.endswith(OF_ACCOUNTS) else every
    try:
        yield
    finally:
        held.accounts = every


def page(call: WireCall) -> bytes:
    """The page of accounts that is asked for, cut as the sandbox does."""
    parent = call.params.get("ParentId")
    listed = [each for each in _held().accounts if parent in (None, each.parent_id)]
    start = int(str(call.params.get("NextToken") or "p0")[1:])
    end = start + min(int(call.params.get("MaxResults") or _PAGE), _PAGE)
    more = {"NextToken": f"p{end}"} if end < len(listed) else {}
    return json.dumps({"Accounts": [each.describe() for each in listed[start:end]], **more}).encode()
