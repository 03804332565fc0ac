"""Tests of the step config_aggregator: of an organization and of accounts, authorizations, stricter and foreign ones."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.model import Kind

from ...conftest import MEMBER, Bench, assume_account
from .sample import ACCOUNT, config_file, fields

ONLY = ("config_aggregator",)
ORGANIZATION = {"name": "all", "organization": True}
LISTED = {"name": "all", "account_id": ACCOUNT, "account_ids": [ACCOUNT, MEMBER]}
NAMED = {"ConfigurationAggregatorName": "all"}


def file(*, exact: bool = False, **aggregator: Any) -> str:
    return config_file({"aggregator": aggregator, "exact": exact}, regions=["us-east-1", "eu-west-1"])


def have(bench: Bench) -> dict[str, Any]:
    [found] = bench.client("config").describe_configuration_aggregators()["ConfigurationAggregators"]
    return dict(found)


def put(bench: Bench, **given: Any) -> None:
    """Put the aggregator as another user."""
    bench.client("config").put_configuration_aggregator(**NAMED, **given)


def test_the_organization_is_aggregated_with_a_role_and_trusted_access(bench: Bench) -> None:
    operations = [c.call.operation for _, c in bench.apply(file(**ORGANIZATION), only=ONLY).changes]
    assert operations == [
        "enable_aws_service_access",
        "create_role",
        "attach_role_policy",
        "put_configuration_aggregator",
    ]
    source = have(bench)["OrganizationAggregationSource"]
    assert source == {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/config-aggregator", "AllAwsRegions": True}
    role = bench.client("iam").get_role(RoleName="config-aggregator")["Role"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert fields(bench.diff(file(**ORGANIZATION), only=ONLY)) == []
    [finding] = [f for r in bench.run(file(**ORGANIZATION), only=ONLY).verify() for f in r.findings]
    assert (finding.ok, finding.detail) == (True, "all of 1")


def test_filters_of_others_stay_when_accounts_are_repaired(bench: Bench) -> None:
    filters = {"ResourceType": {"Type": "INCLUDE", "Value": ["AWS::S3::Bucket"]}}
    source = {"AccountIds": [ACCOUNT], "AwsRegions": ["us-east-1"]}
    put(bench, AccountAggregationSources=[source], AggregatorFilters=filters)
    assert fields(bench.diff(file(**LISTED), only=ONLY)) == [
        ("AccountIds", [ACCOUNT], sorted([ACCOUNT, MEMBER]))
    ]
    bench.apply(file(**LISTED), only=ONLY)
    [kept] = have(bench)["AccountAggregationSources"]
    assert (kept["AwsRegions"], have(bench)["AggregatorFilters"]) == (["us-east-1"], filters)


def test_more_accounts_and_regions_are_stricter(bench: Bench) -> None:
    source = {"AccountIds": [ACCOUNT, MEMBER, "999999999999"], "AllAwsRegions": True}
    put(bench, AccountAggregationSources=[source])
    narrow = {**LISTED, "aws_regions": ["us-east-1"]}
    plan = bench.diff(file(**narrow), only=ONLY)
    assert fields(plan) == []
    assert [note.text.partition(" is ")[0] for _, note in plan.notes(Kind.STRICTER)] == [
        "AccountIds",
        "AwsRegions",
    ]
    [(_, change)] = bench.diff(file(exact=True, **narrow), only=ONLY).changes
    assert change.consent == "aggregate-less"


def test_a_listed_account_authorizes_the_aggregator_in_each_region(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply(file(**LISTED), only=ONLY)
    results = bench.run(file(**LISTED), only=ONLY).verify()
    [finding] = [f for r in results for f in r.findings]
    assert (finding.ok, finding.detail.partition(",")[0]) == (False, "1 of 2 failed")
    with monkeypatch.context() as member:
        assume_account(bench, member, MEMBER)
        plan = bench.apply(file(**LISTED), only=ONLY)
        assert [(r.target.region, c.resource) for r, c in plan.changes] == [
            (region, f"aggregation authorization {ACCOUNT} us-east-1")
            for region in ("us-east-1", "eu-west-1")
        ]
        assert fields(bench.diff(file(**LISTED), only=ONLY)) == []
    [finding] = [f for r in bench.run(file(**LISTED), only=ONLY).verify() for f in r.findings]
    assert finding.ok


def test_a_member_that_is_no_delegated_administrator_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    [failed] = bench.diff(file(**ORGANIZATION), only=ONLY).failed
    assert failed.failure is not None
    assert "register this one there" in failed.failure.message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            {"AccountIds": [ACCOUNT], "AllAwsRegions": True},
            "the aggregator `all` is of some accounts, which AWS",
        ),
    ],
)
def test_a_source_of_another_kind_is_refused(bench: Bench, source: dict[str, Any], words: str) -> None:
    put(bench, AccountAggregationSources=[source])
    [failed] = bench.diff(file(**ORGANIZATION), only=ONLY).failed
    assert failed.failure is not None
    assert words in failed.failure.message


def test_no_aggregator_is_a_failed_finding(bench: Bench) -> None:
    [finding] = [f for r in bench.run(file(**LISTED), only=ONLY).verify() for f in r.findings]
    assert (finding.ok, finding.detail) == (False, "there is no such aggregator")


@pytest.mark.parametrize(
    ("aggregator", "words"),
    [
        ({}, "aggregator: want one of `organization: true` and `account_ids`"),
        ({"organization": True, "account_ids": [ACCOUNT]}, "and not both"),
        ({**ORGANIZATION, "all_aws_regions": False}, "all_aws_regions: name the Regions in `aws_regions`"),
        (
            {**ORGANIZATION, "all_aws_regions": True, "aws_regions": ["us-east-1"]},
            "aws_regions: goes without",
        ),
        (
            {**ORGANIZATION, "role_name": "aws-controltower-x"},
            "AWS Control Tower owns the roles of that name",
        ),
        ({**ORGANIZATION, "name": "a b"}, "want up to 256 letters, digits, _ and -"),
    ],
)
def test_error(bench: Bench, aggregator: dict[str, Any], words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(file(**aggregator))
    assert words in str(error.value)
