"""The log of a run: one JSON object a line, with account, Region, step, operation and request id. structlog writes it."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

from ..model import Change, Result
from ..report import words


class Journal:
    """Writes to *path*, or to stderr for `-`, or nowhere. Values that the file took from the environment are not in it."""

    def __init__(self, path: str | None, **bound: Any):
        self._file: TextIO | None = None
        self._log: Any = None
        if path is None:
            return
        import structlog  # 70 ms that only a run with a log pays

        self._file = sys.stderr if path == "-" else _append(path)
        self._log = structlog.wrap_logger(
            structlog.PrintLogger(self._file),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.BoundLogger,
        ).bind(**bound)

    def write(self, event: str, *, level: str = "info", **values: Any) -> None:
        """One line."""
        if self._log is not None:
            getattr(self._log, level)(event, **values)

    def change(self, result: Result, change: Change) -> None:
        """One call that was made."""
        self.write(
            "changed",
            **_where(result),
            resource=change.resource,
            operation=words.operation(change),
            request_id=result.request_ids[-1],
            fields=[d.field for d in change.differences],
        )

    def failures(self, results: list[Result]) -> None:
        """One line for each step that did not come to its end."""
        for result in results:
            for f in result.failures:
                self.write(
                    "failed",
                    level="error",
                    **_where(result),
                    doing=f.doing,
                    operation=f"{f.service}:{f.operation}" if f.operation else None,
                    code=f.code or None,
                    message=f.message,
                    request_id=f.request_id or None,
                )
            if result.blocked_by is not None and not result.failures:
                self.write("not run", level="error", **_where(result), blocked_by=result.blocked_by)

    def close(self) -> None:
        """What was written is on its way to the disk."""
        if self._file is not None and self._file is not sys.stderr:
            self._file.close()


def _where(result: Result) -> dict[str, str]:
    return {"account": result.target.account, "region": result.target.region, "step": result.step}


def _append(path: str) -> TextIO:
    """Open for appending, readable by the owner only: a log names accounts, roles and buckets."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(handle, "a", buffering=1, encoding="utf-8")
