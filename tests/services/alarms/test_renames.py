"""Tests of alarms, rules and topics that the file renames: those that are there are heard until the new ones are."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from provisioner.sandbox import Fault

from ...conftest import Bench

FILE = """
regions: [us-east-1, eu-west-1]
log_buckets: {logs: {name: acme-logs}}
cloudtrail: {name: audit, s3_bucket_name: logs}
alarms:
  name_prefix: "ours-"
  log_group: {name: events}
  event_rule: {name: tampering, all_regions: true}
  topic: {name: heard, subscriptions: [{protocol: sqs, endpoint: "arn:aws:sqs:us-east-1:123456789012:heard"}]}
"""


def _allows(document: Any, source: str) -> bool:
    """Whether a statement has the source among those of its condition."""
    parsed = json.loads(document) if isinstance(document, str) else document
    asked = [each for s in parsed["Statement"] for each in s.get("Condition", {}).get("ArnLike", {}).values()]
    patterns = [one for each in asked for one in ([each] if isinstance(each, str) else each)]
    return any(fnmatchcase(source, each) for each in patterns)


def publishes(bench: Bench, source: str, topic: str) -> bool:
    """Whether the topic lets the alarm or rule publish."""
    asked = bench.client("sns", topic.split(":")[3]).get_topic_attributes(TopicArn=topic)
    return _allows(asked["Attributes"]["Policy"], source)


def forwards(bench: Bench, source: str, bus: str, role: str) -> bool:
    """Whether the rule may use the role, and the role send to the bus."""
    iam = bench.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=each)["PolicyDocument"] for each in names]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return _allows(trust, source) and bus in json.dumps(documents)


def unheard(bench: Bench) -> list[tuple[str, str]]:
    """The alarms and rules that are there and do not reach what they notify, each with that."""
    found = [
        (alarm["AlarmArn"], topic)
        for alarm in bench.client("cloudwatch").describe_alarms()["MetricAlarms"]
        for topic in alarm["AlarmActions"]
        if not publishes(bench, alarm["AlarmArn"], topic)
    ]
    for region in ("us-east-1", "eu-west-1"):
        events = bench.client("events", region)
        for rule in events.list_rules()["Rules"]:
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                role = target.get("RoleArn", "").rpartition("/")[2]
                arns = rule["Arn"], target["Arn"]
                if not (forwards(bench, *arns, role) if role else publishes(bench, *arns)):
                    found.append(arns)
    return found


def refuse(bench: Bench, text: str, operation: str, refusing: set[str]) -> None:
    """Apply the file while AWS denies the operation."""
    refusing.add(operation)
    bench.world.interrupt(
        lambda call, phase: (
            Fault("AccessDenied", 403) if phase == "before" and call.operation in refusing else None
        )
    )
    run = bench.run(text)
    assert any(each.operation == operation for r in run.send(run.rehearse()) for each in r.failures)
    refusing.clear()


@pytest.mark.parametrize(
    ("renamed", "refused"),
    [
        (('name_prefix: "ours-"', 'name_prefix: "new-"'), "PutMetricAlarm"),
        (("name: tampering", "name: other"), "PutRule"),
        (("name: tampering", "name: other"), "PutTargets"),
        (("name: heard", "name: other"), "PutMetricAlarm"),
        (("name: heard", "name: other"), "PutTargets"),
        (("all_regions: true", "all_regions: true, role_name: another"), "PutTargets"),
    ],
)
def test_what_is_heard_is_heard_until_the_move_is_made(
    bench: Bench, renamed: tuple[str, str], refused: str
) -> None:
    bench.apply(FILE)
    assert unheard(bench) == []
    text = FILE.replace(*renamed)
    refuse(bench, text, refused, set())
    assert unheard(bench) == []
    bench.apply(text)
    assert (unheard(bench), bench.diff(text).changes) == ([], [])


def test_another_home_region_cuts_off_no_rule(bench: Bench) -> None:
    bench.apply(FILE)
    refuse(bench, f"home_region: eu-west-1{FILE}", "PutTargets", set())
    assert unheard(bench) == []


def test_the_topic_is_closed_to_alarms_and_rules_that_are_gone(bench: Bench) -> None:
    bench.apply(FILE)
    text = FILE.replace('"ours-"', '"new-"').replace("tampering", "other")
    bench.apply(text)
    cloudwatch = bench.client("cloudwatch")
    names = [each["AlarmName"] for each in cloudwatch.describe_alarms()["MetricAlarms"]]
    cloudwatch.delete_alarms(AlarmNames=[each for each in names if each.startswith("ours-")])
    for region in ("us-east-1", "eu-west-1"):
        events = bench.client("events", region)
        for target in events.list_targets_by_rule(Rule="tampering")["Targets"]:
            events.remove_targets(Rule="tampering", Ids=[target["Id"]])
        events.delete_rule(Name="tampering")
    changed = {(c.resource, d.field) for _, c in bench.diff(text).changes for d in c.differences}
    assert changed == {
        ("topic heard", "policy statement AlarmsPublishProvision"),
        ("topic heard", "policy statement EventsPublishProvision"),
        ("role security-events-to-home-region", "trust statement EventsAssumeRole"),
    }


@pytest.mark.parametrize("source", ["*", "nothing", "alarm:*", "alarm:our*"])
def test_a_wider_source_does_not_stay(bench: Bench, source: str) -> None:
    bench.apply(FILE)
    sns, topic = bench.client("sns"), "arn:aws:sns:us-east-1:123456789012:heard"
    document = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    [ours] = [each for each in document["Statement"] if each["Sid"] == "AlarmsPublishProvision"]
    wider = source.replace("alarm:", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:")
    ours["Condition"]["ArnLike"]["aws:SourceArn"] = [
        ours["Condition"]["ArnLike"]["aws:SourceArn"],
        wider,
    ]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(document))
    assert {c.resource for _, c in bench.apply(FILE).changes} == {"topic heard"}
