"""Tests of the sandbox rules of S3: each has an outcome that AWS has, and moto without the rule has not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.s3.models import s3_backends

from ...sandbox.cases import (
    ACCOUNT,
    MEMBER,
    STRANGER,
    Aws,
    Case,
    check,
    make_bucket,
    policy,
    service,
    tls_only,
)

_PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bkt/*"}
_OWN = {**_PUBLIC, "Principal": {"AWS": ACCOUNT}}


def new(read: str, key: str) -> Any:
    """The value of *key* in a read of a new bucket."""

    def do(aws: Aws) -> Any:
        make_bucket(aws)
        return getattr(aws.s3, read)(Bucket="bkt")[key]

    return do


def put_policy(text: str | dict[str, Any]) -> Any:
    def do(aws: Aws) -> Any:
        make_bucket(aws)
        aws.s3.put_bucket_policy(Bucket="bkt", Policy=text if isinstance(text, str) else policy(text))
        if isinstance(text, str):
            return "taken"
        return json.loads(aws.s3.get_bucket_policy(Bucket="bkt")["Policy"])["Statement"]

    return do


def lifecycle(*rules: dict[str, Any], **top: str) -> Any:
    def do(aws: Aws) -> Any:
        make_bucket(aws)
        aws.s3.put_bucket_lifecycle_configuration(
            Bucket="bkt", LifecycleConfiguration={"Rules": [*rules]}, **top
        )
        answer = aws.s3.get_bucket_lifecycle_configuration(Bucket="bkt")
        return answer.get("Rules"), answer["TransitionDefaultMinimumObjectSize"]

    return do


def in_another_region(aws: Aws) -> Any:
    """The status of the first answer to HeadBucket; botocore then repeats it in the right Region."""
    aws.at("eu-west-1").s3.create_bucket(
        Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    requests: list[int] = []
    s3 = Aws(keys={"aws_access_key_id": "OTHER", "aws_secret_access_key": "x"}).s3
    s3.meta.events.register("before-send.s3", lambda request, **_: requests.append(1))
    assert s3.head_bucket(Bucket="bkt")["BucketRegion"] == "eu-west-1"
    return 301 if len(requests) == 2 else 200


def system_tag(*, put: bool) -> Any:
    """The tag keys after a PUT of one of ours on a bucket with a tag of AWS; *put*: with that of AWS in the PUT too."""

    def do(aws: Aws) -> Any:
        make_bucket(aws)
        theirs = {"Key": "aws:cloudformation:stack-name", "Value": "landing-zone"}
        s3_backends[ACCOUNT]["aws"].tagger.tag_resource("arn:aws:s3:::bkt", [theirs])
        ours = {"Key": "team", "Value": "security"}
        aws.s3.put_bucket_tagging(Bucket="bkt", Tagging={"TagSet": [*([theirs] if put else []), ours]})
        return sorted(tag["Key"] for tag in aws.s3.get_bucket_tagging(Bucket="bkt")["TagSet"])

    return do


def rule(**fields: Any) -> dict[str, Any]:
    return {"ID": "x", "Status": "Enabled", "Filter": {}, **fields}


def after_bucket(call: str, **params: Any) -> Any:
    def do(aws: Aws) -> Any:
        make_bucket(aws)
        getattr(aws.s3, call)(Bucket="bkt", **params)

    return do


def create(**params: Any) -> Any:
    return lambda aws: aws.s3.create_bucket(Bucket="bkt", **params) and None


def encryption_deleted(aws: Aws) -> Any:
    make_bucket(aws)
    aws.s3.delete_bucket_encryption(Bucket="bkt")
    return aws.s3.get_bucket_encryption(Bucket="bkt")["ServerSideEncryptionConfiguration"]["Rules"]


def encryption_blocked(aws: Aws) -> Any:
    make_bucket(aws)
    made = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
    }
    aws.s3.put_bucket_encryption(Bucket="bkt", ServerSideEncryptionConfiguration={"Rules": [made]})
    return aws.s3.get_bucket_encryption(Bucket="bkt")["ServerSideEncryptionConfiguration"]["Rules"][0].get(
        "BlockedEncryptionTypes"
    )


def stranger(call: str, **params: Any) -> Any:
    def do(aws: Aws) -> Any:
        make_bucket(aws)
        getattr(aws.of(STRANGER).s3, call)(Bucket="bkt", **params)

    return do


def friend_puts_policy(aws: Aws) -> Any:
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": MEMBER},
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::bkt",
    }
    make_bucket(aws, allow)
    friend = aws.of(MEMBER).s3
    friend.head_bucket(Bucket="bkt")
    friend.put_bucket_policy(Bucket="bkt", Policy=policy(allow))


def over_tls(aws: Aws) -> Any:
    make_bucket(aws, tls_only("bkt"))
    aws.s3.put_object(Bucket="bkt", Key="k", Body=b"text")
    return aws.s3.get_object(Bucket="bkt", Key="k")["Body"].read()


def denied(aws: Aws) -> Any:
    make_bucket(aws, {**tls_only("bkt"), "Condition": {}, "Action": "s3:GetBucketVersioning"})
    aws.s3.get_bucket_versioning(Bucket="bkt")


def role_lost(aws: Aws) -> Any:
    arn = aws.iam.create_role(
        RoleName="r",
        AssumeRolePolicyDocument=policy(
            {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
        ),
    )["Role"]["Arn"]
    make_bucket(aws, {**_OWN, "Principal": {"AWS": arn}})
    aws.iam.delete_role(RoleName="r")
    shown = json.loads(aws.s3.get_bucket_policy(Bucket="bkt")["Policy"])["Statement"][0]["Principal"]["AWS"]
    return shown[:4]


def public_status(aws: Aws) -> Any:
    make_bucket(aws)
    aws.s3.delete_public_access_block(Bucket="bkt")
    narrowed = {**_PUBLIC, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    aws.s3.put_bucket_policy(Bucket="bkt", Policy=policy(narrowed))
    return aws.s3.get_bucket_policy_status(Bucket="bkt")["PolicyStatus"]["IsPublic"]


def lock_then_suspend(aws: Aws) -> Any:
    aws.s3.create_bucket(Bucket="bkt", ObjectLockEnabledForBucket=True)
    aws.s3.put_bucket_versioning(Bucket="bkt", VersioningConfiguration={"Status": "Suspended"})


def own_with_acl(aws: Aws) -> Any:
    """Turn ACLs off for a bucket to which S3's log delivery may write by its ACL."""
    aws.s3.create_bucket(Bucket="bkt", ObjectOwnership="ObjectWriter")
    aws.s3.put_bucket_acl(Bucket="bkt", ACL="log-delivery-write")
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    aws.s3.put_bucket_ownership_controls(Bucket="bkt", OwnershipControls=controls)


def public_acl(aws: Aws) -> Any:
    aws.s3.create_bucket(Bucket="bkt", ObjectOwnership="ObjectWriter")
    aws.s3.put_bucket_acl(Bucket="bkt", ACL="public-read")


def lock_for_long(aws: Aws) -> Any:
    aws.s3.create_bucket(Bucket="bkt", ObjectLockEnabledForBucket=True)
    retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 101}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": retention}
    aws.s3.put_object_lock_configuration(Bucket="bkt", ObjectLockConfiguration=lock)


def key_of_others(aws: Aws) -> Any:
    key = aws.of(MEMBER).kms.create_key()["KeyMetadata"]["Arn"]
    aws.kms.describe_key(KeyId=key)


def log_to(aws: Aws, source: str = "bkt", target: str = "target", prefix: str = "", **enabled: Any) -> Any:
    """Log access to a new bucket, `bkt`, into one that lets S3 write for *source*; return what S3 then has."""
    writes = service("logging.s3", "s3:PutObject", f"arn:aws:s3:::target/{prefix}*")
    writes["Condition"] = {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{source}"}}
    aws.s3.put_bucket_policy(Bucket="target", Policy=policy(writes))
    make_bucket(aws)
    status = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "logs/", **enabled}}
    aws.s3.put_bucket_logging(Bucket="bkt", BucketLoggingStatus=status)
    return aws.s3.get_bucket_logging(Bucket="bkt")["LoggingEnabled"]


def log_to_new(**given: Any) -> Any:
    def do(aws: Aws) -> Any:
        make_bucket(aws, name="target")
        return log_to(aws, **given)

    return do


def log_to_locked(aws: Aws) -> Any:
    aws.s3.create_bucket(Bucket="target", ObjectLockEnabledForBucket=True)
    lock(aws, "target", Days=1)
    log_to(aws)


def log_to_another_owner(aws: Aws) -> Any:
    make_bucket(aws.of(MEMBER), name="theirs")
    make_bucket(aws, name="target")
    log_to(aws, target="theirs")


def log_to_another_region(aws: Aws) -> Any:
    where = {"LocationConstraint": "eu-west-1"}
    aws.at("eu-west-1").s3.create_bucket(Bucket="far", CreateBucketConfiguration=where)
    make_bucket(aws, name="target")
    log_to(aws, target="far")


def lock(aws: Aws, bucket: str, **retention: Any) -> None:
    found = {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", **retention}},
    }
    aws.s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=found)


def lock_with_hold(aws: Aws) -> Any:
    aws.s3.create_bucket(Bucket="bkt", ObjectLockEnabledForBucket=True)
    aws.s3.put_object(Bucket="bkt", Key="log", Body=b"a bucket that is in use")
    lock(aws, "bkt", Days=1, DefaultEventHold={"Years": 2})
    return aws.s3.get_object_lock_configuration(Bucket="bkt")["ObjectLockConfiguration"]["Rule"]


_BACK = [{"Days": 9, "StorageClass": "GLACIER"}, {"Days": 9, "StorageClass": "STANDARD_IA"}]
_KEPT = rule(
    Filter={"ObjectSizeGreaterThan": 500},
    NoncurrentVersionExpiration={"NoncurrentDays": 5, "NewerNoncurrentVersions": 3},
)
_FOUR = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
_AES = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
_PARTITIONED = {"PartitionedPrefix": {"PartitionDateSource": "DeliveryTime"}}
_ALL_SIZES = "all_storage_classes_128K"

CASES = [
    Case(
        "s3.new_bucket_defaults",
        "encryption",
        new("get_bucket_encryption", "ServerSideEncryptionConfiguration"),
        {"Rules": _AES},
    ),
    Case(
        "s3.new_bucket_defaults",
        "access block",
        new("get_public_access_block", "PublicAccessBlockConfiguration"),
        _FOUR,
    ),
    Case(
        "s3.new_bucket_defaults",
        "ownership",
        new("get_bucket_ownership_controls", "OwnershipControls"),
        {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    ),
    Case("s3.encryption_never_off", "deleted", encryption_deleted, _AES),
    Case("s3.encryption_kept", "blocked types", encryption_blocked, {"EncryptionType": ["SSE-C"]}),
    Case("s3.bucket_names", "capitals", lambda aws: aws.s3.create_bucket(Bucket="ABC"), "InvalidBucketName"),
    Case("s3.bucket_names", "two dots", lambda aws: aws.s3.create_bucket(Bucket="a..b"), "InvalidBucketName"),
    Case(
        "s3.bucket_names",
        "an address",
        lambda aws: aws.s3.create_bucket(Bucket="10.0.0.1"),
        "InvalidBucketName",
    ),
    Case(
        "s3.bucket_names",
        "reserved",
        lambda aws: aws.s3.create_bucket(Bucket="sthree-x"),
        "InvalidBucketName",
    ),
    Case(
        "s3.bucket_acl_at_create", "canned", create(ACL="public-read"), "InvalidBucketAclWithObjectOwnership"
    ),
    Case(
        "s3.acls_disabled",
        "put",
        after_bucket("put_bucket_acl", ACL="log-delivery-write"),
        "AccessControlListNotSupported",
    ),
    Case("s3.acl_private_first", "log delivery", own_with_acl, "InvalidBucketAclWithObjectOwnership"),
    Case("s3.block_public_acls", "public", public_acl, "AccessDenied"),
    Case(
        "s3.tag_limits",
        "characters",
        after_bucket("put_bucket_tagging", Tagging={"TagSet": [{"Key": "a&b", "Value": "v"}]}),
        "InvalidTag",
    ),
    Case("s3.lock_limits", "101 years", lock_for_long, "InvalidRetentionPeriod"),
    Case("kms.keys_of_others", "no policy", key_of_others, "AccessDeniedException"),
    Case("s3.versioning_with_lock", "suspend", lock_then_suspend, "InvalidBucketState"),
    Case(
        "s3.lock_kept",
        "an event hold, of a bucket with an object",
        lock_with_hold,
        {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "DefaultEventHold": {"Years": 2}}},
    ),
    Case("s3.logging_target_lock", "target", log_to_locked, "InvalidTargetBucketForLogging"),
    Case("s3.logging_target", "for another", log_to_new(source="other"), "InvalidTargetBucketForLogging"),
    Case("s3.logging_target", "elsewhere in it", log_to_new(prefix="x/"), "InvalidTargetBucketForLogging"),
    Case("s3.logging_target", "none", log_to_new(target="absent"), "InvalidTargetBucketForLogging"),
    Case("s3.logging_target", "another owner's", log_to_another_owner, "InvalidTargetBucketForLogging"),
    Case("s3.logging_target", "another Region's", log_to_another_region, "CrossLocationLoggingProhibited"),
    Case(
        "s3.logging_kept",
        "format of keys",
        log_to_new(TargetObjectKeyFormat=_PARTITIONED),
        {"TargetBucket": "target", "TargetPrefix": "logs/", "TargetObjectKeyFormat": _PARTITIONED},
    ),
    Case(
        "s3.expected_bucket_owner",
        "wrong",
        after_bucket("get_bucket_versioning", ExpectedBucketOwner=STRANGER),
        "AccessDenied",
    ),
    Case(
        "s3.expected_bucket_owner", "head", after_bucket("head_bucket", ExpectedBucketOwner=STRANGER), "403"
    ),
    Case("s3.foreign_account", "head", stranger("head_bucket"), "403"),
    Case("s3.foreign_account", "policy", stranger("put_bucket_policy", Policy=policy(_OWN)), "AccessDenied"),
    Case("s3.foreign_account", "policy, though let in", friend_puts_policy, "MethodNotAllowed"),
    Case("s3.wrong_region", "head", in_another_region, 301),
    Case("s3.system_tags", "kept", system_tag(put=True), ["aws:cloudformation:stack-name", "team"]),
    Case("s3.system_tags", "removed", system_tag(put=False), "InvalidTag"),
    Case("s3.policy_conditions", "over TLS", over_tls, b"text"),
    Case("s3.policy_denies", "a read", denied, "AccessDenied"),
    Case("s3.malformed_policy", "no JSON", put_policy("not json"), "MalformedPolicy"),
    Case(
        "s3.malformed_policy",
        "a condition key that S3 does not have",
        put_policy(policy({**_OWN, "Condition": {"StringEquals": {"s3:prefx": "a"}}})),
        "MalformedPolicy",
    ),
    Case(
        "s3.malformed_policy", "too long", put_policy(policy({**_OWN, "Sid": "x" * 20500})), "MalformedPolicy"
    ),
    Case(
        "s3.malformed_policy",
        "other bucket",
        put_policy({**_OWN, "Resource": "arn:aws:s3:::other/*"}),
        "MalformedPolicy",
    ),
    Case(
        "s3.malformed_policy",
        "action and resource",
        put_policy({**_OWN, "Resource": "arn:aws:s3:::bkt"}),
        "MalformedPolicy",
    ),
    Case(
        "s3.malformed_policy",
        "no principal",
        put_policy({k: v for k, v in _OWN.items() if k != "Principal"}),
        "MalformedPolicy",
    ),
    Case(
        "s3.malformed_policy",
        "no such role",
        put_policy({**_OWN, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/none"}}),
        "MalformedPolicy",
    ),
    Case("s3.block_public_policy", "public", put_policy(_PUBLIC), "AccessDenied"),
    Case(
        "s3.policy_normalised",
        "shape",
        put_policy(
            {**_OWN, "Action": ["s3:GetObject"], "Condition": {"Bool": {"aws:SecureTransport": True}}}
        ),
        [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::bkt/*",
                "Condition": {"Bool": {"aws:SecureTransport": "true"}},
            }
        ],
    ),
    Case("s3.policy_normalised", "a lost role", role_lost, "AROA"),
    Case("s3.policy_status", "not narrowed", public_status, True),
    Case("s3.lifecycle_shape", "no rules", lifecycle(), "MalformedXML"),
    Case(
        "s3.lifecycle_shape",
        "And of one",
        lifecycle(rule(Filter={"And": {"Prefix": "a"}}, Expiration={"Days": 9})),
        "MalformedXML",
    ),
    Case("s3.lifecycle_days", "out of order", lifecycle(rule(Transitions=_BACK)), "InvalidArgument"),
    Case(
        "s3.lifecycle_days",
        "expires before",
        lifecycle(rule(Transitions=[{"Days": 40, "StorageClass": "GLACIER"}], Expiration={"Days": 40})),
        "InvalidArgument",
    ),
    Case("s3.lifecycle_kept", "fields", lifecycle(_KEPT), ([_KEPT], _ALL_SIZES)),
    Case(
        "s3.lifecycle_kept",
        "size",
        lifecycle(_KEPT, TransitionDefaultMinimumObjectSize="varies_by_storage_class"),
        ([_KEPT], "varies_by_storage_class"),
    ),
]


def test_logs_may_go_where_an_acl_lets_them_and_into_the_bucket_itself(aws: Aws) -> None:
    """AWS takes both, though the second has no end."""
    aws.s3.create_bucket(Bucket="target", ObjectOwnership="ObjectWriter")
    status = {"LoggingEnabled": {"TargetBucket": "target", "TargetPrefix": ""}}
    with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
        aws.s3.put_bucket_logging(Bucket="target", BucketLoggingStatus=status)
    aws.s3.put_bucket_acl(Bucket="target", ACL="log-delivery-write")
    aws.s3.put_bucket_logging(Bucket="target", BucketLoggingStatus=status)
    assert aws.s3.get_bucket_logging(Bucket="target")["LoggingEnabled"] == status["LoggingEnabled"]
    aws.s3.put_bucket_logging(Bucket="target", BucketLoggingStatus={})
    assert "LoggingEnabled" not in aws.s3.get_bucket_logging(Bucket="target")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_a_lifecycle_rule_without_an_id_gets_one(aws: Aws) -> None:
    without = {"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 9}}
    (made,), _ = lifecycle(without)(aws)
    assert made["ID"]
    assert {**without, "ID": made["ID"]} == made
    aws.s3.delete_bucket_lifecycle(Bucket="bkt")
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        aws.s3.get_bucket_lifecycle_configuration(Bucket="bkt")


@pytest.mark.parametrize(
    ("region", "constraint", "code"),
    [
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
        ("eu-west-1", None, "IllegalLocationConstraintException"),
        ("eu-west-1", "eu-west-2", "IllegalLocationConstraintException"),
    ],
)
def test_the_location_must_fit_the_region(aws: Aws, region: str, constraint: str | None, code: str) -> None:
    where = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    with pytest.raises(ClientError, match=code):
        aws.at(region).s3.create_bucket(Bucket="bkt", **where)


def test_creating_a_bucket_again_keeps_its_settings(aws: Aws) -> None:
    make_bucket(aws)
    aws.s3.delete_public_access_block(Bucket="bkt")
    aws.s3.create_bucket(Bucket="bkt")
    with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
        aws.s3.get_public_access_block(Bucket="bkt")


@pytest.mark.parametrize(
    ("condition", "public"),
    [
        ({}, True),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, False),
        ({"StringEquals": {"AWS:SourceOrgID": "o-1"}}, False),
        ({"StringLike": {"aws:SourceAccount": "*"}}, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}, True),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, True),
    ],
)
def test_a_policy_is_public_unless_a_condition_limits_it(aws: Aws, condition: Any, public: bool) -> None:
    make_bucket(aws)
    aws.s3.delete_public_access_block(Bucket="bkt")
    aws.s3.put_bucket_policy(Bucket="bkt", Policy=policy({**_PUBLIC, "Condition": condition}))
    assert aws.s3.get_bucket_policy_status(Bucket="bkt")["PolicyStatus"]["IsPublic"] is public
