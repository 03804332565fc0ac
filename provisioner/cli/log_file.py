"""The log of a run (`--log-file`): JSON lines with account, Region, step, operation and request id."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from ..baseline.redact import redacted
from ..model import Change, Result
from ..report import words
from .options import CommandError
from .streams import open_for_append


class LogFile:
    """Writes the log to *path*, to stderr for `-`, or nowhere for None. Raises CommandError.

    What is logged shows no *secrets* and, like the terminal, no control characters. A full disk ends nothing.
    """

    def __init__(self, path: str | None, secrets: Callable[[], Mapping[str, str]] = dict, **bound: Any):
        self._file: TextIO | None = None
        self._log: Any = None
        if path is None:
            return
        import structlog  # takes 70 ms, so only where there is a log

        self._file = sys.stderr if path == "-" else _open(path)
        self._secrets = secrets
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
        """Log one event."""
        if self._log is not None:
            getattr(self._log, level)(event, **words.cleaned(redacted(values, self._secrets())))

    def change(self, result: Result, change: Change) -> None:
        """Log one call that was made; its request id is the last of *result*."""
        self.write(
            "changed",
            **_place(result),
            resource=change.resource,
            operation=words.operation(change),
            request_id=result.request_ids[-1],
            fields=[d.field for d in change.differences],
        )

    def failures(self, results: Iterable[Result]) -> None:
        """Log each failure, and each step that was blocked by one."""
        for result in results:
            for f in result.failures:
                self.write(
                    "failed",
                    level="error",
                    **_place(result),
                    doing=f.doing,
                    operation=words.failed_operation(f) or None,
                    code=f.code or None,
                    message=f.message,
                    request_id=f.request_id or None,
                )
            if result.blocked_by is not None and not result.failures:
                self.write("not run", level="error", **_place(result), blocked_by=result.blocked_by)

    def close(self) -> None:
        """Close the file; stderr stays open."""
        if self._file is not None and self._file is not sys.stderr:
            self._file.close()


def _place(result: Result) -> dict[str, str]:
    return {"account": result.target.account, "region": result.target.region, "step": result.step}


def _open(path: str) -> TextIO:
    """Open for appending, readable by the owner only: a log names accounts, roles and buckets."""
    name = f"--log-file {path}"
    try:
        return open_for_append(path, name)
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}; name a file that can be written") from error
