"""What a command prints, writes as JSON, and logs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.text import Text

from ..engine.plan import Plan, count
from ..model import Result
from ..report import changes, failures, findings, json, words
from ..report.checks import checks
from . import report_files
from .work import Work


def print_plan(work: Work, plan: Plan) -> None:
    """Print what would change, notes, what was skipped, what failed, who made it if asked, the summary, and the digest last."""
    screen, view = work.session.screen, work.view
    if screen.quiet and not plan.changes and not plan.failed and not work.held:
        return
    shown = work.session.redacted(plan)
    screen.results(changes.changes(shown.results, view))
    if not screen.quiet:
        screen.notices(changes.notes(shown.results, view))
        screen.notices(changes.skipped(work.skipped, view))
    print_failures(work, shown.results)
    if work.interrupted:
        unread = words.plural(work.unread, "account")
        screen.message(f"interrupted; {unread} not read: go on with `--resume`", always=True)
    if work.drifts:
        from .who import print_who

        print_who(work.session, work.drifts)
    _print_summary(work, plan, _planned(work, plan))
    if plan.changes:
        screen.results([Text(f"plan {plan.digest}", no_wrap=True)])  # in one piece, to be copied


def print_failures(work: Work, results: Iterable[Result]) -> None:
    """Print what failed, on stderr; what the plan has shown is not repeated after it was applied."""
    new = [each for each in results if not each.ok and _failed(each) not in work.printed]
    work.printed.update(map(_failed, new))
    work.session.screen.notices(failures.failures(new, work.view))


def print_findings(work: Work, plan: Plan) -> list[Result]:
    """Print what `verify` found; with `--quiet` only what does not work. Returns what does not work."""
    screen, view = work.session.screen, work.view
    shown = work.session.redacted(plan)
    bad, complete = _not_working(shown), work.complete
    if bad or not complete or not screen.quiet:
        screen.results(findings.findings(shown.results, view, only_failed=screen.quiet))
        screen.notices([] if screen.quiet else changes.skipped(work.skipped, view))
        steps = sorted({each.step for each in bad})
        head = "Works." if complete else "Incomplete: not all could be read."
        head = f"Does not work: {', '.join(steps)}." if bad else head
        text = f"{head} {checks(shown.results, shown.in_sync)}."
        _print_summary(work, plan, text, "bold" if complete and not bad else "bold red")
    return bad


def print_applied(work: Work, plan: Plan) -> None:
    """Print what was changed, what AWS does not show yet, what was not allowed, and what failed."""
    session, screen, view = work.session, work.session.screen, work.view
    shown, unseen = session.redacted((plan, work.unseen))
    if screen.quiet:
        screen.results(changes.repaired(result, change) for result, change in shown.changes)
    screen.notices(changes.withheld(shown.results, view))
    print_failures(work, [*shown.results, *(r for r in unseen if not r.ok)])
    screen.notices(changes.unseen(unseen, view))
    if work.interrupted:
        go_on = "run again to go on" if work.fleet.single else "go on with `--resume`"
        screen.message(f"interrupted; what was done until then is printed: {go_on}", always=True)
    if not screen.quiet:
        _print_summary(work, plan, _applied(work, plan))


def _print_summary(work: Work, plan: Plan, head: str, style: str = "bold") -> None:
    work.session.screen.results([Text.assemble((head, style), f" {_totals(work, plan)}")])


def summary(work: Work, plan: Plan) -> str:
    """The last line: what the run found or did, and the totals."""
    session = work.session
    if session.options.command == "verify":
        shown = session.redacted(plan)
        head = f"{checks(shown.results, shown.in_sync)}."
    else:
        head = _applied(work, plan) if session.writing else _planned(work, plan)
    return f"{head} {_totals(work, plan)}"


def finish(work: Work, plan: Plan) -> None:
    """Print the summary as JSON, or the whole document, and log the end of the run."""
    session, command = work.session, work.session.options.command
    shown = session.redacted(plan)
    line = json.summary_json(
        summary(work, plan),
        json.counts_json(shown.results, shown.in_sync, command),
        work.totals,
        session.cost,
        digest=plan.digest,
        skipped=work.skipped,
    )
    session.screen.json_line(line)
    if session.options.as_json or session.options.outputs:
        accounts = [json.account_json(each, command) for each in work.sorted_outcomes]
        document = json.document_json(session.version_json(), work.once_json(), accounts, line)
        session.screen.json_document(document)
        report_files.write(work, document)
    session.log.failures(plan.failed)
    _log_end(work, plan)


def _log_end(work: Work, plan: Plan) -> None:
    session, counted, log = work.session, count(plan.results), work.session.log
    if session.options.command == "verify":
        log.write("verified", failed=sorted({each.step for each in _not_working(plan)}))
    elif session.writing:
        log.write(
            "applied",
            added=counted.add,
            changed=counted.change,
            destroyed=counted.destroy,
            failed=len(plan.failed),
            withheld=sum(len(r.without_consent) for r in plan.results),
            held=sum(len(r.held) for r in plan.results),
            not_seen=len(work.unseen),
            interrupted=work.interrupted,
        )
    elif session.options.writes:
        log.write("not all was read" if plan.failed else "in sync")
    else:
        log.write(
            "compared",
            add=counted.add,
            change=counted.change,
            destroy=counted.destroy,
            failed=len(plan.failed),
        )


def _failed(result: Result) -> tuple[Any, ...]:
    return result.step, result.target, *result.failures, result.blocked_by


def _not_working(plan: Plan) -> list[Result]:
    """The results that differ from the file, failed, or have a finding that is not ok."""
    return [r for r in plan.results if not r.is_in_sync or any(f.ok is False for f in r.findings)]


def _planned(work: Work, plan: Plan) -> str:
    held = sum(len(each.held) for each in plan.results)
    return words.planned(count(plan.results), complete=work.complete, held=held)


def _applied(work: Work, plan: Plan) -> str:
    counted = count(plan.results)
    if work.interrupted:
        done = f"{counted.add} added, {counted.change} changed, {counted.destroy} destroyed"
        return f"Interrupted. Done until then: {done}."
    return words.applied(counted, complete=work.complete, shown=not work.unseen)


def _totals(work: Work, plan: Plan) -> str:
    totals, cost = work.totals, work.session.cost
    return totals.steps_line(plan, cost) if work.fleet.single else totals.line(cost)
