"""Log buckets: each setting, changed by hand, is seen alone and repaired; what others put there stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.engine.plan import Plan
from provisioner.model import Kind

from ...conftest import Bench

NAME = "acme-logs-123456789012"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
FILE = """
log_buckets:
  logs:
    name: "${organization_name}-logs-${account_id}"
    tags: {team: security, cost: "12"}
    lifecycle_rules:
      - id: archive
        prefix: AWSLogs/
        transitions: [{days: 30, storage_class: STANDARD_IA}, {days: 90, storage_class: GLACIER}]
        expiration: {days: 2555}
        noncurrent_version_transitions: [{noncurrent_days: 30, storage_class: STANDARD_IA}]
        noncurrent_version_expiration: {noncurrent_days: 365}
        abort_incomplete_multipart_upload: {days_after_initiation: 7}
    policy_statements:
      - Sid: DenyOldTls
        Effect: Deny
        Principal: "*"
        Action: "s3:*"
        Resource: ["arn:${partition}:s3:::acme-logs-${account_id}/*"]
        Condition: {NumericLessThan: {"s3:TlsVersion": 1.2}}
"""
LOCKED = FILE + "    object_lock: {mode: GOVERNANCE, days: 30}\n"
ENCRYPTED = FILE + f"    server_side_encryption: {{sse_algorithm: 'aws:kms', kms_master_key_id: '{KEY}'}}\n"
BLOCK = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
OTHERS = {
    "Sid": "Auditors",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{NAME}/*",
}


def fields(plan: Plan) -> list[str]:
    assert plan.failed == []
    return [d.field for _, c in plan.changes for d in c.differences]


def policy(s3: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"])
    return found


def drop_statement(sid: str) -> Callable[[Any], None]:
    def change(s3: Any) -> None:
        document = policy(s3)
        document["Statement"] = [each for each in document["Statement"] if each["Sid"] != sid]
        s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps(document))

    return change


def allow_http(s3: Any) -> None:
    document = policy(s3)
    for each in document["Statement"]:
        if each["Sid"] == "DenyInsecureTransportProvision":
            each["Condition"] = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps(document))


def change_rule(**given: Any) -> Callable[[Any], None]:
    def change(s3: Any) -> None:
        found = s3.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
        found[0] |= given
        s3.put_bucket_lifecycle_configuration(Bucket=NAME, LifecycleConfiguration={"Rules": found})

    return change


def block(**given: bool) -> Callable[[Any], None]:
    return lambda s3: s3.put_public_access_block(
        Bucket=NAME, PublicAccessBlockConfiguration={**BLOCK, **given}
    )


DRIFT: list[tuple[str, Callable[[Any], Any], list[str]]] = [
    *[(flag, block(**{flag: False}), [flag]) for flag in BLOCK],
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
    ("tags", lambda s3: s3.delete_bucket_tagging(Bucket=NAME), ["tag team", "tag cost"]),
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
    ("statement gone", drop_statement("DenyOldTls"), ["policy statement DenyOldTls"]),
    ("http allowed", allow_http, ["policy statement DenyInsecureTransportProvision"]),
]


@pytest.mark.parametrize(("change", "expected"), [d[1:] for d in DRIFT], ids=[d[0] for d in DRIFT])
def test_each_setting_that_drifts_is_seen_alone_and_repaired_by_one_call(
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


def test_a_bucket_is_made_whole(bench: Bench) -> None:
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


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-southeast-2"])
def test_a_bucket_is_made_in_its_region(bench: Bench, region: str) -> None:
    bench.apply(f"home_region: {region}\n{FILE}")
    head = bench.client("s3", region).head_bucket(Bucket=NAME)
    assert head["BucketRegion"] == region


def test_encryption(bench: Bench) -> None:
    bench.apply(FILE)
    assert fields(bench.diff(ENCRYPTED)) == ["SSEAlgorithm", "KMSMasterKeyID", "BucketKeyEnabled"]
    bench.apply(ENCRYPTED)
    assert fields(bench.diff(ENCRYPTED)) == []
    other = KEY.replace("1111", "9999")
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": other},
        "BucketKeyEnabled": True,
    }
    bench.client("s3").put_bucket_encryption(Bucket=NAME, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert fields(bench.diff(ENCRYPTED)) == ["KMSMasterKeyID"]
    plan = bench.diff(FILE)
    assert fields(plan) == []
    assert "encryption is aws:kms with" in next(plan.notes(Kind.STRICTER))[1].text


def test_object_lock(bench: Bench) -> None:
    bench.apply(LOCKED)
    assert fields(bench.diff(LOCKED)) == []
    longer = {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 60}},
    }
    bench.client("s3").put_object_lock_configuration(Bucket=NAME, ObjectLockConfiguration=longer)
    plan = bench.diff(LOCKED)
    assert fields(plan) == []
    assert "Object Lock is COMPLIANCE for 60 days" in next(plan.notes(Kind.STRICTER))[1].text
    weaker = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}}
    bench.client("s3").put_object_lock_configuration(Bucket=NAME, ObjectLockConfiguration=weaker)
    assert fields(bench.diff(LOCKED)) == ["Days"]


LOOSER: list[tuple[str, str, str]] = [
    ("    versioning: {status: Suspended}\n", "versioning is Enabled", "suspend-versioning"),
    (
        "    public_access_block: {block_public_acls: false}\n",
        "BlockPublicAcls is True",
        "open-public-access",
    ),
    ("    object_ownership: ObjectWriter\n", "ObjectOwnership is BucketOwnerEnforced", "loosen-ownership"),
]


@pytest.mark.parametrize(("asked", "says", "consent"), LOOSER, ids=[each[2] for each in LOOSER])
def test_what_is_stricter_stays_and_is_undone_only_when_exact_and_allowed(
    bench: Bench, asked: str, says: str, consent: str
) -> None:
    bench.apply(FILE)
    plan = bench.diff(FILE + asked)
    assert fields(plan) == []
    assert says in next(plan.notes(Kind.STRICTER))[1].text
    exact = FILE + asked + "    exact: true\n"
    run = bench.run(exact)
    [(_, change)] = run.rehearse().changes
    assert change.consent == consent
    assert change.loses
    before = len(bench.world.writes)
    [refused] = run.send(run.rehearse())
    assert [c.consent for c in refused.withheld] == [consent]
    assert (refused.ok, refused.changes) == (True, [])
    assert len(bench.world.writes) == before
    [done] = run.send(run.rehearse(), {consent})
    assert (done.ok, done.withheld) == (True, [])
    assert fields(bench.diff(exact)) == []


def test_longer_retention_stays_and_is_shortened_only_when_exact_and_allowed(bench: Bench) -> None:
    bench.apply(FILE)
    change_rule(Expiration={"Days": 4000})(bench.client("s3"))
    plan = bench.diff(FILE)
    assert fields(plan) == []
    assert "keeps logs longer: 4000 days instead of 2555" in next(plan.notes(Kind.STRICTER))[1].text
    change_rule(Expiration={"Days": 4000}, Status="Enabled", Transitions=[])(bench.client("s3"))
    bench.apply(FILE)
    rule = bench.client("s3").get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"][0]
    assert (rule["Expiration"]["Days"], len(rule["Transitions"])) == (4000, 2), "repaired, and still longer"
    [(_, change)] = bench.diff(FILE + "    exact: true\n").changes
    assert change.consent == "shorten-retention"


def test_what_others_put_there_stays_and_is_reported(bench: Bench) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=NAME)
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Statement": [OTHERS]}))
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 9}}
    s3.put_bucket_lifecycle_configuration(
        Bucket=NAME,
        TransitionDefaultMinimumObjectSize="varies_by_storage_class",
        LifecycleConfiguration={"Rules": [rule]},
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


def test_a_statement_that_others_wrote_already_is_not_written_again(bench: Bench) -> None:
    bench.apply(FILE)
    s3 = bench.client("s3")
    document = policy(s3)
    for each in document["Statement"]:
        each["Sid"] = f"Theirs{each['Sid']}"
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps(document))
    assert fields(bench.diff(FILE)) == []


def test_a_section_that_leaves_the_file_takes_no_grant_with_it(bench: Bench) -> None:
    trail = "cloudtrail: {name: audit, s3_bucket_name: logs}\n"
    bench.apply(FILE + trail)
    assert fields(bench.diff(FILE)) == []
    assert any("CloudTrail" in each["Sid"] for each in policy(bench.client("s3"))["Statement"])


def test_a_deleted_role_in_a_statement_of_others_is_warned_of(bench: Bench) -> None:
    bench.apply(FILE)
    s3 = bench.client("s3")
    document = policy(s3)
    document["Statement"].append({**OTHERS, "Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}})
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps(document))
    assert "AROAEXAMPLEEXAMPLE123" in next(bench.diff(FILE).notes(Kind.WARNING))[1].text


def test_the_name_of_another_account(bench: Bench) -> None:
    role = bench.client("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/x", RoleSessionName="test")
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


def test_a_bucket_in_another_region(bench: Bench) -> None:
    bench.client("s3", "eu-west-1").create_bucket(
        Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    [result] = bench.diff(FILE).failed
    assert result.failure is not None
    assert "eu-west-1" in result.failure.message
    assert "home_region" in result.failure.message


WRONG = [
    (
        "days: 30, storage_class: STANDARD_IA",
        "days: 29, storage_class: STANDARD_IA",
        "want 30 or more for STANDARD_IA, got 29",
    ),
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


@pytest.mark.parametrize(("old", "new", "says"), WRONG)
def test_what_aws_would_refuse_is_found_offline(bench: Bench, old: str, new: str, says: str) -> None:
    assert old in FILE
    with pytest.raises(BaselineError) as told:
        bench.baseline(FILE.replace(old, new))
    assert says in told.value.render()


def test_two_buckets_of_one_name(bench: Bench) -> None:
    text = "log_buckets:\n  a: {name: acme-logs}\n  b: {name: acme-logs}\n"
    with pytest.raises(BaselineError, match="is the name of `a` too"):
        bench.baseline(text)


def test_verify(bench: Bench) -> None:
    [result] = bench.run(FILE).verify()
    assert [(f.check, f.ok) for f in result.findings] == [("reachable", False)]
    bench.apply(FILE)
    [result] = bench.run(FILE).verify()
    assert [(f.check, f.ok) for f in result.findings] == [("reachable", True)]
