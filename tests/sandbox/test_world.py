"""Tests of a world: recorded calls, faults, denials, stale reads, propagation and pages."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.world import World

from .cases import (
    ACCOUNT,
    MEMBER,
    Aws,
    config_statements,
    make_bucket,
    make_channel,
    make_recorder,
    make_role,
    make_trail,
    managed_rule,
    outcome,
    policy,
    session,
    trail_statements,
)


def patient(service: str, attempts: int = 4) -> Any:
    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    return session().client(service, region_name="us-east-1", config=Config(retries=retries))


def test_calls_are_recorded(aws: Aws, world: World) -> None:
    aws.at("eu-west-1").cloudtrail.describe_trails(trailNameList=["trl"])
    outcome(lambda a: a.s3.head_bucket(Bucket="bkt"), aws)
    make_bucket(aws)
    first, second, third = world.calls
    assert first == WireCall(ACCOUNT, "eu-west-1", "cloudtrail", "DescribeTrails", {"trailNameList": ["trl"]})
    assert (second.service, second.operation, second.code) == ("s3", "HeadBucket", "404")
    assert third.params["Bucket"] == "bkt"
    assert world.writes == [third]


def test_calls_have_account_and_caller(aws: Aws, world: World) -> None:
    aws.of(MEMBER).iam.list_roles()
    role = f"arn:aws:sts::{MEMBER}:assumed-role/OrganizationAccountAccessRole/test"
    assert [(call.account, call.operation, call.caller) for call in world.calls] == [
        (ACCOUNT, "AssumeRole", f"arn:aws:iam::{ACCOUNT}:user/sandbox"),
        (MEMBER, "ListRoles", role),
    ]
    assert world.writes == []


def test_unknown_operations_are_refused_and_recorded(aws: Aws, world: World) -> None:
    for service, call, params in (
        ("auditmanager", "list_assessments", {}),
        ("guardduty", "list_threat_intel_sets", {"DetectorId": "x"}),
        ("config", "list_stored_queries", {}),
    ):
        with pytest.raises(ClientError, match="SandboxNotImplemented"):
            getattr(getattr(aws, service), call)(**params)
    assert len(world.calls) == 3


def test_botocore_retries_a_throttle(world: World) -> None:
    left = [Fault("ThrottlingException"), Fault("ThrottlingException")]
    world.interrupt(lambda call, phase: left.pop() if left and phase == "before" else None)
    answer = patient("cloudtrail").describe_trails()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert [call.code for call in world.calls] == ["ThrottlingException", "ThrottlingException", None]


@pytest.mark.parametrize(
    ("service", "call", "params"),
    [
        ("s3", "list_buckets", {}),
        ("iam", "list_roles", {}),
        ("sts", "get_caller_identity", {}),
        ("config", "describe_delivery_channels", {}),
        ("organizations", "list_roots", {}),
        ("account", "list_regions", {}),
        ("ec2", "describe_regions", {}),
    ],
)
def test_fault_in_each_protocol(aws: Aws, world: World, service: str, call: str, params: Any) -> None:
    world.interrupt(
        lambda _, phase: Fault("Nonsense", 418, "a <teapot> & more") if phase == "before" else None
    )
    with pytest.raises(ClientError) as caught:
        getattr(getattr(aws, service), call)(**params)
    assert caught.value.response["Error"]["Code"] == "Nonsense"
    assert caught.value.response["Error"]["Message"] == "a <teapot> & more"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 418


def lose(world: World, operation: str, phase: str, error: type[OSError]) -> None:
    """The first call of *operation* fails with *error* in that phase."""
    done: list[WireCall] = []

    def interrupt(call: WireCall, when: str) -> None:
        if call.operation == operation and when == phase and not done:
            done.append(call)
            raise error

    world.interrupt(interrupt)


def test_a_reset_before_a_write_leaves_nothing(aws: Aws, world: World) -> None:
    lose(world, "CreateRole", "before", ConnectionError)
    with pytest.raises(ConnectionClosedError):
        make_role(aws)
    assert aws.iam.list_roles()["Roles"] == []
    assert world.writes[0].code == "ConnectionError"


def test_a_timeout_after_a_write_leaves_what_was_written(aws: Aws, world: World) -> None:
    lose(world, "CreateRole", "after", TimeoutError)
    with pytest.raises(ReadTimeoutError):
        make_role(aws)
    assert len(aws.iam.list_roles()["Roles"]) == 1
    assert world.writes[0].code is None


def test_retry_after_a_lost_answer(aws: Aws, world: World) -> None:
    make_bucket(aws, *trail_statements("bkt"))
    lose(world, "CreateTrail", "after", ConnectionError)
    with pytest.raises(ClientError, match="TrailAlreadyExistsException"):
        patient("cloudtrail").create_trail(Name="trl", S3BucketName="bkt")


@pytest.mark.parametrize(
    ("service", "call", "params", "code"),
    [
        ("s3", "get_bucket_versioning", {"Bucket": "bkt"}, "AccessDenied"),
        ("s3", "head_bucket", {"Bucket": "bkt"}, "403"),
        ("iam", "list_roles", {}, "AccessDenied"),
        ("cloudtrail", "describe_trails", {}, "AccessDeniedException"),
        ("config", "describe_config_rules", {}, "AccessDeniedException"),
        ("organizations", "list_accounts", {}, "AccessDeniedException"),
        ("account", "list_regions", {}, "AccessDeniedException"),
        ("ec2", "describe_regions", {}, "UnauthorizedOperation"),
    ],
)
def test_denial_error_of_each_service(
    aws: Aws, world: World, service: str, call: str, params: Any, code: str
) -> None:
    make_bucket(aws)

    def do(_: Aws) -> Any:
        return getattr(getattr(aws, service), call)(**params) and "OK"

    lift = world.deny(service, "*", region="us-east-1")
    assert outcome(do, aws) == code
    lift()
    world.deny(service, "*", region="eu-west-1")
    world.deny(service, "*", account=MEMBER)
    world.deny(service, "Nonsense")
    assert outcome(do, aws) == "OK"


def test_stale_reads(aws: Aws, world: World) -> None:
    world.stale_reads = 2
    make_bucket(aws)

    def head(_: Aws) -> Any:
        return aws.s3.head_bucket(Bucket="bkt") and "OK"

    assert [outcome(head, aws) for _ in range(3)] == ["404", "404", "OK"]
    aws.s3.put_bucket_versioning(Bucket="bkt", VersioningConfiguration={"Status": "Enabled"})
    read = aws.s3.get_bucket_versioning
    assert [read(Bucket="bkt").get("Status") for _ in range(3)] == [None, None, "Enabled"]
    assert aws.iam.list_roles()["Roles"] == []


def attempts(do: Any, aws: Aws) -> list[Any]:
    """The outcomes until the call succeeds."""
    seen = []
    while (got := outcome(lambda _: do() and None, aws)) is not None:
        seen.append(got)
        assert len(seen) < 9
    return seen


def test_propagation(aws: Aws, world: World) -> None:
    """The rule "propagation.fresh"."""
    world.propagation = 2
    aws.s3.create_bucket(Bucket="bkt")
    first = policy(*trail_statements("bkt"))
    assert attempts(lambda: aws.s3.put_bucket_policy(Bucket="bkt", Policy=first), aws) == ["NoSuchBucket"] * 2
    trail = {"Name": "trl", "S3BucketName": "bkt"}
    assert attempts(lambda: aws.cloudtrail.create_trail(**trail), aws) == [
        *["S3BucketDoesNotExistException"] * 2,
        *["InsufficientS3BucketPolicyException"] * 2,
    ]
    assert attempts(lambda: aws.cloudtrail.start_logging(Name="trl"), aws) == ["TrailNotFoundException"] * 2
    aws.s3.put_bucket_policy(Bucket="bkt", Policy=policy(*trail_statements("bkt"), *config_statements("bkt")))
    update = {"Name": "trl", "S3BucketName": "bkt"}
    assert (
        attempts(lambda: aws.cloudtrail.update_trail(**update), aws)
        == ["InsufficientS3BucketPolicyException"] * 2
    )
    aws.iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
    make_recorder(aws)
    channel = {"name": "default", "s3BucketName": "bkt"}
    put = aws.config.put_delivery_channel
    assert attempts(lambda: put(DeliveryChannel=channel), aws) == ["InsufficientDeliveryPolicyException"] * 2
    start = aws.config.start_configuration_recorder
    seen = attempts(lambda: start(ConfigurationRecorderName="default"), aws)
    assert seen == ["NoAvailableDeliveryChannelException"] * 2
    role = make_role(aws)
    allow = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "s3:ListBucket"}
    text = policy({**allow, "Resource": "arn:aws:s3:::bkt"})
    seen = attempts(lambda: aws.s3.put_bucket_policy(Bucket="bkt", Policy=text), aws)
    assert seen == ["MalformedPolicy"] * 2


def test_new_role_is_not_found_by_cloudtrail(aws: Aws, world: World) -> None:
    make_trail(aws)
    aws.logs.create_log_group(logGroupName="g")
    world.propagation = 1
    may = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    role = make_role(aws, "logs", "cloudtrail.amazonaws.com", may)
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g:*"
    fields = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
    seen = attempts(lambda: aws.cloudtrail.update_trail(Name="trl", **fields), aws)
    assert seen == ["InvalidCloudWatchLogsRoleArnException"]


def test_lists_come_in_small_pages(aws: Aws, world: World) -> None:
    """The rules "organizations.pages" and "paging.small_pages"."""
    make_channel(aws)
    for number in range(3):
        aws.config.put_config_rule(ConfigRule=managed_rule(f"r{number}"))
    for number in range(3):
        aws.logs.create_log_group(logGroupName=f"g{number}")
    world.page_size = 2
    for service, operation, key, sizes in (
        ("organizations", "list_accounts", "Accounts", [0, 2, 2]),
        ("organizations", "list_roots", "Roots", [0, 1]),
        ("config", "describe_config_rules", "ConfigRules", [2, 1]),
        ("config", "describe_compliance_by_config_rule", "ComplianceByConfigRules", [2, 1]),
        ("logs", "describe_log_groups", "logGroups", [2, 1]),
    ):
        pages = getattr(aws, service).get_paginator(operation).paginate()
        assert [len(page[key]) for page in pages] == sizes


def test_threads(aws: Aws, world: World) -> None:
    clients = [session().client("s3", region_name="us-east-1") for _ in range(4)]

    def work(number: int) -> None:
        for step in range(10):
            clients[number].create_bucket(Bucket=f"bkt-{number}-{step}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(aws.s3.list_buckets()["Buckets"]) == 40
    assert len(world.writes) == 40
