"""Tests of what buckets of real accounts have: odd tags and locations, MFA delete, other principals, lost keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from provisioner.sandbox import SandboxError
from provisioner.sandbox.world import World

from .cases import (
    ACCOUNT,
    MEMBER,
    STRANGER,
    Aws,
    Case,
    check,
    config_statements,
    make_bucket,
    make_channel,
    make_trail,
    outcome,
    policy,
)

Do = Callable[[Aws], Any]


def root_of(account: str) -> Aws:
    """The root user of an account."""
    return Aws(keys={"aws_access_key_id": f"ROOT{account}", "aws_secret_access_key": "x"})


ROOT = root_of(ACCOUNT)
OWNER = f"arn:aws:iam::{ACCOUNT}:root"
CODE = f"arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device 123456"
WITH_MFA = {"Status": "Enabled", "MFADelete": "Enabled"}
LIFECYCLE = {"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 90}}]}
IDENTITY = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2QWRUHAPOMQZL"


def on_bucket(do: Do) -> Do:
    """Run with a bucket `bkt`; the outcome is `OK` if there is no other."""
    return lambda aws: (make_bucket(aws), do(aws) or "OK")[1]


def tags(aws: Aws) -> Any:
    return aws.s3.get_bucket_tagging(Bucket="bkt")["TagSet"]


def empty_tag(aws: Aws) -> Any:
    aws.s3.put_bucket_tagging(Bucket="bkt", Tagging={"TagSet": [{"Key": "team", "Value": ""}]})
    return tags(aws)


def created_with_tags(aws: Aws) -> Any:
    made = [{"Key": "team", "Value": "security"}]
    aws.s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"Tags": made})
    return tags(aws)


def created(region: str, constraint: str) -> Do:
    """The location that S3 tells of a bucket created in that Region, and the Region of the bucket."""

    def do(aws: Aws) -> Any:
        # Clients remember the Region of a bucket, and all tests share them.
        bucket, where = f"bkt-by-{region}", {"LocationConstraint": constraint}
        aws.at(region).s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        location = aws.s3.get_bucket_location(Bucket=bucket)["LocationConstraint"]
        return location, aws.at("eu-west-1").s3.head_bucket(Bucket=bucket)["BucketRegion"]

    return do


def versioning(want: dict[str, str], caller: Aws | None = None, **given: Any) -> Do:
    """Put a versioning configuration, as another caller if one is given."""

    def do(aws: Aws) -> Any:
        made = {"Bucket": "bkt", "VersioningConfiguration": want, **given}
        (caller or aws).s3.put_bucket_versioning(**made)
        shown = aws.s3.get_bucket_versioning(Bucket="bkt")
        return shown["Status"], shown.get("MFADelete")

    return do


def under_mfa_delete(do: Do) -> Do:
    """Run on a bucket with MFA delete, which the root user has set."""

    def first(aws: Aws) -> Any:
        ROOT.s3.put_bucket_versioning(Bucket="bkt", VersioningConfiguration=WITH_MFA, MFA=CODE)
        return do(aws)

    return on_bucket(first)


def with_lifecycle(do: Do) -> Do:
    def first(aws: Aws) -> Any:
        put_lifecycle(aws)
        return do(aws)

    return on_bucket(first)


def put_lifecycle(aws: Aws) -> None:
    aws.s3.put_bucket_lifecycle_configuration(Bucket="bkt", LifecycleConfiguration=LIFECYCLE)


def delete_version(aws: Aws) -> None:
    version = aws.s3.put_object(Bucket="bkt", Key="k", Body=b"")["VersionId"]
    aws.s3.delete_object(Bucket="bkt", Key="k")  # which needs no code
    aws.s3.delete_object(Bucket="bkt", Key="k", VersionId=version)


def statement(principal: Any, **fields: Any) -> dict[str, Any]:
    """A statement about the objects of the bucket; a field that is None is left out."""
    made = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bkt/*",
    }
    return {key: value for key, value in {**made, **fields}.items() if value is not None}


def put(principal: Any, **fields: Any) -> Do:
    """Put a policy of one statement; the outcome is its principal as S3 returns it."""

    def do(aws: Aws) -> Any:
        aws.s3.put_bucket_policy(Bucket="bkt", Policy=policy(statement(principal, **fields)))
        [shown] = json.loads(aws.s3.get_bucket_policy(Bucket="bkt")["Policy"])["Statement"]
        return shown.get("Principal", shown.get("NotPrincipal"))

    return on_bucket(do)


def locked(call: str, caller: Aws | None = None) -> Do:
    """Call S3 about a bucket whose policy denies everybody everything."""
    where = ["arn:aws:s3:::bkt", "arn:aws:s3:::bkt/*"]
    deny = statement("*", Effect="Deny", Action="s3:*", Resource=where)

    def do(aws: Aws) -> Any:
        make_bucket(aws, deny)
        given = {"Policy": policy(statement({"AWS": ACCOUNT}))} if call == "put_bucket_policy" else {}
        getattr((caller or aws).s3, call)(Bucket="bkt", **given)
        return "OK"

    return do


def with_default_key(do: Do, region: str = "us-east-1") -> Do:
    """Run on a bucket that is encrypted by default with a key of that Region."""

    def first(aws: Aws) -> Any:
        key = aws.at(region).kms.create_key()["KeyMetadata"]["Arn"]
        encrypt_with(aws, key)
        return do(aws)

    return first


def encrypt_with(aws: Aws, key: str) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default}]
    aws.s3.put_bucket_encryption(Bucket="bkt", ServerSideEncryptionConfiguration={"Rules": rules})


def put_object(aws: Aws, **given: str) -> None:
    aws.s3.put_object(Bucket="bkt", Key="k", Body=b"", **given)


def key_of_another_region(aws: Aws) -> Any:
    key = aws.at("eu-west-1").kms.create_key()["KeyMetadata"]["Arn"]
    try:
        aws.kms.describe_key(KeyId=key)
    except aws.kms.exceptions.NotFoundException as error:
        return error.response["Error"]["Message"]


def key_policy(*statements: dict[str, Any]) -> Do:
    own = {"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"}
    return lambda aws: aws.kms.create_key(Policy=policy(own, *statements)) and None


def stranger_role(aws: Aws) -> Any:
    role = f"arn:aws:iam::{STRANGER}:role/any"
    return aws.sts.assume_role(RoleArn=role, RoleSessionName="test")["AssumedRoleUser"]["Arn"]


def root_assumes(aws: Aws) -> Any:
    role = f"arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole"
    return ROOT.sts.assume_role(RoleArn=role, RoleSessionName="test")["AssumedRoleUser"]["Arn"]


CASES = [
    Case("s3.tag_values", "empty", on_bucket(empty_tag), [{"Key": "team", "Value": ""}]),
    Case("s3.tags_at_create", "tags", created_with_tags, [{"Key": "team", "Value": "security"}]),
    Case("s3.location_constraints", "EU by us-east-1", created("us-east-1", "EU"), ("EU", "eu-west-1")),
    Case("s3.location_constraints", "EU by eu-west-1", created("eu-west-1", "EU"), ("EU", "eu-west-1")),
    Case(
        "s3.location_constraints", "none", created("us-east-1", "eu-nowhere-1"), "InvalidLocationConstraint"
    ),
    Case("s3.mfa_delete", "no code", on_bucket(versioning(WITH_MFA)), "AccessDenied"),
    Case("s3.mfa_delete", "root, no code", on_bucket(versioning(WITH_MFA, ROOT)), "AccessDenied"),
    Case("s3.mfa_delete", "not root", on_bucket(versioning(WITH_MFA, MFA=CODE)), "InvalidRequest"),
    Case("s3.mfa_delete", "root", on_bucket(versioning(WITH_MFA, ROOT, MFA=CODE)), ("Enabled", "Enabled")),
    Case("s3.mfa_delete", "suspend", under_mfa_delete(versioning({"Status": "Suspended"})), "AccessDenied"),
    Case(
        "s3.mfa_delete",
        "unchanged",
        under_mfa_delete(versioning({"Status": "Enabled"})),
        ("Enabled", "Enabled"),
    ),
    Case("s3.mfa_delete", "a version", under_mfa_delete(delete_version), "AccessDenied"),
    Case("s3.mfa_delete", "then a lifecycle", under_mfa_delete(put_lifecycle), "InvalidBucketState"),
    Case(
        "s3.mfa_delete",
        "after a lifecycle",
        with_lifecycle(versioning(WITH_MFA, ROOT, MFA=CODE)),
        "InvalidBucketState",
    ),
    Case("s3.malformed_policy", "canonical id", put({"CanonicalUser": "abc"}), "MalformedPolicy"),
    Case("s3.malformed_policy", "no name", put({"AWS": []}), "MalformedPolicy"),
    Case(
        "s3.malformed_policy", "no identity", put({"AWS": IDENTITY.replace(" Access", "")}), "MalformedPolicy"
    ),
    Case("s3.malformed_policy", "both", put({"AWS": ACCOUNT}, NotPrincipal="*"), "MalformedPolicy"),
    Case(
        "s3.malformed_policy",
        "everybody but one",
        put(None, NotPrincipal={"AWS": ACCOUNT}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        "MalformedPolicy",
    ),
    Case(
        "s3.malformed_policy",
        "a Deny without a resource",
        put(None, Effect="Deny", NotPrincipal={"AWS": ACCOUNT}, Resource=None),
        "MalformedPolicy",
    ),
    Case("s3.policy_denies", "delete the policy", locked("delete_bucket_policy"), "AccessDenied"),
    Case("s3.policy_denies", "put the policy", locked("put_bucket_policy"), "AccessDenied"),
    Case("s3.policy_denies", "read the policy", locked("get_bucket_policy"), "AccessDenied"),
    Case("s3.policy_denies", "root, another call", locked("get_bucket_tagging", ROOT), "AccessDenied"),
    Case(
        "s3.object_keys",
        "another Region",
        on_bucket(with_default_key(put_object, "eu-west-1")),
        "KMS.NotFoundException",
    ),
    Case(
        "s3.object_keys",
        "in the request",
        on_bucket(lambda aws: put_object(aws, ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/none")),
        "KMS.NotFoundException",
    ),
    Case("kms.keys_of_another_region", "described", key_of_another_region, "Invalid arn eu-west-1"),
    Case(
        "kms.key_policies",
        "no resource",
        key_policy({"Effect": "Deny", "NotPrincipal": {"AWS": OWNER}, "Action": "kms:*"}),
        "MalformedPolicyDocumentException",
    ),
    Case(
        "kms.key_policies",
        "no such role",
        key_policy(statement({"AWS": f"arn:aws:iam::{ACCOUNT}:role/none"}, Action="kms:*", Resource="*")),
        "MalformedPolicyDocumentException",
    ),
    Case("sts.roles_exist", "outside of the organization", stranger_role, "AccessDenied"),
    Case("sts.root_users", "root", root_assumes, "AccessDenied"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("call", ["get_bucket_policy", "put_bucket_policy", "delete_bucket_policy"])
def test_the_root_user_of_the_owner_is_not_locked_out_of_the_policy(aws: Aws, call: str) -> None:
    assert outcome(locked(call, ROOT), aws) == "OK"


def test_the_root_user_of_another_account_is_locked_out(aws: Aws) -> None:
    assert outcome(locked("delete_bucket_policy", root_of(MEMBER)), aws) == "AccessDenied"


def test_the_root_user_is_known_by_its_access_key(aws: Aws) -> None:
    assert ROOT.sts.get_caller_identity()["Arn"] == OWNER
    assert root_of(MEMBER).sts.get_caller_identity()["Account"] == MEMBER


@pytest.mark.parametrize("principal", [{"AWS": IDENTITY}, {"CanonicalUser": "a" * 64}])
def test_principals_of_cloudfront_and_canonical_users_are_kept(aws: Aws, principal: Any) -> None:
    assert put(principal)(aws) == principal


def test_the_canonical_user_of_a_cloudfront_identity_is_returned_by_its_arn(aws: Aws) -> None:
    [(kind, name)] = put({"CanonicalUser": "b" * 96})(aws).items()
    assert (kind, name[: len(IDENTITY) - 13]) == ("AWS", IDENTITY[:-13])
    assert outcome(
        lambda each: each.s3.put_bucket_policy(Bucket="bkt", Policy=policy(statement({kind: name}))), aws
    )


def test_a_deny_of_everybody_but_one_account_is_taken(aws: Aws) -> None:
    assert put(None, Effect="Deny", NotPrincipal={"AWS": ACCOUNT})(aws) == {"AWS": OWNER}
    assert outcome(lambda each: put_object(each) or "OK", aws) == "OK"


def test_a_trail_cannot_deliver_to_a_bucket_with_a_key_of_another_region(aws: Aws) -> None:
    make_trail(aws)
    aws.cloudtrail.start_logging(Name="trl")
    assert "LatestDeliveryError" not in aws.cloudtrail.get_trail_status(Name="trl")
    with_default_key(lambda _: None, "eu-west-1")(aws)
    assert aws.cloudtrail.get_trail_status(Name="trl")["LatestDeliveryError"] == "KMS.NotFoundException"
    with_default_key(lambda _: None)(aws)
    assert "LatestDeliveryError" not in aws.cloudtrail.get_trail_status(Name="trl")


def test_config_cannot_deliver_to_a_bucket_with_a_key_of_another_region(aws: Aws) -> None:
    make_channel(aws, *config_statements("bkt"))
    channel = {"DeliveryChannel": {"name": "default", "s3BucketName": "bkt"}}
    with_default_key(lambda _: None, "eu-west-1")(aws)
    assert outcome(lambda each: each.config.put_delivery_channel(**channel), aws) == (
        "InsufficientDeliveryPolicyException"
    )
    with_default_key(lambda _: None)(aws)
    assert outcome(lambda each: each.config.put_delivery_channel(**channel) and "OK", aws) == "OK"


def test_a_disabled_key_encrypts_nothing(aws: Aws) -> None:
    make_bucket(aws)
    key = aws.kms.create_key()["KeyMetadata"]["KeyId"]
    encrypt_with(aws, key)
    put_object(aws)
    aws.kms.disable_key(KeyId=key)
    assert outcome(put_object, aws) == "KMS.DisabledException"
    aws.kms.schedule_key_deletion(KeyId=key)
    assert outcome(put_object, aws) == "KMS.KMSInvalidStateException"
    assert outcome(lambda each: put_object(each, ServerSideEncryption="AES256") or "OK", aws) == "OK"


def test_an_account_outside_of_the_organization(world: World) -> None:
    with pytest.raises(SandboxError, match=f"account {MEMBER} is in the organization"):
        world.standalone(MEMBER)
    with pytest.raises(SandboxError, match="an account id has 12 digits"):
        world.standalone("12")
    world.standalone(STRANGER)
    stranger = Aws().of(STRANGER)
    assert stranger.sts.get_caller_identity()["Account"] == STRANGER
    assert outcome(lambda _: stranger.organizations.describe_organization(), stranger) == (
        "AWSOrganizationsNotInUseException"
    )
