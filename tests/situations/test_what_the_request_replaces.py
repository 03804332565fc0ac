"""Tests of requests that replace a whole: what others set in it, and the file does not name, is there after a repair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..conftest import MEMBER, Bench, assume_account

TOPIC = "arn:aws:sqs:us-east-1:123456789012:heard"
ALARMS = f"""
regions: [us-east-1, eu-west-1]
log_buckets: {{logs: {{name: acme-logs}}}}
cloudtrail: {{name: audit, s3_bucket_name: logs}}
alarms:
  event_rule: {{name: tampering, all_regions: true}}
  topic: {{subscriptions: [{{protocol: sqs, endpoint: "{TOPIC}"}}]}}
"""
SELECTORS = """
regions: [us-east-1]
log_buckets: {logs: {name: acme-logs}}
cloudtrail:
  name: audit
  s3_bucket_name: logs
  advanced_event_selectors:
    - field_selectors: [{field: eventCategory, equals: [Management]}]
    - field_selectors:
        - {field: eventCategory, equals: [Data]}
        - {field: resources.type, equals: ["AWS::S3::Object"]}
        - {field: resources.ARN, starts_with: ["arn:aws:s3:::secret/"]}
"""
KEPT = {
    "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"},
    "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600},
}


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_the_target_of_the_event_rule_keeps_its_retries(bench: Bench, region: str) -> None:
    bench.apply(ALARMS)
    events = bench.client("events", region)

    def target() -> dict[str, Any]:
        [found] = events.list_targets_by_rule(Rule="tampering")["Targets"]
        return dict(found)

    before = {**target(), **KEPT}
    events.put_targets(Rule="tampering", Targets=[before])
    assert bench.diff(ALARMS).changes == []
    events.put_targets(Rule="tampering", Targets=[{**before, "Input": "{}"}])
    assert len(bench.apply(ALARMS).changes) == 1
    assert target() == before


def _named(bench: Bench) -> list[str]:
    found = bench.client("cloudtrail").get_event_selectors(TrailName="audit")["AdvancedEventSelectors"]
    return sorted(each.get("Name", "") for each in found)


def _fewer(selectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return selectors[:1]


@pytest.mark.parametrize("break_them", [lambda selectors: selectors, _fewer], ids=["whole", "broken"])
def test_event_selectors_keep_their_names(
    bench: Bench, break_them: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> None:
    bench.apply(SELECTORS)
    cloudtrail = bench.client("cloudtrail")
    have = cloudtrail.get_event_selectors(TrailName="audit")["AdvancedEventSelectors"]
    named = break_them([{**each, "Name": f"theirs {number}"} for number, each in enumerate(have)])
    cloudtrail.put_event_selectors(TrailName="audit", AdvancedEventSelectors=named)
    plan = bench.apply(SELECTORS)
    assert len(plan.changes) == (len(named) < len(have))
    assert {each["Name"] for each in named} <= {*_named(bench)}
    assert bench.diff(SELECTORS).changes == []


def test_new_accounts_keep_the_standards_that_others_chose(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"regions: [us-east-1]\nsecurity_hub: {{standards: {{}}, organization: {{administrator: '{MEMBER}', auto_enable: true}}}}\n"
    bench.apply(text, only=("security_hub_administrator",))
    assume_account(bench, monkeypatch, MEMBER)
    bench.apply(text, only=("security_hub",))
    hub = bench.client("securityhub")
    hub.update_organization_configuration(AutoEnable=False, AutoEnableStandards="NONE")
    before = len(bench.world.writes)
    bench.apply(text, only=("security_hub",))
    [call] = bench.world.writes[before:]
    assert call.params == {"AutoEnable": True, "AutoEnableStandards": "NONE"}
    assert hub.describe_organization_configuration()["AutoEnableStandards"] == "NONE"
