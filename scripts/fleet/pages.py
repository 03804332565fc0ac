"""The accounts of a large organization, in the sandbox's own store, and the pages in which Organizations lists them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from provisioner.sandbox.ask import backend
from provisioner.sandbox.seed import MANAGEMENT, MEMBERS

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
        made.create_time = sample.create_time + timedelta(minutes=place + 10)
        held.accounts.append(made)


@contextmanager
def cut(operation: str, body: bytes) -> Iterator[tuple[bytes, str | None]]:
    """Of a list of accounts, the sandbox has no more than the page that is asked for: thousands would take it long.

    The request for that page, and the token of the next one.
    """
    held = _held()
    every = held.accounts
    try:
        if operation not in OF_ACCOUNTS:
            yield body, None
            return
        asked = json.loads(body)
        start = int(str(asked.pop("NextToken", "p0"))[1:])
        end = start + min(int(asked.pop("MaxResults", _PAGE)), _PAGE)
        listed = [each for each in every if asked.get("ParentId") in (None, each.parent_id)]
        held.accounts = listed[start:end]
        yield json.dumps(asked).encode(), f"p{end}" if end < len(listed) else None
    finally:
        held.accounts = every


def with_token(body: bytes, token: str | None) -> bytes:
    """The page, with the token of the next."""
    return json.dumps({**json.loads(body), "NextToken": token}).encode() if token else body
