"""Report files: a page for people, a comment for a pull request, test results for CI, a table for spreadsheets.

A file is complete or not there: it is written beside its name, only for this user, and renamed. What cannot be written is
told, and stops nothing (DESIGN rule 11).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, get_args

from ..model import Step
from ..steps.registry import all_steps
from .history import History, read_history
from .json_objects import DocumentJson

ReportKind = Literal["html", "md", "junit", "csv"]
REPORT_KINDS: Final[tuple[ReportKind, ...]] = get_args(ReportKind)


def write_reports(
    outputs: Sequence[tuple[ReportKind, str]],
    document: DocumentJson,
    records: Iterable[Any] = (),
    own: Iterable[Any] = (),
    *,
    steps: Sequence[Step] | None = None,
) -> list[str]:
    """Write each report, and return a message for each that could not be written.

    *records* are lines of the journal, as objects or mappings: with them the page says what drifted when, and who did it.
    *own* are those on drifts of the run itself: with them it says of each difference since when it is known, and who made it.
    *steps* are those of the run; without it, those that the document names.
    """
    messages = []
    history = read_history(records, own) if any(kind == "html" for kind, _ in outputs) else History()
    for kind, path in outputs:
        try:
            _write(Path(path), _to_text(kind, document, history, steps))
        except OSError as error:
            messages.append(f"--output {kind}={path}: {error.strerror or error}; the report is not written")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            what = f"{type(error).__name__}: {error}"
            messages.append(f"--output {kind}={path}: the report cannot be made: {what}")
    return messages


def check_output(kind: str, path: str) -> str:
    """Why this report could not be written; empty if nothing is in the way by now."""
    if kind not in REPORT_KINDS:
        return f"there is no report {kind!r}: want {', '.join(REPORT_KINDS)}"
    if not path:
        return f"want a file: {kind}=FILE"
    file = Path(path)
    try:
        if file.is_dir():
            return f"{path} is a folder: name a file in it"
        if not file.parent.is_dir():
            return f"the folder {file.parent} is not there: make it first"
    except OSError as error:
        return f"{path[:60]}…: {error.strerror}"
    return "" if os.access(file.parent, os.W_OK | os.X_OK) else f"the folder {file.parent} cannot be written"


def _to_text(kind: ReportKind, document: DocumentJson, history: History, steps: Sequence[Step] | None) -> str:
    if kind == "html":
        from .html.page import to_html

        return to_html(document, history, _named(document) if steps is None else steps)
    if kind == "md":
        from .markdown import to_markdown

        return to_markdown(document)
    if kind == "junit":
        from .junit import to_junit

        return to_junit(document)
    from .csv import to_csv

    return to_csv(document)


def _named(document: DocumentJson) -> list[Step]:
    """The steps that have an entry. What is said of the others would be a guess."""
    from .entries import entries

    named = {each.step for each in entries(document)}
    return [step for name, step in all_steps().items() if name in named]


def _write(path: Path, text: str) -> None:
    """Write the file anew for this user only: a reader sees the old one or the new one, whole."""
    if path.exists() and not path.is_file():  # /dev/stdout, a pipe: their links lead to no path
        number = os.open(path, os.O_WRONLY | os.O_NONBLOCK)  # a pipe would wait for a reader
        os.set_blocking(number, True)
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            stream.write(text)
        return
    target = path.resolve()  # a link stays one
    number, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=target.parent)  # 0600
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(number)
        os.replace(name, target)  # noqa: PTH105 - *name* is a text
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
