"""Who caused a drift: asked of CloudTrail's event history, and printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from ..engine.plan import Plan
from ..repair.drifts import drifts_of
from ..repair.earlier import REMEMBERED, read_earlier
from ..repair.journal import now_text
from ..repair.records import Drift
from ..repair.who import attribute
from .session import Session


def who_lines(drifts: Iterable[Drift]) -> Iterator[str]:
    """Who caused each drift, and what is contested; equal lines once."""
    lines: dict[str, None] = {}
    for each in drifts:
        at = each.address
        where = f"{at.account} {at.region} {at.step}: {at.resource}"
        if each.who is not None:
            source = f" from {each.who.source_address}" if each.who.source_address else ""
            lines[f"{where}: changed by {each.who.name}{source} with {each.who.event} at {each.who.time}"] = (
                None
            )
        if each.contested:
            lines[f"{where}: contested: repaired {each.repairs} times in a day"] = None
    return iter(lines)


def find_drifts(session: Session, plan: Plan, *, who: bool = False) -> list[Drift]:
    """The differences of a plan that is not in the journal, since when they are known, and with *who* those who made them.

    Who made one is not looked for in the time before a run found it in sync: that was somebody else.
    """

    def warn(text: str) -> None:
        session.screen.message(f"! {text}", always=True)

    now = datetime.now(UTC)
    earlier = read_earlier(session.open_journal().read(now - REMEMBERED), session.options.full_path, now)
    results = session.redacted(plan).results
    drifts = list(drifts_of(results, results, (), earlier, session.cloud.run_id, now_text()))
    if not who:
        return drifts
    in_sync = {str(each.address): earlier.in_sync(str(each.address)) for each in drifts}
    since = {address: time for address, time in in_sync.items() if time}
    return attribute(session.fleet, drifts, since, now, tell=warn)


def print_who(session: Session, drifts: Iterable[Drift]) -> None:
    """Print who caused the differences of a plan, and of how many it is not known yet."""
    drifts = list(drifts)
    lines = [*who_lines(drifts)]
    session.screen.results([*lines, ""] if lines else [])
    if pending := sum(each.who_pending for each in drifts):
        text = f"! who made {pending} of them is not known yet: CloudTrail shows an event after some minutes"
        session.screen.message(text, always=True)
