"""Tests of the permissions that requests need, against AWS's Service Authorization Reference."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.sandbox import WireCall
from provisioner.sandbox.actions import acts
from provisioner.sandbox.authorize import authorize
from provisioner.sandbox.world import World

from .cases import ACCOUNT, MEMBER, ORGANIZATION, Aws, outcome

ROLE = f"arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole"
IN = f"arn:aws:organizations::{ACCOUNT}"


@pytest.mark.parametrize(
    ("service", "operation", "params", "want"),
    [
        ("organizations", "ListAccounts", {}, [("organizations:ListAccounts", "*")]),
        ("organizations", "ListRoots", {}, [("organizations:ListRoots", "*")]),
        (
            *("organizations", "ListAccountsForParent", {"ParentId": "r-sand"}),
            [("organizations:ListAccountsForParent", f"{IN}:root/{ORGANIZATION}/r-sand")],
        ),
        (
            *("organizations", "ListOrganizationalUnitsForParent", {"ParentId": "ou-sand-1234abcd"}),
            [("organizations:ListOrganizationalUnitsForParent", f"{IN}:ou/{ORGANIZATION}/ou-sand-1234abcd")],
        ),
        (
            *("organizations", "ListTagsForResource", {"ResourceId": MEMBER}),
            [("organizations:ListTagsForResource", f"{IN}:account/{ORGANIZATION}/{MEMBER}")],
        ),
        ("ec2", "DescribeRegions", {}, [("ec2:DescribeRegions", "*")]),
        ("account", "ListRegions", {}, [("account:ListRegions", f"arn:aws:account::{ACCOUNT}:account")]),
        (
            *("account", "ListRegions", {"AccountId": MEMBER}),
            [("account:ListRegions", f"arn:aws:account::{ACCOUNT}:account/{ORGANIZATION}/{MEMBER}")],
        ),
        ("sts", "AssumeRole", {"RoleArn": ROLE}, [("sts:AssumeRole", ROLE)]),
        (
            *("sts", "AssumeRole", {"RoleArn": ROLE, "Tags": [{"Key": "k", "Value": "v"}]}),
            [("sts:AssumeRole", ROLE), ("sts:TagSession", ROLE)],
        ),
        (
            *("account", "PutContactInformation", {}),
            [("account:PutContactInformation", f"arn:aws:account::{ACCOUNT}:account")],
        ),
        ("sts", "GetFederationToken", {}, [("sts:GetFederationToken", "*")]),
        ("sts", "NoSuchOperation", {}, []),
    ],
)
def test_permissions_that_a_request_needs(
    world: World, service: str, operation: str, params: Any, want: Any
) -> None:
    call = WireCall(ACCOUNT, "us-east-1", service, operation, params)
    assert [(act.action, act.resource) for act in acts(call)] == want


def test_caller_may_assume_one_role_only(aws: Aws, world: World) -> None:
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}
    world.interrupt(authorize({"Statement": [may]}))

    def assume(a: Aws, arn: str) -> Any:
        return a.sts.assume_role(RoleArn=arn, RoleSessionName="test") and "OK"

    assert outcome(lambda a: assume(a, ROLE), aws) == "OK"
    assert outcome(lambda a: assume(a, ROLE.replace(MEMBER, "111122223333")), aws) == "AccessDenied"
    assert outcome(lambda a: a.organizations.list_accounts(), aws) == "AccessDeniedException"
