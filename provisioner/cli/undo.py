"""The command `undo`: put back what a run changed, by the requests that it kept in the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from rich.text import Text

from ..aws import Aws
from ..aws.cloud import Cloud
from ..aws.opposites import deletion
from ..baseline import Baseline
from ..engine.plan import Plan
from ..engine.run import Run
from ..engine.step import run_step
from ..model import Change, Changes, Difference, Kind, Note, Refused, Result, Step, Target
from ..repair.journal import read_all
from ..repair.records import CallMade
from ..report import changes, failures
from ..report.places import View
from ..steps.registry import all_steps
from .exit_codes import CHANGES, OK, SOME_FAILED
from .option_checks import unknown_consents
from .options import CommandError, journal_folder
from .session import Session
from .unattended import Unattended

CONSENT = "undo"
_MONTH = timedelta(days=31)  # of the journal in a bucket; that on disk is read whole


def undo(session: Session, confirm: Callable[[Session, Plan], None]) -> int:
    """Show what would be put back, ask, and do it. Raises CommandError."""
    options, screen = session.options, session.screen
    run = _run(session, _calls(session))
    plan = run.rehearse()
    shown, view = session.redacted(plan), View({}, options.unfold)
    screen.results(changes.changes(shown.results, view))
    screen.notices(changes.notes(shown.results, view))
    screen.notices(failures.failures([each for each in shown.results if not each.ok], view))
    screen.notices(unknown_consents(options, plan))
    if not plan.changes:
        screen.results([] if plan.failed else ["Nothing to undo."])
        return SOME_FAILED if plan.failed else OK
    screen.results([Text(f"plan {plan.digest}", no_wrap=True)])
    confirm(session, plan)
    kept = Unattended.begin(session)
    try:
        session.writing = True

        def on_change(result: Result, change: Change) -> None:
            session.record_change(result, change)

        run.on_change = on_change
        kept.plan(plan)
        sent = run.send(plan, options.allow)
        unseen = run.settle(sent)
        code = _code(sent, unseen)
        kept.end_undo(plan, sent, code)
    finally:
        kept.close()
    done = session.redacted(sent)
    screen.results(changes.repaired(result, change) for result in done for change in result.changes)
    screen.notices(changes.withheld(done, view))
    screen.notices(failures.failures([each for each in done if not each.ok], view))
    screen.notices(changes.unseen(session.redacted(unseen), view))
    return code


def _code(sent: Sequence[Result], unseen: Sequence[Result]) -> int:
    if any(each.withheld for each in sent):
        return CHANGES
    return SOME_FAILED if unseen or not all(each.ok for each in sent) else OK


def _calls(session: Session) -> list[CallMade]:
    """What the run changed, the last first. Raises CommandError if the journal has no such run."""
    run_id = session.options.run_id
    on_disk = read_all(journal_folder(sandbox=session.options.sandbox))
    found = [each for each in on_disk if isinstance(each, CallMade) and each.run == run_id]
    if not found and session.baseline.general.journal:
        records = session.open_journal().read(datetime.now(UTC) - _MONTH)
        found = [each for each in records if isinstance(each, CallMade) and each.run == run_id]
    if not found:
        raise CommandError(
            f"the journal has no run {run_id} that changed anything: `provision history` lists them"
        )
    steps = all_steps()
    return [each for each in reversed(found) if each.address.step in steps]


def _run(session: Session, calls: Sequence[CallMade]) -> Run:
    """A run of the steps of these changes, in the places of these changes, that puts them back."""
    fleet, by_step = session.fleet, defaultdict[str, list[CallMade]](list)
    for each in calls:
        by_step[each.address.step].append(each)
    steps = [
        replace(
            all_steps()[name],
            needs=(),
            verify=None,
            ensure=partial(_put_back, all_steps()[name], found, session.cloud),
        )
        for name, found in by_step.items()
    ]
    places = {name: _places(session, found) for name, found in by_step.items()}
    for account in {each.account for found in places.values() for each in found} - {session.identity.account}:
        fleet.cloud.enter(account)
    regions = sorted({each.address.region for each in calls})
    return Run(
        session.cloud,
        session.baseline,
        session.identity,
        steps,
        regions,
        places=lambda step: places[step.name],
    )


def _places(session: Session, calls: Iterable[CallMade]) -> list[Target]:
    identity, home = session.identity, session.baseline.general.home_region
    central = () if session.fleet.single else (identity.account, session.fleet.archive)
    found = dict.fromkeys((each.address.account, each.address.region) for each in calls)
    return [
        Target(account, region, identity.partition, region == home, *central) for account, region in found
    ]


def _put_back(step: Step, calls: Sequence[CallMade], cloud: Cloud, aws: Aws, baseline: Baseline) -> Changes:
    """Put back the changes in this account and Region that AWS still shows. Raises Refused if it cannot be read."""
    found = run_step(step, aws, baseline, apply=False)
    if found.failure:
        raise Refused(f"nothing is put back where not all could be read: {found.failure.message}")
    differs = _by_field(found)
    for call in calls:
        address = call.address
        if (address.account, address.region) != (aws.account, aws.region):
            continue
        fields = ", ".join(each.field for each in call.differences)
        now = [differs.get((address.resource, each.field)) for each in call.differences]
        if any(now):
            if any(each and each.have != was.have for each, was in zip(now, call.differences, strict=True)):
                yield Note(Kind.WARNING, address.resource, f"{fields}: changed since, and left alone")
            continue
        if call.undo is None:
            yield Note(Kind.WARNING, address.resource, _left_to_people(call, fields, cloud))
            continue
        back = tuple(Difference(each.field, each.want, each.have) for each in call.differences)
        request = aws.call(call.undo.service, call.undo.operation, call.undo.params, call.undo.region)
        loses = (
            "the file asks for what this takes away, and the next run brings it back, unless the file changes"
        )
        yield Change(address.resource, back, request, consent=CONSENT, loses=loses)


def _left_to_people(call: CallMade, fields: str, cloud: Cloud) -> str:
    """Why a change is not put back, and what a person can do instead."""
    if call.action != "create":
        return f"{fields}: cannot be put back, as nothing is deleted, and no recording is stopped"
    text = f"was created by the run on {call.time}, and is not deleted: take it out of the file, else the next run makes it again"
    made = call.call
    model = cloud.client(made.service, made.region).meta.service_model
    operation = deletion(made.service, made.operation, made.params, made.region, model)
    return f"{text}; then delete it by hand" + (f", with what it contains: {operation}" if operation else "")


def _by_field(found: Result) -> Mapping[tuple[str, str], Difference]:
    return {(change.resource, each.field): each for change in found.changes for each in change.differences}
