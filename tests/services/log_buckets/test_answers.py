"""Tests of the log_buckets step: malformed answers, lost answers and races lose no setting of others."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from provisioner.baseline.section import aws_name
from provisioner.engine.run import Run
from provisioner.sandbox import Fault, WireCall
from provisioner.services.log_buckets.state import READS

from ...conftest import Bench
from .sample import FILE, FOREIGN_RULE, LOCKED, NAME, policy, put_rules, rules, set_up_by_others


class Body:
    """The body of an HTTP answer."""

    def __init__(self, body: bytes = b""):
        self.body = body

    def stream(self, **_: Any) -> Any:
        yield self.body


def answer(run: Run, operation: str, status: int, body: bytes = b"") -> None:
    run.cloud.client("s3", "us-east-1").meta.events.register_first(
        f"before-send.s3.{operation}",
        lambda request, **_: AWSResponse(request.url, status, {}, Body(body)),
    )


@pytest.mark.parametrize("operation", [aws_name(name) for name, expected in READS.items() if expected])
def test_an_empty_answer_is_a_failure(bench: Bench, operation: str) -> None:
    bench.apply(LOCKED)
    run = bench.run(LOCKED)
    answer(run, operation, 200)
    [result] = run.rehearse().results
    assert result.changes == []
    assert result.failure is not None
    assert "is not AWS's: ValueError: nothing at all" in result.failure.message


def test_an_error_without_a_code_is_a_failure(bench: Bench) -> None:
    bench.apply(FILE)
    run = bench.run(FILE)
    answer(run, "GetBucketVersioning", 403, b"<Error><Message>no</Message></Error>")
    [result] = run.rehearse().results
    assert result.failure is not None
    assert result.changes == []


def test_a_put_after_a_restart_waits_for_the_bucket(bench: Bench) -> None:
    done: list[str] = []

    def fault(call: WireCall, phase: str) -> Fault | None:
        if call.operation == "CreateBucket" and phase == "after" and not done:
            done.append("lost")
            raise ConnectionResetError
        if call.operation == "PutBucketVersioning" and phase == "before" and len(done) == 1:
            done.append("unknown")
            return Fault("NoSuchBucket", 404, "The specified bucket does not exist")
        return None

    bench.world.interrupt(fault)
    bench.apply(FILE)
    assert done == ["lost", "unknown"]
    assert any("S3 to know the new bucket" in each.until for each in bench.waits)
    assert rules(bench)["archive"]["Expiration"] == {"Days": 2555}, "the bucket is ours"


def test_a_bucket_that_others_create_after_the_plan_keeps_their_settings(bench: Bench) -> None:
    run: Run = bench.run(FILE)
    plan = run.rehearse()
    set_up_by_others(bench)
    s3 = bench.client("s3")
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": [{"Key": "owner", "Value": "them"}]})
    put_rules(bench, FOREIGN_RULE)
    [sent] = run.send(plan)
    assert sent.ok
    assert {each["Sid"] for each in policy(s3)["Statement"]} >= {"Auditors", "DenyOldTls"}
    assert {"Key": "owner", "Value": "them"} in s3.get_bucket_tagging(Bucket=NAME)["TagSet"]
    assert rules(bench).keys() == {"theirs", "archive"}
