"""Which accounts the last run succeeded in, so that `--resume` leaves them out. It may be deleted at any time.

A line is written as each account is done, so that a run that was killed is gone on with.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

ONCE = "organization"  # stands for what exists once


class Record:
    """The record of one run, being written."""

    def __init__(self, path: Path, key: str, done: set[str]):
        self.done = done  # by the run that this one goes on with
        new = path.with_name(f".{path.name}.{os.getpid()}")
        self._file = _fresh(new)
        self._line({"key": key})
        for each in sorted(done):
            self.succeeded(each)
        new.rename(path)  # until then the last record stands

    def succeeded(self, account: str) -> None:
        """Nothing is left to do in the account."""
        self._line({"done": account})

    def _line(self, values: dict[str, str]) -> None:
        self._file.write(json.dumps(values) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Nothing more is recorded."""
        self._file.close()


def read_record(path: Path, key: str) -> set[str] | None:
    """The accounts that the last run succeeded in, or None where there was none of this *key*."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return None
    found: list[dict[str, str]] = []
    for line in lines:
        with suppress(json.JSONDecodeError):  # the last line of a run that was killed may be half a line
            found.append(json.loads(line))
    if not found or found[0].get("key") != key:
        return None
    return {each["done"] for each in found if "done" in each}


def record_key(command: str, text: str, *scope: tuple[str, ...]) -> str:
    """What two runs must have in common for one to go on with the other: the command, the file and its narrowing."""
    return hashlib.sha256(json.dumps([command, text, scope]).encode()).hexdigest()


def _fresh(path: Path) -> TextIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    return os.fdopen(handle, "w", encoding="utf-8")
