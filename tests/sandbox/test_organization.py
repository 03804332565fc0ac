"""Tests of larger organizations: reproducible accounts, OUs, states, tags, and reads by each kind of caller."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provisioner.sandbox import SandboxError, open_sandbox
from provisioner.sandbox.world import World

from .cases import (
    ACCOUNT,
    CLOSED,
    MEMBER,
    OTHER_MEMBER,
    STRANGER,
    Aws,
    Case,
    check,
    make_bucket,
    outcome,
    policy,
)

UNITS = {"Workloads": 30, "Workloads/Prod": 10, "Suspended": 2}


def every(aws: Aws, operation: str, key: str, **params: Any) -> list[Any]:
    pages = aws.organizations.get_paginator(operation).paginate(**params)
    return [one for page in pages for one in page[key]]


def ids(aws: Aws, operation: str = "list_accounts", **params: Any) -> list[str]:
    return [one["Id"] for one in every(aws, operation, "Accounts", **params)]


def test_fifty_accounts_and_their_access_roles(aws: Aws, world: World) -> None:
    members = world.organization(accounts=50, units=UNITS)
    found = every(aws, "list_accounts", "Accounts")
    assert [one["Id"] for one in found] == [member.id for member in members]
    assert len(members) == len({one["Email"] for one in found}) == 50
    for member in members:
        arn = f"arn:aws:iam::{member.id}:role/OrganizationAccountAccessRole"
        got = outcome(lambda a, arn=arn: a.sts.assume_role(RoleArn=arn, RoleSessionName="test") and "OK", aws)
        active = member.state == "ACTIVE" and member.id != ACCOUNT
        assert got == ("OK" if active else "AccessDenied"), member


def test_accounts_are_reproducible_and_saved(tmp_path: Path) -> None:
    def look() -> Any:
        aws = Aws()
        units = every(aws, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId="r-sand")
        return every(aws, "list_accounts", "Accounts"), units

    path = tmp_path / "sandbox" / "state"
    with open_sandbox(path) as world:
        world.organization(accounts=50, units=UNITS)
        first = look()
    with open_sandbox(path) as world:
        assert world.notice is None
        assert look() == first
        assert Aws().of("310000000001").sts.get_caller_identity()["Account"] == "310000000001"
    with open_sandbox(None) as world:
        world.organization(accounts=50, units=UNITS)
        assert look() == first


def test_units_are_nested(aws: Aws, world: World) -> None:
    world.organization(accounts=50, units=UNITS)
    (root,) = every(aws, "list_roots", "Roots")
    found = every(aws, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=root["Id"])
    top = {one["Name"]: one["Id"] for one in found}
    assert set(top) == {"Workloads", "Suspended"}
    (prod,) = every(
        aws, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=top["Workloads"]
    )
    where = {
        name: ids(aws, "list_accounts_for_parent", ParentId=unit)
        for name, unit in {"root": root["Id"], **top, "Prod": prod["Id"]}.items()
    }
    # The root has the management account, the log archive, the closed one, and the new ones in no unit.
    assert {name: len(found) for name, found in where.items()} == {
        "root": 7,
        "Workloads": 31,
        "Suspended": 2,
        "Prod": 10,
    }
    assert sorted(one for found in where.values() for one in found) == sorted(ids(aws))
    (parent,) = every(aws, "list_parents", "Parents", ChildId=where["Prod"][0])
    assert parent == {"Id": prod["Id"], "Type": "ORGANIZATIONAL_UNIT"}


def test_accounts_have_states_and_tags(aws: Aws, world: World) -> None:
    world.organization(
        accounts=12,
        units={"Prod": 3, "Suspended": 2, "Leaving": 1},
        states={"Suspended": "SUSPENDED", "Leaving": "PENDING_CLOSURE"},
        tags=lambda member: {"unit": member.unit or "none"},
    )
    found = {one["Id"]: (one["Status"], one["State"]) for one in every(aws, "list_accounts", "Accounts")}
    assert Counter(found.values()) == {
        ("ACTIVE", "ACTIVE"): 8,
        ("SUSPENDED", "SUSPENDED"): 2,
        ("SUSPENDED", "CLOSED"): 1,
        ("PENDING_CLOSURE", "PENDING_CLOSURE"): 1,
    }
    assert found[CLOSED] == ("SUSPENDED", "CLOSED")
    tags = every(aws, "list_tags_for_resource", "Tags", ResourceId="310000000001")
    assert tags == [{"Key": "unit", "Value": "Prod"}]
    shown = aws.organizations.describe_account(AccountId="310000000006")["Account"]
    assert (shown["State"], shown["Name"]) == ("PENDING_CLOSURE", "leaving-006")


def test_organization_grows_but_never_shrinks(aws: Aws, world: World) -> None:
    before = world.organization(accounts=10)
    after = world.organization(accounts=30)
    assert after[:10] == before
    assert len({member.id for member in after}) == 30
    with pytest.raises(SandboxError, match="30 accounts: more than 20"):
        world.organization(accounts=20)
    with pytest.raises(SandboxError, match="1 new accounts are asked for, and 2 in units"):
        world.organization(accounts=31, units={"A": 2})
    world.reset()
    assert len(ids(aws)) == 4


def test_pages_are_small_and_some_are_empty(aws: Aws, world: World) -> None:
    def sizes(**paging: int) -> list[int]:
        pages = aws.organizations.get_paginator("list_accounts").paginate(PaginationConfig=paging)
        return [len(page["Accounts"]) for page in pages]

    world.organization(accounts=50)
    assert sizes() == [20, 20, 10]
    assert sizes(PageSize=15) == [15, 15, 15, 5]
    world.empty_pages = True
    assert sizes() == [20, 0, 20, 0, 10]
    assert len(set(ids(aws))) == 50


READS = {
    "list_accounts": {},
    "list_roots": {},
    "list_organizational_units_for_parent": {"ParentId": "r-sand"},
    "list_accounts_for_parent": {"ParentId": "r-sand"},
    "list_parents": {"ChildId": MEMBER},
    "list_tags_for_resource": {"ResourceId": MEMBER},
    "describe_account": {"AccountId": MEMBER},
    "list_delegated_administrators": {},
}


@pytest.mark.parametrize("operation", READS)
def test_reads_by_each_kind_of_caller(aws: Aws, operation: str) -> None:
    def read(caller: Aws) -> Any:
        answer = getattr(caller.organizations, operation)(**READS[operation])
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    member, admin = aws.of(MEMBER), aws.of(OTHER_MEMBER)
    assert outcome(read, member) == outcome(read, admin) == "AccessDeniedException"
    assert outcome(read, aws.of(STRANGER)) == "AWSOrganizationsNotInUseException"
    aws.organizations.register_delegated_administrator(
        AccountId=OTHER_MEMBER, ServicePrincipal="config.amazonaws.com"
    )
    assert outcome(read, member) == "AccessDeniedException"
    assert read(admin) == read(aws) != {}


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("describe_account", {"AccountId": STRANGER}, "AccountNotFoundException"),
        ("list_accounts_for_parent", {"ParentId": "ou-sand-00000000"}, "ParentNotFoundException"),
        (
            "list_organizational_units_for_parent",
            {"ParentId": "ou-sand-00000000"},
            "ParentNotFoundException",
        ),
        ("list_tags_for_resource", {"ResourceId": STRANGER}, "TargetNotFoundException"),
    ],
)
def test_unknown_ids(aws: Aws, operation: str, params: Any, code: str) -> None:
    assert outcome(lambda a: getattr(a.organizations, operation)(**params), aws) == code


def closed(aws: Aws) -> Any:
    aws.organizations.close_account(AccountId=MEMBER)
    shown = aws.organizations.describe_account(AccountId=MEMBER)["Account"]
    return shown["Status"], shown["State"]


def test_account_created_by_the_api(aws: Aws) -> None:
    status = aws.organizations.create_account(Email="new@example.com", AccountName="new")
    account = status["CreateAccountStatus"]["AccountId"]
    assert aws.of(account).sts.get_caller_identity()["Account"] == account
    aws.organizations.close_account(AccountId=account)
    assert outcome(lambda a: a.of(account), aws) == "AccessDenied"


def test_policy_with_an_unknown_role_is_malformed(aws: Aws, world: World) -> None:
    world.organization(accounts=5, units={})
    make_bucket(aws)

    def name(role: str) -> Any:
        principal = {"AWS": f"arn:aws:iam::310000000001:role/{role}"}
        let = {"Effect": "Allow", "Principal": principal, "Action": "s3:ListBucket"}
        text = policy({**let, "Resource": "arn:aws:s3:::bkt"})
        return outcome(lambda a: a.s3.put_bucket_policy(Bucket="bkt", Policy=text) and "OK", aws)

    assert name("OrganizationAccountAccessRole") == "OK"
    assert name("none") == "MalformedPolicy"


CASES = [
    Case("organizations.closed_state", "closed", closed, ("SUSPENDED", "CLOSED")),
    Case(
        "organizations.unknown_child",
        "an account",
        lambda aws: aws.organizations.list_parents(ChildId=STRANGER),
        "ChildNotFoundException",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)
