"""One run at a time: two applies on one account would undo each other's reads."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Locked(Exception):
    """Another run is in progress."""


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock at *path*, waiting at most *timeout* seconds for it.

    The kernel lets go of it when the process ends, however it ends, so there is no stale lock. Raises Locked.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        _take(handle, path, timeout)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                owner = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                raise Locked(
                    f"another run is in progress (process {owner}, lock {path}); wait for it, or give `--lock-timeout SECONDS`"
                ) from None
            time.sleep(min(0.2, max(deadline - time.monotonic(), 0.01)))
