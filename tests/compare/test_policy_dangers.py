"""Tests of foreign statements in the policy of a log bucket, and in the trust policy of a role: which of them defeat ours."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.compare.policy_dangers import dangers, trust_dangers

ACCOUNT, FRIEND, OTHER = "111122223333", "444455556666", "999999999999"
BUCKET = "arn:aws:s3:::logs"
TRAIL = f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/audit"
ACL = {"s3:x-amz-acl": "bucket-owner-full-control"}


def service(name: str, action: str, resource: str, **equals: Any) -> dict[str, Any]:
    return {
        "Sid": f"{name}{action[3:]}",
        "Effect": "Allow",
        "Principal": {"Service": f"{name}.amazonaws.com"},
        "Action": action,
        "Resource": resource,
        "Condition": {"StringEquals": equals},
    }


OWN = [
    service("cloudtrail", "s3:GetBucketAcl", BUCKET, **{"aws:SourceArn": TRAIL}),
    service("cloudtrail", "s3:PutObject", f"{BUCKET}/AWSLogs/{ACCOUNT}/*", **ACL, **{"aws:SourceArn": TRAIL}),
    service(
        "config",
        "s3:PutObject",
        f"{BUCKET}/AWSLogs/{ACCOUNT}/Config/*",
        **ACL,
        **{"AWS:SourceAccount": ACCOUNT},
    ),
]


def found(statement: dict[str, Any], own: Any = OWN, headers: Any = None) -> str:
    every = dangers(
        [statement],
        own,
        resource=BUCKET,
        account=ACCOUNT,
        region="eu-west-1",
        friends={FRIEND},
        headers=headers or {},
        writes=("s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration"),
        reads=("s3:GetObject", "s3:ListBucket"),
    )
    return "; ".join(text for _, text in every)


def deny(operator: str = "", key: str = "", value: Any = "", **more: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, f"{BUCKET}/*"],
        **more,
    }
    return {**statement, "Condition": {operator: {key: value}}} if operator else statement


def allow(principal: Any, action: Any = "s3:*", **more: Any) -> dict[str, Any]:
    resource = [BUCKET, f"{BUCKET}/*"]
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    "statement",
    [
        deny(),
        deny(Principal={"Service": "cloudtrail.amazonaws.com"}),
        deny(Action="s3:Put*"),
        deny(Resource=f"{BUCKET}/AWSLogs/*"),
        deny(NotPrincipal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Principal=None),
        deny("StringNotEquals", "aws:SourceVpce", "vpce-1"),
        deny("StringNotEquals", "aws:SourceVpc", "vpc-1"),
        deny("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"),
        deny("StringNotEquals", "aws:PrincipalOrgID", "o-1234567890"),
        deny("StringNotEquals", "aws:PrincipalAccount", ACCOUNT),
        deny("StringNotEquals", "s3:x-amz-server-side-encryption", "aws:kms"),
        deny("Null", "s3:x-amz-server-side-encryption", "true"),
        deny("Bool", "aws:SecureTransport", "true"),
        deny("ArnNotLike", "aws:SourceArn", "arn:aws:cloudtrail:eu-west-1:999999999999:trail/*"),
        deny("StringNotLike", "s3:x-amz-acl", "private"),
    ],
)
def test_a_deny_that_stops_deliveries(statement: dict[str, Any]) -> None:
    statement = {key: value for key, value in statement.items() if value is not None}
    assert "cannot deliver" in found(statement)


@pytest.mark.parametrize(
    "statement",
    [
        deny("Bool", "aws:SecureTransport", "false"),
        deny("NumericLessThan", "s3:TlsVersion", "1.2"),
        deny(Action="s3:DeleteObject*"),
        deny(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}),
        deny("StringNotEqualsIfExists", "aws:SourceAccount", ACCOUNT),
        deny("StringNotEqualsIfExists", "aws:SourceOrgID", "o-1234567890"),
        deny("StringNotEquals", "aws:SourceOrgID", "o-1234567890"),
        deny(
            Condition={
                "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            }
        ),
        deny(Resource=f"{BUCKET}/other/*"),
    ],
)
def test_a_deny_that_lets_deliveries_pass(statement: dict[str, Any]) -> None:
    assert found(statement) == ""


def test_a_deny_of_unencrypted_objects_lets_a_trail_with_a_key_pass() -> None:
    sse = {"s3:x-amz-server-side-encryption": "aws:kms"}
    statement = deny("StringNotEquals", "s3:x-amz-server-side-encryption", "aws:kms")
    headers = {"cloudtrail.amazonaws.com": sse, "config.amazonaws.com": sse}
    only_writes = {**statement, "Action": "s3:PutObject"}
    assert found(only_writes, headers=headers) == ""


@pytest.mark.parametrize(
    "statement",
    [
        allow({"AWS": "*"}, "s3:GetObject"),
        allow("*", "s3:ListBucket"),
        allow("*"),
        allow({"AWS": f"arn:aws:iam::{OTHER}:root"}),
        allow({"AWS": OTHER}, "s3:DeleteObjectVersion"),
        allow(
            {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{OTHER}:role/x"]}, "s3:PutBucketPolicy"
        ),
        allow({"AWS": f"arn:aws:iam::{OTHER}:user/x"}, "s3:PutLifecycleConfiguration"),
        allow({"Service": "cloudtrail.amazonaws.com"}, "s3:PutObject"),
        allow({"Service": "cloudtrail.amazonaws.com"}, "s3:PutObject", Condition={"StringEquals": ACL}),
        allow({"Service": ["cloudtrail.amazonaws.com", "config.amazonaws.com"]}, "s3:GetBucketAcl"),
        allow({"Service": "config.amazonaws.com"}),
    ],
)
def test_an_allow_that_opens_the_bucket(statement: dict[str, Any]) -> None:
    assert found(statement).startswith("allows ")


@pytest.mark.parametrize(
    "statement",
    [
        allow({"AWS": f"arn:aws:iam::{OTHER}:role/siem"}, ["s3:GetObject", "s3:ListBucket"]),
        allow({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        allow({"AWS": FRIEND}),
        allow("*", "s3:GetObject", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}),
        allow({"Service": "delivery.logs.amazonaws.com"}, "s3:PutObject"),
        allow(
            {"Service": "cloudtrail.amazonaws.com"},
            "s3:PutObject",
            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        ),
        allow(
            {"Service": "cloudtrail.amazonaws.com"},
            "s3:PutObject",
            Condition={"StringLike": {"aws:SourceArn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}},
        ),
    ],
)
def test_an_allow_that_is_kept(statement: dict[str, Any]) -> None:
    assert found(statement) == ""


@pytest.mark.parametrize(
    ("principal", "dangerous"),
    [
        ({"AWS": "*"}, True),
        ("*", True),
        ({"AWS": OTHER}, True),
        ({"AWS": [f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{OTHER}:root"]}, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False),
        ({"Service": "config.amazonaws.com"}, False),
    ],
)
def test_trust_in_strangers(principal: Any, dangerous: bool) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    assert bool(list(trust_dangers([statement], ACCOUNT))) == dangerous
