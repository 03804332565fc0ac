"""What stands between a plan and its first write: the digest, the size, and the user."""

from __future__ import annotations

import sys

from rich.text import Text

from ..engine.plan import Plan
from .options import Asked
from .session import Session, Unable


def gate(session: Session, plan: Plan, place: str) -> None:
    """Nothing is written before this returns. Raises Unable."""
    asked = session.asked
    if asked.expect_plan is not None and asked.expect_plan != plan.digest:
        raise Unable(
            f"the plan is not the one that was reviewed: it is {plan.digest}, expected {asked.expect_plan}; review it again with `provision diff`"
        )
    share = plan.share
    if share.large and session.cut_short:
        session.screen.say("the last apply of this file was cut short; this one goes on with it")
    elif share.large and not asked.force:
        raise Unable(f"{share}: look at it again, then give `--force`")
    if not asks(asked):
        return
    if not sys.stdin.isatty() or session.screen.as_json:
        raise Unable("there is no terminal to ask on, and nothing was changed: give `--yes`")
    where = "the sandbox" if asked.sandbox else place
    session.screen.err.print(
        Text(f"\nMake these changes in {where}? Only `yes` is taken for yes: ", "bold"), end=""
    )
    if sys.stdin.readline().strip() != "yes":
        raise Unable("not confirmed, and nothing was changed")
    # The user took their time: what AWS has now must still lead to the plan that they saw.
    session.run.refresh()


def asks(asked: Asked) -> bool:
    """The user is asked before anything is changed."""
    return not asked.yes and asked.expect_plan is None
