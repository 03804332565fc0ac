"""Tests of documents that others change between the plan and its writes: their part is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..conftest import Bench
from ..laws.full import FULL

DENY = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket"}
RULE = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "theirs/"}, "Expiration": {"Days": 3650}}


def test_statement_rule_tag_and_password_length_of_others_are_kept(bench: Bench) -> None:
    bench.apply(FULL)
    s3, iam = bench.client("s3"), bench.client("iam")
    names = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    documents = {name: Documents(s3, name) for name in names}
    for each in documents.values():
        each.drift()
    iam.update_account_password_policy(MinimumPasswordLength=8)
    run = bench.run(FULL)
    plan = run.rehearse()
    for each in documents.values():
        each.add_theirs()
    iam.update_account_password_policy(MinimumPasswordLength=32)
    sent = run.send(plan)
    assert [r.failures for r in sent if not r.ok] == []
    assert bench.diff(FULL).changes == []
    assert [name for name, each in documents.items() if not each.has_theirs()] == []
    assert iam.get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 32


class Documents:
    """The policy, the lifecycle rules and the tags of one bucket."""

    def __init__(self, s3: Any, name: str):
        self.s3, self.name = s3, name

    def drift(self) -> None:
        """Remove all that the baseline asks for."""
        self.s3.delete_bucket_policy(Bucket=self.name)
        self.s3.delete_bucket_lifecycle(Bucket=self.name)
        self.s3.delete_bucket_tagging(Bucket=self.name)

    def add_theirs(self) -> None:
        statement = {**DENY, "Resource": f"arn:aws:s3:::{self.name}"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.s3.put_bucket_policy(Bucket=self.name, Policy=policy)
        self.s3.put_bucket_lifecycle_configuration(Bucket=self.name, LifecycleConfiguration={"Rules": [RULE]})
        self.s3.put_bucket_tagging(Bucket=self.name, Tagging={"TagSet": [{"Key": "theirs", "Value": "1"}]})

    def has_theirs(self) -> bool:
        policy = self.s3.get_bucket_policy(Bucket=self.name)["Policy"]
        rules = self.s3.get_bucket_lifecycle_configuration(Bucket=self.name)["Rules"]
        tags = self.s3.get_bucket_tagging(Bucket=self.name)["TagSet"]
        return (
            "Theirs" in policy
            and "theirs" in {each["ID"] for each in rules}
            and "theirs" in {each["Key"] for each in tags}
        )


CONFIG_RULE = "encrypted-volumes"


def rule_of(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = bench.client("config").describe_config_rules(ConfigRuleNames=[CONFIG_RULE])[
        "ConfigRules"
    ][0]
    return found


@pytest.mark.parametrize("there", [True, False])
def test_description_of_others_in_a_config_rule_is_kept(bench: Bench, there: bool) -> None:
    text = FULL if there else FULL.replace(f"    {CONFIG_RULE}:", "    another:")
    bench.apply(text)
    config = bench.client("config")
    source = {"Owner": "AWS", "SourceIdentifier": "ENCRYPTED_VOLUMES"}
    if there:
        config.put_config_rule(ConfigRule={"ConfigRuleName": CONFIG_RULE, "Source": source})
    run = bench.run(FULL)
    plan = run.rehearse()
    assert {change.resource for _, change in plan.changes} == {f"config rule {CONFIG_RULE}"}
    config.put_config_rule(
        ConfigRule={"ConfigRuleName": CONFIG_RULE, "Source": source, "Description": "theirs"}
    )
    assert [r.failures for r in run.send(plan) if not r.ok] == []
    assert rule_of(bench)["Description"] == "theirs"
    assert rule_of(bench)["Scope"] == {"ComplianceResourceTypes": ["AWS::EC2::Volume"]}


def test_retention_that_others_lengthened_is_kept(bench: Bench) -> None:
    text = FULL.replace("retention_period_in_days: 2557", "retention_period_in_days: 365")
    bench.apply(text)
    config = bench.client("config")
    config.put_retention_configuration(RetentionPeriodInDays=30)
    run = bench.run(text)
    plan = run.rehearse()
    config.put_retention_configuration(RetentionPeriodInDays=2557)
    assert [r.failures for r in run.send(plan) if not r.ok] == []
    [found] = config.describe_retention_configurations()["RetentionConfigurations"]
    assert found["RetentionPeriodInDays"] == 2557


HUB = """
regions: [us-east-1, eu-west-1]
log_buckets: {logs: {name: acme-logs}}
config: {recorder: {}, delivery_channel: {s3_bucket_name: logs}}
security_hub:
  finding_aggregator: {region_linking_mode: SPECIFIED_REGIONS, regions: [eu-west-1]}
"""


def test_a_region_that_others_give_the_finding_aggregator_meanwhile_stays(bench: Bench) -> None:
    bench.apply(HUB)
    hub = bench.client("securityhub")
    [found] = hub.list_finding_aggregators()["FindingAggregators"]
    hub.update_finding_aggregator(**found, RegionLinkingMode="NO_REGIONS")
    run = bench.run(HUB)
    plan = run.rehearse()
    more = ["eu-west-1", "eu-west-2"]
    hub.update_finding_aggregator(**found, RegionLinkingMode="SPECIFIED_REGIONS", Regions=more)
    assert [r.failures for r in run.send(plan) if not r.ok] == []
    assert sorted(hub.get_finding_aggregator(**found)["Regions"]) == more


def test_a_destination_that_others_give_the_recorders_role_meanwhile_stays(bench: Bench) -> None:
    text = """
regions: [us-east-1]
log_buckets: {logs: {name: acme-logs}, other: {name: acme-other}}
config: {role_name: recorder, delivery_channel: {s3_bucket_name: logs}}
"""
    bench.apply(text)
    iam, role = bench.client("iam"), {"RoleName": "recorder"}
    [name] = iam.list_role_policies(**role)["PolicyNames"]
    before = iam.get_role_policy(**role, PolicyName=name)["PolicyDocument"]
    less = {**before, "Statement": [each for each in before["Statement"] if each["Sid"] != "ConfigDelivery"]}
    iam.put_role_policy(**role, PolicyName=name, PolicyDocument=json.dumps(less))
    run = bench.run(text)
    plan = run.rehearse()
    moved = json.dumps(before).replace("acme-logs", "acme-other")
    iam.put_role_policy(**role, PolicyName=name, PolicyDocument=moved)
    assert [r.failures for r in run.send(plan) if not r.ok] == []
    after = json.dumps(iam.get_role_policy(**role, PolicyName=name)["PolicyDocument"])
    assert "acme-logs/" in after
    assert "acme-other/" in after
