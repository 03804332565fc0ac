"""Log buckets: nothing that keeps logs, or that others wrote, is lost to an odd answer, a race or a comparison."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from provisioner.engine.plan import Plan
from provisioner.engine.run import Run
from provisioner.model import Kind
from provisioner.sandbox import Fault, WireCall

from ...conftest import Bench
from .test_settings import ENCRYPTED, FILE, KEY, LOCKED, NAME, OTHERS, change_rule, fields, policy

THEIRS = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 9}}
EXACT = "    exact: true\n"
PLAIN = f"log_buckets: {{logs: {{name: {NAME}}}}}\n"
SHORTEN = "shorten-retention"


def texts(plan: Plan, kind: Kind) -> list[str]:
    return [note.text for _, note in plan.notes(kind)]


def rules(bench: Bench) -> dict[str, Any]:
    found = bench.client("s3").get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    return {rule["ID"]: rule for rule in found}


def put_rules(bench: Bench, *given: Any) -> None:
    bench.client("s3").put_bucket_lifecycle_configuration(
        Bucket=NAME, LifecycleConfiguration={"Rules": list(given)}
    )


def others_set_it_up(bench: Bench) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=NAME)
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Statement": [OTHERS]}))


class Body:
    """What is left of an answer's body."""

    def __init__(self, body: bytes = b""):
        self.body = body

    def stream(self, **_: Any) -> Any:
        yield self.body


def answer(run: Run, operation: str, status: int, body: bytes = b"") -> None:
    run.cloud.client("s3", "us-east-1").meta.events.register_first(
        f"before-send.s3.{operation}",
        lambda request, **_: AWSResponse(request.url, status, {}, Body(body)),
    )


READS = [
    "GetPublicAccessBlock",
    "GetBucketOwnershipControls",
    "GetBucketEncryption",
    "GetObjectLockConfiguration",
    "GetBucketTagging",
    "GetBucketLifecycleConfiguration",
    "GetBucketPolicy",
]


@pytest.mark.parametrize("operation", READS)
def test_an_empty_answer_is_no_absence(bench: Bench, operation: str) -> None:
    bench.apply(LOCKED)
    run = bench.run(LOCKED)
    answer(run, operation, 200)
    [result] = run.rehearse().results
    assert result.changes == []
    assert result.failure is not None
    assert "as a broken connection would; run again" in result.failure.message


def test_a_refusal_without_a_code_is_not_versioning_that_was_never_on(bench: Bench) -> None:
    bench.apply(FILE)
    run = bench.run(FILE)
    answer(run, "GetBucketVersioning", 403, b"<Error><Message>no</Message></Error>")
    [result] = run.rehearse().results
    assert result.failure is not None
    assert result.changes == []


def encrypt(bench: Bench, algorithm: str, key: str | None) -> None:
    default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": algorithm == "aws:kms"}
    bench.client("s3").put_bucket_encryption(Bucket=NAME, ServerSideEncryptionConfiguration={"Rules": [rule]})


HOSTILE = [
    KEY.replace("123456789012", "210987654321"),
    KEY.replace("us-east-1", "eu-west-1"),
    KEY.partition("/")[2],
    "alias/logs",
    "arn:aws:kms:us-east-1:123456789012:alias/aws/s3",
    None,
]


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
@pytest.mark.parametrize("key", HOSTILE)
def test_encryption_that_log_services_cannot_use_is_not_stricter(
    bench: Bench, key: str | None, algorithm: str
) -> None:
    bench.apply(FILE)
    encrypt(bench, algorithm, key)
    plan = bench.diff(FILE)
    assert fields(plan) == ["SSEAlgorithm"]
    assert [c.consent for _, c in plan.changes] == [None]
    [text] = texts(plan, Kind.WARNING)
    assert (key or "the key aws/s3") in text
    assert "not known as a key of this account" in text
    assert texts(plan, Kind.STRICTER) == []
    bench.apply(FILE)
    assert fields(bench.diff(FILE)) == []


@pytest.mark.parametrize("key", [KEY, "arn:aws:kms:us-east-1:123456789012:alias/logs"])
def test_encryption_with_a_key_of_this_account_is_stricter(bench: Bench, key: str) -> None:
    bench.apply(FILE)
    encrypt(bench, "aws:kms", key)
    plan = bench.diff(FILE)
    assert fields(plan) == []
    assert key in texts(plan, Kind.STRICTER)[0]
    [(_, change)] = bench.diff(FILE + EXACT).changes
    assert change.consent == "weaken-encryption"


def test_two_layers_stay_two_layers_whatever_the_key(bench: Bench) -> None:
    bench.apply(ENCRYPTED)
    encrypt(bench, "aws:kms:dsse", KEY.replace("1111", "9999"))
    assert fields(bench.diff(ENCRYPTED)) == ["KMSMasterKeyID"]
    [(_, change)] = bench.diff(ENCRYPTED + EXACT).changes
    assert change.consent == "weaken-encryption"
    bench.apply(ENCRYPTED)
    [rule] = bench.client("s3").get_bucket_encryption(Bucket=NAME)["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms:dsse",
        "KMSMasterKeyID": KEY,
    }
    assert fields(bench.diff(ENCRYPTED)) == []


LOCKS = [
    (("COMPLIANCE", 50), ("GOVERNANCE", 100), ("COMPLIANCE", 100)),
    (("GOVERNANCE", 100), ("COMPLIANCE", 50), ("COMPLIANCE", 100)),
    (("GOVERNANCE", 100), ("GOVERNANCE", 50), ("GOVERNANCE", 100)),
]


@pytest.mark.parametrize(("have", "want", "after"), LOCKS)
def test_object_lock_keeps_the_stricter_mode_and_the_longer_time(
    bench: Bench, have: tuple[str, int], want: tuple[str, int], after: tuple[str, int]
) -> None:
    bench.apply(LOCKED)
    s3 = bench.client("s3")
    there = {"Rule": {"DefaultRetention": dict(zip(("Mode", "Days"), have, strict=True))}}
    s3.put_object_lock_configuration(
        Bucket=NAME, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **there}
    )
    text = LOCKED.replace("GOVERNANCE, days: 30", f"{want[0]}, days: {want[1]}")
    plan = bench.apply(text)
    assert f"Object Lock is {have[0]} for {have[1]} days" in texts(plan, Kind.STRICTER)[0]
    found = s3.get_object_lock_configuration(Bucket=NAME)["ObjectLockConfiguration"]["Rule"]
    assert (found["DefaultRetention"]["Mode"], found["DefaultRetention"]["Days"]) == after
    assert fields(bench.diff(text)) == []


def test_old_versions_that_are_kept_longer_stay(bench: Bench) -> None:
    bench.apply(FILE)
    for said, words in (
        ({"NoncurrentDays": 900}, "900 days instead of 365"),
        ({"NoncurrentDays": 365, "NewerNoncurrentVersions": 3}, "the newest 3 for ever instead of 365 days"),
        ({}, "for ever instead of 365 days"),
    ):
        rule = {k: v for k, v in rules(bench)["archive"].items() if k != "NoncurrentVersionExpiration"}
        put_rules(bench, {**rule, **({"NoncurrentVersionExpiration": said} if said else {})})
        plan = bench.diff(FILE)
        assert fields(plan) == []
        assert f"keeps old versions longer: {words}" in texts(plan, Kind.STRICTER)[0]
        [(_, change)] = bench.diff(FILE + EXACT).changes
        assert change.consent == SHORTEN


@pytest.mark.parametrize(("days", "longer"), [(-30, False), (30, False), (4000, True)])
def test_a_date_is_longer_only_where_a_log_of_today_outlives_the_file(
    bench: Bench, days: int, longer: bool
) -> None:
    text = FILE.replace(
        "        transitions: [{days: 30, storage_class: STANDARD_IA}, {days: 90, storage_class: GLACIER}]\n",
        "",
    )
    bench.apply(text)
    date = (datetime.now(UTC) + timedelta(days)).replace(hour=0, minute=0, second=0, microsecond=0)
    change_rule(Expiration={"Date": date})(bench.client("s3"))
    plan = bench.diff(text)
    assert fields(plan) == ([] if longer else ["lifecycle rule archive"])
    assert [c.consent for _, c in plan.changes] == ([] if longer else [None])
    assert len(texts(plan, Kind.STRICTER)) == longer
    assert [c.consent for _, c in bench.diff(text + EXACT).changes] == [SHORTEN if longer else None]


def test_a_far_date_beside_transitions_becomes_for_ever(bench: Bench) -> None:
    bench.apply(FILE)
    change_rule(Transitions=[], Expiration={"Date": datetime(2199, 1, 1, tzinfo=UTC)})(bench.client("s3"))
    assert "until 2199-01-01 instead of 2555 days" in texts(bench.apply(FILE), Kind.STRICTER)[0]
    assert "Expiration" not in rules(bench)["archive"], "S3 takes no Date beside days"
    assert fields(bench.diff(FILE)) == []


def test_what_others_keep_for_ever_is_not_deleted(bench: Bench) -> None:
    others_set_it_up(bench)
    plan = bench.apply(FILE)
    assert [t.split(" instead")[0] for t in texts(plan, Kind.STRICTER)] == [
        "lifecycle rule archive keeps logs longer: for ever",
        "lifecycle rule archive keeps old versions longer: for ever",
    ]
    assert not {"Expiration", "NoncurrentVersionExpiration"} & rules(bench)["archive"].keys()
    assert len(rules(bench)["archive"]["Transitions"]) == 2
    assert fields(bench.diff(FILE)) == []


ONLY_DELETES = f"""
log_buckets:
  logs:
    name: {NAME}
    lifecycle_rules: [{{id: old, expiration: {{days: 90}}}}]
"""


@pytest.mark.parametrize("text", [FILE, ONLY_DELETES], ids=["whole", "only deletes"])
def test_withheld_it_stays_withheld_in_the_next_run(bench: Bench, text: str) -> None:
    others_set_it_up(bench)
    for _ in range(2):
        run = bench.run(text + EXACT)
        [sent] = run.send(run.rehearse())
        assert sent.ok
        assert [c.consent for c in sent.withheld] == [SHORTEN]
        assert not any("Days" in rule.get("Expiration", {}) for rule in rules(bench).values())
    assert fields(bench.diff(text)) == []
    bench.apply(text + EXACT, allow=(SHORTEN,))
    assert all("Days" in rule["Expiration"] for rule in rules(bench).values())
    assert fields(bench.diff(text + EXACT)) == []


def test_a_rule_of_ours_that_was_deleted_comes_back_without_a_flag(bench: Bench) -> None:
    bench.apply(FILE)
    bench.client("s3").delete_bucket_lifecycle(Bucket=NAME)
    [(_, change)] = bench.apply(FILE + EXACT).changes
    assert change.consent is None
    assert rules(bench)["archive"]["Expiration"] == {"Days": 2555}


HASTY = [
    ({"Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}, "deletes logs after 1 day, and the baseline"),
    ({"Filter": {"Prefix": "AWSLogs/1/"}, "Expiration": {"Days": 90}}, "after 90 days"),
    ({"Prefix": "AWS", "NoncurrentVersionExpiration": {"NoncurrentDays": 2}}, "old versions after 2 days"),
    ({"Filter": {}, "Expiration": {"Date": datetime(2020, 1, 1, tzinfo=UTC)}}, "on 2020-01-01"),
]
PATIENT = [
    {"Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}},
    {"Filter": {"Prefix": ""}, "Expiration": {"Days": 2555}},
    {"Filter": {"Prefix": ""}, "Expiration": {"Days": 1}, "Status": "Disabled"},
    {"Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
]


@pytest.mark.parametrize(("rule", "says"), HASTY)
def test_a_rule_of_others_that_deletes_sooner_is_warned_of(bench: Bench, rule: Any, says: str) -> None:
    bench.apply(FILE)
    ours = [] if "Prefix" in rule else [rules(bench)["archive"]]
    put_rules(bench, *ours, {"ID": "x", "Status": "Enabled", **rule})
    plan = bench.diff(FILE)
    [text] = texts(plan, Kind.WARNING)
    assert text.startswith("lifecycle rule x of others deletes")
    assert says in text
    assert texts(plan, Kind.FOREIGN) == []


@pytest.mark.parametrize("rule", PATIENT)
def test_a_rule_of_others_that_deletes_no_log_too_soon_is_only_named(bench: Bench, rule: Any) -> None:
    bench.apply(FILE)
    put_rules(bench, rules(bench)["archive"], {"ID": "x", "Status": "Enabled", **rule})
    plan = bench.diff(FILE)
    assert texts(plan, Kind.WARNING) == []
    assert texts(plan, Kind.FOREIGN) == ["lifecycle rules of others are kept: x"]


def test_where_the_file_never_deletes_any_rule_of_others_that_does_is_warned_of(bench: Bench) -> None:
    text = PLAIN.replace(f"{NAME}}}", f"{NAME}, lifecycle_rules: []}}")
    bench.apply(text)
    put_rules(bench, THEIRS)
    assert "and the baseline keeps them for ever" in texts(bench.diff(text), Kind.WARNING)[0]


def test_a_put_after_a_restart_waits_for_the_bucket(bench: Bench) -> None:
    done: list[str] = []

    def trouble(call: WireCall, phase: str) -> Fault | None:
        if call.operation == "CreateBucket" and phase == "after" and not done:
            done.append("lost")
            raise ConnectionResetError
        if call.operation == "PutBucketVersioning" and phase == "before" and len(done) == 1:
            done.append("unknown")
            return Fault("NoSuchBucket", 404, "The specified bucket does not exist")
        return None

    bench.world.interrupt(trouble)
    bench.apply(FILE)
    assert done == ["lost", "unknown"]
    assert any("S3 to know the new bucket" in each.until for each in bench.waits)
    assert rules(bench)["archive"]["Expiration"] == {"Days": 2555}, "the bucket is ours"


def test_what_was_put_there_between_the_plan_and_the_create_stays(bench: Bench) -> None:
    run: Run = bench.run(FILE)
    plan = run.rehearse()
    others_set_it_up(bench)
    s3 = bench.client("s3")
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": [{"Key": "owner", "Value": "them"}]})
    put_rules(bench, THEIRS)
    [sent] = run.send(plan)
    assert sent.ok
    assert {each["Sid"] for each in policy(s3)["Statement"]} >= {"Auditors", "DenyOldTls"}
    assert {"Key": "owner", "Value": "them"} in s3.get_bucket_tagging(Bucket=NAME)["TagSet"]
    assert rules(bench).keys() == {"theirs", "archive"}
