"""Tests of the journal in S3: keys, several machines, what is damaged or late, and its permissions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provisioner.aws import Identity
from provisioner.aws.cloud import Cloud
from provisioner.permissions import of_caller, policy
from provisioner.repair import s3_journal
from provisioner.repair.journal import Journal
from provisioner.repair.records import Record, RunStarted
from provisioner.repair.run import open_journal
from provisioner.sandbox import Fault, WireCall

from ..conftest import MEMBER, Bench
from ..permissions.sample import Caller
from .notice_samples import at, drift, report

ACCOUNT = "123456789012"
BUCKET = "acme-journal"
FILE = f"journal: {{s3_bucket_name: {BUCKET}, s3_key_prefix: audit/runs}}\npassword_policy: {{minimum_password_length: 14}}\n"
NOW = datetime.now(UTC)


def started(run: str, moment: datetime = NOW) -> RunStarted:
    time = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return RunStarted(run, time, "repair", ACCOUNT, "aws", "", ["us-east-1"], "b.yaml", "1")


@pytest.fixture
def cloud(bench: Bench) -> Iterator[Cloud]:
    bench.client("s3").create_bucket(Bucket=BUCKET)
    opened = Cloud(clock=bench.clock)
    yield opened
    opened.close(wait=True)


def machine(bench: Bench, cloud: Cloud, folder: Path, file: str = FILE) -> Journal:
    """The journal of a machine whose disk is *folder*."""
    identity = Identity(ACCOUNT, "aws", f"arn:aws:iam::{ACCOUNT}:role/audit")
    return open_journal(folder, cloud, identity, bench.baseline(file))


def write(journal: Journal, *records: Record) -> list[str]:
    """Write the records as one run, and return the errors."""
    for each in records:
        journal.write(each)
    journal.send(records[0].run)
    journal.close()
    return journal.take_errors()


def keys(bench: Bench) -> list[str]:
    return [each["Key"] for each in bench.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def test_each_run_is_an_object_which_is_never_changed(bench: Bench, cloud: Cloud, tmp_path: Path) -> None:
    for run in ("a1", "b2"):
        assert write(machine(bench, cloud, tmp_path), started(run)) == []
    assert [key.rpartition("/")[0] for key in keys(bench)] == [f"audit/runs/aws-{ACCOUNT}/{NOW:%Y-%m-%d}"] * 2
    puts = [each for each in bench.world.calls if each.operation == "PutObject"]
    assert [(each.params["IfNoneMatch"], each.params["ExpectedBucketOwner"]) for each in puts] == [
        ("*", ACCOUNT)
    ] * 2


def test_a_machine_reads_the_runs_of_all_and_each_once(bench: Bench, cloud: Cloud, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write(machine(bench, cloud, one), started("a1", NOW - timedelta(minutes=2)))
    write(machine(bench, cloud, other), started("b2", NOW - timedelta(minutes=1)))
    for folder in (one, other):
        found = machine(bench, cloud, folder).read(NOW - timedelta(days=1))
        assert [each.run for each in found] == ["a1", "b2"]


def test_the_records_of_a_run_stay_in_the_order_in_which_they_were_written(
    bench: Bench, cloud: Cloud, tmp_path: Path
) -> None:
    """Else a run whose end is said to be a second before what it found last would seem to be cut short."""
    run = report(0, [drift(state="repaired")], run="a1")
    found = [replace(each, time=at(1).isoformat()) for each in run.drifts]
    assert write(machine(bench, cloud, tmp_path / "one"), run.started, *found, run.ended) == []
    write(machine(bench, cloud, tmp_path / "one"), started("b2"))
    other = machine(bench, cloud, tmp_path / "other")
    assert [each.type for each in other.read(at(-1))] == ["run_started", "drift", "run_ended", "run_started"]


def test_what_was_read_once_is_not_read_again(bench: Bench, cloud: Cloud, tmp_path: Path) -> None:
    for run in ("a1", "b2"):
        write(machine(bench, cloud, tmp_path / "one"), started(run))
    for gets in (2, 0):
        bench.world.calls.clear()
        assert len(machine(bench, cloud, tmp_path / "other").read(NOW - timedelta(days=1))) == 2
        assert sum(each.operation == "GetObject" for each in bench.world.calls) == gets


def test_foreign_keys_torn_lines_and_old_runs_are_passed_over(
    bench: Bench, cloud: Cloud, tmp_path: Path
) -> None:
    write(machine(bench, cloud, tmp_path / "one"), started("a1"), started("old", NOW - timedelta(days=2)))
    place, put = f"audit/runs/aws-{ACCOUNT}", bench.client("s3").put_object
    for name in ("readme.txt", f"{NOW:%Y-%m-%d}/../../etc-1.jsonl", "2020-01-01/000000000000-f00-0001.jsonl"):
        put(Bucket=BUCKET, Key=f"{place}/{name}", Body=json.dumps({"type": "run_started"}))
    put(
        Bucket=BUCKET,
        Key=f"{place}/{NOW:%Y-%m-%d}/000000000000-f00-0001.jsonl",
        Body=b'{"type": "run_st\xff\n[]\n',
    )
    journal = machine(bench, cloud, tmp_path / "other")
    assert [each.run for each in journal.read(NOW - timedelta(days=1))] == ["a1"]
    assert journal.take_errors() == []


def test_a_put_whose_answer_was_lost_is_no_error(bench: Bench, cloud: Cloud, tmp_path: Path) -> None:
    lost = iter([Fault("InternalError", 500)])

    def fault(call: WireCall, phase: Any) -> Fault | None:
        return next(lost, None) if call.operation == "PutObject" and phase == "after" else None

    bench.world.interrupt(fault)
    assert write(machine(bench, cloud, tmp_path), started("a1")) == []
    assert len(keys(bench)) == 1


def test_a_bucket_of_another_account_is_not_written_to(bench: Bench, cloud: Cloud, tmp_path: Path) -> None:
    file = FILE.replace("s3_key_prefix", f'bucket_owner: "{MEMBER}", s3_key_prefix')
    [error] = write(machine(bench, cloud, tmp_path, file), started("a1"))
    assert error.startswith(f"s3://{BUCKET}: AccessDenied")
    assert keys(bench) == []


def test_a_bucket_that_does_not_answer_is_not_waited_for(
    bench: Bench, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_journal, "SECONDS", 0.2)
    go_on = threading.Event()

    def hang(call: WireCall, phase: Any) -> None:
        if call.service == "s3":
            go_on.wait()

    bench.world.interrupt(hang)
    journal = machine(bench, cloud, tmp_path)
    try:
        assert journal.read(NOW) == []
        assert write(journal, started("a1")) == [f"s3://{BUCKET}: S3 did not answer in 0 s"]
    finally:
        go_on.set()
        for each in threading.enumerate():  # or what is late would reach the sandbox of the next test
            if each.name == "background":
                each.join()


def test_its_permissions_are_enough_and_all_used(bench: Bench, cloud: Cloud, tmp_path: Path) -> None:
    baseline = bench.baseline(FILE)
    parts = [each for each in of_caller(baseline, ACCOUNT, "aws") if each.section == "journal"]
    caller = Caller(bench.world)
    least = policy(parts, ["repair"])
    with caller.held_to(least):
        assert write(machine(bench, cloud, tmp_path / "one"), started("a1")) == []
        assert len(machine(bench, cloud, tmp_path / "other").read(NOW - timedelta(days=1))) == 1
    assert caller.denied == []
    named = {(each["Sid"], action) for each in least["Statement"] for action in each["Action"]}
    assert caller.taken() == named
