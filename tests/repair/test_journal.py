"""Tests of the journal on disk: what a disk that fills in a run leaves of it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provisioner.repair.journal import Journal, now_text
from provisioner.repair.records import RunStarted

PLACE = "aws-123456789012"


def record(run: str) -> RunStarted:
    return RunStarted(run, now_text(), "repair", PLACE[-12:], "aws", "arn", ["us-east-1"], "f.yaml", "1")


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """No file may become larger, as on a disk that fills."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_record_that_a_full_disk_has_torn_takes_no_other_with_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path, PLACE)
    journal.write(record("a"))
    [file] = tmp_path.iterdir()
    with full_at(file.stat().st_size + 10):
        journal.write(record("b"))
        assert journal.take_errors() == ["the disk is full"]
        journal.write(record("c"))
        assert journal.take_errors() == ["File too large"]
    journal.write(record("d"))
    journal.write(record("e"))
    assert journal.take_errors() == []
    journal.close()
    since = datetime.now(UTC) - timedelta(hours=1)
    assert [each.run for each in Journal(tmp_path, PLACE).read(since)] == ["a", "d", "e"]
