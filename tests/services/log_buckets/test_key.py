"""Tests of the log_buckets step: the KMS key that the file names."""

from __future__ import annotations

import pytest

from provisioner.baseline import BaselineError
from provisioner.model import Kind
from provisioner.sandbox import Fault

from ...conftest import Bench
from .sample import FILE, KEY, NAME, encrypted, fields, make_key, texts

STATES = {
    "does not exist": lambda kms, key: None,
    "is Disabled": lambda kms, key: kms.disable_key(KeyId=key),
    "is PendingDeletion": lambda kms, key: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
}


@pytest.mark.parametrize("state", STATES)
def test_a_key_that_cannot_be_used_is_found_and_not_set(bench: Bench, state: str) -> None:
    key = KEY if state == "does not exist" else make_key(bench)
    STATES[state](bench.client("kms"), key.rpartition("/")[2])
    text = encrypted(key)
    for run in (bench.run(text), bench.run(text)):
        [sent] = run.send(run.rehearse())
        assert [f"the key `{key}` {state}" in each.message for each in sent.failures] == [True]
    s3 = bench.client("s3")
    [rule] = s3.get_bucket_encryption(Bucket=NAME)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_bucket_policy(Bucket=NAME), "the rest is done"
    [result] = bench.run(text).verify()
    assert [(f.check, f.ok) for f in result.findings] == [("reachable", True), ("encryption key", False)]


def test_a_key_that_cannot_be_looked_at_is_set_with_a_warning(bench: Bench) -> None:
    text = encrypted(make_key(bench))
    denied = Fault("AccessDeniedException", 400)
    bench.world.interrupt(lambda call, phase: denied if call.operation == "DescribeKey" else None)
    plan = bench.apply(text)
    assert ["cannot be looked at" in each for each in texts(plan, Kind.WARNING)] == [True]
    assert fields(bench.diff(text)) == []
    [result] = bench.run(text).verify()
    assert [(f.check, f.ok) for f in result.findings] == [("reachable", True), ("encryption key", None)]


@pytest.mark.parametrize(
    ("key", "home"),
    [
        (KEY.replace("us-east-1", "eu-west-1"), "us-east-1"),
        (KEY, "eu-west-1"),
    ],
)
def test_a_key_of_another_region_is_a_mistake_in_the_file(bench: Bench, key: str, home: str) -> None:
    with pytest.raises(BaselineError) as caught:
        bench.baseline(f"home_region: {home}\n{encrypted(key)}")
    [problem] = caught.value.problems
    assert problem.path == "log_buckets.logs.server_side_encryption.kms_master_key_id"
    assert home in problem.message
    assert bench.baseline(f"home_region: {key.split(':')[3]}\n{FILE}")
