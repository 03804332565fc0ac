"""Write the files of `--output`, and tell what could not be written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from ..engine.run import possible
from ..repair.actors import with_actors
from ..repair.records import Record
from ..report.json import DocumentJson
from ..steps.registry import all_steps
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

    records: Iterable[Record] = ()
    if any(kind == "html" for kind, _ in options.outputs):
        records = with_actors(session.open_journal().read(datetime.now(UTC) - _HISTORY))

    steps = possible(all_steps(), session.baseline, options.steps)
    document, lines = session.redacted((document, list(records)))
    messages = write_reports(options.outputs, document, lines, steps=steps)
    for message in messages:
        session.screen.message(message, always=True)
        session.log.write("report not written", level="error", message=message)
    session.lost_reports += len(messages)
