"""Tests of which policy has which permissions, the caller's or that of the role in each account."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from provisioner.fleet.fleet import Fleet
from provisioner.sandbox import WireCall
from provisioner.sandbox.authorize import authorize
from provisioner.sandbox.rules.account import regions
from provisioner.steps.permission import ANY_ACCOUNT, ANY_REGION

from ..conftest import EXAMPLE, Bench
from ..laws.full import administrator_of
from .sample import (
    EVERYTHING,
    EVERYWHERE,
    REGIONS,
    Caller,
    actions,
    assert_well_formed,
    break_everything,
    by_sid,
    least,
    make_surroundings,
    role_least,
)

CALLER, ARCHIVE, WORKLOAD = "123456789012", "111122223333", "444455556666"
ALL = "accounts: {all: true}\n"
ARCHIVED = f"accounts: {{all: true, log_archive: '{ARCHIVE}'}}\n"
LISTED = f"accounts: {{ids: ['{WORKLOAD}'], log_archive: '{ARCHIVE}'}}\n"
ROLE = "OrganizationAccountAccessRole"
EVERY_REGION = EXAMPLE.replace(REGIONS, "regions: all")


def services(policy: Mapping[str, Any]) -> set[str]:
    return {each.split(":")[0] for each in actions(policy)}


# --- roles to assume, and reads of the organization ---


def assumable(text: str) -> tuple[Any, Any]:
    """The roles that may be assumed, and the condition."""
    found = by_sid(least(EXAMPLE + text, "diff")).get("AccountsEnter", {})
    return found.get("Resource"), found.get("Condition")


IN_ORGANIZATION = {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
ASSUMABLE = [
    (ALL, (f"arn:aws:iam::*:role/{ROLE}", IN_ORGANIZATION)),
    ("accounts: {all: true, role_name: a/b}\n", ("arn:aws:iam::*:role/a/b", IN_ORGANIZATION)),
    ("accounts: {organizational_units: [Prod]}\n", (f"arn:aws:iam::*:role/{ROLE}", IN_ORGANIZATION)),
    (LISTED, ([f"arn:aws:iam::{each}:role/{ROLE}" for each in (ARCHIVE, WORKLOAD)], None)),
    (f"accounts: {{ids: ['{WORKLOAD}', '{CALLER}']}}\n", (f"arn:aws:iam::{WORKLOAD}:role/{ROLE}", None)),
    (f"accounts: {{ids: ['{CALLER}']}}\n", (None, None)),
    (
        f"accounts: {{ids: ['{WORKLOAD}', '{ARCHIVE}'], exclude: {{ids: ['{ARCHIVE}']}}}}\n",
        (f"arn:aws:iam::{WORKLOAD}:role/{ROLE}", None),
    ),
    (
        f"{ALL}allowed_account_ids: ['{CALLER}', '{WORKLOAD}']\n",
        (f"arn:aws:iam::{WORKLOAD}:role/{ROLE}", None),
    ),
    (
        f"{LISTED}allowed_account_ids: ['{CALLER}', '{ARCHIVE}']\n",
        (f"arn:aws:iam::{ARCHIVE}:role/{ROLE}", None),
    ),
    (f"accounts: {{ids: ['{WORKLOAD}'], exclude: {{ids: ['{WORKLOAD}']}}}}\n", (None, None)),
]


@pytest.mark.parametrize(("text", "expected"), ASSUMABLE)
def test_the_role_may_be_assumed_only_in_the_accounts_of_the_file(text: str, expected: Any) -> None:
    assert assumable(text) == expected


def test_a_role_outside_of_the_organization_may_not_be_assumed(bench: Bench) -> None:
    gate = authorize(least(EXAMPLE + ALL, "diff"))

    def assume(account: str, role: str = ROLE, caller: str = CALLER) -> bool:
        params = {"RoleArn": f"arn:aws:iam::{account}:role/{role}", "RoleSessionName": "provision"}
        return gate(WireCall(caller, "us-east-1", "sts", "AssumeRole", params), "before") is None

    assert assume(WORKLOAD)
    assert not assume("999999999999"), "in no organization"
    assert not assume(WORKLOAD, "Administrator")
    assert not assume("999999999999", caller="999999999998"), "both are in no organization"


def test_session_tags_need_an_action_of_their_own() -> None:
    assert "sts:TagSession" not in actions(least(EXAMPLE + ALL, "diff"))
    tagged = "accounts: {all: true, session_tags: {run: baseline}}\n"
    assert by_sid(least(EXAMPLE + tagged, "diff"))["AccountsEnter"]["Action"] == [
        "sts:AssumeRole",
        "sts:TagSession",
    ]


UNITS = {"organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent"}
UNITS |= {"organizations:ListAccountsForParent", "organizations:ListAccounts"}
TAGS = {"organizations:ListAccounts", "organizations:ListTagsForResource"}
CLOSED = {"organizations:DescribeAccount"}
LONGER = "password_policy: {minimum_password_length: 20}"
LISTING = [
    (ALL, {"organizations:ListAccounts"}),
    (LISTED, CLOSED),
    (f"accounts: {{ids: ['{CALLER}']}}\n", set()),
    ("accounts: {organizational_units: [Prod]}\n", UNITS),
    ("accounts: {all: true, exclude: {organizational_units: [Prod]}}\n", UNITS),
    ("accounts: {tags: {a: b}}\n", TAGS),
    (f"{LISTED}overrides: [{{tags: {{a: b}}, {LONGER}}}]\n", TAGS | CLOSED),
    (f"{ALL}overrides: [{{organizational_units: [Prod], {LONGER}}}]\n", UNITS),
    (f"{ALL}overrides: [{{ids: ['{WORKLOAD}'], {LONGER}}}]\n", {"organizations:ListAccounts"}),
]


@pytest.mark.parametrize(("text", "needed"), LISTING)
def test_the_reads_of_the_organization_are_those_that_the_file_needs(text: str, needed: set[str]) -> None:
    policy = least(EXAMPLE + text, "diff")
    reads = {each for each in actions(policy) if re.match("organizations:(List|DescribeAccount)", each)}
    assert reads - {"organizations:ListAWSServiceAccessForOrganization"} == needed


# --- steps of the caller and steps of the role ---


def test_buckets_are_in_the_policy_of_the_account_that_has_them() -> None:
    buckets = by_sid(least(EXAMPLE + ALL, "diff"))["LogBucketsRead"]["Resource"]
    assert buckets == [f"arn:aws:s3:::acme-{name}-{CALLER}" for name in ("cloudtrail", "config")]
    assert "s3" not in services(least(EXAMPLE + ARCHIVED, "diff"))
    assert "s3" not in services(role_least(EXAMPLE + ARCHIVED, "diff"))
    buckets = by_sid(role_least(EXAMPLE + ARCHIVED, "diff", account=ARCHIVE))["LogBucketsRead"]["Resource"]
    assert buckets == [f"arn:aws:s3:::acme-{name}-{ARCHIVE}" for name in ("cloudtrail", "config")]
    assert "s3" in services(least(EXAMPLE + ARCHIVED, "diff", account=ARCHIVE)), (
        "the caller is in the log archive"
    )


def test_a_log_archive_that_the_file_does_not_include_has_only_the_buckets() -> None:
    policy = role_least(EXAMPLE + LISTED, "verify", "apply", account=ARCHIVE)
    assert services(policy) == {"s3", "organizations", "cloudtrail", "config"}
    # The bucket's policy names prefixes and the trail's home Region, which AWS may have and the file not.
    assert [each for each in actions(policy) if each.startswith(("cloudtrail:", "config:"))] == [
        "cloudtrail:DescribeTrails",
        "config:DescribeDeliveryChannels",
    ]


def test_the_caller_has_the_steps_of_an_account_if_the_file_may_include_it() -> None:
    assert "config:PutConfigRule" in actions(least(EXAMPLE + ALL, "apply"))
    assert "config:PutConfigRule" in actions(least(EXAMPLE + ALL, "apply", account=ANY_ACCOUNT))
    assert "config:PutConfigRule" in actions(least(EXAMPLE + LISTED, "apply", account=WORKLOAD))
    assert "config:PutConfigRule" not in actions(least(EXAMPLE + LISTED, "apply"))
    assert "config:PutConfigRule" not in actions(least(EXAMPLE + LISTED, "apply", account=ANY_ACCOUNT))
    excluded = f"accounts: {{all: true, exclude: {{ids: ['{CALLER}']}}}}\n"
    assert services(least(EXAMPLE + excluded, "apply")) >= {"cloudtrail", "s3"}
    assert "config:PutConfigRule" not in actions(least(EXAMPLE + excluded, "apply"))


def test_steps_that_run_once_are_in_no_policy_of_a_role() -> None:
    assert services(role_least(EXAMPLE + ALL, "verify", "apply")) == {"config", "iam"}
    assert services(role_least(EXAMPLE + ARCHIVED, "apply", account=WORKLOAD)) == {"config", "iam"}


ORGANIZATIONS = [EXAMPLE, EVERYTHING, EVERY_REGION]


@pytest.mark.parametrize("text", ORGANIZATIONS, ids=["example", "everything", "every-region"])
@pytest.mark.parametrize("accounts", [ARCHIVED, LISTED], ids=["all", "listed"])
def test_every_statement_is_well_formed(text: str, accounts: str) -> None:
    whole = f"{text}\n{accounts}overrides: [{{organizational_units: [Prod], tags: {{a: b}}, {LONGER}}}]\n"
    for account in (CALLER, ANY_ACCOUNT):
        assert_well_formed(least(whole, "verify", "apply", account=account))
    for account in (ARCHIVE, WORKLOAD, ANY_ACCOUNT):
        policy = role_least(whole, "verify", "apply", account=account)
        assert_well_formed(policy)
        assert ANY_ACCOUNT not in json.dumps(policy)


# --- overrides ---


def test_a_policy_is_enough_for_every_override_that_may_apply() -> None:
    overrides = (
        "overrides:\n- {organizational_units: [Prod], config: {role_name: of-prod}}\n"
        "- {tags: {a: b}, config: {role_name: of-tagged}}\n"
        f"- {{ids: ['{WORKLOAD}'], config: {{role_name: of-one}}}}\n"
    )
    text = EXAMPLE + ALL + overrides

    def roles(policy: Mapping[str, Any]) -> set[str]:
        passed = by_sid(policy)["ConfigRolePass"]["Resource"]
        return {each.rpartition("/")[2] for each in ([passed] if isinstance(passed, str) else passed)}

    default = "AWSServiceRoleForConfig"
    assert roles(role_least(text)) == {default, "of-prod", "of-tagged", "of-one"}
    assert roles(role_least(text, account=WORKLOAD)) == {"of-one"}, (
        "the last override wins, and this one applies for sure"
    )
    assert roles(role_least(text, account=ARCHIVE)) == {default, "of-prod", "of-tagged"}
    assert roles(least(text)) == {default, "of-prod", "of-tagged"}
    listed = LISTED.replace(WORKLOAD, CALLER) + overrides
    assert roles(least(EXAMPLE + listed)) == {default, "of-prod", "of-tagged"}


def test_a_policy_is_enough_for_two_overrides_together() -> None:
    """One override adds a tag to a rule of the home Region, the other makes the rule regional."""
    rule = "config: {rules: {iam-root-access-key-check: {%s}}}"
    overrides = (
        f"overrides: [{{tags: {{a: b}}, {rule % 'tags: {team: security}'}}},"
        f" {{organizational_units: [Prod], {rule % 'home_region_only: false'}}}]\n"
    )
    two = EXAMPLE.replace(REGIONS, "regions: [us-east-1, eu-west-1]")
    policy = role_least(two + ALL + overrides)
    tagging = next(each for each in policy["Statement"] if "config:TagResource" in each["Action"])
    assert tagging["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}


def test_overrides_that_contradict_each_other_are_not_combined() -> None:
    overrides = (
        "overrides: [{tags: {a: b}, config: {role_name: ours}},"
        f" {{tags: {{c: d}}, config: {{role_arn: 'arn:aws:iam::{WORKLOAD}:role/theirs'}}}}]\n"
    )
    assert_well_formed(role_least(EXAMPLE + ALL + overrides))


def test_a_section_that_only_an_override_has_is_in_the_policy() -> None:
    text = EXAMPLE[: EXAMPLE.index("password_policy:")]
    assert "iam:UpdateAccountPasswordPolicy" not in actions(role_least(text + ALL))
    override = f"overrides: [{{tags: {{a: b}}, {LONGER}}}]\n"
    assert "iam:UpdateAccountPasswordPolicy" in actions(role_least(text + ALL + override))


# --- all Regions ---


@pytest.mark.parametrize("policy", [least(EVERY_REGION), role_least(EVERY_REGION + ALL)], ids=["one", "role"])
def test_regions_all_has_no_condition_for_regions(policy: dict[str, Any]) -> None:
    text = json.dumps(policy)
    assert ANY_REGION not in text
    assert '"all"' not in text
    assert "aws:RequestedRegion" not in text
    statements = by_sid(policy)
    assert ":config:*:" in statements["ConfigRules"]["Resource"]
    assert statements["RegionsRead"]["Action"] == ["account:ListRegions"]


def test_home_region_only_is_a_condition_with_all_regions_too() -> None:
    rules = EVERY_REGION[EVERY_REGION.index("  rules:") : EVERY_REGION.index("password_policy:")]
    only = "  rules: {root: {source_identifier: IAM_ROOT_ACCESS_KEY_CHECK, home_region_only: true}}\n"
    statements = by_sid(least(EVERY_REGION.replace(rules, only)))
    assert statements["ConfigRules"]["Condition"] == {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    assert "Condition" not in statements["ConfigRecorderWrite"]


def test_a_role_whose_name_has_the_region_may_have_any() -> None:
    text = EVERY_REGION.replace(
        "config:\n  recorder:",
        f"config:\n  role_arn: 'arn:aws:iam::{CALLER}:role/config-${{region}}'\n  recorder:",
    )
    assert f"arn:aws:iam::{CALLER}:role/config-*" in by_sid(least(text))["ConfigRolePass"]["Resource"]


def test_a_policy_is_enough_for_all_regions_of_one_account(bench: Bench) -> None:
    text = EVERYTHING.replace(REGIONS, "regions: all")
    make_surroundings(bench)
    for region in {*regions("aws")} - {"us-east-1", "eu-west-1"}:
        bench.world.disable(region)
    caller, policy = Caller(bench.world), least(text, "verify", "apply")
    for broken in (False, True):
        if broken:
            break_everything(administrator_of(bench, EVERYWHERE))
        single = bench.run(text)
        run = Fleet(single.cloud, single.baseline, single.identity).whole()
        assert run.regions == ["eu-west-1", "us-east-1"]
        with caller.held_to(policy):
            assert [str(r.failure) for r in run.send(run.rehearse()) if not r.ok] == []
            assert run.settle([]) == []
            assert [str(r.failure) for r in run.verify() if not r.ok] == []
    assert caller.denied == []
