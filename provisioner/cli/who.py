"""Who caused a drift: asked of CloudTrail's event history, and printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from ..engine.plan import Plan
from ..repair.drifts import drifts_of
from ..repair.earlier import Earlier
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


def print_who(session: Session, plan: Plan) -> None:
    """Print who caused the differences of a plan, and how many are not known yet."""

    def warn(text: str) -> None:
        session.screen.message(f"! {text}", always=True)

    results = session.redacted(plan).results
    drifts = list(drifts_of(results, results, (), Earlier(), session.cloud.run_id, now_text()))
    found = attribute(session.fleet, drifts, {}, datetime.now(UTC), tell=warn)
    session.screen.results(who_lines(found))
    if pending := sum(each.who_pending for each in found):
        text = f"! who made {pending} of them is not known yet: CloudTrail shows an event after some minutes"
        session.screen.message(text, always=True)
