"""Tests of the sandbox rules of logs, alarms, topics and targets: each has an outcome that AWS has, and moto without it has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioner.sandbox.policy_text import to_policy
from provisioner.sandbox.world import World

from ...sandbox.cases import ACCOUNT, Aws, Case, check, outcome

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
METRIC = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
INVALID = "InvalidParameterException"
GONE = "ResourceNotFoundException"
MUTE = {
    "Name": "night",
    "Rule": {"Schedule": {"Expression": "cron(0 0 * * *)", "Duration": "PT8H"}},
    "MuteTargets": {"AlarmNames": ["a"]},
}

Do = Callable[[Aws], Any]


def then(*steps: Do) -> Do:
    """Run the steps, and return the result of the last."""
    return lambda aws: [step(aws) for step in steps][-1]


def group(name: str = "g", **more: Any) -> Do:
    return lambda aws: aws.logs.create_log_group(logGroupName=name, **more) and None


def described(field: str) -> Do:
    return lambda aws: aws.logs.describe_log_groups()["logGroups"][0].get(field)


def put_filter(pattern: str = "{$.a=b}", *, metrics: int = 1, **more: Any) -> Do:
    return lambda aws: (
        aws.logs.put_metric_filter(
            logGroupName="g",
            filterName="f",
            filterPattern=pattern,
            metricTransformations=[{**METRIC, **more}] * metrics,
        )
        and None
    )


def filters(aws: Aws) -> Any:
    found = aws.logs.describe_metric_filters(logGroupName="g")["metricFilters"]
    return [(each["filterPattern"], each["applyOnTransformedLogs"]) for each in found]


def all_filters(aws: Aws) -> Any:
    mine = {"metricName": METRIC["metricName"], "metricNamespace": METRIC["metricNamespace"]}
    asked = ({}, mine, {**mine, "metricName": "another"})
    found = [aws.logs.describe_metric_filters(**each)["metricFilters"] for each in asked]
    return [[each["filterName"] for each in filters] for filters in found]


def put_alarm(**more: Any) -> Do:
    wanted = {"AlarmName": "a", "MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60}
    wanted |= {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", **more}
    return lambda aws: aws.cloudwatch.put_metric_alarm(**wanted) and None


def shown(field: str) -> Do:
    def field_of(aws: Aws) -> Any:
        found = aws.cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"]
        return found[0][field] if found else "no such alarm"

    return field_of


def on_metrics(aws: Aws) -> Any:
    ask = aws.cloudwatch.describe_alarms_for_metric
    found = [ask(MetricName="m", Namespace=namespace)["MetricAlarms"] for namespace in "no"]
    return [[each["AlarmName"] for each in alarms] for alarms in found]


def muted(aws: Aws) -> Any:
    found = aws.cloudwatch.list_alarm_mute_rules(AlarmName="a")["AlarmMuteRuleSummaries"]
    return [each["AlarmMuteRuleArn"].rpartition(":")[2] for each in found]


def set_state(aws: Aws) -> None:
    aws.cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="a test")


def executed(aws: Aws) -> Any:
    items = aws.cloudwatch.describe_alarm_history(AlarmName="a", HistoryItemType="Action")
    return [each["HistorySummary"] for each in items["AlarmHistoryItems"]]


def topic(**more: Any) -> Do:
    return lambda aws: aws.sns.create_topic(Name="t", **more) and None


def subscribe(protocol: str, endpoint: str) -> Do:
    return lambda aws: aws.sns.subscribe(TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint)[
        "SubscriptionArn"
    ]


def counted(aws: Aws) -> Any:
    found = aws.sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    return found["SubscriptionsConfirmed"], found["SubscriptionsPending"]


def subscribed(aws: Aws) -> Any:
    return [
        each["SubscriptionArn"]
        for each in aws.sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    ]


def retention_policy(aws: Aws) -> None:
    aws.logs.put_account_policy(
        policyName="all", policyType="RETENTION_POLICY", policyDocument='{"RetentionInDays": 30}'
    )


QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
BUS = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
REFUSED = "ValidationException"


def target(arn: str, role: str = "") -> Do:
    wanted = {"Id": "t", "Arn": arn, **({"RoleArn": role} if role else {})}
    return then(
        lambda a: a.events.put_rule(Name="r", EventPattern='{"source":["x"]}'),
        lambda a: a.events.put_targets(Rule="r", Targets=[wanted])["FailedEntryCount"],
    )


def role(source: str) -> Do:
    condition = {"ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{ACCOUNT}:{source}"}}
    trust = {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = to_policy({"Effect": "Allow", **trust, "Condition": condition})
    return lambda a: a.iam.create_role(RoleName="r", AssumeRolePolicyDocument=document) and None


PROTECTED = {"logGroupIdentifier": "g", "deletionProtectionEnabled": True}
CASES = [
    Case("logs.create", "a reserved name", group("aws/x"), INVALID),
    Case("logs.create", "a key that is not there", group(kmsKeyId="arn:aws:kms:us-east-1:1:key/x"), INVALID),
    Case(
        "logs.describe",
        "its class",
        then(group(logGroupClass="ESSENTIALS"), described("logGroupClass")),
        "ESSENTIALS",
    ),
    Case(
        "logs.protection",
        "turned on",
        then(
            group(),
            lambda a: a.logs.put_log_group_deletion_protection(**PROTECTED),
            described("deletionProtectionEnabled"),
        ),
        True,
    ),
    Case(
        "logs.delete",
        "protected",
        then(group(deletionProtectionEnabled=True), lambda a: a.logs.delete_log_group(logGroupName="g")),
        "InvalidOperationException",
    ),
    Case(
        "logs.retention",
        "ten days",
        then(group(), lambda a: a.logs.put_retention_policy(logGroupName="g", retentionInDays=10)),
        INVALID,
    ),
    Case(
        "logs.key", "no such group", lambda a: a.logs.associate_kms_key(logGroupName="g", kmsKeyId="k"), GONE
    ),
    Case(
        "logs.account_policy",
        "wins",
        then(group(), retention_policy, described("retentionPolicyName")),
        "all",
    ),
    Case("logs.put_filter", "no such group", put_filter(), GONE),
    Case("logs.put_filter", "a bad pattern", then(group(), put_filter("{bad")), INVALID),
    Case(
        "logs.put_filter",
        "a default and dimensions",
        then(group(), put_filter(defaultValue=0.0, dimensions={"d": "$.d"})),
        INVALID,
    ),
    Case(
        "logs.put_filter",
        "a class without filters",
        then(group(logGroupClass="INFREQUENT_ACCESS"), put_filter()),
        "InvalidOperationException",
    ),
    Case(
        "logs.describe_filters",
        "blanks are cut off",
        then(group(), put_filter(" {$.a=b} "), filters),
        [("{$.a=b}", False)],
    ),
    Case(
        "logs.describe_filters", "of all groups", then(group(), put_filter(), all_filters), [["f"], ["f"], []]
    ),
    Case(
        "logs.delete_filter",
        "gone",
        then(
            group(),
            put_filter(),
            lambda a: a.logs.delete_metric_filter(logGroupName="g", filterName="f"),
            filters,
        ),
        [],
    ),
    Case("cloudwatch.put", "a period", put_alarm(Period=45), "ValidationError"),
    Case("cloudwatch.put", "no ARN", put_alarm(AlarmActions=["junk"]), "ValidationError"),
    Case(
        "cloudwatch.put",
        "another Region",
        put_alarm(AlarmActions=["arn:aws:sns:eu-west-1:1:t"]),
        "ValidationError",
    ),
    Case(
        "cloudwatch.put",
        "six actions",
        put_alarm(AlarmActions=[f"{TOPIC}{n}" for n in range(6)]),
        "ValidationError",
    ),
    Case(
        "cloudwatch.describe", "its first state", then(put_alarm(), shown("StateValue")), "INSUFFICIENT_DATA"
    ),
    Case("cloudwatch.describe_for_metric", "its alarms", then(put_alarm(), on_metrics), [["a"], []]),
    Case(
        "cloudwatch.delete",
        "gone",
        then(
            put_alarm(),
            lambda a: a.cloudwatch.delete_alarms(AlarmNames=["a"]),
            lambda a: a.cloudwatch.describe_alarms()["MetricAlarms"],
        ),
        [],
    ),
    Case(
        "cloudwatch.actions",
        "off",
        then(
            put_alarm(),
            lambda a: a.cloudwatch.disable_alarm_actions(AlarmNames=["a"]),
            shown("ActionsEnabled"),
        ),
        False,
    ),
    Case("cloudwatch.state", "set", then(put_alarm(), set_state, shown("StateValue")), "ALARM"),
    Case(
        "cloudwatch.history",
        "no such topic",
        then(put_alarm(AlarmActions=[TOPIC]), set_state, executed),
        [f"Failed to execute action {TOPIC}"],
    ),
    Case(
        "cloudwatch.history",
        "muted",
        then(
            topic(),
            put_alarm(AlarmActions=[TOPIC]),
            lambda a: a.cloudwatch.put_alarm_mute_rule(**MUTE),
            set_state,
            executed,
        ),
        [],
    ),
    Case(
        "cloudwatch.mute", "muted", then(lambda a: a.cloudwatch.put_alarm_mute_rule(**MUTE), muted), ["night"]
    ),
    Case("cloudwatch.list_mute_rules", "none", muted, []),
    Case(
        "cloudwatch.delete_mute_rule",
        "not there",
        lambda a: a.cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="x"),
        GONE,
    ),
    Case(
        "sns.create",
        "other attributes",
        then(topic(), topic(Attributes={"DisplayName": "x"})),
        "InvalidParameter",
    ),
    Case(
        "sns.attributes",
        "no policy",
        then(
            topic(),
            lambda a: a.sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue="x"),
        ),
        "InvalidParameter",
    ),
    Case(
        "sns.subscribe", "e-mail", then(topic(), subscribe("email", "a@example.com")), "pending confirmation"
    ),
    Case(
        "sns.counts",
        "one of each",
        then(
            topic(),
            subscribe("email", "a@b.c"),
            subscribe("sqs", QUEUE),
            subscribe("sqs", f"{QUEUE}2"),
            counted,
        ),
        ("2", "1"),
    ),
    Case("sns.subscribe", "a fax", then(topic(), subscribe("fax", "1")), "InvalidParameter"),
    Case(
        "sns.list", "pending", then(topic(), subscribe("email", "a@b.c"), subscribed), ["PendingConfirmation"]
    ),
    Case(
        "sns.unsubscribe",
        "pending",
        then(topic(), lambda a: a.sns.unsubscribe(SubscriptionArn="PendingConfirmation")),
        "InvalidParameter",
    ),
    Case(
        "sns.delete",
        "with its subscriptions",
        then(
            topic(),
            subscribe("sqs", QUEUE),
            lambda a: a.sns.delete_topic(TopicArn=TOPIC),
            topic(),
            subscribed,
        ),
        [],
    ),
    Case(
        "events.targets",
        "six",
        then(
            lambda a: a.events.put_rule(Name="r", EventPattern='{"source":["x"]}'),
            lambda a: a.events.put_targets(
                Rule="r", Targets=[{"Id": str(n), "Arn": TOPIC} for n in range(6)]
            )["FailedEntryCount"],
        ),
        "LimitExceededException",
    ),
    Case("events.other_region", "a bus without a role", target(BUS), REFUSED),
    Case("events.other_region", "a queue", target(f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"), REFUSED),
    Case("events.target_role", "no such role", target(BUS, ROLE), REFUSED),
    Case("events.target_role", "for another rule", then(role("rule/other"), target(BUS, ROLE)), REFUSED),
]


def test_a_role_for_the_rule_may_be_used(aws: Aws) -> None:
    assert then(role("rule/r"), target(BUS, ROLE))(aws) == 0


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_a_log_group_of_the_same_name_begins_anew(aws: Aws, world: World) -> None:
    then(group(), put_filter(), lambda a: a.logs.delete_log_group(logGroupName="g"), group())(aws)
    assert filters(aws) == []


def test_a_subscription_is_the_same_for_the_same_endpoint(aws: Aws) -> None:
    topic()(aws)
    assert subscribe("sqs", QUEUE)(aws) == subscribe("sqs", QUEUE)(aws)


def test_an_alarm_keeps_its_first_tags(aws: Aws, world: World) -> None:
    for value in "12":
        put_alarm(Tags=[{"Key": "a", "Value": value}])(aws)
    [kept] = world.memory["metric_alarms"][ACCOUNT, "us-east-1"].values()
    assert kept["_tags"] == [{"Key": "a", "Value": "1"}]


def test_a_hundred_filters_fill_a_log_group(aws: Aws) -> None:
    group()(aws)
    for number in range(100):
        aws.logs.put_metric_filter(
            logGroupName="g", filterName=str(number), filterPattern="x", metricTransformations=[METRIC]
        )
    assert outcome(put_filter(), aws) == "LimitExceededException"
