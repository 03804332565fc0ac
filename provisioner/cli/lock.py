"""One apply at a time on one account or organization: two would change what the other has just read."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .options import CommandError


class Locked(CommandError):
    """Another run holds the lock."""


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock at *path*; wait at most *timeout* seconds for it. Raises CommandError.

    The kernel releases it when the process ends, however it ends, so there is no stale lock.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = _open(path)
    deadline = time.monotonic() + timeout
    try:
        while not _acquire(handle):
            if time.monotonic() >= deadline:
                owner = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                raise Locked(
                    f"another run is in progress (process {owner}, lock {path}); wait for it, or give `--lock-timeout SECONDS`"
                )
            time.sleep(min(0.2, max(deadline - time.monotonic(), 0.01)))
        with suppress(OSError):  # a full disk, which stops no repair: the number is for messages only
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    """Open the file, which is made if it is not there. One on a disk that has become read-only can be locked, too."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)


def _acquire(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
