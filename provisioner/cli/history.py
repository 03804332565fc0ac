"""The command `history`: what the runs of this machine found and did, from the journal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from ..baseline import BaselineError
from ..model import Difference
from ..repair.actors import with_actors
from ..repair.journal import read_all
from ..repair.records import Address, CallMade, Drift, Planned, Record, RunEnded, RunStarted
from ..report import words
from ..steps.registry import all_steps
from .exit_codes import ERROR, OK
from .offline import read_baseline
from .open_session import aws_errors, enter_sandbox
from .options import CommandError, journal_folder

_MONTH: Final = timedelta(days=31)


@dataclass(frozen=True)
class Filter:
    """What to show: the runs of the last *since* seconds, one run, and what is in an account or of a step."""

    since: float = 0.0
    run_id: str = ""
    account: str = ""
    step: str = ""

    def shows(self, record: Record) -> bool:
        """Whether to show the record."""
        if self.run_id and record.run != self.run_id:
            return False
        address: Address | None = getattr(record, "address", None)
        if address is None:
            return True
        return self.account in {"", address.account} and self.step in {"", address.step}

    def selects(self, records: Iterable[Record]) -> bool:
        """Whether to show a run, of which these *records* are shown: with a step or an account, only if it did something there."""
        return not (self.step or self.account) or any(hasattr(each, "address") for each in records)

    def names_nothing(self, found: Iterable[Record]) -> str:
        """Why the filter can never show anything: a run that is not in the journal, or a misspelt step; empty otherwise."""
        found = list(found)
        if self.run_id and not found:
            return f"--run {self.run_id}: the journal has no such run: `provision history` lists them"
        steps = all_steps()
        if not self.step or self.step in steps or any(hasattr(each, "address") for each in found):
            return ""
        hint = words.did_you_mean(self.step, steps) or f"there are {', '.join(steps)}"
        return f"--step {self.step}: no such step; {hint}"


def history(chosen: Filter, *, sandbox: bool, file: str | None, as_json: bool) -> int:
    """Print the records, the newest run last; 1 after an error."""
    since = datetime.now(UTC) - timedelta(seconds=chosen.since) if chosen.since else None
    try:
        records = (
            _with_bucket(file, since, sandbox=sandbox)
            if file
            else read_all(journal_folder(sandbox=sandbox), since)
        )
    except BaselineError as error:
        click.echo(error.render(color=False), err=True)
        return ERROR
    except (CommandError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        return ERROR
    found = [each for each in with_actors(records) if chosen.shows(each)]
    if wrong := chosen.names_nothing(found):
        click.echo(f"error: {wrong}", err=True)
        return ERROR
    lines = [json.dumps(asdict(each), default=str) for each in found] if as_json else [*_lines(found, chosen)]
    for line in lines:
        click.echo(line if as_json else words.clean(line))
    if not lines:
        click.echo(_nothing(found, sandbox=sandbox), err=True)
    return OK


def _nothing(found: Iterable[Record], *, sandbox: bool) -> str:
    """Why no line is shown."""
    if runs := len({each.run for each in found}):
        return f"{words.plural(runs, 'run')}, and none that found, changed or failed to do anything of that"
    here = "" if sandbox else "; that of the sandbox is another one: `--sandbox`"
    return f"the journal has no run of that time: `repair`, `apply` and `undo` write it{here}"


def _with_bucket(file: str, since: datetime | None, *, sandbox: bool) -> list[Record]:
    """The records of this machine and of the bucket of the file; of the last month, unless *since* is given."""
    from ..aws import identify
    from ..aws.cloud import Cloud
    from ..repair.run import open_journal

    baseline = read_baseline(file)
    if baseline.general.journal is None:
        raise CommandError(f"{file} has no `journal`: leave out `--file`")
    with ExitStack() as stack, aws_errors("reading the journal"):
        if sandbox:
            enter_sandbox(stack)
        cloud = Cloud()
        try:
            identity = identify(cloud, baseline.general.home_region)
            journal = open_journal(journal_folder(sandbox=sandbox), cloud, identity, baseline)
            found = journal.read(since or datetime.now(UTC) - _MONTH)
        finally:
            cloud.close(wait=sandbox)
    for error in journal.take_errors():
        raise CommandError(f"{error}; `provision permissions --for repair` prints what the caller needs")
    return found


def _lines(found: Iterable[Record], chosen: Filter) -> Iterator[str]:
    runs: dict[str, list[Record]] = {}
    for each in found:
        runs.setdefault(each.run, []).append(each)
    for run, records in runs.items():
        if chosen.selects(records):
            yield from _run(run, records)


def _run(run: str, records: list[Record]) -> Iterator[str]:
    started = next((each for each in records if isinstance(each, RunStarted)), None)
    ended = next((each for each in records if isinstance(each, RunEnded)), None)
    drifts = [each for each in records if isinstance(each, Drift)]
    calls = [each for each in records if isinstance(each, CallMade)]
    if not (drifts or calls or (ended and ended.exit_code) or ended is None):
        return  # a run that found nothing
    about = f"{started.command} of {started.file} in {started.account} by {started.caller}" if started else ""
    end = f"exit {ended.exit_code}: {ended.message}" if ended else "did not end"
    yield f"{records[0].time}  run {run}  {about}"
    for call in calls:
        fields = ", ".join(_field(each) for each in call.differences)
        undo = "" if call.undo else ", cannot be undone"
        yield f"    {call.time}  {call.address}: {call.call.service}:{call.call.operation}: {fields}{undo}"
    made = {str(each.address) for each in calls}
    for each in records if ended is None else ():
        if isinstance(each, Planned) and str(each.address) not in made:
            fields = ", ".join(each.fields)
            yield f"    {each.time}  {each.address}: {fields}: perhaps changed with {each.operation}"
    for drift in drifts:
        about = _about(drift)
        if drift.state == "repaired" and str(drift.address) in made and not about:
            continue  # the call says it, and nothing more is known
        yield f"    {drift.state}  {drift.address}: {', '.join(drift.fields)}{about}"
    yield f"    {end}"


def _field(difference: Difference) -> str:
    have, want = difference.have, difference.want
    if isinstance(have, dict | list) or isinstance(want, dict | list):
        return difference.field
    return f"{difference.field} {words.value(have)} → {words.value(want)}"


def _about(drift: Drift) -> str:
    parts = [f"; {drift.why}"] if drift.why else []
    if drift.who:
        parts.append(f"; by {drift.who.name}, {drift.who.event} at {drift.who.time}")
    if drift.contested:
        parts.append(f"; contested: repaired {drift.repairs} times in a day")
    return "".join(parts)
