"""Tests of AssumeRole: existing roles, trust policies, session duration and expiration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from provisioner.sandbox.world import World

from .cases import (
    ACCOUNT,
    CLOSED,
    MEMBER,
    ORGANIZATION,
    OTHER_MEMBER,
    STRANGER,
    Aws,
    Case,
    check,
    make_bucket,
    outcome,
    policy,
    session,
)

ACCESS = f"arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
AUDIT = f"arn:aws:iam::{MEMBER}:role/tools/audit"


def keys(answer: Any) -> dict[str, str]:
    made = answer["Credentials"]
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    given = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return dict(zip(given, (made[name] for name in names), strict=True))


def assume(aws: Aws, arn: str = AUDIT, **params: Any) -> Aws:
    return Aws(aws.region, keys(aws.sts.assume_role(RoleArn=arn, RoleSessionName="test", **params)))


def allow(principal: Any, *more: str, **condition: Any) -> dict[str, Any]:
    made = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", *more]}
    return made | ({"Condition": condition} if condition else {})


def audit_role(aws: Aws, *statements: Any, **fields: Any) -> None:
    """Create the role `audit` in a member, with that trust policy."""
    role = {"RoleName": "audit", "Path": "/tools/", "AssumeRolePolicyDocument": policy(*statements)}
    aws.of(MEMBER).iam.create_role(**role, **fields)


def assume_with(*statements: Any, **params: Any) -> Any:
    """`OK`, or the error code, for the default user that assumes a role with that trust policy."""

    def do(aws: Aws) -> Any:
        audit_role(aws, *statements)
        return assume(aws, **params) and "OK"

    return do


def test_the_caller_is_the_assumed_role(aws: Aws) -> None:
    audit_role(aws, allow({"AWS": ROOT}))
    answer = aws.sts.assume_role(RoleArn=AUDIT, RoleSessionName="a.b@c")
    who = Aws(keys=keys(answer)).sts.get_caller_identity()
    arn = f"arn:aws:sts::{MEMBER}:assumed-role/audit/a.b@c"
    assert (who["Account"], who["Arn"]) == (MEMBER, arn)
    assert answer["AssumedRoleUser"] == {"Arn": arn, "AssumedRoleId": who["UserId"]}
    assert who["UserId"].startswith("AROA")
    assert aws.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/sandbox"


def test_caller_is_an_iam_user(aws: Aws) -> None:
    aws.iam.create_user(UserName="ann")
    made = aws.iam.create_access_key(UserName="ann")["AccessKey"]
    ann = Aws(
        keys={"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    )
    assert ann.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ann"
    audit_role(aws, allow({"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}))
    assert outcome(assume, aws) == "AccessDenied"
    assert assume(ann).sts.get_caller_identity()["Account"] == MEMBER


NONE = f"arn:aws:iam::{MEMBER}:role/none"


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (NONE, "AccessDenied"),
        (f"arn:aws:iam::{MEMBER}:role/audit", "AccessDenied"),  # without its path
        (f"arn:aws:iam::{ACCOUNT}:role/none", "AccessDenied"),
        (f"arn:aws:iam::{CLOSED}:role/OrganizationAccountAccessRole", "AccessDenied"),
        (ACCESS.replace("arn:aws:", "arn:aws-cn:"), "AccessDenied"),
        (f"arn:aws:iam::{MEMBER}:user/audit", "ValidationError"),
        (f"arn:aws:iam::{STRANGER}:role/OrganizationAccountAccessRole", "AccessDenied"),
    ],
)
def test_which_roles_can_be_assumed(aws: Aws, arn: str, code: str) -> None:
    audit_role(aws, allow({"AWS": ROOT}))
    assert outcome(lambda a: assume(a, arn) and "OK", aws) == code


def test_refusal_gives_no_reason(aws: Aws) -> None:
    with pytest.raises(ClientError) as caught:
        assume(aws, NONE)
    assert caught.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to perform: sts:AssumeRole on resource:"
        f" {NONE}"
    )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


EXTERNAL = {"StringEquals": {"sts:ExternalId": "secret"}}
TAGS = [{"Key": "team", "Value": "sec"}]
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"


@pytest.mark.parametrize(
    ("statements", "params", "want"),
    [
        ([allow({"AWS": ROOT})], {}, "OK"),
        ([allow({"AWS": ACCOUNT})], {}, "OK"),
        ([allow({"AWS": "*"})], {}, "OK"),
        ([allow({"AWS": f"arn:aws:iam::{OTHER_MEMBER}:root"})], {}, "AccessDenied"),
        ([allow({"Service": "config.amazonaws.com"})], {}, "AccessDenied"),
        ([allow({"AWS": ROOT}), {**allow({"AWS": ROOT}), "Effect": "Deny"}], {}, "AccessDenied"),
        ([allow({"AWS": ROOT}, **EXTERNAL)], {}, "AccessDenied"),
        ([allow({"AWS": ROOT}, **EXTERNAL)], {"ExternalId": "other"}, "AccessDenied"),
        ([allow({"AWS": ROOT}, **EXTERNAL)], {"ExternalId": "secret"}, "OK"),
        ([allow({"AWS": "*"}, StringEquals={"aws:PrincipalOrgID": ORGANIZATION})], {}, "OK"),
        ([allow({"AWS": "*"}, StringEquals={"aws:PrincipalOrgID": "o-other12345"})], {}, "AccessDenied"),
        ([allow({"AWS": "*"}, StringLike={"aws:PrincipalOrgPaths": f"{ORGANIZATION}/r-sand/*"})], {}, "OK"),
        ([allow({"AWS": "*"}, ArnEquals={"aws:PrincipalArn": OTHER_ROLE})], {}, "AccessDenied"),
        ([allow({"AWS": ROOT}, Bool={"aws:MultiFactorAuthPresent": "true"})], {}, "AccessDenied"),
        ([allow({"AWS": ROOT}, StringLike={"sts:RoleSessionName": "t*"})], {}, "OK"),
        ([allow({"AWS": ROOT})], {"Tags": TAGS}, "AccessDenied"),
        ([allow({"AWS": ROOT}, "sts:TagSession")], {"Tags": TAGS}, "OK"),
        (
            [
                allow(
                    {"AWS": ROOT},
                    "sts:TagSession",
                    **{"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}},
                )
            ],
            {"Tags": [*TAGS, {"Key": "stage", "Value": "x"}]},
            "AccessDenied",
        ),
        (
            [allow({"AWS": ROOT}, "sts:TagSession", StringEquals={"aws:RequestTag/team": "sec"})],
            {"Tags": TAGS},
            "OK",
        ),
        ([allow({"AWS": ROOT})], {"SourceIdentity": "ann"}, "AccessDenied"),
        ([allow({"AWS": ROOT}, "sts:SetSourceIdentity")], {"SourceIdentity": "ann"}, "OK"),
    ],
)
def test_trust_policies(aws: Aws, statements: Any, params: Any, want: str) -> None:
    assert outcome(assume_with(*statements, **params), aws) == want


def test_a_role_can_be_trusted_by_its_arn_or_its_sessions(aws: Aws) -> None:
    aws.iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=policy(allow({"AWS": ROOT})))
    audit_role(aws, allow({"AWS": OTHER_ROLE}))
    assert outcome(assume, aws) == "AccessDenied"
    deployer = assume(aws, OTHER_ROLE)
    assert assume(deployer).sts.get_caller_identity()["Account"] == MEMBER
    name = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/test"
    aws.of(MEMBER).iam.update_assume_role_policy(
        RoleName="audit", PolicyDocument=policy(allow({"AWS": name}))
    )
    assert assume(deployer).sts.get_caller_identity()["Account"] == MEMBER


def test_session_tags_are_principal_tags(aws: Aws) -> None:
    aws.iam.create_role(
        RoleName="deployer", AssumeRolePolicyDocument=policy(allow({"AWS": ROOT}, "sts:TagSession"))
    )
    audit_role(aws, allow({"AWS": OTHER_ROLE}, StringEquals={"aws:PrincipalTag/team": "sec"}))
    assert outcome(lambda a: assume(assume(a, OTHER_ROLE)), aws) == "AccessDenied"
    assert assume(assume(aws, OTHER_ROLE, Tags=TAGS)).sts.get_caller_identity()["Account"] == MEMBER


@pytest.mark.parametrize(
    ("seconds", "longest", "chained", "says"),
    [
        (43201, 43200, False, "less than or equal to 43200"),
        (900, 3600, False, ""),
        (3601, 3600, False, "exceeds the MaxSessionDuration set for this role."),
        (43200, 43200, False, ""),
        (3600, 43200, True, ""),
        (3601, 43200, True, "exceeds the 1 hour session limit for roles assumed by role chaining."),
    ],
)
def test_session_duration(aws: Aws, seconds: int, longest: int, chained: bool, says: str) -> None:
    audit_role(aws, allow({"AWS": [ROOT, OTHER_MEMBER]}), MaxSessionDuration=longest)
    caller = aws.of(OTHER_MEMBER) if chained else aws
    if not says:
        assert assume(caller, DurationSeconds=seconds).sts.get_caller_identity()
        return
    with pytest.raises(ClientError, match="ValidationError") as caught:
        assume(caller, DurationSeconds=seconds)
    assert says in caught.value.response["Error"]["Message"]


def test_too_short_a_session_without_botocores_validation(aws: Aws) -> None:
    plain = Config(parameter_validation=False)
    sts = session().client("sts", region_name="us-east-1", config=plain)
    with pytest.raises(ClientError, match="greater than or equal to 900"):
        sts.assume_role(RoleArn=ACCESS, RoleSessionName="test", DurationSeconds=899)


EACH = [
    ("config", "describe_config_rules", {}, "ExpiredTokenException", 400),
    ("organizations", "describe_organization", {}, "ExpiredTokenException", 400),
    ("account", "list_regions", {}, "ExpiredTokenException", 403),
    ("iam", "list_roles", {}, "ExpiredToken", 403),
    ("sts", "get_caller_identity", {}, "ExpiredToken", 403),
    ("s3", "list_buckets", {}, "ExpiredToken", 400),
    ("ec2", "describe_regions", {}, "RequestExpired", 400),
]


@pytest.mark.parametrize(("service", "call", "params", "code", "status"), EACH, ids=[one[0] for one in EACH])
def test_expiration_error_of_each_protocol(
    aws: Aws, world: World, service: str, call: str, params: Any, code: str, status: int
) -> None:
    member = aws.of(MEMBER)
    getattr(getattr(member, service), call)(**params)
    world.later(3600)
    with pytest.raises(ClientError) as caught:
        getattr(getattr(member, service), call)(**params)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert getattr(getattr(aws, service), call)(**params), "the user's own do not end"


def ended(caller: Aws) -> bool:
    return bool(outcome(lambda a: a.sts.get_caller_identity() and None, caller) == "ExpiredToken")


def test_shorter_lifetime_is_in_the_answer(aws: Aws, world: World) -> None:
    world.clock = lambda: 1_800_000_000.0
    world.credentials_lifetime = 300
    answer = aws.sts.assume_role(RoleArn=ACCESS, RoleSessionName="test")
    assert answer["Credentials"]["Expiration"].timestamp() == 1_800_000_300
    member = Aws(keys=keys(answer))
    world.later(299)
    assert not ended(member)
    world.later(1)
    assert ended(member)
    assert not ended(aws.of(MEMBER)), "assumed again, they are good again"


def test_each_session_expires_on_its_own(aws: Aws, world: World) -> None:
    world.credentials_calls = 2
    first, second = aws.of(MEMBER), aws.of(MEMBER)
    assert [ended(first) for _ in range(4)] == [False, False, True, True]
    assert not ended(second)
    world.credentials_calls = 0
    world.expire(OTHER_MEMBER)
    assert not ended(second)
    world.expire(MEMBER)
    assert ended(second)
    other = aws.of(OTHER_MEMBER)
    world.expire()
    assert ended(other)


def test_unknown_access_key_is_refused(aws: Aws, world: World) -> None:
    """The rule "sts.unknown_keys": without it, a session of an earlier sandbox would be the management account."""
    member = aws.of(MEMBER)
    stolen = Aws(keys={**member.keys, "aws_session_token": "other"})
    assert outcome(lambda a: a.sts.get_caller_identity(), stolen) == "InvalidClientTokenId"
    world.reset()
    assert outcome(lambda a: a.sts.get_caller_identity(), member) == "InvalidClientTokenId"
    assert outcome(lambda a: a.config.describe_config_rules(), member) == "UnrecognizedClientException"


def test_sessions_are_known_in_stale_reads(aws: Aws, world: World) -> None:
    world.stale_reads = 1
    make_bucket(aws)
    member = aws.of(MEMBER)
    role = member.iam.create_role(RoleName="r", AssumeRolePolicyDocument=policy(allow({"AWS": ROOT})))["Role"]
    assert role["Arn"] == f"arn:aws:iam::{MEMBER}:role/r"
    assert [one["RoleName"] for one in member.iam.list_roles()["Roles"]] == ["OrganizationAccountAccessRole"]
    assert member.sts.get_caller_identity()["Account"] == MEMBER


def test_new_role_cannot_be_assumed_at_once(aws: Aws, world: World) -> None:
    member = aws.of(MEMBER)
    world.propagation = 2
    member.iam.create_role(RoleName="audit", AssumeRolePolicyDocument=policy(allow({"AWS": ROOT})))
    arn = f"arn:aws:iam::{MEMBER}:role/audit"
    got = [outcome(lambda a: assume(a, arn) and "OK", aws) for _ in range(3)]
    assert got == ["AccessDenied", "AccessDenied", "OK"]


def test_event_history_has_the_session(aws: Aws) -> None:
    member = aws.of(MEMBER)
    member.iam.create_role(RoleName="r", AssumeRolePolicyDocument=policy(allow({"AWS": ROOT})))
    (event,) = member.cloudtrail.lookup_events()["Events"]
    who = json.loads(event["CloudTrailEvent"])["userIdentity"]
    arn = f"arn:aws:sts::{MEMBER}:assumed-role/OrganizationAccountAccessRole/test"
    assert (event["Username"], who["type"], who["arn"]) == ("test", "AssumedRole", arn)
    assert who["sessionContext"]["sessionIssuer"]["arn"] == ACCESS


CASES = [
    Case("sts.roles_exist", "none", lambda aws: assume(aws, NONE) and None, "AccessDenied"),
    Case(
        "sts.trust_policies",
        "another account",
        assume_with(allow({"AWS": f"arn:aws:iam::{OTHER_MEMBER}:root"})),
        "AccessDenied",
    ),
    Case(
        "sts.durations", "two hours", lambda aws: assume(aws, ACCESS, DurationSeconds=7200), "ValidationError"
    ),
    Case(
        "sts.requests",
        "a blank",
        lambda aws: aws.sts.assume_role(RoleArn=ACCESS, RoleSessionName="a b") and None,
        "ValidationError",
    ),
    Case(
        "sts.caller_identity",
        "the user",
        lambda aws: aws.sts.get_caller_identity()["Arn"],
        f"arn:aws:iam::{ACCOUNT}:user/sandbox",
    ),
    Case(
        "sts.sessions",
        "the session",
        lambda aws: aws.of(MEMBER).sts.get_caller_identity()["Arn"],
        f"arn:aws:sts::{MEMBER}:assumed-role/OrganizationAccountAccessRole/test",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)
