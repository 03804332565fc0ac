"""Tests of the log_buckets step: new buckets, drift of each setting, settings of others, refused states and files."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.model import Kind
from provisioner.sandbox import WireCall

from ...conftest import Bench
from .sample import (
    FILE,
    FOREIGN_RULE,
    FOREIGN_STATEMENT,
    KEY,
    LOCKED,
    NAME,
    change_rule,
    encrypt,
    encrypted,
    fields,
    make_key,
    policy,
    set_up_by_others,
    texts,
)

BLOCK = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def allow_http(s3: Any) -> None:
    document = policy(s3)
    for each in document["Statement"]:
        if each["Sid"] == "DenyInsecureTransportProvision":
            each["Condition"] = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps(document))


def block(**given: bool) -> Callable[[Any], None]:
    return lambda s3: s3.put_public_access_block(
        Bucket=NAME, PublicAccessBlockConfiguration={**BLOCK, **given}
    )


DRIFT: list[tuple[str, Callable[[Any], Any], list[str]]] = [
    ("one flag", block(BlockPublicAcls=False), ["BlockPublicAcls"]),
    ("no block", lambda s3: s3.delete_public_access_block(Bucket=NAME), list(BLOCK)),
    (
        "ownership",
        lambda s3: s3.put_bucket_ownership_controls(
            Bucket=NAME, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        ),
        ["ObjectOwnership"],
    ),
    (
        "versioning",
        lambda s3: s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Suspended"}),
        ["Versioning"],
    ),
    (
        "tag",
        lambda s3: s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": [{"Key": "team", "Value": "x"}]}),
        ["tag team", "tag cost"],
    ),
    ("no lifecycle", lambda s3: s3.delete_bucket_lifecycle(Bucket=NAME), ["lifecycle rule archive"]),
    ("rule off", change_rule(Status="Disabled"), ["lifecycle rule archive"]),
    ("rule narrower", change_rule(Filter={"Prefix": "other/"}), ["lifecycle rule archive"]),
    ("sooner", change_rule(Expiration={"Days": 91}), ["lifecycle rule archive"]),
    (
        "transition",
        change_rule(Transitions=[{"Days": 60, "StorageClass": "GLACIER"}]),
        ["lifecycle rule archive"],
    ),
    (
        "abort",
        change_rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
        ["lifecycle rule archive"],
    ),
    (
        "old versions",
        change_rule(NoncurrentVersionExpiration={"NoncurrentDays": 31}),
        ["lifecycle rule archive"],
    ),
    (
        "no policy",
        lambda s3: s3.delete_bucket_policy(Bucket=NAME),
        ["policy statement DenyInsecureTransportProvision", "policy statement DenyOldTls"],
    ),
    ("http allowed", allow_http, ["policy statement DenyInsecureTransportProvision"]),
]


@pytest.mark.parametrize(("change", "expected"), [d[1:] for d in DRIFT], ids=[d[0] for d in DRIFT])
def test_drift_of_a_setting_is_repaired_by_one_call(
    bench: Bench, change: Callable[[Any], Any], expected: list[str]
) -> None:
    bench.apply(FILE)
    change(bench.client("s3"))
    plan = bench.diff(FILE)
    assert fields(plan) == expected
    before = len(bench.world.writes)
    bench.apply(FILE)
    assert len(bench.world.writes) == before + 1
    assert fields(bench.diff(FILE)) == []


def test_a_new_bucket_gets_every_setting(bench: Bench) -> None:
    plan = bench.apply(FILE)
    assert [c.call.operation for _, c in plan.changes] == [
        "create_bucket",
        "put_public_access_block",
        "put_bucket_versioning",
        "put_bucket_tagging",
        "put_bucket_lifecycle_configuration",
        "put_bucket_policy",
    ]
    assert all(c.call.params.get("ExpectedBucketOwner") for _, c in plan.changes[1:])


BARE = 'log_buckets: {logs: {name: "acme-logs-${account_id}"}}\n'


def test_what_the_file_leaves_out_is_safe_in_a_new_bucket_and_stays_in_one_that_exists(bench: Bench) -> None:
    s3 = bench.client("s3")
    bench.apply(BARE)
    assert set(s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"
    assert texts(bench.diff(BARE), Kind.WARNING) == []
    s3.delete_public_access_block(Bucket=NAME)
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Suspended"})
    encrypt(bench, "aws:kms", None)
    plan = bench.diff(BARE)
    assert fields(plan) == []
    warnings = texts(plan, Kind.WARNING)
    assert [text.split(": set ")[1] for text in warnings] == [
        "`public_access_block` in `log_buckets`",
        "`server_side_encryption` in `log_buckets`",
        "`versioning` in `log_buckets`",
    ]


@pytest.mark.parametrize("operation", ["CreateBucket", "PutPublicAccessBlock", "PutBucketVersioning"])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_lost_answer_does_not_make_a_new_bucket_an_old_one(
    bench: Bench, operation: str, phase: str
) -> None:
    lost: list[str] = []

    def lose(call: WireCall, now: str) -> None:
        if (call.operation, now) == (operation, phase) and not lost:
            lost.append(operation)
            raise ConnectionResetError

    bench.world.interrupt(lose)
    bench.apply(BARE)
    s3 = bench.client("s3")
    assert lost
    assert set(s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-southeast-2"])
def test_a_new_bucket_is_in_the_home_region(bench: Bench, region: str) -> None:
    bench.apply(f"home_region: {region}\n{FILE}")
    head = bench.client("s3", region).head_bucket(Bucket=NAME)
    assert head["BucketRegion"] == region


def test_drift_of_encryption(bench: Bench) -> None:
    text = encrypted(make_key(bench))
    bench.apply(FILE)
    assert fields(bench.diff(text)) == ["SSEAlgorithm", "KMSMasterKeyID", "BucketKeyEnabled"]
    bench.apply(text)
    assert fields(bench.diff(text)) == []
    encrypt(bench, "aws:kms", KEY)
    assert fields(bench.diff(text)) == ["KMSMasterKeyID"]


def test_drift_of_object_lock(bench: Bench) -> None:
    bench.apply(LOCKED)
    assert fields(bench.diff(LOCKED)) == []
    weaker = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}}
    bench.client("s3").put_object_lock_configuration(Bucket=NAME, ObjectLockConfiguration=weaker)
    assert fields(bench.diff(LOCKED)) == ["Days"]


def test_settings_of_others_stay_and_are_reported(bench: Bench) -> None:
    set_up_by_others(bench)
    s3 = bench.client("s3")
    s3.put_bucket_lifecycle_configuration(
        Bucket=NAME,
        TransitionDefaultMinimumObjectSize="varies_by_storage_class",
        LifecycleConfiguration={"Rules": [FOREIGN_RULE]},
    )
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": [{"Key": "owner", "Value": "them"}]})
    plan = bench.apply(FILE)
    assert sorted(note.text for _, note in plan.notes(Kind.FOREIGN)) == [
        "lifecycle rules of others are kept: theirs",
        "policy statements of others are kept: Auditors",
        "tags of others are kept: owner",
    ]
    assert "Auditors" in [each["Sid"] for each in policy(s3)["Statement"]]
    found = s3.get_bucket_lifecycle_configuration(Bucket=NAME)
    assert found["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"
    assert {each["ID"] for each in found["Rules"]} == {"theirs", "archive"}
    assert {"Key": "owner", "Value": "them"} in s3.get_bucket_tagging(Bucket=NAME)["TagSet"]
    assert fields(bench.diff(FILE)) == []


def test_a_statement_under_the_sid_of_others_is_not_written_again(bench: Bench) -> None:
    bench.apply(FILE)
    s3 = bench.client("s3")
    document = policy(s3)
    for each in document["Statement"]:
        each["Sid"] = f"Theirs{each['Sid']}"
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps(document))
    assert fields(bench.diff(FILE)) == []


def test_removing_a_section_from_the_file_keeps_its_grants(bench: Bench) -> None:
    trail = "cloudtrail: {name: audit, s3_bucket_name: logs}\n"
    bench.apply(FILE + trail)
    assert fields(bench.diff(FILE)) == []
    assert any("CloudTrail" in each["Sid"] for each in policy(bench.client("s3"))["Statement"])


def test_a_deleted_role_in_a_statement_of_others_is_a_warning(bench: Bench) -> None:
    bench.apply(FILE)
    s3 = bench.client("s3")
    document = policy(s3)
    document["Statement"].append({**FOREIGN_STATEMENT, "Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}})
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps(document))
    assert "AROAEXAMPLEEXAMPLE123" in next(bench.diff(FILE).notes(Kind.WARNING))[1].text


def test_a_bucket_of_another_account_is_refused(bench: Bench) -> None:
    role = bench.client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/OrganizationAccountAccessRole", RoleSessionName="test"
    )
    keys = role["Credentials"]
    other = bench.client(
        "s3",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    other.create_bucket(Bucket=NAME)
    [result] = bench.diff(FILE).failed
    assert result.failure is not None
    assert "another account has the name" in result.failure.message
    assert bench.diff(FILE).changes == []


def test_a_bucket_in_another_region_is_refused(bench: Bench) -> None:
    bench.client("s3", "eu-west-1").create_bucket(
        Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    [result] = bench.diff(FILE).failed
    assert result.failure is not None
    assert "eu-west-1" in result.failure.message
    assert "home_region" in result.failure.message


WRONG = [
    (
        "expiration: {days: 2555}",
        "expiration: {days: 90}",
        "want more than the 90 days of the last transition, got 90",
    ),
    ("noncurrent_days: 365", "noncurrent_days: 30", "want more than the 30 days of the last transition"),
    ("Sid: DenyOldTls", "Comment: x", "want a `Sid`"),
    ("Effect: Deny", "Effect: Maybe", "Effect"),
    ("acme-logs-${account_id}/*", "another-bucket/*", "another-bucket"),
    ("team: security", '"aws:team": security', "`aws:`"),
    ('"${organization_name}-logs-${account_id}"', "Logs", "a bucket name"),
    ("STANDARD_IA}, {", "STANDARD_AI}, {", "STANDARD_IA"),
]


@pytest.mark.parametrize(("old", "new", "text"), WRONG)
def test_a_file_that_aws_would_refuse_is_refused(bench: Bench, old: str, new: str, text: str) -> None:
    assert old in FILE
    with pytest.raises(BaselineError) as caught:
        bench.baseline(FILE.replace(old, new))
    assert text in caught.value.render()


def test_two_buckets_of_one_name_are_refused(bench: Bench) -> None:
    text = "log_buckets:\n  a: {name: acme-logs}\n  b: {name: acme-logs}\n"
    with pytest.raises(BaselineError, match="is the name of `a` too"):
        bench.baseline(text)


def test_verify_finds_whether_the_bucket_exists(bench: Bench) -> None:
    [result] = bench.run(FILE).verify()
    assert [(f.check, f.ok) for f in result.findings] == [("reachable", False)]
    bench.apply(FILE)
    [result] = bench.run(FILE).verify()
    assert [(f.check, f.ok) for f in result.findings] == [("reachable", True)]
