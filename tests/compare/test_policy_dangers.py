"""Tests of foreign statements in the policy of a log bucket, and in the trust policy of a role: which of them defeat ours."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.compare.policy_dangers import Protected, dangers
from provisioner.services.cloudtrail.delivery import trail_key_statements

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

ORGANIZATION = "o-1234567890"
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "config.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
}


def found(statement: dict[str, Any], own: Any = OWN, headers: Any = None) -> str:
    what = Protected(
        resource=BUCKET,
        account=ACCOUNT,
        region="eu-west-1",
        friends={FRIEND},
        headers=headers or {},
        writes=("s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration"),
        reads=("s3:GetObject", "s3:ListBucket"),
        organization=lambda: ORGANIZATION,
    )
    return "; ".join(text for _, text in dangers([statement], own, what))


def found_in_trust(statement: dict[str, Any]) -> str:
    what = Protected("", ACCOUNT, "eu-west-1", writes=("sts:AssumeRole",), organization=lambda: ORGANIZATION)
    return "; ".join(text for _, text in dangers([statement], [TRUST], what))


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
        deny(Resource=f"{BUCKET}/*/CloudTrail/*"),
        deny(Resource=f"{BUCKET}/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/*"),
        deny(Resource=None, NotResource=f"{BUCKET}/reports/*"),
        deny(Action=None, NotAction="s3:Get*"),
        deny(Effect="deny", Action="S3:PUTOBJECT"),
        deny("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z"),
        deny("NumericGreaterThan", "aws:EpochTime", "1577836800"),
        deny("NotIpAddressIfExists", "aws:SourceIp", ["192.0.2.0/24", "2001:db8::/32"]),
        deny("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", "config.amazonaws.com"),
        deny("StringEquals", "aws:ResourceAccount", ACCOUNT),
        deny("StringNotEquals", "aws:SourceOrgID", "o-another0000"),
        deny("Null", "aws:SourceOrgID", False),
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
        deny("DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z"),
        deny("DateGreaterThan", "aws:CurrentTime", "2999-01-01T00:00:00Z"),
        deny("StringNotEquals", "aws:ResourceAccount", ACCOUNT),
        deny("StringNotEquals", "s3:signatureversion", "AWS4-HMAC-SHA256"),
        deny("StringNotEquals", "s3:authType", "REST-HEADER"),
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
        allow({"AWS": OTHER}, None, NotAction="s3:GetObject"),
        allow({"AWS": OTHER}, ["s3:getobject", "S3:DELETE*"], Effect="allow"),
        allow({"AWS": OTHER}, "s3:DeleteObject?ersion"),
        allow({"AWS": OTHER}, Resource=f"{BUCKET}/AWSLogs/{ACCOUNT}/CloudTrail/*"),
        allow({"AWS": OTHER}, Resource=f"{BUCKET}/*/CloudTrail/*"),
        allow({"AWS": OTHER}, Resource="arn:aws:s3:::*"),
        allow({"AWS": OTHER}, Resource=None, NotResource=f"{BUCKET}/x/*"),
        allow({"AWS": f"arn:aws:sts::{OTHER}:assumed-role/r/s"}),
        allow({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}),
        allow({"CanonicalUser": "a" * 64}),
        allow({"Service": "lambda.amazonaws.com"}, "s3:DeleteObjectVersion"),
        allow("*", None, NotAction="s3:PutObject"),
        allow(None, NotPrincipal={"AWS": ACCOUNT}),
        # What a stranger can bring along keeps none out.
        *(
            allow({"AWS": OTHER}, Condition={operator: {key: value}})
            for operator, key, value in (
                ("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
                ("Bool", "aws:SecureTransport", "true"),
                ("Bool", "aws:MultiFactorAuthPresent", "true"),
                ("Null", "aws:MultiFactorAuthAge", "false"),
                ("StringEquals", "aws:PrincipalTag/team", "audit"),
                ("StringEquals", "aws:SourceVpce", "vpce-1"),
                ("StringLike", "aws:UserAgent", "*backup*"),
                ("DateLessThan", "aws:CurrentTime", "2999-01-01T00:00:00Z"),
            )
        ),
        *(
            allow("*", Condition={operator: {key: value}})
            for operator, key, value in (
                ("StringEquals", "aws:PrincipalOrgID", "o-another0000"),
                ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-another0000/*"),
                ("StringEquals", "aws:PrincipalAccount", [ACCOUNT, OTHER]),
                ("StringNotEquals", "aws:PrincipalAccount", ACCOUNT),
                ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{OTHER}:role/*"),
                ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/audit"),
                ("StringLike", "aws:PrincipalArn", "*"),
                ("StringEqualsIfExists", "aws:SourceVpce", "vpce-1"),
                ("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
                ("StringEqualsIgnoreCase", "aws:Referer", "x"),
            )
        ),
        allow("*", "s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        allow("*", "s3:GetObject", Condition={"StringLike": {"aws:Referer": "*.example.com"}}),
        allow("*", "s3:GetObject", Resource=f"{BUCKET}/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2020/*"),
    ],
)
def test_an_allow_that_opens_the_bucket(statement: dict[str, Any]) -> None:
    statement = {key: value for key, value in statement.items() if value is not None}
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
        allow({"AWS": OTHER}, Condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}),
        allow({"AWS": OTHER}, Resource=f"{BUCKET}/reports/*"),
        allow({"AWS": "AIDAEXAMPLEEXAMPLE123"}),
        allow("*", Condition={"StringEquals": {"aws:PrincipalAccount": [ACCOUNT, FRIEND]}}),
        allow("*", Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}),
        allow("*", Condition={"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}),
        allow("*", "s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        allow("*", "s3:GetObject", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
        allow({"Service": "logging.s3.amazonaws.com"}, "s3:PutObject"),
        allow(
            {"Service": "lambda.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
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
        ({"Service": "config.amazonaws.com"}, True),  # for any account, unlike ours
        ({"Service": "ec2.amazonaws.com"}, False),
    ],
)
def test_trust_in_strangers(principal: Any, dangerous: bool) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    assert bool(found_in_trust(statement)) == dangerous


@pytest.mark.parametrize("organization", [None, ""])
def test_without_a_known_organization(organization: str | None) -> None:
    """None: it may not be asked for, so that any may be ours. Empty: there is none, so that each is a stranger's."""
    what = Protected(
        BUCKET, ACCOUNT, "eu-west-1", writes=("s3:DeleteObject",), organization=lambda: organization
    )
    statements = [
        allow("*", Condition={"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}),
        deny("StringNotEquals", "aws:SourceOrgID", ORGANIZATION),
    ]
    assert len(list(dangers(statements, OWN, what))) == (0 if organization is None else 2)


# Operator, claim and values of a condition on users of an identity provider, and whether it lets in everybody there.
WEB_IDENTITIES: list[tuple[str, str, str | list[str], bool]] = [
    ("StringLike", "sub", "repo:*", True),
    ("StringLike", "sub", "repo:*/*:ref:refs/heads/main", True),
    ("StringLike", "sub", "repo:*:environment:production", True),
    ("StringLike", "sub", "r*", True),
    ("StringLike", "sub", "project_path:*:ref_type:branch:ref:main", True),
    ("StringLike", "sub", "organization:*:project:infra:workspace:*", True),
    ("StringLike", "sub", ["repo:acme/infra:*", "*"], True),
    ("StringNotEquals", "sub", "repo:acme/infra:ref:refs/heads/main", True),
    ("Null", "sub", "false", True),
    ("StringEquals", "amr", "authenticated", True),
    ("StringLike", "sub", "repo:acme/*", False),
    ("StringLike", "sub", ["repo:acme/a:*", "repo:acme/b:*"], False),
    ("StringLike", "sub", "project_path:acme/*:ref_type:branch:ref:main", False),
    ("StringLike", "sub", "{11111111-2222-3333-4444-555555555555}:*", False),
    ("ForAnyValue:StringEquals", "aud", "us-east-1:11111111-2222-3333-4444-555555555555", False),
    ("StringEquals", "app_id", "amzn1.application.1", False),
]


@pytest.mark.parametrize(
    ("statement", "dangerous"),
    [
        (allow("*", "sts:*", Condition={"StringEquals": {"sts:ExternalId": "x"}}), True),
        (allow("*", "sts:*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-another0000"}}), True),
        (allow("*", "sts:*", Condition={"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}), False),
        (allow("*", "sts:*", Condition={"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}), False),
        (allow("*", "sts:*", Condition={"StringEquals": {"aws:PrincipalAccount": OTHER}}), True),
        (allow({"AWS": OTHER}, None, NotAction="sts:TagSession"), True),
        (allow(None, "sts:AssumeRole", NotPrincipal={"AWS": ACCOUNT}), True),
        (allow({"Federated": "cognito-identity.amazonaws.com"}, "sts:AssumeRoleWithWebIdentity"), True),
        (
            allow(
                {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"},
                "sts:AssumeRoleWithWebIdentity",
                Condition={
                    "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                    "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/infra:*"},
                },
            ),
            False,
        ),
        (
            allow(
                {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"},
                "sts:AssumeRoleWithWebIdentity",
                Condition={"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
            ),
            True,
        ),
        *(
            (
                allow(
                    {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.com"},
                    "sts:AssumeRoleWithWebIdentity",
                    Condition={operator: {f"idp.example.com:{claim}": values}},
                ),
                dangerous,
            )
            for operator, claim, values, dangerous in WEB_IDENTITIES
        ),
        (deny(Principal="*", Action="sts:*"), True),
        (deny(Principal={"Service": "config.amazonaws.com"}, Action="sts:AssumeRole"), True),
        (deny("StringNotEquals", "aws:PrincipalOrgID", ORGANIZATION, Action="sts:AssumeRole"), True),
        (deny(Principal={"AWS": OTHER}, Action="sts:AssumeRole"), False),
    ],
)
def test_weak_trust_and_trust_that_is_denied(statement: dict[str, Any], dangerous: bool) -> None:
    left_out = {"Resource"} | {key for key, value in statement.items() if value is None}
    bare = {key: value for key, value in statement.items() if key not in left_out}
    assert bool(found_in_trust(bare)) == dangerous


CONTEXT = "kms:EncryptionContext:aws:cloudtrail:arn"


@pytest.mark.parametrize(
    ("operator", "value", "dangerous"),
    [
        ("Null", "false", True),
        ("StringEquals", TRAIL, True),
        ("StringLike", f"arn:aws:cloudtrail:*:{ACCOUNT}:*", True),
        ("StringNotEquals", TRAIL, False),
        ("StringLike", "arn:aws:cloudtrail:*:999999999999:*", False),
        ("Null", "true", False),
    ],
)
def test_what_a_key_policy_denies_by_the_encryption_context_of_the_trail(
    operator: str, value: str, *, dangerous: bool
) -> None:
    own = trail_key_statements(TRAIL)[:1]
    own[0]["Action"] = "kms:GenerateDataKey"  # as `kms_keys` asks
    assert bool(found(deny(operator, CONTEXT, value, Action="kms:*", Resource="*"), own)) is dangerous
