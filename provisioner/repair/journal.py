"""The journal: what each run found and did, as JSON lines on disk. Written for people and reports; AWS is the only state.

A file for each account of a caller and month, which is only appended to: `aws-123456789012-2026-11.jsonl`. Each record is
one write, so that runs at the same time do not mix their lines. A line that a crash or a full disk has torn is passed over,
and the next record begins a new line. Files older than two years are removed. Everything works without a journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from . import records
from .records import Attributed, CallMade, Drift, Noticed, Record, RunEnded, RunStarted

_KEPT: Final = timedelta(days=731)
_KINDS: Final[Mapping[str, type[Record]]] = {
    each.type: each for each in (RunStarted, CallMade, Drift, Attributed, Noticed, RunEnded)
}
_CHUNK: Final = 1 << 16  # bytes


class Journal:
    """The journal in *folder* of the runs of *place*, a partition and a caller's account. No method raises OSError.

    *error* is why the last record could not be written, or an empty text.
    """

    def __init__(self, folder: Path, place: str):
        self._folder, self._place = folder, place
        self._handle: int | None = None
        self._month = ""
        self.error = ""

    def write(self, record: Record) -> None:
        """Append a record."""
        line = json.dumps(asdict(record), default=str, separators=(",", ":")) + "\n"
        try:
            handle = self._open(record.time[:7])
            if os.write(handle, line.encode()) < len(line.encode()):
                self.error = "the disk is full"
        except OSError as error:
            self.error = error.strerror or str(error)

    def close(self) -> None:
        """Write everything to the disk, and close the file."""
        if self._handle is None:
            return
        try:
            os.fsync(self._handle)
        except OSError as error:
            self.error = error.strerror or str(error)
        finally:
            os.close(self._handle)
            self._handle = None

    def read(self, since: datetime | None = None) -> Iterator[Record]:
        """Yield the records since a moment, or all, the oldest first. What cannot be read is passed over."""
        return read_all(self._folder, since, self._place)

    def _open(self, month: str) -> int:
        """The file of the month, open for appending, readable by this user only. A torn last line is ended."""
        if self._handle is not None and month == self._month:
            return self._handle
        self.close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{self._place}-{month}.jsonl"
        new = not path.exists()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        self._handle, self._month = os.open(path, flags, 0o600), month
        size = os.fstat(self._handle).st_size
        if size and os.pread(self._handle, 1, size - 1) != b"\n":
            os.write(self._handle, b"\n")
        if new:
            self._remove_old()
        return self._handle

    def _remove_old(self) -> None:
        oldest = _text(datetime.now(UTC) - _KEPT)[:7]
        for path in _files(self._folder, self._place):
            if path.stem[-7:] < oldest:
                with suppress(OSError):
                    path.unlink()


def read_all(folder: Path, since: datetime | None = None, place: str = "*") -> Iterator[Record]:
    """Yield the records of a place, or of all, since a moment, the oldest first. What cannot be read is passed over."""
    first = _text(since) if since else ""
    for path in _files(folder, place):
        if path.stem[-7:] >= first[:7]:
            yield from (each for each in _read(path) if each.time >= first)


def _files(folder: Path, place: str) -> list[Path]:
    with suppress(OSError):
        return sorted(folder.glob(f"{place}-????-??.jsonl"))
    return []


def now_text() -> str:
    """The time of now, as records have it."""
    return _text(datetime.now(UTC))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(path: Path) -> Iterator[Record]:
    try:
        with path.open("rb") as file:
            for line in file:
                with suppress(ValueError, KeyError, TypeError):  # torn, or of another version of the program
                    yield from_json(json.loads(line))
    except OSError:
        return


def from_json(value: Mapping[str, Any]) -> Record:
    """The record of a JSON object; keys that are not known are passed over. Raises KeyError or TypeError if it is none."""
    made: Record = _made(_KINDS[value["type"]], value)
    return made


def _made(kind: Any, value: Any) -> Any:
    """*value*, from JSON, as *kind*: dataclasses and lists of them are made, other values stay."""
    if get_origin(kind) in {Union, UnionType}:
        dataclass = next((each for each in get_args(kind) if is_dataclass(each)), None)
        return _made(dataclass, value) if dataclass is not None and value is not None else value
    if get_origin(kind) is list:
        return [_made(get_args(kind)[0], each) for each in value]
    if get_origin(kind) is tuple:
        return tuple(_made(get_args(kind)[0], each) for each in value)
    if not is_dataclass(kind):
        return value
    types = _types(kind if isinstance(kind, type) else type(kind))
    return kind(**{name: _made(each, value[name]) for name, each in types.items() if name in value})  # type: ignore[operator]


@cache
def _types(kind: Any) -> dict[str, Any]:
    names = [each.name for each in fields(kind)]
    hints = get_type_hints(kind, vars(records))
    return {name: hints[name] for name in names}
