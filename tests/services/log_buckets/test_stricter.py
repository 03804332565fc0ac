"""Tests of the log_buckets step: settings that are stricter in AWS than in the file."""

from __future__ import annotations

import json

import pytest

from provisioner.model import Kind

from ...conftest import Bench
from .sample import EXACT, FILE, KEY, LOCKED, NAME, encrypt, encrypted, fields, make_key, texts, with_line

LOOSER: list[tuple[str, str, str]] = [
    ("versioning: {status: Suspended}", "Versioning is Enabled", "suspend-versioning"),
    (
        "public_access_block: {block_public_acls: false}",
        "BlockPublicAcls is True",
        "open-public-access",
    ),
    ("object_ownership: ObjectWriter", "ObjectOwnership is BucketOwnerEnforced", "loosen-ownership"),
]


@pytest.mark.parametrize(("setting", "text", "consent"), LOOSER, ids=[each[2] for each in LOOSER])
def test_a_stricter_setting_stays_unless_exact_and_allowed(
    bench: Bench, setting: str, text: str, consent: str
) -> None:
    bench.apply(FILE)
    plan = bench.diff(with_line(setting))
    assert fields(plan) == []
    assert text in texts(plan, Kind.STRICTER)[0]
    exact = with_line(setting) + EXACT
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


# Keys with which nothing can be delivered: AWS's own, and one of another Region.
UNUSABLE_KEYS = [
    KEY.replace("us-east-1", "eu-west-1"),
    "arn:aws:kms:us-east-1:123456789012:alias/aws/s3",
    "alias/aws/s3",
    None,
]
THEIRS = KEY.replace("123456789012", "210987654321")


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [*(("aws:kms", key) for key in UNUSABLE_KEYS), ("aws:kms:dsse", UNUSABLE_KEYS[0])],
)
def test_encryption_that_log_services_cannot_use_is_not_stricter(
    bench: Bench, algorithm: str, key: str | None
) -> None:
    bench.apply(FILE)
    encrypt(bench, algorithm, key)
    plan = bench.diff(FILE)
    assert fields(plan) == ["SSEAlgorithm"]
    assert [c.consent for _, c in plan.changes] == [None]
    [text] = texts(plan, Kind.WARNING)
    assert (key or "the key aws/s3") in text
    assert "nothing is delivered with it" in text
    assert texts(plan, Kind.STRICTER) == []
    bench.apply(FILE)
    assert fields(bench.diff(FILE)) == []


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
@pytest.mark.parametrize(
    ("key", "is_known"),
    [
        (KEY, True),
        ("arn:aws:kms:us-east-1:123456789012:alias/logs", True),
        (THEIRS, False),
        (THEIRS.replace("key/1", "key/mrk-1"), False),
        ("arn:aws:kms:us-east-1:210987654321:alias/logs", False),
        (KEY.partition("/")[2], False),
        ("alias/logs", False),
    ],
)
def test_any_other_key_is_stricter_and_stays(
    bench: Bench, algorithm: str, key: str, *, is_known: bool
) -> None:
    bench.apply(FILE)
    encrypt(bench, algorithm, key)
    plan = bench.apply(FILE)
    assert fields(plan) == []
    assert key in texts(plan, Kind.STRICTER)[0]
    assert len(texts(plan, Kind.WARNING)) == (not is_known)
    run = bench.run(FILE + EXACT)
    [(_, change)] = run.rehearse().changes
    assert (change.consent, bool(change.loses)) == ("weaken-encryption", True)
    before = len(bench.world.writes)
    [sent] = run.send(run.rehearse())
    assert (len(bench.world.writes), [each.consent for each in sent.withheld]) == (before, [change.consent])


def test_a_key_of_another_account_that_the_file_names_is_no_warning(bench: Bench) -> None:
    sts, arn = bench.client("sts"), "arn:aws:iam::444455556666:role/OrganizationAccountAccessRole"
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    owner = bench.client(
        "kms",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    key = owner.create_key()["KeyMetadata"]["Arn"]
    plan = bench.apply(encrypted(key))
    assert "`kms:DescribeKey`" in texts(plan, Kind.WARNING)[0], "its policy lets nobody else look at it"
    found = json.loads(owner.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    look = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:DescribeKey", "Resource": "*"}
    found["Statement"].append(look)
    owner.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(found))
    plan = bench.apply(encrypted(key))
    assert (fields(plan), texts(plan, Kind.WARNING)) == ([], [])


def test_two_layers_of_encryption_stay_when_the_key_is_repaired(bench: Bench) -> None:
    key = make_key(bench)
    text = encrypted(key)
    bench.apply(text)
    encrypt(bench, "aws:kms:dsse", KEY)
    assert fields(bench.diff(text)) == ["KMSMasterKeyID"]
    [(_, change)] = bench.diff(text + EXACT).changes
    assert change.consent == "weaken-encryption"
    bench.apply(text)
    [rule] = bench.client("s3").get_bucket_encryption(Bucket=NAME)["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms:dsse",
        "KMSMasterKeyID": key,
    }
    assert fields(bench.diff(text)) == []


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
