"""The journal in S3: an object for each part of a run, which is only ever created.

The key is `PREFIX/aws-123456789012/2026-11-30/081500123456-RUN-0001.jsonl`, with microseconds, so that keys are in order.
A run keeps a part before it changes something, with what it is going to change, and one at its end. Objects never change,
so what was read once is kept in a folder on disk.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..aws.as_caller import call_as_caller
from ..aws.cloud import Cloud
from ..aws.errors import BotoCoreError, ClientError, code_of
from ..aws.threads import start_daemon
from ..baseline.journal import JournalBucket

SECONDS: Final = 10.0  # to read the journal, and to write what is left of it
_READERS: Final = 16
_PAGES: Final = 50  # of a thousand keys
_MOST: Final = 64 << 20  # bytes of an object; a larger one is none of ours
_NAME: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)/(?P<time>\d{12})-(?P<run>[A-Za-z0-9-]+)-(?P<part>\d+)\.jsonl"
)
_ERRORS: Final = (BotoCoreError, ClientError, OSError, RuntimeError, ValueError)


@dataclass
class S3Journal:
    """The journal of *place*, a partition and a caller's account, in a bucket. No method raises AWS's errors.

    *owner* is the bucket's account, and *cache* a folder for what was read. *error* is why something could not be read or
    written, or an empty text.
    """

    bucket: JournalBucket
    cloud: Cloud
    region: str
    owner: str
    place: str
    cache: Path
    error: str = ""
    _parts: int = 0
    _writing: list[Future[None]] = field(default_factory=list)

    def put(self, lines: Iterable[str], run: str, moment: datetime, patience: float = 0.0) -> None:
        """Begin to write a part of the run, and wait for that as many seconds as *patience*; `close` waits longer."""
        self._parts += 1
        when = moment.astimezone(UTC)
        key = f"{self._prefix}{when:%Y-%m-%d/%H%M%S%f}-{run}-{self._parts:04}.jsonl"
        body = "".join(lines).encode()
        with self._noting_errors():
            self._writing.append(start_daemon(lambda: self._put(key, body), *_ERRORS))
            wait(self._writing[-1:], patience)

    def close(self) -> None:
        """Wait until everything is written, for at most SECONDS."""
        deadline = time.monotonic() + SECONDS
        for each in self._writing:
            with self._noting_errors():
                each.result(max(0.0, deadline - time.monotonic()))
        self._writing.clear()

    def read(self, since: datetime) -> Iterator[str]:
        """Yield the lines since a day, as far as they can be read in SECONDS, the oldest part first."""
        deadline = time.monotonic() + SECONDS
        texts: dict[str, str] = {}

        def read_some(names: Iterable[str]) -> None:
            for name in names:
                if time.monotonic() < deadline:
                    texts[name] = self._text(name)

        with self._noting_errors():
            names = start_daemon(lambda: self._list(since), *_ERRORS).result(SECONDS)
            slices = [names[index::_READERS] for index in range(min(_READERS, len(names)))]
            for each in [start_daemon(partial(read_some, some), *_ERRORS) for some in slices]:
                with self._noting_errors():
                    each.result(max(0.0, deadline - time.monotonic()))
            self._remove_others(names)
        for name in sorted(texts.copy()):
            yield from texts[name].splitlines()

    @contextmanager
    def _noting_errors(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            self.error = f"S3 did not answer in {SECONDS:.0f} s"
        except _ERRORS as error:
            self.error = f"{code_of(error)}: {error}" if isinstance(error, ClientError) else str(error)

    @property
    def _prefix(self) -> str:
        return f"{self.bucket.s3_key_prefix}/{self.place}/"

    def _call(self, operation: str, params: Mapping[str, Any]) -> Any:
        bucket = {"Bucket": self.bucket.s3_bucket_name, "ExpectedBucketOwner": self.owner}
        return call_as_caller(self.cloud, "s3", self.region, operation, {**bucket, **params})

    def _put(self, key: str, body: bytes) -> None:
        given = {"Key": key, "Body": body, "IfNoneMatch": "*", "ContentType": "application/jsonl"}
        try:
            self._call("put_object", given)
        except ClientError as error:
            # Nobody else knows the run's id: an earlier attempt has arrived, and its answer was lost.
            if code_of(error) != "PreconditionFailed":
                raise

    def _list(self, since: datetime) -> list[str]:
        """The names of the parts since a day, below the prefix."""
        params: dict[str, Any] = {
            "Prefix": self._prefix,
            "StartAfter": f"{self._prefix}{since.astimezone(UTC):%Y-%m-%d}",
        }
        found: list[str] = []
        for _ in range(_PAGES):
            answer = self._call("list_objects_v2", params)
            keys = [each["Key"].removeprefix(self._prefix) for each in answer.get("Contents", ())]
            found += [key for key in keys if _NAME.fullmatch(key)]
            if not answer.get("IsTruncated"):
                break
            params["ContinuationToken"] = answer["NextContinuationToken"]
        return found

    def _text(self, name: str) -> str:
        """The text of a part, from the folder on disk if it was read before."""
        path = self._folder / name.replace("/", "-")
        with suppress(OSError, ValueError):
            return path.read_text(encoding="utf-8")
        answer = self._call("get_object", {"Key": f"{self._prefix}{name}"})
        if answer["ContentLength"] > _MOST:
            return ""
        text: str = answer["Body"].read().decode("utf-8", "replace")
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            whole = path.with_suffix(f".{os.getpid()}")
            whole.write_text(text, encoding="utf-8")
            whole.replace(path)
        return text

    @property
    def _folder(self) -> Path:
        """The folder on disk for the parts of this place, in this bucket, below this prefix."""
        return self.cache / f"{self.bucket.s3_bucket_name}-{self._prefix.replace('/', '_')}"

    def _remove_others(self, names: Iterable[str]) -> None:
        """Remove the parts from the disk that are none of these, which are too old."""
        kept = {name.replace("/", "-") for name in names}
        with suppress(OSError):
            for path in self._folder.glob("*.jsonl"):
                if path.name not in kept:
                    path.unlink()
