"""What an apply tells when it is over: what was done, what AWS shows of it, what failed, and what was left out."""

from __future__ import annotations

from rich.text import Text

from ..engine.plan import Plan, count
from ..model import Result
from ..report import document, text, words
from .codes import ERROR, INTERRUPTED, OK, SOME_FAILED
from .session import Session


def tell(session: Session, plan: Plan, sent: list[Result], unseen: list[Result]) -> int:
    """Say what was done, what AWS shows, and what failed."""
    screen, interrupted = session.screen, session.cloud.stop.is_set()
    done = [r for r, planned in zip(sent, plan.results, strict=True) if planned.changes]
    if screen.quiet:
        screen.lines(text.repaired(result, change) for result in done for change in result.changes)
    for line in text.failures(sent):
        screen.say(line, always=True)
    for line in text.withheld(sent):
        screen.say(line, always=True)
    for line in text.failures(r for r in unseen if not r.ok):
        screen.say(line, always=True)
    for result in (r for r in unseen if r.ok):
        left = ", ".join(f"{c.resource}: {d.field}" for c in result.changes for d in c.differences)
        screen.say(
            f"! AWS does not show yet: {result.step}  {words.place(result)}: {words.clean(left)}",
            always=True,
        )
    failed = [r for r in sent if not r.ok]
    withheld = sum(len(r.withheld) for r in sent)
    if not screen.quiet:
        screen.lines(_outcome(session, done, failed, unseen, interrupted=interrupted))
    session.journal.failures(failed)
    counted = count(done)
    session.journal.write(
        "applied",
        added=counted.add,
        changed=counted.change,
        failed=len(failed),
        withheld=withheld,
        not_seen=len(unseen),
        interrupted=interrupted,
    )
    screen.document(
        {**session.header(), "plan_digest": plan.digest, **document.applied_document(done, unseen)}
    )
    if interrupted:
        return INTERRUPTED
    return failed_code(sent) if failed else SOME_FAILED if unseen or withheld else OK


def _outcome(
    session: Session, done: list[Result], failed: list[Result], unseen: list[Result], *, interrupted: bool
) -> list[Text]:
    tally = session.cloud.tally
    counted = count(done)
    if interrupted:
        head = f"Interrupted. Done until then: {counted.add} added, {counted.change} changed. Run again to go on."
    elif failed:
        head = f"Apply incomplete. Resources: {counted.add} added, {counted.change} changed, 0 destroyed; {words.plural(len(failed), 'step')} failed or not run."
    elif withheld := sum(len(r.withheld) for r in done):
        head = f"Apply incomplete. Resources: {counted.add} added, {counted.change} changed, 0 destroyed; {words.plural(withheld, 'change')} not allowed."
    else:
        head = words.applied(counted)
    seen = "" if unseen or interrupted or not counted.add + counted.change else " AWS shows what was asked."
    cost = f" ({session.seconds:.1f} s, {words.plural(tally.calls, 'call')}, {words.plural(tally.writes, 'write')})"
    return [Text.assemble((head, "bold"), seen, cost)]


def failed_code(results: list[Result] | tuple[Result, ...]) -> int:
    """1 where nothing came to an end, 3 where something did."""
    return SOME_FAILED if any(r.ok for r in results) else ERROR
