"""Tests of enabled Regions per account, and of the errors of service control policies."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox.world import World

from .cases import ACCOUNT, MEMBER, ORGANIZATION, OTHER_MEMBER, STRANGER, Aws, Case, check, outcome

OPTED = "me-south-1"


def region_state(aws: Aws, region: str) -> tuple[str, bool, str, bool, str]:
    """The state of the Region from account and ec2, whether each lists it as enabled, and the outcome of a call in it."""
    listed = {one["RegionName"]: one["RegionOptStatus"] for one in aws.account.list_regions()["Regions"]}
    shown = aws.account.get_region_opt_status(RegionName=region)["RegionOptStatus"]
    assert listed[region] == shown
    every = {one["RegionName"]: one["OptInStatus"] for one in described(aws, AllRegions=True)}
    named = region in [one["RegionName"] for one in described(aws)]
    called = outcome(lambda a: a.at(region).config.describe_config_rules() and "OK", aws)
    return shown, shown.startswith("ENABLED"), every[region], named, called


def described(aws: Aws, **params: Any) -> list[Any]:
    found: list[Any] = aws.ec2.describe_regions(**params)["Regions"]
    return found


DEFAULT = ("ENABLED_BY_DEFAULT", True, "opt-in-not-required", True, "OK")
ENABLED = ("ENABLED", True, "opted-in", True, "OK")
DISABLED = ("DISABLED", False, "not-opted-in", False, "UnrecognizedClientException")


def test_account_and_ec2_agree_about_regions(aws: Aws, world: World) -> None:
    member, other = aws.of(MEMBER), aws.of(OTHER_MEMBER)
    assert [region_state(who, "eu-west-1") for who in (aws, member)] == [DEFAULT, DEFAULT]
    assert [region_state(who, OPTED) for who in (aws, member)] == [DISABLED, DISABLED]
    world.enable(OPTED, MEMBER)
    world.disable("eu-west-1", OTHER_MEMBER)
    assert [region_state(who, OPTED) for who in (aws, member, other)] == [DISABLED, ENABLED, DISABLED]
    assert [region_state(who, "eu-west-1") for who in (aws, member, other)] == [DEFAULT, DEFAULT, DISABLED]
    world.enable(OPTED)
    world.disable("eu-west-1")
    assert [region_state(who, OPTED) for who in (aws, other)] == [ENABLED, ENABLED]
    assert [region_state(who, "eu-west-1") for who in (aws, member)] == [DISABLED, DISABLED]
    world.disabled.add("us-west-2")
    assert region_state(member, "us-west-2") == DISABLED


def test_account_opts_in_and_out(aws: Aws) -> None:
    """The rule "account.opt_in", as the aws command enables a Region."""
    aws.account.enable_region(RegionName=OPTED)
    assert region_state(aws, OPTED) == ENABLED
    assert region_state(aws.of(MEMBER), OPTED) == DISABLED
    aws.account.disable_region(RegionName=OPTED)
    assert region_state(aws, OPTED) == DISABLED
    for name in ("us-east-1", "nowhere-1"):
        assert outcome(lambda a, n=name: a.account.disable_region(RegionName=n), aws) == "ValidationException"


def test_regions_of_members_need_trusted_access(aws: Aws, world: World) -> None:
    world.enable(OPTED, MEMBER)

    def ask(caller: Aws, account: str = MEMBER) -> Any:
        got = caller.account.get_region_opt_status(RegionName=OPTED, AccountId=account)
        return got["RegionOptStatus"]

    assert outcome(ask, aws) == "AccessDeniedException"
    principal = {"ServicePrincipal": "account.amazonaws.com"}
    aws.organizations.enable_aws_service_access(**principal)
    assert ask(aws) == "ENABLED"
    assert ask(aws, OTHER_MEMBER) == "DISABLED"
    for account in (ACCOUNT, STRANGER):
        assert outcome(lambda a, n=account: ask(a, n), aws) == "AccessDeniedException"
    assert outcome(ask, aws.of(OTHER_MEMBER)) == "AccessDeniedException"
    aws.organizations.register_delegated_administrator(AccountId=OTHER_MEMBER, **principal)
    assert ask(aws.of(OTHER_MEMBER)) == "ENABLED"


SCP = f"arn:aws:organizations::{ACCOUNT}:policy/{ORGANIZATION}/service_control_policy/p-regions1"
WHO = f"User: arn:aws:sts::{MEMBER}:assumed-role/OrganizationAccountAccessRole/test is not authorized to perform:"
WHY = f"with an explicit deny in a service control policy: {SCP}"
ROLE = f"arn:aws:iam::{MEMBER}:role/r"


@pytest.mark.parametrize(
    ("service", "call", "params", "code", "says"),
    [
        (
            *("config", "describe_config_rules", {}),
            *("AccessDeniedException", f"{WHO} config:DescribeConfigRules on resource: * {WHY}"),
        ),
        (
            *("iam", "get_role", {"RoleName": "r"}),
            *("AccessDenied", f"{WHO} iam:GetRole on resource: {ROLE} {WHY}"),
        ),
        (
            *("s3", "get_bucket_encryption", {"Bucket": "bkt"}),
            "AccessDenied",
            f'{WHO} s3:GetEncryptionConfiguration on resource: "arn:aws:s3:::bkt" {WHY}',
        ),
        (
            *("ec2", "describe_regions", {}),
            *("UnauthorizedOperation", f"{WHO} ec2:DescribeRegions on resource: * {WHY}"),
        ),
    ],
)
def test_error_of_a_service_control_policy(
    aws: Aws, world: World, service: str, call: str, params: Any, code: str, says: str
) -> None:
    lift = world.deny(service, "*", region="us-east-1", scp="p-regions1")
    with pytest.raises(ClientError) as caught:
        getattr(getattr(aws.of(MEMBER), service), call)(**params)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, says)
    got = outcome(lambda a: getattr(getattr(a, service), call)(**params) and None, aws)
    assert got in (None, "NoSuchEntity", "NoSuchBucket"), "the management account is above it"
    stranger = outcome(lambda a: getattr(getattr(a, service), call)(**params) and None, aws.of(STRANGER))
    assert stranger in (None, "NoSuchEntity", "NoSuchBucket"), "other organizations have their own"
    lift()
    assert outcome(lambda a: a.of(MEMBER).config.describe_config_rules() and "OK", aws) == "OK"


def test_denial_in_a_member(aws: Aws, world: World) -> None:
    world.deny("config", "*", account=MEMBER)
    with pytest.raises(ClientError, match="because no identity-based policy allows the action") as caught:
        aws.of(MEMBER).config.describe_config_rules()
    assert caught.value.response["Error"]["Message"].startswith(WHO)
    assert aws.config.describe_config_rules()


CASES = [
    Case(
        "account.opt_in",
        "not opted in",
        lambda aws: aws.at(OPTED).config.describe_config_rules()["ConfigRules"],
        "UnrecognizedClientException",
    )
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)
