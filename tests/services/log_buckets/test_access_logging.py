"""Tests of the log_buckets step: access logging of a bucket into another, and the statement that it needs there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.model import Kind
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.drift import Administrator, create_delivery_bucket
from provisioner.services.log_buckets.names import LOG_DELIVERY

from ...conftest import Bench
from .sample import KEY, fields, texts

SOURCE, TARGET, ELSEWHERE = "acme-logs-123456789012", "acme-access-123456789012", "elsewhere"
FILE = """
log_buckets:
  logs: {name: "acme-logs-${account_id}", logging: {target_bucket: access}}
  access: {name: "acme-access-${account_id}", server_side_encryption: {sse_algorithm: AES256}}
"""
SID = "S3ServerAccessLogsProvision"
WITH_PREFIX = FILE.replace("target_bucket: access", "target_bucket: access, target_prefix: trail/")
TO_ELSEWHERE = f"""
log_buckets:
  logs: {{name: "acme-logs-${{account_id}}", logging: {{target_bucket: {ELSEWHERE}}}}}
"""
PARTITIONED = {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}
LOCKED = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}


def have(bench: Bench, bucket: str = SOURCE) -> Any:
    return bench.client("s3").get_bucket_logging(Bucket=bucket).get("LoggingEnabled")


def log(bench: Bench, bucket: str = SOURCE, **given: Any) -> None:
    """Have access to a bucket logged by hand."""
    enabled = {"TargetBucket": TARGET, "TargetPrefix": "", **given}
    bench.client("s3").put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": enabled})


def other_target(bench: Bench, condition: Any = None) -> None:
    create_delivery_bucket(
        Administrator("123456789012", "us-east-1"), ELSEWHERE, LOG_DELIVERY, condition or {}
    )


def sources(bench: Bench) -> Any:
    """The buckets from which S3 may bring logs."""
    document = json.loads(bench.client("s3").get_bucket_policy(Bucket=TARGET)["Policy"])
    [statement] = [each for each in document["Statement"] if each["Sid"] == SID]
    return statement["Condition"]["StringEquals"]["aws:SourceArn"]


def test_access_to_a_new_bucket_is_logged_into_another_new_one(bench: Bench) -> None:
    plan = bench.apply(FILE)
    operations = [(c.resource, c.call.operation) for _, c in plan.changes]
    put = operations.index((f"bucket {SOURCE}", "put_bucket_logging"))
    assert operations.index((f"bucket {TARGET}", "put_bucket_policy")) < put
    assert have(bench) == {"TargetBucket": TARGET, "TargetPrefix": f"{SOURCE}/"}
    assert have(bench, TARGET) is None
    assert sources(bench) == f"arn:aws:s3:::{SOURCE}"
    assert fields(bench.diff(FILE)) == []


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        (FILE, {"TargetPrefix": "theirs/"}, []),
        (WITH_PREFIX, {"TargetPrefix": "theirs/"}, ["TargetPrefix"]),
        (FILE, {"TargetBucket": ELSEWHERE}, ["TargetBucket"]),
        (WITH_PREFIX, {"TargetBucket": ELSEWHERE}, ["TargetBucket", "TargetPrefix"]),
        (FILE.replace(", logging: {target_bucket: access}", ""), {"TargetBucket": ELSEWHERE}, []),
    ],
)
def test_drift_is_repaired_by_one_call_and_what_the_file_leaves_out_stays(
    bench: Bench, text: str, given: dict[str, str], expected: list[str]
) -> None:
    bench.apply(text)
    other_target(bench)
    log(bench, TargetObjectKeyFormat=PARTITIONED, **given)
    before = have(bench)
    assert fields(bench.diff(text)) == expected
    bench.world.calls.clear()
    bench.apply(text)
    assert len(bench.world.writes) == bool(expected)
    changed = {"TargetBucket": TARGET, "TargetPrefix": "trail/"}
    assert have(bench) == {**before, **{name: changed[name] for name in expected}}, "the format of keys stays"
    assert fields(bench.diff(text)) == []


def test_grants_stay_unless_the_logs_go_to_another_bucket(bench: Bench) -> None:
    bench.apply(WITH_PREFIX)
    other_target(bench)
    grants = [
        {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/X"}, "Permission": "READ"}
    ]
    for target, kept in ((TARGET, True), (ELSEWHERE, False)):
        log(bench, TargetBucket=target, TargetGrants=grants)
        bench.apply(WITH_PREFIX)
        assert ("TargetGrants" in have(bench)) is kept


def test_logging_that_is_turned_off_or_into_itself_is_repaired(bench: Bench) -> None:
    bench.apply(FILE)
    s3 = bench.client("s3")
    s3.put_bucket_logging(Bucket=SOURCE, BucketLoggingStatus={})
    assert fields(bench.diff(FILE)) == ["TargetBucket", "TargetPrefix"]
    bench.apply(FILE)
    document = json.loads(s3.get_bucket_policy(Bucket=SOURCE)["Policy"])
    allow = {"Effect": "Allow", "Principal": {"Service": LOG_DELIVERY}, "Action": "s3:PutObject"}
    document["Statement"].append({**allow, "Resource": f"arn:aws:s3:::{SOURCE}/*"})
    s3.put_bucket_policy(Bucket=SOURCE, Policy=json.dumps(document))
    log(bench, TargetBucket=SOURCE)
    assert "TargetBucket" in fields(bench.diff(FILE))
    assert _access_logging(bench, FILE) == (False, f"into {SOURCE}")


def test_an_existing_bucket_gets_logs_and_none_of_our_statements(bench: Bench) -> None:
    bench.client("s3").create_bucket(Bucket=ELSEWHERE)
    [result] = bench.run(TO_ELSEWHERE).send(bench.diff(TO_ELSEWHERE))
    assert [(f.code, f.operation) for f in result.failures] == [
        ("InvalidTargetBucketForLogging", "PutBucketLogging")
    ]
    assert "`s3:PutObject`" in result.failures[0].hint
    assert bench.client("s3").get_bucket_policy(Bucket=SOURCE), "the rest is done"
    bench.client("s3").delete_bucket(Bucket=ELSEWHERE)
    other_target(bench, {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{SOURCE}"}})
    bench.apply(TO_ELSEWHERE)
    assert have(bench)["TargetBucket"] == ELSEWHERE
    assert _access_logging(bench, TO_ELSEWHERE)[0]


@pytest.mark.parametrize("region", ["", "eu-west-1"])
def test_a_target_that_is_not_there_is_seen_by_diff_and_verify(bench: Bench, region: str) -> None:
    if region:
        where = {"LocationConstraint": region}
        bench.client("s3", region).create_bucket(Bucket=ELSEWHERE, CreateBucketConfiguration=where)
    plan = bench.diff(TO_ELSEWHERE)
    [failure] = [each for result in plan.results for each in result.failures]
    assert (f"is in {region}" if region else "does not exist") in failure.message
    [result] = bench.run(TO_ELSEWHERE).send(plan)
    assert [each.message for each in result.failures] == [failure.message]
    assert bench.client("s3").get_bucket_policy(Bucket=SOURCE), "the rest is done"


def test_verify_sees_that_a_target_is_gone(bench: Bench) -> None:
    other_target(bench, {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{SOURCE}"}})
    bench.apply(TO_ELSEWHERE)
    assert _access_logging(bench, TO_ELSEWHERE)[0]
    bench.client("s3").delete_bucket(Bucket=ELSEWHERE)
    ok, detail = _access_logging(bench, TO_ELSEWHERE)
    assert (ok, "does not exist" in detail) == (False, True)


def test_a_policy_that_is_not_yet_known_is_waited_for(bench: Bench) -> None:
    bench.world.propagation = 3
    bench.apply(FILE)
    assert have(bench)["TargetBucket"] == TARGET
    assert "the policy of the access-log bucket to take effect" in {each.until for each in bench.waits}


@pytest.mark.parametrize("operations", [["CreateBucket"], ["HeadBucket", "ListObjectsV2"]], ids=str)
def test_without_its_target_a_bucket_is_set_up_and_not_logged(bench: Bench, operations: list[str]) -> None:
    denied = Fault("AccessDenied", 403)

    def deny(call: WireCall, phase: str) -> Fault | None:
        return denied if call.operation in operations and call.params["Bucket"] == TARGET else None

    bench.world.interrupt(deny)
    run = bench.run(FILE)
    [result] = run.send(run.rehearse())
    assert {each.resource for each in result.failures} <= {f"bucket {TARGET}", f"bucket {SOURCE}"}
    assert "PutBucketLogging" not in [call.operation for call in bench.world.calls]
    told = [name for f in result.failures for name in (f.message.split()[0], *f.untried)]
    assert "PutBucketLogging" in told
    assert bench.client("s3").get_bucket_policy(Bucket=SOURCE), "the rest is done"


def test_a_source_keeps_its_permission_as_long_as_it_is_logged(bench: Bench) -> None:
    bench.apply(FILE)
    renamed = FILE.replace("acme-logs", "acme-new")
    bench.apply(renamed)
    both = ["arn:aws:s3:::acme-logs-123456789012", "arn:aws:s3:::acme-new-123456789012"]
    assert sorted(sources(bench)) == both
    closed = [True]

    def deny(call: WireCall, phase: str) -> Fault | None:
        asked = (call.operation, call.params.get("Bucket")) == ("GetBucketLogging", SOURCE)
        return Fault("AccessDenied", 403) if asked and closed else None

    bench.world.interrupt(deny)
    assert fields(bench.diff(renamed)) == [], "what cannot be looked at keeps it"
    closed.clear()
    bench.client("s3").put_bucket_logging(Bucket=SOURCE, BucketLoggingStatus={})
    bench.apply(renamed)
    assert sources(bench) == both[1]


def test_a_key_in_the_target_is_a_warning(bench: Bench) -> None:
    bench.apply(FILE)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    bench.client("s3").put_bucket_encryption(
        Bucket=TARGET,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    plan = bench.diff(FILE)
    assert fields(plan) == []
    assert [LOG_DELIVERY in text for text in texts(plan, Kind.WARNING)] == [True]


def _access_logging(bench: Bench, text: str) -> tuple[bool | None, str]:
    [result] = bench.run(text).verify()
    [finding] = [each for each in result.findings if each.check == "access logging"]
    return finding.ok, finding.detail


def test_verify_finds_whether_s3_can_write_the_logs(bench: Bench) -> None:
    bench.apply(FILE)
    s3, well = bench.client("s3"), f"into {TARGET}, below {SOURCE}/"
    assert _access_logging(bench, FILE) == (True, well)
    _let_write_its_own_logs(bench)
    log(bench, TARGET)
    ok, detail = _access_logging(bench, FILE)
    assert (ok, detail.startswith(f"{well}, which is logged into {TARGET} itself")) == (False, True)
    s3.put_bucket_logging(Bucket=TARGET, BucketLoggingStatus={})
    s3.put_object_lock_configuration(Bucket=TARGET, ObjectLockConfiguration=LOCKED)
    ok, detail = _access_logging(bench, FILE)
    assert (ok, detail.startswith(f"{well}, whose Object Lock")) == (False, True)
    s3.put_bucket_logging(Bucket=SOURCE, BucketLoggingStatus={})
    assert _access_logging(bench, FILE) == (False, "off")


def _let_write_its_own_logs(bench: Bench) -> None:
    """Let S3 write the logs of the target into it, by its policy."""
    s3 = bench.client("s3")
    document = json.loads(s3.get_bucket_policy(Bucket=TARGET)["Policy"])
    document["Statement"].append(
        {
            "Sid": "Loop",
            "Effect": "Allow",
            "Principal": {"Service": LOG_DELIVERY},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{TARGET}/*",
            "Condition": {"StringEquals": {"aws:SourceArn": f"arn:aws:s3:::{TARGET}"}},
        }
    )
    s3.put_bucket_policy(Bucket=TARGET, Policy=json.dumps(document))


WRONG = [
    ("logs: {name: acme-logs, logging: {target_bucket: logs}}", "is the bucket itself"),
    ("logs: {name: acme-logs, logging: {target_bucket: acme-logs}}", "is the bucket itself"),
    ("logs: {name: acme-logs, logging: {target_bucket: acess}}", "did you mean 'access'?"),
    ("logs: {name: acme-logs, logging: {target_bucket: Other}}", "add it there, or name another"),
    ("logs: {name: acme-logs, logging: {target_bucket: locked}}", "has a default retention"),
    ("logs: {name: acme-logs, logging: {target_bucket: logged}}", "`acme-logged` is itself logged"),
    ("logs: {name: acme-logs, logging: {target_bucket: access, target_prefix: %s}}" % ("x" * 1025), "1024"),
]


@pytest.mark.parametrize(("line", "text"), WRONG)
def test_a_target_that_does_not_work_is_a_mistake_in_the_file(bench: Bench, line: str, text: str) -> None:
    others = (
        "access: {name: acme-access}",
        "locked: {name: acme-locked, object_lock: {mode: GOVERNANCE, days: 1}}",
        "logged: {name: acme-logged, logging: {target_bucket: access}}",
    )
    with pytest.raises(BaselineError) as caught:
        bench.baseline("\n  ".join(["log_buckets:", *others, line]) + "\n")
    [problem] = caught.value.problems
    assert text in problem.message
    assert problem.path.startswith("log_buckets.logs.logging.target_")
