"""diff, apply and verify: set up, look, show, ask, send, read back, tell."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from rich.text import Text

from ..baseline import BaselineError
from ..report import json, words
from . import output
from .codes import CHANGES, ERROR, INTERRUPTED
from .gate import asks, gate
from .lock import Locked, locked
from .opening import opened
from .options import Asked, Unable
from .screen import Screen
from .session import Session
from .work import Work, open_work


def diff(asked: Asked) -> int:
    """Show what would change; make no write."""

    def command(work: Work) -> int:
        work.look("diff")
        plan = work.plan
        output.show(work, plan)
        output.finish(work, plan)
        return work.code or (CHANGES if plan.changes else 0)

    return _within(asked, lambda session: _with_work(session, command))


def apply(asked: Asked) -> int:
    """Show, ask, send, read back."""

    def command(work: Work) -> int:
        work.look("diff")
        plan = work.plan
        if not asked.quiet or (plan.changes and asks(asked)):
            output.show(work, plan)
        if work.interrupted:
            work.session.screen.say("interrupted; nothing was changed", always=True)
        elif plan.changes:
            gate(work.session, plan)
            if asks(asked):
                # The user took their time: what AWS has now must still lead to the plan that they saw.
                work.run.refresh()
            work.carry_out(plan)
            plan = work.plan
            output.tell(work, plan)
        elif asked.quiet:
            output.show_failures(work, work.session.shown(plan).results)
        output.finish(work, plan)
        return work.code

    def locked_command(session: Session) -> int:
        with locked(session.lock_path, asked.lock_timeout):
            return _with_work(session, command)

    return _within(asked, locked_command)


def verify(asked: Asked) -> int:
    """Prove that what is configured works."""

    def command(work: Work) -> int:
        work.look("verify")
        plan = work.plan
        bad = output.show_findings(work, plan)
        output.finish(work, plan)
        if work.code and not work.plan.in_sync.steps and not any(r.ok for r in plan.results):
            return work.code
        if work.interrupted:
            return INTERRUPTED
        return (work.code if not work.fleet.single else 0) or (CHANGES if bad else 0)

    return _within(asked, lambda session: _with_work(session, command))


def _with_work(session: Session, command: Callable[[Work], int]) -> int:
    with open_work(session) as work:
        return command(work)


def _within(asked: Asked, command: Callable[[Session], int]) -> int:
    """Set up, do the work, and turn what stands in its way into one clear message and exit code 1."""
    screen = Screen(asked)
    sessions: list[Session] = []
    try:
        with opened(asked, screen) as session:
            sessions.append(session)
            return command(session)
    except KeyboardInterrupt:
        _cut_short(screen, sessions)
    except BaselineError as error:
        screen.idle()
        color = screen.err.is_terminal and screen.err.color_system is not None
        sys.stderr.write(error.render(color=color) + "\n")
        text = f"mistakes in the file: {len(error.problems)}"
        screen.failed(json.error_json(asked.command, text, error.problems))
        return ERROR
    except (Unable, Locked, OSError) as error:
        screen.idle()
        screen.say(Text.assemble(("error: ", "bold red"), words.clean(str(error))), always=True)
        screen.failed(json.error_json(asked.command, str(error)))
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
