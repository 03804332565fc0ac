"""Tests of the log_buckets step: what Object Lock and MFA delete of a bucket keep, and what they do not allow."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.model import Kind

from ...conftest import Bench
from ...sandbox.test_buckets import CODE, ROOT
from .sample import EXACT, FILE, LOCKED, NAME, fields, with_line

BARE = 'log_buckets: {logs: {name: "acme-logs-${account_id}"}}\n'
WITH_MFA = 'log_buckets: {logs: {name: "acme-logs-${account_id}", versioning: {status: Enabled, mfa_delete: Enabled}}}\n'


def put_lock(bench: Bench, **retention: Any) -> None:
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    bench.client("s3").put_object_lock_configuration(Bucket=NAME, ObjectLockConfiguration=lock)


def mfa_delete(state: str, status: str = "Enabled") -> None:
    """The root user sets MFA delete."""
    ROOT.s3.put_bucket_versioning(
        Bucket=NAME, VersioningConfiguration={"Status": status, "MFADelete": state}, MFA=CODE
    )


def mfa_finding(bench: Bench, text: str) -> list[tuple[bool | None, str]]:
    [result] = bench.run(text).verify()
    return [(each.ok, each.detail) for each in result.findings if each.check == "MFA delete"]


def test_an_event_hold_stays_when_the_retention_is_repaired(bench: Bench) -> None:
    bench.apply(LOCKED)
    hold = {"DefaultEventHold": {"Years": 2}}
    put_lock(bench, Mode="GOVERNANCE", Days=3, **hold)
    assert fields(bench.diff(LOCKED)) == ["Days"]
    bench.apply(LOCKED)
    found = bench.client("s3").get_object_lock_configuration(Bucket=NAME)["ObjectLockConfiguration"]
    assert found["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 30, **hold}
    assert fields(bench.diff(LOCKED)) == []


def test_versioning_of_a_bucket_with_object_lock_is_not_suspended(bench: Bench) -> None:
    bench.apply(LOCKED)
    suspended = with_line("versioning: {status: Suspended}")
    for text in (suspended, suspended + EXACT):
        plan = bench.diff(text)
        assert fields(plan) == []
        assert [
            (note.permanent, "Object Lock keeps it so" in note.text) for _, note in plan.notes(Kind.STRICTER)
        ] == [(True, True)]


def test_mfa_delete_is_told_and_never_set(bench: Bench) -> None:
    bench.apply(WITH_MFA)
    [(ok, detail)] = mfa_finding(bench, WITH_MFA)
    assert (ok, f"--bucket {NAME}" in detail, "MFADelete=Enabled" in detail) == (False, True, True)
    assert mfa_finding(bench, BARE) == []
    assert fields(bench.diff(WITH_MFA)) == []
    mfa_delete("Enabled")
    for text in (WITH_MFA, BARE):
        assert mfa_finding(bench, text) == [(True, "on")]
        assert fields(bench.diff(text)) == []


@pytest.mark.parametrize(
    ("text", "status", "part"),
    [(FILE, "Enabled", "the lifecycle"), (WITH_MFA, "Suspended", "versioning")],
)
def test_what_mfa_delete_does_not_allow_is_refused_and_the_rest_is_done(
    bench: Bench, text: str, status: str, part: str
) -> None:
    bench.client("s3").create_bucket(Bucket=NAME)
    mfa_delete("Enabled", status)
    for _ in range(2):
        run = bench.run(text)
        [result] = run.send(run.rehearse())
        [failure] = result.failures
        assert failure.resource == f"{part} of bucket {NAME}"
        assert "MFADelete=Disabled" in failure.message
    assert bench.client("s3").get_bucket_policy(Bucket=NAME)


def test_a_file_with_a_lifecycle_and_mfa_delete_is_refused(bench: Bench) -> None:
    with pytest.raises(BaselineError) as caught:
        bench.baseline(with_line("versioning: {status: Enabled, mfa_delete: Enabled}"))
    [problem] = caught.value.problems
    assert problem.path == "log_buckets.logs.versioning.mfa_delete"
