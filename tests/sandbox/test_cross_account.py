"""Tests of delivery to a bucket of another account: S3, AWS Config and CloudTrail check that bucket."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox.world import World

from .cases import (
    ACCOUNT,
    MEMBER,
    ORGANIZATION,
    OTHER_MEMBER,
    STRANGER,
    Aws,
    config_statements,
    make_bucket,
    make_role,
    outcome,
    policy,
    service,
    tls_only,
    trail_statements,
)

ARCHIVE, BUCKET = OTHER_MEMBER, "central"
WHERE = f"arn:aws:s3:::{BUCKET}"
SHORT = "InsufficientDeliveryPolicyException"
OWNED = {"s3__x-amz-acl": "bucket-owner-full-control"}
# aws.md 12.3, the form for a whole organization.
OF_ORGANIZATION = [
    service("config", "s3:GetBucketAcl", WHERE),
    service("config", "s3:ListBucket", WHERE),
    service("config", "s3:PutObject", f"{WHERE}/AWSLogs/*/*", aws__SourceOrgID=ORGANIZATION, **OWNED),
]


def archive(aws: Aws, *statements: Any) -> Aws:
    """The log archive account, with its bucket."""
    owner = aws.of(ARCHIVE)
    make_bucket(owner, *statements, name=BUCKET)
    return owner


def linked(account: str) -> str:
    return f"arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


def do_jobs(aws: Aws, account: str, **fields: Any) -> Any:
    """`OK`, or the code: Config of *account* is told to deliver to the archive's bucket."""
    who = aws if account == ACCOUNT else aws.of(account)

    def do(_: Aws) -> Any:
        if not who.config.describe_configuration_recorders()["ConfigurationRecorders"]:
            who.iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
            recorder = {"name": "default", "roleARN": fields.pop("role", linked(account))}
            who.config.put_configuration_recorder(ConfigurationRecorder=recorder)
        channel = {"name": "default", "s3BucketName": BUCKET, **fields}
        who.config.put_delivery_channel(DeliveryChannel=channel)
        return "OK"

    return outcome(do, aws)


def test_policy_with_a_list_of_accounts(aws: Aws) -> None:
    archive(aws, *config_statements(BUCKET, MEMBER), tls_only(BUCKET))
    assert do_jobs(aws, MEMBER) == "OK"
    assert do_jobs(aws, ACCOUNT) == do_jobs(aws, ARCHIVE) == do_jobs(aws, STRANGER) == SHORT
    member = aws.of(MEMBER).config
    member.start_configuration_recorder(ConfigurationRecorderName="default")
    (status,) = member.describe_delivery_channel_status()["DeliveryChannelsStatus"]
    assert status["configHistoryDeliveryInfo"]["lastStatus"] == "Success"


def test_policy_for_an_organization(aws: Aws, world: World) -> None:
    world.organization(accounts=6, units={"Prod": 2})
    archive(aws, *OF_ORGANIZATION)
    for account in (ACCOUNT, ARCHIVE, MEMBER, "310000000001"):
        assert do_jobs(aws, account) == "OK", account
    assert do_jobs(aws, STRANGER) == SHORT, "a standalone account has no organization"


@pytest.mark.parametrize("missing", range(3))
def test_each_of_the_three_statements_is_needed(aws: Aws, missing: int) -> None:
    archive(aws, *[one for place, one in enumerate(OF_ORGANIZATION) if place != missing])
    assert do_jobs(aws, MEMBER) == SHORT


@pytest.mark.parametrize(
    ("condition", "want"),
    [
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:config:us-east-1:{MEMBER}:*"}}, "OK"),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:config:eu-west-1:{MEMBER}:*"}}, SHORT),
        ({"StringEquals": {"aws:SourceAccount": [ACCOUNT, MEMBER]}}, "OK"),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, SHORT),
        ({"StringEquals": {"aws:SourceOrgID": "o-other12345"}}, SHORT),
        ({"StringLike": {"aws:SourceOrgPaths": f"{ORGANIZATION}/*"}}, "OK"),
        ({"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}, SHORT),
        ({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}, "OK"),
    ],
)
def test_conditions_on_the_write(aws: Aws, condition: Any, want: str) -> None:
    acl, listing, write = OF_ORGANIZATION
    archive(aws, acl, listing, {**write, "Condition": condition})
    assert do_jobs(aws, MEMBER) == want


def test_only_the_accounts_own_folder_is_needed(aws: Aws) -> None:
    acl, listing, write = OF_ORGANIZATION
    own = {**write, "Resource": f"{WHERE}/logs/AWSLogs/{MEMBER}/Config/*"}
    archive(aws, acl, listing, own)
    assert do_jobs(aws, MEMBER) == SHORT
    assert do_jobs(aws, MEMBER, s3KeyPrefix="logs") == "OK"


def test_a_role_of_the_member_needs_both_policies(aws: Aws) -> None:
    may = {"Effect": "Allow", "Action": ["s3:GetBucketAcl", "s3:PutObject"], "Resource": "*"}
    role = make_role(aws.of(MEMBER), "recorder", "config.amazonaws.com", may)
    owner = archive(aws)
    assert do_jobs(aws, MEMBER, role=role) == SHORT
    let = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": may["Action"]}
    in_it = {**let, "Resource": [WHERE, f"{WHERE}/AWSLogs/{MEMBER}/*"]}
    owner.s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(in_it))
    assert do_jobs(aws, MEMBER) == "OK"
    org = {**in_it, "Principal": {"AWS": "*"}}
    org["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    owner.s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(org))
    assert do_jobs(aws, MEMBER) == "OK"


def test_a_topic_of_another_account_is_found(aws: Aws) -> None:
    owner = archive(aws, *OF_ORGANIZATION)
    topic = owner.sns.create_topic(Name="config")["TopicArn"]
    assert do_jobs(aws, MEMBER, snsTopicARN=topic) == "OK"
    assert do_jobs(aws, MEMBER, snsTopicARN=f"{topic}x") == "InvalidSNSTopicARNException"


def test_a_trail_of_the_management_account_in_the_archive(aws: Aws) -> None:
    owner = archive(aws)
    trail = {"Name": "trl", "S3BucketName": BUCKET, "IsMultiRegionTrail": True}

    def create(a: Aws, **more: Any) -> Any:
        return a.cloudtrail.create_trail(**trail, **more) and "OK"

    assert outcome(create, aws) == "InsufficientS3BucketPolicyException"
    owner.s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(*trail_statements(BUCKET)))
    assert outcome(create, aws) == "OK"
    aws.cloudtrail.start_logging(Name="trl")
    assert "LatestDeliveryError" not in aws.cloudtrail.get_trail_status(Name="trl")
    aws.organizations.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")

    def widen(a: Aws) -> Any:
        return a.cloudtrail.update_trail(Name="trl", IsOrganizationTrail=True)["IsOrganizationTrail"]

    assert outcome(widen, aws) == "InsufficientS3BucketPolicyException"
    statements = trail_statements(BUCKET, organization=True)
    owner.s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(*statements))
    assert outcome(widen, aws) is True
    owner.s3.delete_bucket_policy(Bucket=BUCKET)
    assert aws.cloudtrail.get_trail_status(Name="trl")["LatestDeliveryError"] == "AccessDenied"


def test_a_trail_of_another_member_is_kept_out(aws: Aws) -> None:
    archive(aws, *trail_statements(BUCKET))
    trail = {"Name": "trl", "S3BucketName": BUCKET}
    got = outcome(lambda a: a.cloudtrail.create_trail(**trail), aws.of(MEMBER))
    assert got == "InsufficientS3BucketPolicyException"


READS: dict[str, dict[str, Any]] = {
    "head_bucket": {},
    "get_bucket_location": {},
    "get_bucket_encryption": {},
    "get_bucket_versioning": {},
    "get_public_access_block": {},
    "get_bucket_policy": {},
    "list_objects_v2": {},
    "get_object": {"Key": "k"},
    "put_object": {"Key": "k", "Body": b""},
    "put_bucket_versioning": {"VersioningConfiguration": {"Status": "Enabled"}},
}


@pytest.mark.parametrize("operation", READS)
def test_bucket_of_another_account_is_denied(aws: Aws, operation: str) -> None:
    owner = archive(aws)
    owner.s3.put_object(Bucket=BUCKET, Key="k", Body=b"")
    for caller in (aws, aws.of(MEMBER), aws.of(STRANGER)):
        with pytest.raises(ClientError) as caught:
            getattr(caller.s3, operation)(Bucket=BUCKET, **READS[operation])
        answer = caught.value.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert answer["Error"]["Code"] == ("403" if operation == "head_bucket" else "AccessDenied")
        if operation == "head_bucket":
            assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"


@pytest.mark.parametrize(
    ("principal", "condition", "allowed"),
    [
        ({"AWS": MEMBER}, {}, True),
        ({"AWS": f"arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole"}, {}, True),
        ({"AWS": f"arn:aws:sts::{MEMBER}:assumed-role/OrganizationAccountAccessRole/test"}, {}, True),
        ({"AWS": ACCOUNT}, {}, False),
        ("*", {"aws:PrincipalOrgID": ORGANIZATION}, True),
        ("*", {"aws:PrincipalOrgID": "o-other12345"}, False),
        ("*", {"aws:PrincipalAccount": [MEMBER]}, True),
    ],
)
def test_bucket_policy_allows_another_account(
    aws: Aws, principal: Any, condition: Any, allowed: bool
) -> None:
    made = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetEncryptionConfiguration"}
    made |= {"Resource": WHERE, **({"Condition": {"StringEquals": condition}} if condition else {})}
    archive(aws, made)
    member = aws.of(MEMBER)
    got = outcome(lambda a: a.s3.get_bucket_encryption(Bucket=BUCKET) and "OK", member)
    assert got == ("OK" if allowed else "AccessDenied")
    assert outcome(lambda a: a.s3.get_bucket_versioning(Bucket=BUCKET), member) == "AccessDenied"


@pytest.mark.parametrize("owner", [ACCOUNT, MEMBER, STRANGER])
def test_wrong_expected_owner_is_refused(aws: Aws, owner: str) -> None:
    everybody = {"Effect": "Allow", "Principal": {"AWS": [MEMBER]}, "Action": "s3:*", "Resource": WHERE}
    own = archive(aws, everybody)
    for caller in (own, aws.of(MEMBER)):
        read = caller.s3.get_bucket_versioning
        assert outcome(lambda _, r=read: r(Bucket=BUCKET, ExpectedBucketOwner=owner), aws) == "AccessDenied"
        assert read(Bucket=BUCKET, ExpectedBucketOwner=ARCHIVE)


def test_a_deny_names_the_role_of_a_session(aws: Aws) -> None:
    role = f"arn:aws:iam::{ARCHIVE}:role/OrganizationAccountAccessRole"
    deny = {
        "Effect": "Deny",
        "Principal": {"AWS": role},
        "Action": "s3:GetBucketVersioning",
        "Resource": WHERE,
    }
    owner = archive(aws, deny)
    assert outcome(lambda a: a.s3.get_bucket_versioning(Bucket=BUCKET), owner) == "AccessDenied"
    assert owner.s3.get_bucket_encryption(Bucket=BUCKET)
