"""The journal: what each run found and did, as JSON lines on disk. Written for people and reports; AWS is the only state.

A file for each account of a caller and month, which is only appended to: `aws-123456789012-2026-11.jsonl`. Each record is
one write, so that runs at the same time do not mix their lines. A line that a crash or a full disk has torn is passed over,
and the next record begins a new line. Files older than two years are removed. Everything works without a journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin, get_type_hints

from . import records
from .records import Attributed, CallMade, Drift, Noticed, Planned, Record, RunEnded, RunStarted

if TYPE_CHECKING:
    from .s3_journal import S3Journal

_KEPT: Final = timedelta(days=731)
_KINDS: Final[Mapping[str, type[Record]]] = {
    each.type: each for each in (RunStarted, Planned, CallMade, Drift, Attributed, Noticed, RunEnded)
}
_CHUNK: Final = 1 << 16  # bytes


class Journal:
    """The journal in *folder* of the runs of *place*, a partition and a caller's account. No method raises OSError.

    With *bucket* it is kept there, too, and read from both.
    """

    def __init__(self, folder: Path, place: str, bucket: S3Journal | None = None):
        self._folder, self._place, self._bucket = folder, place, bucket
        self._handle: int | None = None
        self._month = ""
        self._disk_error = ""
        self._torn = False  # the last line is not complete
        self._part: list[str] = []  # the lines that are not in the bucket yet

    def take_errors(self) -> list[str]:
        """Why something could not be written or read since this was asked last."""
        found = [self._disk_error] if self._disk_error else []
        self._disk_error = ""
        if self._bucket is not None and self._bucket.error:
            found.append(f"s3://{self._bucket.bucket.s3_bucket_name}: {self._bucket.error}")
            self._bucket.error = ""
        return found

    def write(self, record: Record) -> None:
        """Append a record."""
        line = to_line(record)
        if self._bucket is not None:
            self._part.append(line)
        try:
            handle = self._open(record.time[:7])
            data = (b"\n" if self._torn else b"") + line.encode()
            written = os.write(handle, data)
            self._torn = written < len(data)
            if self._torn:
                self._disk_error = "the disk is full"
        except OSError as error:
            self._disk_error = error.strerror or str(error)

    def send(self, run: str, patience: float = 0.0) -> None:
        """Begin to keep in the bucket what was written so far, and wait for that as many seconds as *patience*."""
        if self._bucket is not None and self._part:
            self._bucket.put(self._part, run, datetime.now(UTC), patience)
            self._part = []

    def close(self) -> None:
        """Write everything to the disk, close the file, and wait for the bucket."""
        if self._bucket is not None:
            self._bucket.close()
        self._close_file()

    def _close_file(self) -> None:
        if self._handle is None:
            return
        try:
            os.fsync(self._handle)
        except OSError as error:
            self._disk_error = error.strerror or str(error)
        finally:
            os.close(self._handle)
            self._handle = None

    def read(self, since: datetime) -> list[Record]:
        """The records since a moment, the oldest first. What cannot be read is passed over."""
        found = list(read_all(self._folder, since, self._place))
        if self._bucket is None:
            return found
        known = {to_line(each) for each in found}
        first = _text(since)
        for line in self._bucket.read(since):
            record = _from_line(line)
            if record is not None and record.time >= first and to_line(record) not in known:
                found.append(record)
        return _in_order(found)

    def _open(self, month: str) -> int:
        """The file of the month, open for appending, readable by this user only. A torn last line is ended."""
        if self._handle is not None and month == self._month:
            return self._handle
        self._close_file()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{self._place}-{month}.jsonl"
        new = not path.exists()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        self._handle, self._month, self._torn = os.open(path, flags, 0o600), month, False
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


def _in_order(records: Iterable[Record]) -> list[Record]:
    """The records by time, but those of a run as they were written: its end may be said to be before what it found last."""
    latest: dict[str, str] = {}
    keys = []
    for each in records:
        latest[each.run] = max(latest.get(each.run, ""), each.time)
        keys.append((latest[each.run], each))
    return [each for _, each in sorted(keys, key=lambda pair: pair[0])]


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
                if (record := _from_line(line)) is not None:
                    yield record
    except OSError:
        return


def to_line(record: Record) -> str:
    """The record as a line of the journal."""
    return json.dumps(asdict(record), default=str, separators=(",", ":")) + "\n"


def _from_line(line: str | bytes) -> Record | None:
    """The record of a line; None if it is torn, or of another version of the program."""
    with suppress(ValueError, KeyError, TypeError):
        return from_json(json.loads(line))
    return None


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
