"""Tests of the step config_rules: drift, tags, stricter and foreign rules, and Regions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.aws.cloud import Cloud
from provisioner.sandbox import Fault, WireCall

from ...conftest import Bench
from .sample import EVERYTHING, config_file, fields, notes

ONLY = ("config_rules",)
NAME = "passwords"
BARE = {"source_identifier": "IAM_PASSWORD_POLICY"}
TYPES = ["AWS::S3::Bucket", "AWS::EC2::Volume"]
FULL = {
    "source_identifier": "IAM_PASSWORD_POLICY",
    "description": "as in the policy",
    "input_parameters": {"MinimumPasswordLength": 14, "RequireSymbols": True},
    "maximum_execution_frequency": "Six_Hours",
    "tags": {"team": "security"},
}
TAGGED = {
    "source_identifier": "REQUIRED_TAGS",
    "input_parameters": {"tag1Key": "team"},
    "scope": {"compliance_resource_types": TYPES},
}


def rules(*, regions: tuple[str, ...] = ("us-east-1",), exact: bool = False, **want: Any) -> str:
    """A file with these rules."""
    return config_file(
        {"recorder": {"recording_group": EVERYTHING}, "rules": want, "exact": exact}, regions=regions
    )


def rule(bench: Bench, name: str = NAME) -> dict[str, Any]:
    (have,) = bench.client("config").describe_config_rules(ConfigRuleNames=[name])["ConfigRules"]
    return dict(have)


def put(bench: Bench, name: str = NAME, **changed: Any) -> None:
    """Change the rule as another user."""
    read_only = dict.fromkeys(("ConfigRuleArn", "ConfigRuleId", "ConfigRuleState"))
    full = {k: v for k, v in {**rule(bench, name), **changed, **read_only}.items() if v is not None}
    bench.client("config").put_config_rule(ConfigRule=full)


def drift(bench: Bench, text: str) -> list[tuple[str, Any, Any]]:
    return fields(bench.diff(text, only=ONLY))


def test_new_rules_have_all_fields_of_the_file(bench: Bench) -> None:
    bench.apply(rules(passwords=FULL, tagged=TAGGED), only=ONLY)
    have = rule(bench)
    assert have["Source"] == {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"}
    assert have["Description"] == "as in the policy"
    assert json.loads(have["InputParameters"]) == {"MinimumPasswordLength": "14", "RequireSymbols": "true"}
    assert have["MaximumExecutionFrequency"] == "Six_Hours"
    assert sorted(rule(bench, "tagged")["Scope"]["ComplianceResourceTypes"]) == sorted(TYPES)
    tags = bench.client("config").list_tags_for_resource(ResourceArn=have["ConfigRuleArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "security"}]
    assert drift(bench, rules(passwords=FULL, tagged=TAGGED)) == []


@pytest.mark.parametrize(
    ("want", "by_hand", "expected"),
    [
        (FULL, {"Description": "mine"}, [("Description", "mine", "as in the policy")]),
        (
            FULL,
            {"InputParameters": '{"RequireSymbols":"true"}'},
            [("InputParameters.MinimumPasswordLength", None, "14")],
        ),
        (
            FULL,
            {
                "InputParameters": json.dumps(
                    {"RequireSymbols": "true", "MinimumPasswordLength": "6", "MaxPasswordAge": "9"}
                )
            },
            [
                ("InputParameters.MinimumPasswordLength", "6", "14"),
                ("InputParameters.MaxPasswordAge", "9", None),
            ],
        ),
        (
            {**BARE, "input_parameters": {}},
            {"InputParameters": '{"MinimumPasswordLength":"6"}'},
            [("InputParameters.MinimumPasswordLength", "6", None)],
        ),
        (
            FULL,
            {"MaximumExecutionFrequency": "TwentyFour_Hours"},
            [("MaximumExecutionFrequency", "TwentyFour_Hours", "Six_Hours")],
        ),
        (FULL, {"MaximumExecutionFrequency": None}, [("MaximumExecutionFrequency", None, "Six_Hours")]),
        (
            BARE,
            {"Source": {"Owner": "AWS", "SourceIdentifier": "IAM_ROOT_ACCESS_KEY_CHECK"}},
            [("Source.SourceIdentifier", "IAM_ROOT_ACCESS_KEY_CHECK", "IAM_PASSWORD_POLICY")],
        ),
        (
            TAGGED,
            {"Scope": {"ComplianceResourceTypes": TYPES[:1]}},
            [("Scope.ComplianceResourceTypes", TYPES[:1], sorted(TYPES))],
        ),
    ],
)
def test_drift_is_shown_and_repaired(
    bench: Bench, want: dict[str, Any], by_hand: dict[str, Any], expected: list[Any]
) -> None:
    text = rules(passwords=want)
    bench.apply(text, only=ONLY)
    put(bench, **by_hand)
    assert drift(bench, text) == expected
    before = len(bench.world.writes)
    bench.apply(text, only=ONLY)
    assert [call.operation for call in bench.world.writes[before:]] == ["PutConfigRule"]


def test_tags_are_repaired_and_foreign_tags_kept(bench: Bench) -> None:
    bench.apply(rules(passwords=FULL), only=ONLY)
    arn, config = rule(bench)["ConfigRuleArn"], bench.client("config")
    config.tag_resource(
        ResourceArn=arn, Tags=[{"Key": "team", "Value": "sales"}, {"Key": "cost", "Value": "1"}]
    )
    assert drift(bench, rules(passwords=FULL)) == [("tag team", "sales", "security")]
    bench.apply(rules(passwords=FULL), only=ONLY)
    tags = {each["Key"]: each["Value"] for each in config.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    assert tags == {"team": "security", "cost": "1"}


def test_change_keeps_what_the_file_leaves_out(bench: Bench) -> None:
    bench.apply(rules(passwords=BARE), only=ONLY)
    put(bench, Description="theirs", MaximumExecutionFrequency="One_Hour")
    assert drift(bench, rules(passwords=BARE)) == []
    changed = {**BARE, "input_parameters": {"MinimumPasswordLength": "14"}}
    bench.apply(rules(passwords=changed), only=ONLY)
    have = rule(bench)
    assert (have["Description"], have["MaximumExecutionFrequency"]) == ("theirs", "One_Hour")


def test_more_frequent_evaluation_is_kept_unless_exact(bench: Bench) -> None:
    bench.apply(rules(passwords=FULL), only=ONLY)
    put(bench, MaximumExecutionFrequency="One_Hour", Description="mine")
    plan = bench.apply(rules(passwords=FULL), only=ONLY)
    assert [name for name, _, _ in fields(plan)] == ["Description"]
    assert rule(bench)["MaximumExecutionFrequency"] == "One_Hour"
    text = "config rule passwords: MaximumExecutionFrequency is One_Hour; the baseline asks for Six_Hours"
    assert notes(plan) == [("STRICTER", text)]
    exact = rules(passwords=FULL, exact=True)
    ((_, change),) = bench.diff(exact, only=ONLY).changes
    assert [(d.field, d.have, d.want) for d in change.differences] == [
        ("MaximumExecutionFrequency", "One_Hour", "Six_Hours")
    ]
    assert (change.consent, change.loses) == (
        "record-less",
        "evaluated less often: MaximumExecutionFrequency is One_Hour; the baseline asks for Six_Hours",
    )

    put(bench, Description="mine")
    bench.apply(exact, only=ONLY)
    have = rule(bench)
    assert (have["Description"], have["MaximumExecutionFrequency"]) == ("as in the policy", "One_Hour")
    bench.apply(exact, only=ONLY, allow=("record-less",))
    have = rule(bench)
    assert (have["Description"], have["MaximumExecutionFrequency"]) == ("as in the policy", "Six_Hours")
    assert drift(bench, exact) == []


def test_frequency_of_another_managed_rule_is_not_kept(bench: Bench) -> None:
    text = rules(passwords=FULL)
    bench.apply(text, only=ONLY)
    other = {"Owner": "AWS", "SourceIdentifier": "IAM_ROOT_ACCESS_KEY_CHECK"}
    put(bench, Source=other, InputParameters=None, MaximumExecutionFrequency="One_Hour")
    plan = bench.apply(text, only=ONLY)
    assert notes(plan) == []
    assert rule(bench)["MaximumExecutionFrequency"] == "Six_Hours"


def test_rules_of_other_names_are_kept_and_not_read(bench: Bench) -> None:
    bench.apply(rules(passwords=BARE), only=ONLY)
    config = bench.client("config")
    for place in range(30):
        made = {
            "ConfigRuleName": f"theirs-{place}",
            "Source": {"Owner": "AWS", "SourceIdentifier": "ENCRYPTED_VOLUMES"},
        }
        config.put_config_rule(ConfigRule=made)
    before = len(bench.world.calls)
    assert drift(bench, rules(passwords=BARE)) == []
    assert [c.operation for c in bench.world.calls[before:]].count("DescribeConfigRules") == 1
    # If one is missing, all rules are read.
    assert {name for name, _, _ in drift(bench, rules(passwords=BARE, more=BARE))} == {
        "Source.Owner",
        "Source.SourceIdentifier",
    }


def test_more_rules_than_one_request_takes(bench: Bench) -> None:
    many = {f"rule-{place:02}": BARE for place in range(27)}
    plan = bench.diff(rules(**many), only=ONLY)
    assert sum(c.call.operation == "put_config_rule" for _, c in plan.changes) == 27
    bench.apply(rules(**many), only=ONLY)
    assert drift(bench, rules(**many)) == []


@pytest.mark.parametrize(
    ("by_hand", "words"),
    [
        ({"CreatedBy": "securityhub.amazonaws.com"}, "belongs to securityhub.amazonaws.com"),
        (
            {"Source": {"Owner": "CUSTOM_POLICY", "CustomPolicyDetails": {"PolicyRuntime": "guard-2.x.x"}}},
            "is there as a policy of your own (CUSTOM_POLICY)",
        ),
    ],
)
def test_name_of_a_foreign_rule_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, by_hand: dict[str, Any], words: str
) -> None:
    bench.apply(rules(passwords=BARE), only=ONLY)
    real = Cloud.read

    def read(
        self: Any, target: Any, service: str, region: str, operation: str, params: Any, *more: Any
    ) -> Any:
        answer = real(self, target, service, region, operation, params, *more)
        if operation == "describe_config_rules":  # moto makes no rules for services
            answer["ConfigRules"] = [{**each, **by_hand} for each in answer["ConfigRules"]]
        return answer

    monkeypatch.setattr(Cloud, "read", read)
    plan = bench.diff(rules(passwords=FULL), only=ONLY)
    assert plan.changes == []
    (failed,) = plan.failed
    assert failed.failure is not None
    assert words in failed.failure.message


def test_rule_that_is_being_deleted_is_waited_for_and_created(bench: Bench) -> None:
    bench.apply(rules(passwords=BARE), only=ONLY)
    left = ["ResourceInUseException"] * 2

    def deleting(call: WireCall, phase: str) -> Fault | None:
        busy = call.operation == "PutConfigRule" and phase == "before" and left
        return Fault(left.pop()) if busy else None

    bench.client("config").delete_config_rule(ConfigRuleName=NAME)
    bench.world.interrupt(deleting)
    bench.apply(rules(passwords=BARE), only=ONLY)
    assert {w.until for w in bench.waits} == {f"AWS Config to finish deleting the rule {NAME}"}
    assert rule(bench)["ConfigRuleState"] == "ACTIVE"


def test_home_region_only(bench: Bench) -> None:
    regions = ("us-east-1", "eu-west-1")
    text = rules(
        regions=regions,
        passwords={**BARE, "home_region_only": True},
        disks={"source_identifier": "ENCRYPTED_VOLUMES"},
    )
    bench.apply(text, only=ONLY)
    there = [
        sorted(
            r["ConfigRuleName"] for r in bench.client("config", region).describe_config_rules()["ConfigRules"]
        )
        for region in regions
    ]
    assert there == [["disks", "passwords"], ["disks"]]


def test_verify(bench: Bench) -> None:
    bench.apply(rules(passwords=BARE), only=ONLY)
    text = rules(passwords=BARE, more=BARE)
    findings = {
        f.resource: f.ok
        for r in bench.run(text, only=ONLY).verify()
        for f in r.findings
        if r.step == "config_rules"
    }
    assert findings == {"config rule passwords": True, "config rule more": False}


def test_regions_of_a_rule(bench: Bench) -> None:
    """A rule that AWS has in one Region only, such as those of CloudFront, is made and verified there."""
    regions = ("eu-west-1", "us-east-1")
    cloudfront = {"source_identifier": "CLOUDFRONT_ACCESSLOGS_ENABLED", "regions": ["us-east-1"]}
    text = rules(regions=regions, passwords={**BARE, "regions": [*regions]}, cloudfront=cloudfront)
    bench.apply(text, only=ONLY)
    there = [
        sorted(
            r["ConfigRuleName"] for r in bench.client("config", region).describe_config_rules()["ConfigRules"]
        )
        for region in regions
    ]
    assert there == [["passwords"], ["cloudfront", "passwords"]]
    assert bench.diff(text, only=ONLY).changes == []
    verified = [
        (r.target.region, f.resource)
        for r in bench.run(text, only=ONLY).verify()
        for f in r.findings
        if f.resource == "config rule cloudfront"
    ]
    assert verified == [("us-east-1", "config rule cloudfront")]


def test_a_rule_that_is_not_known_is_warned_of_until_it_exists(bench: Bench) -> None:
    text = rules(new={"source_identifier": "S3_BUCKET_MOON_PHASE_CHECK"})
    (warning,) = [text for kind, text in notes(bench.diff(text, only=ONLY)) if kind == "WARNING"]
    assert "is of S3_BUCKET_MOON_PHASE_CHECK, which this version does not know" in warning
    bench.apply(text, only=ONLY)
    assert notes(bench.diff(text, only=ONLY)) == []
