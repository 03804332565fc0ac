"""What a command prints, writes as JSON, and logs, of the work that was done."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from ..engine.plan import Plan, count
from ..model import Result
from ..report import changes, failures, findings, json, words
from ..report.checks import checks
from .work import Work


def show(work: Work, plan: Plan) -> None:
    """Print what would change, what a reader should know, what failed, and the summary."""
    screen, view = work.session.screen, work.view
    if screen.quiet and not plan.changes and not plan.failed:
        return
    shown = work.session.shown(plan)
    screen.lines(changes.changes(shown.results, view))
    if not screen.quiet:
        screen.report(changes.notes(shown.results, view))
        screen.report(changes.skipped(work.skipped, view))
    show_failures(work, shown.results)
    if work.interrupted:
        left = words.plural(work.left, "account")
        screen.say(f"interrupted; {left} not looked at, and `--resume` goes on from here", always=True)
    screen.lines([Text.assemble((_planned(plan), "bold"), f" {_totals(work, plan)}")])
    if plan.changes:
        screen.lines([f"plan {plan.digest}"])


def show_failures(work: Work, results: Iterable[Result]) -> None:
    """Say what failed, on stderr."""
    work.session.screen.report(failures.failures(results, work.view))


def show_findings(work: Work, plan: Plan) -> list[Result]:
    """Print what was found, unless all works and nobody wants to hear it. The results of what does not work."""
    screen, view = work.session.screen, work.view
    shown = work.session.shown(plan)
    bad = [r for r in shown.results if r.changes or not r.ok or any(f.ok is False for f in r.findings)]
    if bad or not screen.quiet:
        screen.lines(findings.findings(shown.results, view))
        screen.report(changes.skipped(work.skipped, view))
        steps = sorted({each.step for each in bad})
        head = f"Does not work: {', '.join(steps)}." if bad else "Works."
        held = checks(shown.results, shown.in_sync)
        style = "bold red" if bad else "bold"
        screen.lines([Text.assemble((f"{head} {held}.", style), f" {_totals(work, plan)}")])
    return bad


def tell(work: Work, plan: Plan) -> None:
    """Say what was changed, what AWS does not show yet, what was not allowed, and what failed."""
    session, view = work.session, work.view
    screen = session.screen
    shown, unseen = session.shown(plan), session.shown(work.unseen)
    if screen.quiet:
        screen.lines(changes.repaired(result, change) for result, change in shown.changes)
    screen.report(changes.withheld(shown.results, view))
    show_failures(work, [*shown.results, *(r for r in unseen if not r.ok)])
    screen.report(changes.unseen(unseen, view))
    if work.interrupted:
        goes_on = "run again to go on" if work.fleet.single else "`--resume` goes on from here"
        screen.say(f"interrupted; what was done until then is told, and {goes_on}", always=True)
    if not screen.quiet:
        screen.lines([Text.assemble((_applied(work, plan), "bold"), f" {_totals(work, plan)}")])


def finish(work: Work, plan: Plan) -> None:
    """Write the machine's side of the report, and the log."""
    session, command = work.session, work.session.command
    shown = session.shown(plan)
    counts = json.counts_json(shown.results, shown.in_sync, command)
    if command == "verify":
        head = f"{checks(shown.results, shown.in_sync)}."
    else:
        head = _applied(work, plan) if work.session.writing else _planned(plan)
    message = f"{head} {_totals(work, plan)}"
    summary = json.summary_json(
        message, counts, work.totals, session.cost, digest=plan.digest, passed_over=work.skipped
    )
    session.screen.line(summary)
    if session.screen.as_json:
        outcomes = [each for _, each in sorted(work.outcomes.items())]
        accounts = [json.account_json(session.shown(each), command) for each in outcomes]
        session.screen.document(json.document_json(session.version(), work.once_json(), accounts, summary))
    _log(work, plan)


def _log(work: Work, plan: Plan) -> None:
    session, counted = work.session, count(plan.results)
    journal = session.journal
    journal.failures(session.shown(plan.failed))
    if session.command == "verify":
        bad = {
            r.step for r in plan.results if r.changes or not r.ok or any(f.ok is False for f in r.findings)
        }
        journal.write("verified", failed=sorted(bad))
    elif session.writing:
        journal.write(
            "applied",
            added=counted.add,
            changed=counted.change,
            failed=len(plan.failed),
            withheld=sum(len(r.withheld) for r in plan.results),
            not_seen=len(work.unseen),
            interrupted=work.interrupted,
        )
    elif session.command == "apply":
        journal.write("not all was read" if plan.failed else "in sync")
    else:
        journal.write("compared", add=counted.add, change=counted.change, failed=len(plan.failed))


def _planned(plan: Plan) -> str:
    return words.planned(count(plan.results), complete=not plan.failed)


def _applied(work: Work, plan: Plan) -> str:
    if work.interrupted:
        counted = count(plan.results)
        return f"Interrupted. Done until then: {counted.add} added, {counted.change} changed."
    return words.applied(count(plan.results), complete=not work.failed, shown=not work.unseen)


def _totals(work: Work, plan: Plan) -> str:
    totals, cost = work.totals, work.session.cost
    return totals.steps_line(plan, cost) if work.fleet.single else totals.line(cost)
