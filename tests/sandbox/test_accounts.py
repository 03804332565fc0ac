"""Tests of the rules for IAM, STS, Organizations, KMS and Regions, each with the rule on and off."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox import all_rules
from provisioner.sandbox.world import World

from .cases import (
    ACCOUNT,
    CLOSED,
    MEMBER,
    STRANGER,
    Aws,
    Case,
    check,
    make_linked_role,
    make_role,
    outcome,
    policy,
    trust,
)

CONFIG_ROLE = "service-role/AWS_ConfigRole"
SECURITY = {"ServicePrincipal": "malware-protection.guardduty.amazonaws.com"}


def linked(*services: str) -> Any:
    def do(aws: Aws) -> Any:
        names = [
            aws.iam.create_service_linked_role(AWSServiceName=f"{one}.amazonaws.com")["Role"]["RoleName"]
            for one in services
        ]
        return names[-1]

    return do


def on_linked(call: str, **params: Any) -> Any:
    def do(aws: Aws) -> Any:
        make_linked_role(aws)
        getattr(aws.iam, call)(RoleName="AWSServiceRoleForConfig", **params)

    return do


def role(document: str) -> Any:
    return lambda aws: aws.iam.create_role(RoleName="r", AssumeRolePolicyDocument=document) and None


def attach(region: str, partition: str) -> Any:
    def do(aws: Aws) -> Any:
        iam = aws.at(region).iam
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
        iam.attach_role_policy(RoleName="r", PolicyArn=f"arn:{partition}:iam::aws:policy/{CONFIG_ROLE}")
        return [
            one["PolicyName"] for one in iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
        ]

    return do


def password_policy(**fields: Any) -> Any:
    def do(aws: Aws) -> Any:
        aws.iam.update_account_password_policy(**fields)
        shown = aws.iam.get_account_password_policy()["PasswordPolicy"]
        return shown.get("MaxPasswordAge"), shown["ExpirePasswords"]

    return do


def zero_age(aws: Aws) -> Any:
    """Set an age of 0, which botocore's own validation would refuse."""
    from botocore.config import Config

    from .cases import session

    iam = session().client("iam", region_name="us-east-1", config=Config(parameter_validation=False))
    iam.update_account_password_policy(MaxPasswordAge=0)


def assume(account: str) -> Any:
    arn = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    return lambda aws: aws.sts.assume_role(RoleArn=arn, RoleSessionName="test") and None


def enabled(aws: Aws) -> Any:
    for _ in range(2):
        aws.organizations.enable_aws_service_access(**SECURITY)
    found = aws.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    return [one["ServicePrincipal"] for one in found]


def administers(account: str, principal: str = "securityhub.amazonaws.com") -> Any:
    def do(aws: Aws) -> Any:
        aws.organizations.register_delegated_administrator(AccountId=account, ServicePrincipal=principal)
        found = aws.organizations.list_delegated_administrators(ServicePrincipal=principal)
        return [one["Id"] for one in found["DelegatedAdministrators"]]

    return do


def pages(aws: Aws) -> Any:
    for number in range(30):
        aws.organizations.create_account(Email=f"a{number}@example.com", AccountName="n")
    found = aws.organizations.get_paginator("list_accounts").paginate()
    return [len(page["Accounts"]) for page in found]


def key_policy(aws: Aws) -> Any:
    made = aws.kms.create_key()["KeyMetadata"]["KeyId"]
    return "kms:*" in aws.kms.get_key_policy(KeyId=made)["Policy"]


def public_keys(aws: Aws) -> Any:
    def public_key(**params: str) -> bool:
        made = aws.kms.create_key(**params)["KeyMetadata"]["KeyId"]
        return bool(aws.kms.get_public_key(KeyId=made)["PublicKey"])

    pair = public_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    return [pair, outcome(lambda _: public_key(), aws)]


def regions(aws: Aws) -> Any:
    found = aws.account.list_regions(RegionOptStatusContains=["ENABLED_BY_DEFAULT"], MaxResults=50)["Regions"]
    return len(found), "us-east-1" in [one["RegionName"] for one in found]


_LOCKOUT = policy({"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": "kms:*", "Resource": "*"})
_NOBODY = policy(
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/none"}, "Action": "sts:AssumeRole"}
)
_MALFORMED = "MalformedPolicyDocument"

CASES = [
    Case("iam.linked_role_names", "config", linked("config"), "AWSServiceRoleForConfig"),
    Case("iam.linked_role_names", "conforms", linked("config-conforms"), "AWSServiceRoleForConfigConforms"),
    Case("iam.linked_role_exists", "again", linked("config", "config"), "InvalidInput"),
    Case("iam.linked_role_services", "bogus", linked("bogus"), "InvalidInput"),
    Case("iam.linked_role_unmodifiable", "delete", on_linked("delete_role"), "UnmodifiableEntity"),
    Case(
        "iam.linked_role_unmodifiable",
        "trust",
        on_linked("update_assume_role_policy", PolicyDocument=trust()),
        "UnmodifiableEntity",
    ),
    Case("iam.trust_policies", "empty", role("{}"), _MALFORMED),
    Case("iam.trust_policies", "no such principal", role(_NOBODY), _MALFORMED),
    Case("iam.managed_policies", "aws", attach("us-east-1", "aws"), ["AWS_ConfigRole"]),
    Case("iam.managed_policies", "aws-us-gov", attach("us-gov-west-1", "aws-us-gov"), ["AWS_ConfigRole"]),
    Case("iam.managed_policies", "aws-cn", attach("cn-north-1", "aws-cn"), ["AWS_ConfigRole"]),
    Case("iam.password_policy_ranges", "age 0", zero_age, "ValidationError"),
    Case("iam.password_policy_unset", "no age", password_policy(MinimumPasswordLength=14), (None, False)),
    Case("sts.closed_accounts", "closed", assume(CLOSED), "AccessDenied"),
    Case(
        "organizations.not_in_use",
        "a stranger",
        lambda aws: aws.of(STRANGER).organizations.list_accounts(),
        "AWSOrganizationsNotInUseException",
    ),
    Case(
        "organizations.management_only",
        "list",
        lambda aws: aws.of(MEMBER).organizations.list_accounts(),
        "AccessDeniedException",
    ),
    Case(
        "organizations.management_only",
        "enable",
        lambda aws: aws.of(MEMBER).organizations.enable_aws_service_access(
            ServicePrincipal="config.amazonaws.com"
        ),
        "AccessDeniedException",
    ),
    Case("organizations.any_service_principal", "twice", enabled, [SECURITY["ServicePrincipal"]]),
    Case("organizations.delegated_services", "a member", administers(MEMBER), [MEMBER]),
    Case("organizations.pages", "34 accounts", pages, [20, 14]),
    Case(
        "kms.key_policies",
        "empty",
        lambda aws: aws.kms.create_key(Policy="{}"),
        "MalformedPolicyDocumentException",
    ),
    Case(
        "kms.key_policies",
        "locked out",
        lambda aws: aws.kms.create_key(Policy=_LOCKOUT),
        "MalformedPolicyDocumentException",
    ),
    Case("kms.default_policy_name", "none", key_policy, True),
    Case("kms.symmetric_keys", "public key", public_keys, [True, "UnsupportedOperationException"]),
    Case("account.list_regions", "enabled", regions, (17, True)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")])
def test_a_role_arn_has_its_partition(aws: Aws, region: str, partition: str) -> None:
    assert make_role(aws.at(region)) == f"arn:{partition}:iam::{ACCOUNT}:role/r"


def test_initial_organization(aws: Aws) -> None:
    shown = aws.organizations.describe_organization()["Organization"]
    assert (shown["FeatureSet"], shown["MasterAccountId"]) == ("ALL", ACCOUNT)
    found = {one["Id"]: one["Status"] for one in aws.organizations.list_accounts()["Accounts"]}
    assert found[CLOSED] == "SUSPENDED"
    assert list(found.values()).count("ACTIVE") == 3
    assert aws.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"] == []
    assert aws.iam.list_account_aliases()["AccountAliases"] == ["sandbox"]
    (parent,) = aws.organizations.list_parents(ChildId=MEMBER)["Parents"]
    assert parent["Type"] == "ORGANIZATIONAL_UNIT"


def test_accounts_are_separate(aws: Aws) -> None:
    make_role(aws.of(MEMBER))
    assert aws.iam.list_roles()["Roles"] != aws.of(MEMBER).iam.list_roles()["Roles"]
    assert aws.of(MEMBER).sts.get_caller_identity()["Account"] == MEMBER


def test_password_policy_is_replaced_as_a_whole(aws: Aws) -> None:
    aws.iam.update_account_password_policy(RequireSymbols=True, MaxPasswordAge=90)
    aws.iam.update_account_password_policy(MinimumPasswordLength=8)
    shown = aws.iam.get_account_password_policy()["PasswordPolicy"]
    assert shown["RequireSymbols"] is False
    assert "MaxPasswordAge" not in shown
    aws.iam.delete_account_password_policy()
    assert outcome(lambda a: a.iam.get_account_password_policy(), aws) == "NoSuchEntity"


def test_a_foreign_partition_has_no_organization(aws: Aws) -> None:
    with pytest.raises(ClientError, match="AWSOrganizationsNotInUseException"):
        aws.at("us-gov-west-1").organizations.describe_organization()


def test_an_account_may_ask_for_its_own_effective_policy(world: World, aws: Aws) -> None:
    """The rule "organizations.effective_policy", not switched off here, because moto has none of it."""
    ask = aws.organizations.describe_effective_policy
    with pytest.raises(ClientError, match="EffectivePolicyNotFoundException"):
        ask(PolicyType="S3_POLICY")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ask(PolicyType="S3_POLICY", TargetId=MEMBER)
    world.memory["effective_policies"] = {ACCOUNT: {"S3_POLICY": "{}"}}
    assert ask(PolicyType="S3_POLICY")["EffectivePolicy"]["PolicyContent"] == "{}"


def test_describe_regions_does_not_use_moto(world: World, aws: Aws) -> None:
    """The rule "account.describe_regions", not switched off here, because moto's own ec2 takes seconds."""
    (opted,) = aws.ec2.describe_regions(RegionNames=["af-south-1"], AllRegions=True)["Regions"]
    assert opted["OptInStatus"] == "not-opted-in"
    assert len(aws.ec2.describe_regions()["Regions"]) == 17
    assert world.calls[-1].operation == "DescribeRegions"


def test_every_rule_has_a_sentence_and_a_row() -> None:
    for rule in all_rules():
        assert rule.sentence.endswith("."), rule
        assert rule.row, rule


def test_every_rule_is_tested() -> None:
    from pathlib import Path

    text = "".join(path.read_text() for path in Path(__file__).parent.parent.rglob("test_*.py"))
    assert [rule.name for rule in all_rules() if f'"{rule.name}"' not in text] == []
