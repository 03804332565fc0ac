"""The commands `diff`, `apply` and `verify`."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path

from rich.text import Text

from ..aws.errors import lacks_files
from ..aws.hints import MORE_FILES
from ..baseline import BaselineError
from ..engine.plan import Plan
from ..report import json, words
from . import execute, output
from .exit_codes import CHANGES, ERROR, INTERRUPTED, OK, SOME_FAILED
from .lock import Locked, locked
from .open_session import open_session
from .open_work import open_work
from .option_checks import unknown_consents
from .options import STATE_HINT, CommandError, CommandOptions, private_files, state_folder
from .screen import Screen
from .session import Session
from .waiting import read_line
from .work import Work


def run(options: CommandOptions) -> int:
    """Run one command and return its exit code; 1 after an error, which is printed in one message."""
    screen = Screen(options)
    session: Session | None = None
    try:
        with private_files(), open_session(options, screen) as session:
            lock = locked(session.lock_path, options.lock_timeout) if options.writes else nullcontext()
            with lock:
                code = _SESSION_COMMANDS.get(options.command, _work)(session)
                return code or (ERROR if session.lost_reports else code)
    except KeyboardInterrupt:
        _print_interrupted(screen, session, options.command)
        return INTERRUPTED
    except Locked as error:
        screen.clear_status()
        screen.message(Text(f"{'skipped' if options.unattended else 'error'}: {error}"), always=True)
        screen.json_error(json.error_json(options.command, str(error)))
        return OK if options.unattended else ERROR
    except BaselineError as error:
        screen.clear_status()
        color = screen.err.is_terminal and screen.err.color_system is not None
        sys.stderr.write(error.render(color=color) + "\n")
        text = f"mistakes in the file: {len(error.problems)}"
        screen.json_error(json.error_json(options.command, text, error.problems))
    except (CommandError, OSError, MemoryError) as error:
        screen.clear_status()
        screen.message(Text.assemble(("error: ", "bold red"), _reason(error)), always=True)
        screen.json_error(json.error_json(options.command, _reason(error)))
    finally:
        screen.clear_status()
    return ERROR


def _work(session: Session) -> int:
    with open_work(session) as work:
        return _COMMANDS[session.options.command](work)


def _repair(session: Session) -> int:
    from .repair import repair
    from .unattended import Unattended

    run = Unattended.begin(session)
    try:
        with open_work(session) as work:
            return repair(work, run)
    finally:
        run.close()


def _diff(work: Work) -> int:
    execute.read(work, "diff")
    plan = work.plan
    if work.session.options.who and (plan.changes or work.held):
        from .who import find_drifts

        work.drifts = find_drifts(work.session, plan, who=True)
    output.print_plan(work, plan)
    output.finish(work, plan)
    return work.code or (CHANGES if plan.changes else 0)


def _apply(work: Work) -> int:
    session, options = work.session, work.session.options
    execute.read(work, "diff")
    plan = work.plan
    session.screen.notices(unknown_consents(options, plan))
    if not options.quiet or (plan.changes and options.needs_confirmation):
        output.print_plan(work, plan)
    if work.interrupted:
        session.screen.message("interrupted; nothing was changed", always=True)
    elif plan.changes:
        _confirm(session, plan)
        if options.needs_confirmation:
            # Time has passed until the user confirmed: AWS is read again, and must still lead to the same plan.
            work.run.refresh()
        return _apply_plan(work, plan)
    elif options.quiet:
        output.print_failures(work, session.redacted(plan).results)
    output.finish(work, plan)
    return work.code


def _apply_plan(work: Work, plan: Plan) -> int:
    """Make the changes of the plan, and keep in the journal what was done."""
    from .unattended import Unattended

    run = Unattended.begin(work.session)
    try:
        run.plan(plan)
        execute.apply(work, plan)
        done = work.plan
        output.print_applied(work, done)
        code = work.code
        run.end(work, code, plan, done)
        output.finish(work, done)
        return code
    finally:
        run.close()


def _confirm(session: Session, plan: Plan) -> None:
    """Check the digest and the limit, and ask the user. Raises CommandError if the plan may not be applied."""
    options = session.options
    if options.expect_plan is not None and options.expect_plan != plan.digest:
        raise CommandError(
            f"the plan is not the one that was reviewed: it is {plan.digest}, expected {options.expect_plan}; review it again with `provision diff`"
        )
    if options.max_changes is not None and (why := plan.exceeds(options.max_changes)):
        raise CommandError(f"--max-changes: {why}; nothing was changed")
    if not options.needs_confirmation:
        return
    if not sys.stdin.isatty() or options.as_json or options.json_lines:
        raise CommandError("there is no terminal to ask on, and nothing was changed: give `--yes`")
    accounts = {result.target.account for result, _ in plan.changes}
    place = f"account {accounts.pop()}" if len(accounts) == 1 else words.plural(len(accounts), "account")
    where = "the sandbox" if options.sandbox else place
    question = f"\nMake these changes in {where}? Only `yes` is accepted: "
    session.screen.err.print(Text(question, "bold"), end="")
    if read_line().strip() != "yes":
        raise CommandError("not confirmed, and nothing was changed")


def _verify(work: Work) -> int:
    execute.read(work, "verify")
    plan = work.plan
    bad = output.print_findings(work, plan)
    output.finish(work, plan)
    if work.fleet.single and work.code == SOME_FAILED:
        return CHANGES  # of one account, a step that could not be verified is one of those that do not work
    return work.code or (CHANGES if bad else 0)


def _pause(session: Session) -> int:
    from .pause import pause

    return pause(session, session.options.reason, session.options.until)


def _resume(session: Session) -> int:
    from .pause import resume

    return resume(session)


def _undo(session: Session) -> int:
    from .undo import undo

    return undo(session, _confirm)


# Those that do not work through the accounts as `_COMMANDS` do.
_SESSION_COMMANDS = {"repair": _repair, "pause": _pause, "resume": _resume, "undo": _undo}
_COMMANDS = {"diff": _diff, "apply": _apply, "verify": _verify}


def _reason(error: CommandError | OSError | MemoryError) -> str:
    """The text of the error; of one of the system, with what can be done about it."""
    if isinstance(error, MemoryError):
        return "the system allows no more memory: raise the limit (`ulimit -v`, or that of the container)"
    if isinstance(error, CommandError) or error.strerror is None:
        return words.clean(str(error))
    text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if lacks_files(error):
        return words.clean(f"{text}; {MORE_FILES}")
    own = error.filename and Path(os.fsdecode(error.filename)).is_relative_to(state_folder())
    return words.clean(f"{text}; {STATE_HINT}" if own else text)


def _print_interrupted(screen: Screen, session: Session | None, command: str) -> None:
    """Print what was changed. Threads may still wait for answers that are no longer needed: nothing waits for them."""
    screen.clear_status()
    text, made = "interrupted; nothing was changed", list[str]()
    if session is not None and session.writing:
        text, made = "interrupted; made until now, and perhaps the call in flight:", [*session.made]
    screen.message(text, always=True)
    for line in made:
        screen.message(f"  {line}", always=True)
    if session is not None and session.writing:
        screen.message("run again to go on", always=True)
    if not screen.document_begun:
        screen.json_error(json.error_json(command, " ".join([text, "; ".join(made)]).rstrip(": ")))
