"""Standard streams and log files whose failed writes stop nothing: full disks, closed streams and readers, encodings.

Not here: what is written.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any, Final, TextIO

# The disk is at fault, not the name that the user gave.
DISK_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
_READER_GONE: Final = errno.EPIPE
_SPELLING: Final = {"→": "->", "≥": ">=", "·": "*", "…": "..."}


class _Output(io.FileIO):
    """A file that drops what cannot be written. *lost* is the first error but that of a reader that closed a pipe."""

    def __init__(self, number: int, name: str, *, closefd: bool) -> None:
        super().__init__(number, "w", closefd=closefd)
        self.title = name
        self.lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write, and wait for a reader that is slow; what cannot be written counts as written."""
        try:
            while (written := super().write(data)) is None:  # another program made the terminal non-blocking
                from select import select

                select([], [self], [])
        except OSError as error:
            if error.errno != _READER_GONE and self.lost is None:
                self.lost = error
                if self.title != "stderr":
                    sys.stderr.write(f"{self.title}: {error.strerror}: what is written there is lost\n")
            return len(data)
        return written

    def close(self) -> None:
        """Close, also if the disk refuses what it took before."""
        with suppress(OSError):
            super().close()


def protect() -> None:
    """Replace the standard streams by ones that raise no error, whatever they are connected to.

    A closed one becomes the null device: else the next file that is opened would get its number.
    """
    codecs.register_error("provision", _spell)
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole process
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="backslashreplace")
    sys.stderr = _text(_Output(2, "stderr", closefd=False), sys.stderr)
    sys.stdout = _text(_Output(1, "stdout", closefd=False), sys.stdout)


def open_for_append(path: str, name: str) -> TextIO:
    """Open a file of this user's only, to which lines are appended; *name* is how messages call it.

    If the disk is full or broken, that is reported and the lines are lost. Raises OSError for a path that is wrong.
    """
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        sys.stderr.write(f"{name}: {error.strerror}: what is written there is lost\n")
        number = os.open(os.devnull, os.O_WRONLY)
    return protected(number, name)


def protected(number: int, name: str) -> TextIO:
    """The open file *number* for lines of text; closing it closes the file."""
    return _text(_Output(number, name, closefd=True), None)


def lost_output() -> OSError | None:
    """Flush stdout, and return the error because of which something of it is lost, if any."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.lost if isinstance(raw, _Output) else None


def _text(raw: _Output, before: TextIO | None) -> TextIO:
    """A text stream over *raw* with the encoding of the stream *before*; UTF-8 without one."""
    encoding = before.encoding if before is not None else "utf-8"
    lines = raw.title != "stdout" or raw.isatty()
    errors = "provision" if before is not None else "backslashreplace"
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=lines)


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Write characters that the encoding lacks in ASCII: `->` for an arrow, a number for most others."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(
        _SPELLING.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text
    ), error.end
