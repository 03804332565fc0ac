"""Standard streams and log files that stop nothing: full disks, closed streams, readers gone or stuck, encodings.

Not here: what is written.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import stat
import sys
import threading
from contextlib import suppress
from typing import Any, Final, TextIO

# The disk is at fault, or who should read a named pipe, not the name that the user gave.
DISK_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENXIO})
PATIENCE: Final = (
    1.0  # seconds for which a run waits for a reader that takes nothing: then it goes on without
)
_READER_GONE: Final = errno.EPIPE
_SPELLING: Final = {"→": "->", "≥": ">=", "·": "*", "…": "..."}


class _Output(io.FileIO):
    """A file that drops what cannot be written, and keeps what the reader of a pipe does not take yet.

    *lost* is the first error but that of a reader that closed a pipe.
    """

    def __init__(self, number: int, name: str, *, closefd: bool) -> None:
        super().__init__(number, "w", closefd=closefd)
        self.title = name
        self.lost: OSError | None = None
        mode = os.fstat(number).st_mode
        # As much as a reader's end takes without blocking, once it takes anything.
        self._most = select.PIPE_BUF if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else None
        self._unread = bytearray()
        self._stuck = False  # the reader took nothing for a while: nobody waits for it before the end
        self._lock = threading.Lock()

    def write(self, data: Any, /) -> int:
        """Write, and wait a little for a reader that is slow; all counts as written."""
        with self._lock:
            self._unread += data
            try:
                self._send(0.0 if self._stuck else PATIENCE)
            except BaseException:  # an interrupt, after which the buffer before this file writes *data* again
                del self._unread[max(len(self._unread) - len(data), 0) :]
                raise
        return len(data)

    def finish(self, patience: float | None) -> None:
        """Wait until the reader has all; with *patience*, only as long as it takes something every so many seconds."""
        with self._lock:
            self._send(patience)

    def _send(self, patience: float | None) -> None:
        while self._unread:
            try:
                # None: another program has made the terminal non-blocking.
                if (self._most and not _room(self, patience)) or (
                    (written := super().write(self._unread[: self._most])) is None
                    and not _room(self, patience)
                ):
                    self._stuck = True
                    return
                del self._unread[: written or 0]
            except OSError as error:
                self._unread.clear()
                self._lose(error)
        self._stuck = False

    def _lose(self, error: OSError) -> None:
        if error.errno != _READER_GONE and self.lost is None:
            self.lost = error
            if self.title != "stderr":
                report_lost(self.title, error)

    def close(self) -> None:
        """Close, also if the disk refuses what it took before. What is not read yet is kept for `finish`."""
        if self._unread:
            _unfinished.append(self)
            return
        with suppress(OSError):
            super().close()


_unfinished: Final[list[_Output]] = []  # the standard streams, and files with something that nobody has read


def finish(patience: float | None = None) -> None:
    """Wait for the readers of all output, see `_Output.finish`."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for each in _unfinished:
        each.finish(patience)


def _room(file: io.FileIO | int, patience: float | None) -> bool:
    """Whether something can be written, or is refused at once, after as many seconds at most; None waits for ever."""
    poll = select.poll()  # `select` would take no descriptor above 1023
    poll.register(file, select.POLLOUT)
    return bool(poll.poll(None if patience is None else patience * 1000))


def write_in_handler(text: bytes) -> None:
    """Write to stderr in a signal handler, which must not wait for anything: not at all if the reader is stuck."""
    with suppress(OSError):  # the terminal may be gone: that is what SIGHUP says
        if _room(2, 0.0):
            os.write(2, text)


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
    stderr, stdout = _Output(2, "stderr", closefd=False), _Output(1, "stdout", closefd=False)
    _unfinished.extend((stdout, stderr))
    sys.stderr = _text(stderr, sys.stderr)
    sys.stdout = _text(stdout, sys.stdout)


def open_for_append(path: str, name: str) -> TextIO:
    """Open a file of this user's only, to which lines are appended; *name* is how messages call it.

    If the disk is full or broken, or nobody reads a named pipe, that is reported and the lines are lost. Raises OSError
    for a path that is wrong.
    """
    try:
        # Non-blocking, because a named pipe would wait for a reader.
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        report_lost(name, error)
        number = os.open(os.devnull, os.O_WRONLY)
    return protected(number, name)


def report_lost(name: str, error: OSError) -> None:
    """Say on stderr that what is written to *name* is lost."""
    sys.stderr.write(f"{name}: {error.strerror}: what is written there is lost\n")


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
