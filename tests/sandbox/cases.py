"""Shared by the tests of the sandbox: clients, cases, and resources to create."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from provisioner.sandbox import open_sandbox, seed

ACCOUNT, MEMBER, OTHER_MEMBER, CLOSED = "123456789012", "444455556666", "111122223333", "777788889999"
STRANGER = "999999999999"
ORGANIZATION = "o-sandbox12345"
LINKED_ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
SESSION: list[boto3.Session] = []


def session() -> boto3.Session:
    """One session for all tests, because loading botocore's models is slow."""
    if not SESSION:
        fake = {"aws_access_key_id": "TESTS", "aws_secret_access_key": "x"}
        SESSION.append(boto3.Session(**fake))
    return SESSION[0]


@cache
def client(service: str, region: str = "us-east-1") -> Any:
    return session().client(service, region_name=region, config=Config(retries={"total_max_attempts": 1}))


@dataclass
class Aws:
    """Clients by service name, of one account and Region."""

    region: str = "us-east-1"
    keys: Mapping[str, str] = field(default_factory=dict)

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        if not self.keys:
            return client(service, self.region)
        return session().client(service, region_name=self.region, **self.keys)

    def at(self, region: str) -> Aws:
        return Aws(region, self.keys)

    def of(self, account: str) -> Aws:
        if account == STRANGER:
            seed.add_standalone(account)
        role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
        made = client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        keys = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        return Aws(self.region, dict(zip(keys, (made[name] for name in names), strict=True)))


@dataclass(frozen=True)
class Case:
    """With the rule on, *do* has the outcome *want*; with it off, another."""

    rule: str
    name: str
    do: Callable[[Aws], Any]
    want: Any

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"


def outcome(do: Callable[[Aws], Any], aws: Aws) -> Any:
    """The result of *do*, or its error code."""
    try:
        return do(aws)
    except ClientError as error:
        return error.response["Error"]["Code"]


def check(case: Case) -> None:
    """Assert the outcome with the rule on, and another with it off."""
    with open_sandbox(None):
        assert outcome(case.do, Aws()) == case.want
    with open_sandbox(None, without=[case.rule]):
        assert outcome(case.do, Aws()) != case.want


def service(name: str, action: str, resource: str, sid: str = "", **equals: str) -> dict[str, Any]:
    """An Allow statement for a service principal."""
    made = {"Effect": "Allow", "Principal": {"Service": f"{name}.amazonaws.com"}, "Action": action}
    made |= {"Resource": resource, **({"Sid": sid} if sid else {})}
    return made | (
        {"Condition": {"StringEquals": {k.replace("__", ":"): v for k, v in equals.items()}}}
        if equals
        else {}
    )


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def tls_only(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def trail_statements(
    bucket: str,
    trail: str = "trl",
    *,
    prefix: str = "",
    organization: bool = False,
    region: str = "us-east-1",
) -> list[dict[str, Any]]:
    """The statements of aws.md 12.2, with 12.1."""
    arn = f"arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/{trail}"
    where = f"arn:aws:s3:::{bucket}"
    owners = [ACCOUNT, ORGANIZATION] if organization else [ACCOUNT]
    made = [service("cloudtrail", "s3:GetBucketAcl", where, "Acl", aws__SourceArn=arn)]
    for number, owner in enumerate(owners):
        objects = f"{where}/{prefix}AWSLogs/{owner}/*"
        writes = {"aws__SourceArn": arn, "s3__x-amz-acl": "bucket-owner-full-control"}
        made.append(service("cloudtrail", "s3:PutObject", objects, f"Write{number}", **writes))
    return [*made, tls_only(bucket)]


def config_statements(bucket: str, account: str = ACCOUNT, prefix: str = "") -> list[dict[str, Any]]:
    """The statements of aws.md 12.3."""
    where, own = f"arn:aws:s3:::{bucket}", {"AWS__SourceAccount": account}
    objects = f"{where}/{prefix}AWSLogs/{account}/Config/*"
    acl = {"s3__x-amz-acl": "bucket-owner-full-control"}
    return [
        service("config", "s3:GetBucketAcl", where, "Acl", **own),
        service("config", "s3:ListBucket", where, "List", **own),
        service("config", "s3:PutObject", objects, "Write", **own, **acl),
    ]


def make_bucket(aws: Aws, *statements: Mapping[str, Any], name: str = "bkt") -> None:
    aws.s3.create_bucket(Bucket=name)
    if statements:
        aws.s3.put_bucket_policy(Bucket=name, Policy=policy(*statements))


def make_trail(aws: Aws, **fields: Any) -> str:
    """Create a trail `trl` that can deliver, and return its ARN."""
    make_bucket(aws, *trail_statements("bkt"))
    arn: str = aws.cloudtrail.create_trail(Name="trl", S3BucketName="bkt", **fields)["TrailARN"]
    return arn


def make_linked_role(aws: Aws) -> None:
    aws.iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")


def make_recorder(aws: Aws, role: str = LINKED_ROLE, **fields: Any) -> None:
    aws.config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": role, **fields}
    )


def make_channel(aws: Aws, *statements: Mapping[str, Any], **fields: Any) -> None:
    """Create a recorder that can deliver, and its channel."""
    make_linked_role(aws)
    make_bucket(aws, *(statements or config_statements("bkt")))
    make_recorder(aws)
    aws.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "bkt", **fields})


def trust(principal: str = "config.amazonaws.com") -> str:
    return policy({"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"})


def make_role(aws: Aws, name: str = "r", principal: str = "config.amazonaws.com", *statements: Any) -> str:
    arn: str = aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(principal))["Role"]["Arn"]
    if statements:
        aws.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
    return arn


def managed_rule(name: str = "r", identifier: str = "ENCRYPTED_VOLUMES", **fields: Any) -> dict[str, Any]:
    return {"ConfigRuleName": name, "Source": {"Owner": "AWS", "SourceIdentifier": identifier}, **fields}
