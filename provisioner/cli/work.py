"""The work of diff, apply and verify: set up, rehearse, show, ask, send, read back, tell."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from rich.text import Text

from ..engine.plan import Plan, count
from ..model import Change, Result
from ..report import document, grouped, text, words
from .codes import CHANGES, ERROR, INTERRUPTED, OK
from .gate import asks, gate
from .lock import locked
from .options import Asked
from .outcome import failed_code, tell
from .screen import Screen
from .session import BaselineError, Locked, Session, Unable, opened


def diff(asked: Asked) -> int:
    """Show what would change; make no write."""

    def work(session: Session) -> int:
        if session.fleet is not None:
            from . import many

            return many.diff(session, session.fleet)
        plan = _rehearse(session)
        _show(session, plan)
        session.screen.document({**session.header(), **_document(session, plan)})
        counted = count(plan.results)
        session.journal.failures(session.shown(plan.failed))
        session.journal.write("compared", add=counted.add, change=counted.change, failed=len(plan.failed))
        if plan.failed:
            return failed_code(plan.results)
        return CHANGES if plan.changes else OK

    return _within(asked, work)


def apply(asked: Asked) -> int:
    """Show, ask, send, read back."""

    def work(session: Session) -> int:
        if session.fleet is not None:
            from . import many

            return many.apply(session, session.fleet)
        with locked(session.lock_path, asked.lock_timeout):
            plan = _rehearse(session)
            if not asked.quiet or (plan.changes and asks(asked)):
                _show(session, plan)
            if not plan.changes:
                return _nothing(session, plan)
            gate(session, plan, f"account {session.identity.account}")
            with session.among_writes():
                return _carry_out(session, plan)

    return _within(asked, work)


def verify(asked: Asked) -> int:
    """Prove that what is configured works."""

    def work(session: Session) -> int:
        if session.fleet is not None:
            from . import many

            return many.verify(session, session.fleet)
        session.screen.busy("looking")
        results = session.shown(session.run.verify())
        session.screen.idle()
        session.introduced()
        bad = [r for r in results if r.changes or not r.ok or any(f.ok is False for f in r.findings)]
        pending = sum(f.ok is None for r in results for f in r.findings)
        if bad or not asked.quiet:
            session.screen.table(text.findings(results))
            session.screen.report(grouped.skipped(session.run.skipped, unfold=asked.unfold))
        session.screen.lines([] if asked.quiet and not bad else ["", _proof(results, bad, pending)])
        session.screen.document({**session.header(), **document.verified_document(results)})
        session.journal.write("verified", failed=[r.step for r in bad], pending=pending)
        if bad and all(r.failure is not None for r in results):
            return ERROR
        return CHANGES if bad else OK

    return _within(asked, work)


def _within(asked: Asked, work: Callable[[Session], int]) -> int:
    """Set up, do the work, and turn what stands in its way into one clear message and exit code 1."""
    screen = Screen(asked)
    sessions: list[Session] = []
    try:
        with opened(asked, screen) as session:
            sessions.append(session)
            return work(session)
    except KeyboardInterrupt:
        _cut_short(screen, sessions)
    except BaselineError as error:
        screen.idle()
        sys.stderr.write(
            error.render(color=screen.err.is_terminal and screen.err.color_system is not None) + "\n"
        )
        screen.document(
            {
                "format_version": "1.0",
                "command": asked.command,
                "problems": [p.as_dict() for p in error.problems],
            }
        )
        return ERROR
    except (Unable, Locked, OSError) as error:
        screen.idle()
        screen.say(Text.assemble(("error: ", "bold red"), words.clean(str(error))), always=True)
        screen.document({"format_version": "1.0", "command": asked.command, "error": str(error)})
        return ERROR
    finally:
        screen.idle()


def _cut_short(screen: Screen, sessions: list[Session]) -> NoReturn:
    """End at once, and say what was done until now. Threads may still wait for answers that nobody wants any more."""
    screen.idle()
    writing = any(session.writing for session in sessions)
    made = [line for session in sessions for line in session.made]
    if not writing:
        screen.say("interrupted; nothing was changed", always=True)
    else:
        screen.say("interrupted; made until now, and perhaps the call in flight:", always=True)
        for line in made:
            screen.say(f"  {line}", always=True)
        screen.say("run again to go on", always=True)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(INTERRUPTED)


def _document(session: Session, plan: Plan) -> dict[str, Any]:
    return document.plan_document(session.shown(plan), plan.digest)


def _rehearse(session: Session) -> Plan:
    total = len(session.run.graph)
    done: list[str] = []

    def on_step(result: Result) -> None:
        done.append(result.step)
        session.screen.busy(f"reading, {len(done)} of {total} steps")

    session.screen.busy(f"reading, 0 of {total} steps")
    session.run.on_step = on_step
    plan = session.run.rehearse()
    session.run.on_step = lambda result: None
    session.screen.idle()
    session.introduced()
    return plan


def _show(session: Session, plan: Plan) -> None:
    screen = session.screen
    if screen.quiet and not plan.changes and not plan.failed:
        return
    shown = session.shown(plan)
    screen.lines(text.changes(shown))
    if not screen.quiet:
        screen.report(grouped.skipped(session.run.skipped, unfold=session.asked.unfold))
        for line in text.notes(shown):
            screen.say(line)
    for line in text.failures(shown.results):
        screen.say(line, always=True)
    screen.lines(text.summary(shown, plan.digest, session.seconds, session.cloud.tally.calls))


def _nothing(session: Session, plan: Plan) -> int:
    """There is nothing to do, or nothing that could be read."""
    session.journal.failures(session.shown(plan.failed))
    session.journal.write("in sync" if not plan.failed else "not all was read")
    if session.screen.quiet:
        for line in text.failures(session.shown(plan.results)):
            session.screen.say(line, always=True)
    session.screen.document(
        {**session.header(), **_document(session, plan), **document.applied_document([], [])}
    )
    return failed_code(plan.results) if plan.failed else OK


def _carry_out(session: Session, plan: Plan) -> int:
    run, screen = session.run, session.screen
    session.writing = True
    made = 0
    total = len(plan.changes)

    def on_change(result: Result, change: Change) -> None:
        nonlocal made
        made += 1
        result, change = session.changed(result, change)
        screen.say(
            Text.assemble(
                (f"[{made}/{total}] ", "dim"),
                f"{result.step}  {words.clean(change.resource)}  {words.operation(change)}",
            )
        )
        screen.busy(f"making changes, {made} of {total}")

    run.on_change = on_change
    screen.busy(f"making changes, 0 of {total}")
    sent = run.send(plan, session.asked.allow)
    screen.busy("reading back")
    sent, unseen = session.shown(sent), session.shown(run.settle(sent))
    screen.idle()
    return tell(session, plan, sent, unseen)


def _proof(results: list[Result], bad: list[Result], pending: int) -> Text:
    checks = sum(1 + len(r.findings) for r in results)
    wait = f"; {pending} too early to tell" if pending else ""
    if bad:
        return Text.assemble(
            (f"Does not work: {', '.join(sorted({r.step for r in bad}))}.", "bold red"),
            f" {words.plural(checks, 'check')}{wait}",
        )
    return Text.assemble(("Works.", "bold green"), f" {words.plural(checks, 'check')}{wait}")
