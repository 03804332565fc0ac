"""What stands between a plan and its first write: the digest, the limit that was asked for, and the user."""

from __future__ import annotations

import sys

from rich.text import Text

from ..engine.plan import Plan
from ..report import words
from .options import Asked, Unable
from .session import Session


def gate(session: Session, plan: Plan) -> None:
    """Nothing is written before this returns. Raises Unable."""
    asked = session.asked
    if asked.expect_plan is not None and asked.expect_plan != plan.digest:
        raise Unable(
            f"the plan is not the one that was reviewed: it is {plan.digest}, expected {asked.expect_plan}; review it again with `provision diff`"
        )
    if asked.max_changes is not None and (why := plan.exceeds(asked.max_changes)):
        raise Unable(f"--max-changes: {why}; nothing was changed")
    if not asks(asked):
        return
    if not sys.stdin.isatty() or session.screen.as_json or session.screen.as_lines:
        raise Unable("there is no terminal to ask on, and nothing was changed: give `--yes`")
    accounts = {result.target.account for result, _ in plan.changes}
    place = f"account {accounts.pop()}" if len(accounts) == 1 else words.plural(len(accounts), "account")
    where = "the sandbox" if asked.sandbox else place
    session.screen.err.print(
        Text(f"\nMake these changes in {where}? Only `yes` is taken for yes: ", "bold"), end=""
    )
    if sys.stdin.readline().strip() != "yes":
        raise Unable("not confirmed, and nothing was changed")


def asks(asked: Asked) -> bool:
    """The user is asked before anything is changed."""
    return not asked.yes and asked.expect_plan is None
