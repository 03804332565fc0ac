"""The command `repair`: the unattended form of `apply`."""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable

from ..repair.drifts import failed_checks
from ..report import changes
from . import execute, output
from .exit_codes import CHANGES, INTERRUPTED, OK
from .option_checks import unknown_consents
from .options import CommandOptions
from .unattended import Unattended
from .waiting import sleep
from .work import Work


def repair(work: Work, run: Unattended) -> int:
    """Find drift, repair it, read it back, and tell about it."""
    session, options = work.session, work.session.options
    execute.read(work, "diff" if options.no_verify else "verify")
    planned = done = work.plan
    session.screen.notices(unknown_consents(options, planned))
    if options.detect_only or work.interrupted:
        output.print_plan(work, planned)
    elif planned.changes:
        run.plan(planned)
        execute.apply(work, planned)
        done = work.plan
        output.print_applied(work, done)
    else:
        output.print_failures(work, session.redacted(planned).results)
    if not options.detect_only:
        view = work.view
        session.screen.results(changes.held(session.redacted(planned).results, view))
    checks = list(failed_checks(planned.results))
    if checks and done is not planned and not work.interrupted:  # what was repaired may have been the cause
        checks = list(failed_checks(execute.verify_again(work, planned.results)))
    for each in checks:
        text = f"! does not work: {each.address.step}  {each.address.account} {each.address.region}: "
        session.screen.message(f"{text}{each.address.resource}: {each.check}: {each.detail}", always=True)
    left = options.detect_only and bool(planned.changes)
    code = work.code or (CHANGES if left or checks else OK)
    run.end(work, code, planned, done, checks)
    output.finish(work, done)
    return code


def repeat(options: CommandOptions, once: Callable[[CommandOptions], int]) -> int:
    """Run once, or every so often until a signal ends it. Returns the exit code of the last run."""
    code = OK
    try:
        if options.splay:  # many machines do not ask AWS at the same moment
            sleep(random.uniform(0, options.splay))  # noqa: S311 - no secret
        while True:
            started = time.monotonic()
            code = once(options)
            if not options.every or code == INTERRUPTED:
                return code
            sys.stdout.flush()
            gc.collect()  # the clients of that run; else the memory grows for days
            sleep(max(options.every - (time.monotonic() - started), 0.0))
    except KeyboardInterrupt:
        return code if options.every else INTERRUPTED
