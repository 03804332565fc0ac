"""Write the files of `--output`, and tell what could not be written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from ..engine.run import possible
from ..repair.actors import with_actors
from ..repair.records import Drift, Record
from ..report.json import DocumentJson
from ..steps.registry import all_steps
from .who import find_drifts
from .work import Work

_HISTORY: Final = timedelta(days=31)


def write(work: Work, document: DocumentJson) -> None:
    """Write each report that was asked for; a page has the last weeks of the journal too.

    A failure is told, counted in `session.lost_reports` for the exit code, and stops nothing.
    """
    session = work.session
    options = session.options
    if not options.outputs:
        return
    from ..report.files import write_reports

    records: list[Record] = []
    own: list[Drift] = []
    if any(kind == "html" for kind, _ in options.outputs):
        records = with_actors(session.open_journal().read(datetime.now(UTC) - _HISTORY))
        own = [each for each in records if isinstance(each, Drift) and each.run == session.cloud.run_id]
        own = own or work.drifts or find_drifts(session, work.plan)
    steps = possible(all_steps(), session.baseline, options.steps)
    document, records, own = session.redacted((document, records, own))
    messages = write_reports(options.outputs, document, records, own, steps=steps)
    for message in messages:
        session.screen.message(message, always=True)
        session.log.write("report not written", level="error", message=message)
    session.lost_reports += len(messages)
