"""The record of the accounts in which the last run succeeded, which `--resume` skips. It may be deleted at any time.

Each account is written as soon as it is done, so that a run that was killed can be resumed.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from .streams import DISK_ERRORS, protected, report_lost

ONCE = "organization"  # recorded for the steps that run once in an organization, as if it were an account


class Record:
    """Writes the record of one run. *done* are the accounts in which the run to resume succeeded.

    *path* is None for one account, in which nothing can be resumed. Raises OSError for a folder that cannot be written;
    a full or broken disk only ends the record.
    """

    def __init__(self, path: Path | None, key: str, done: set[str]):
        self.done = done
        self._file: TextIO | None = None
        if path is None:
            return
        name = f"the record for `--resume`, {path}"
        try:
            self._begin(path, name, key)
        except OSError as error:
            if error.errno not in DISK_ERRORS:
                raise
            report_lost(name, error)

    def _begin(self, path: Path, name: str, key: str) -> None:
        new = path.with_name(f".{path.name}.{os.getpid()}")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._file = protected(handle, name)
        self._line({"key": key})
        for each in sorted(self.done):
            self.succeeded(each)
        new.rename(path)  # the record of the last run is there until this one is complete

    def succeeded(self, account: str) -> None:
        """Record that nothing is left to do in the account."""
        self._line({"done": account})

    def _line(self, values: dict[str, str]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(values) + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def read_record(path: Path, key: str) -> set[str] | None:
    """The accounts in which the last run succeeded, or None if there was no run of this user with this *key*.

    A file of somebody else would have accounts skipped. Raises OSError.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, encoding="utf-8", errors="replace") as file:
        if os.fstat(handle).st_uid != os.geteuid():
            return None
        lines = file.read().splitlines()
    entries: list[dict[str, str]] = []
    for line in lines:
        with suppress(json.JSONDecodeError):  # the last line of a run that was killed may be incomplete
            entries.append(json.loads(line))
    if not entries or entries[0].get("key") != key:
        return None
    return {each["done"] for each in entries if "done" in each}


def record_key(command: str, text: str, *scope: tuple[str, ...]) -> str:
    """A hash of what a run must share with the one that it resumes: command, text of the file, and filters."""
    return hashlib.sha256(json.dumps([command, text, scope]).encode()).hexdigest()
