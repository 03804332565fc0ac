"""Tests of the alarms steps: adoption, drift, what others have set, owners above the account, dangers."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest

from provisioner.compare.policy import document
from provisioner.model import Kind
from provisioner.services.alarms.metric_alarms import ANSWERED

from ...conftest import MEMBER, Bench, assume_account
from .sample import ACCOUNT, ALL, GROUP, LEAST, QUEUE, SMALL, TOPIC, TRAIL, again, alarm, findings, shown

KEY_ALIAS = "alias/aws/sns"


def with_(line: str, text: str = SMALL) -> str:
    return text.replace("alarms: {", f"alarms: {{{line}, ")


def notes(bench: Bench, text: str, kind: Kind) -> list[str]:
    return [note.text for _, note in bench.diff(text).notes(kind)]


def trail_of(bench: Bench) -> dict[str, Any]:
    [found] = bench.client("cloudtrail").describe_trails()["trailList"]
    return dict(found)


def filters(bench: Bench) -> dict[str, Any]:
    found = bench.client("logs").describe_metric_filters(logGroupName="security/cloudtrail")["metricFilters"]
    return {each["filterName"]: each for each in found}


def test_the_least_file_carries_events_to_a_person(bench: Bench) -> None:
    bench.apply(LEAST)
    assert trail_of(bench)["CloudWatchLogsLogGroupArn"] == GROUP
    assert alarm(bench)["AlarmActions"] == [TOPIC]
    assert bench.diff(LEAST).changes == []
    assert "sec@example.com has not confirmed yet, and hears nothing" in notes(bench, LEAST, Kind.WARNING)


def test_all_alarms_of_cis_are_made_and_stay(bench: Bench) -> None:
    bench.apply(ALL)
    assert len(bench.client("cloudwatch").describe_alarms()["MetricAlarms"]) == 17
    assert bench.diff(ALL).changes == []
    assert [each["metricTransformations"][0].get("defaultValue") for each in filters(bench).values()] == [
        None
    ] * len(filters(bench))


def test_the_role_is_for_this_trail_and_its_log_streams_only(bench: Bench) -> None:
    bench.apply(SMALL)
    iam, role = bench.client("iam"), {"RoleName": "cloudtrail-to-log-group"}
    [statement] = iam.get_role(**role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEqualsIfExists"]["aws:SourceArn"].endswith(":trail/audit")
    [own] = iam.get_role_policy(**role, PolicyName="CloudTrailToLogGroup")["PolicyDocument"]["Statement"]
    assert own["Resource"] == [f"{GROUP.removesuffix(':*')}:log-stream:{ACCOUNT}_CloudTrail_us-east-1*"]


def test_unknown_fields_of_an_alarm_are_sent_again(bench: Bench) -> None:
    bench.apply(SMALL)
    theirs = [f"arn:aws:sns:us-east-1:{ACCOUNT}:theirs"]
    more = {"OKActions": theirs, "AlarmDescription": "ours", "EvaluateLowSampleCountPercentile": "ignore"}
    again(bench, **more, AlarmActions=theirs, ActionConfiguration={"AlarmTagsPropagation": {"Enabled": True}})
    bench.apply(SMALL)
    found = alarm(bench)
    assert {key: found[key] for key in more} == more
    assert found["AlarmActions"] == [*theirs, TOPIC]
    assert found["ActionConfiguration"] == {"AlarmTagsPropagation": {"Enabled": True}}


def test_what_describe_alarms_answers_more_than_put_metric_alarm_takes_is_known() -> None:
    model = botocore.session.get_session().get_service_model("cloudwatch")
    answered = model.operation_model("DescribeAlarms").output_shape.members["MetricAlarms"].member.members
    taken = model.operation_model("PutMetricAlarm").input_shape.members
    assert {*answered} - {*taken} == ANSWERED


def test_the_last_of_five_foreign_actions_makes_room(bench: Bench) -> None:
    bench.apply(SMALL)
    theirs = [f"arn:aws:sns:us-east-1:{ACCOUNT}:t{number}" for number in range(5)]
    again(bench, AlarmActions=theirs)
    assert f"no longer notifies {theirs[-1]}, as AWS takes 5 actions" in notes(bench, SMALL, Kind.WARNING)
    bench.apply(SMALL)
    assert alarm(bench)["AlarmActions"] == [*theirs[:-1], TOPIC]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ActionsEnabled", False),
        ("Threshold", 2.0),
        ("DatapointsToAlarm", None),
        ("Unit", "Count"),
        ("Dimensions", [{"Name": "a", "Value": "b"}]),
        ("ComparisonOperator", "LessThanThreshold"),
        ("Statistic", "Average"),
        ("EvaluationInterval", 60),
    ],
)
def test_an_alarm_that_says_less_is_repaired(bench: Bench, field: str, value: Any) -> None:
    bench.apply(SMALL)
    changed = {"EvaluationPeriods": 3, "DatapointsToAlarm": 2} if value is None else {field: value}
    again(bench, **changed)
    assert ("alarm security-trail-changes", field) in shown(bench.diff(SMALL))
    bench.apply(SMALL)
    assert bench.diff(SMALL).changes == []


def test_one_datapoint_of_one_period_is_no_drift(bench: Bench) -> None:
    bench.apply(SMALL)
    again(bench, DatapointsToAlarm=1)
    assert bench.diff(SMALL).changes == []


def test_a_lower_threshold_is_stricter_and_raised_with_consent_only(bench: Bench) -> None:
    bench.apply(SMALL)
    text = with_("metric_alarms: {trail_changes: {threshold: 5}}")
    assert bench.diff(text).changes == []
    assert "Threshold is 1.0; the baseline asks for 5.0" in notes(bench, text, Kind.STRICTER)
    exact = text.replace("threshold: 5", "threshold: 5, exact: true")
    assert [c.consent for _, c in bench.diff(exact).changes] == ["raise-alarm-threshold"]


def test_unknown_fields_of_a_filter_are_sent_again(bench: Bench) -> None:
    bench.apply(SMALL)
    name = "security-trail-changes"
    have = filters(bench)[name]
    bench.client("logs").put_metric_filter(
        logGroupName="security/cloudtrail",
        filterName=name,
        filterPattern="{$.a=b}",
        metricTransformations=[{**have["metricTransformations"][0], "unit": "Count"}],
    )
    assert shown(bench.diff(SMALL)) == [(f"metric filter {name}", "filterPattern")]
    bench.apply(SMALL)
    assert filters(bench)[name]["metricTransformations"][0]["unit"] == "Count"


def test_one_trail_only(bench: Bench) -> None:
    bench.apply(with_("metric_alarms: {trail_changes: {only_our_trail: true}}"))
    from provisioner.services.alarms.sandbox.grammar import matcher

    patterns = [each["filterPattern"] for name, each in filters(bench).items() if "trail" in name]
    event = {"eventName": "StopLogging", "requestParameters": {"name": "arn:aws:…:trail/audit"}}
    assert any(matcher(each)(event) for each in patterns)
    assert not any(matcher(each)({**event, "requestParameters": {"name": "other"}}) for each in patterns)
    assert max(map(len, patterns)) <= 1024


def test_a_mute_rule_is_told_as_a_danger_and_removed_with_consent_only(bench: Bench) -> None:
    bench.apply(SMALL)
    bench.client("cloudwatch").put_alarm_mute_rule(
        Name="night",
        Rule={"Schedule": {"Expression": "cron(0 0 * * *)", "Duration": "PT8H"}},
        MuteTargets={"AlarmNames": ["security-trail-changes"]},
    )
    [(_, change)] = bench.diff(SMALL).changes
    assert (change.consent, change.loses) == (
        "remove-alarm-mute-rule",
        "`night` of others mutes the alarm security-trail-changes",
    )
    assert findings(bench, SMALL)["alarm security-trail-changes"] == (False, "it is muted by `night`")
    bench.apply(SMALL, allow=("remove-alarm-mute-rule",))
    assert bench.diff(SMALL).changes == []


def test_a_longer_retention_stays_and_one_of_the_account_is_told_as_owned(bench: Bench) -> None:
    text = with_("log_group: {retention_in_days: 365}")
    bench.apply(text)
    logs = bench.client("logs")
    logs.delete_retention_policy(logGroupName="security/cloudtrail")
    assert "retentionInDays is never; the baseline asks for 365" in notes(bench, text, Kind.STRICTER)
    logs.put_account_policy(
        policyName="short", policyType="RETENTION_POLICY", policyDocument='{"RetentionInDays": 30}'
    )
    assert bench.diff(text).changes == []
    assert notes(bench, text, Kind.OWNED) == [
        "retentionInDays is 30; the baseline asks for 365, and the account's retention policy `short` sets it"
    ]


def test_a_log_group_of_another_class_is_refused(bench: Bench) -> None:
    bench.client("logs").create_log_group(
        logGroupName="security/cloudtrail", logGroupClass="INFREQUENT_ACCESS"
    )
    [failed] = [r.failure for r in bench.diff(SMALL).failed if r.failure and r.step == "alarms_log_group"]
    assert "class INFREQUENT_ACCESS" in failed.message


def test_events_that_go_elsewhere_come_back_with_a_warning(bench: Bench) -> None:
    bench.apply(SMALL)
    logs, iam = bench.client("logs"), bench.client("iam")
    logs.create_log_group(logGroupName="attacker")
    allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    made = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(document([trust])))
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(document([allow])))
    other = GROUP.replace("security/cloudtrail", "attacker")
    bench.client("cloudtrail").update_trail(
        Name="audit", CloudWatchLogsLogGroupArn=other, CloudWatchLogsRoleArn=made["Role"]["Arn"]
    )
    ok, detail = findings(bench, SMALL)["trail audit"]
    assert (ok, detail) == (False, "it sends its events elsewhere")
    warning = "events so far stay in `attacker`; what reads them there sees no new ones"
    assert warning in notes(bench, SMALL, Kind.WARNING)
    bench.apply(SMALL)
    assert trail_of(bench)["CloudWatchLogsLogGroupArn"] == GROUP


def test_an_existing_trail_that_the_file_names_is_watched(bench: Bench) -> None:
    bench.apply(TRAIL)
    text = "regions: [us-east-1]\nalarms: {trail: audit, watchers: false, detectors: false}\n"
    bench.apply(text)
    assert trail_of(bench)["CloudWatchLogsLogGroupArn"] == GROUP
    assert bench.diff(text).changes == []
    moved = text.replace("trail: audit", "trail: audit, log_group: {name: other}")
    failed = {r.step: r.failure.message for r in bench.diff(moved).failed if r.failure}
    assert failed["alarms_delivery"].endswith("set `alarms.log_group.name: security/cloudtrail`")


def test_a_trail_that_is_not_there_is_refused(bench: Bench) -> None:
    text = "regions: [us-east-1]\nalarms: {trail: audit}\n"
    failed = {r.step: r.failure.message for r in bench.diff(text).failed if r.failure}
    assert (
        failed["alarms_role"] == "there is no trail `audit` in us-east-1: make it, or correct `alarms.trail`"
    )


def test_a_member_of_the_organization_has_a_trail_of_its_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    bench.apply(SMALL)
    assert trail_of(bench)["CloudWatchLogsLogGroupArn"] == GROUP.replace(ACCOUNT, MEMBER)


def test_statements_of_others_in_the_topic_stay_and_a_deny_is_a_danger(bench: Bench) -> None:
    bench.apply(SMALL)
    sns = bench.client("sns")
    have = json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])
    assert {each["Sid"] for each in have["Statement"]} == {
        "__default_statement_ID",
        "AlarmsPublishProvision",
    }

    def put(**more: Any) -> None:
        statement = {"Sid": "Theirs", "Action": "sns:Publish", "Resource": TOPIC, **more}
        new = json.dumps({**have, "Statement": [*have["Statement"], statement]})
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=new)

    put(Effect="Allow", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assert notes(bench, SMALL, Kind.FOREIGN) == ["policy statements of others are kept: Theirs"]
    put(Effect="Deny", Principal="*")
    [(_, change)] = bench.diff(SMALL).changes
    assert change.consent == "remove-foreign-statement"
    assert "denies cloudwatch.amazonaws.com `sns:Publish`" in change.loses
    put(Effect="Allow", Principal="*")
    [(_, change)] = bench.diff(SMALL).changes
    assert "allows everybody `sns:Publish`" in change.loses


def test_subscriptions_of_others_stay(bench: Bench) -> None:
    bench.apply(SMALL)
    bench.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)
    text = with_("topic: {subscriptions: [{protocol: https, endpoint: 'https://example.com'}]}")
    assert [c.call.operation for _, c in bench.apply(text).changes] == ["subscribe"]
    assert f"subscriptions of others are kept: sqs {QUEUE}" in notes(bench, text, Kind.FOREIGN)
    assert findings(bench, text)["topic security-alarms"] == (True, "1 confirmed, 1 pending")


def test_a_topic_that_nobody_hears_fails_verification(bench: Bench) -> None:
    bench.apply(SMALL)
    ok, detail = findings(bench, SMALL)["topic security-alarms"]
    assert ok is False
    assert "nobody is subscribed" in detail
    bench.apply(LEAST)
    assert findings(bench, LEAST)["topic security-alarms"] == (None, "nobody has confirmed yet")


def test_a_topic_with_awss_own_key_is_told(bench: Bench) -> None:
    bench.apply(SMALL)
    sns = bench.client("sns")
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue=KEY_ALIAS)
    assert bench.diff(SMALL).changes == []
    assert any("AWS's own key" in each for each in notes(bench, SMALL, Kind.WARNING))
    key = bench.client("kms").create_key()["KeyMetadata"]["KeyId"]
    bench.client("kms").create_alias(AliasName="alias/alarms", TargetKeyId=key)
    text = with_("topic: {kms_master_key_id: alias/alarms}")
    assert shown(bench.apply(text)) == [("topic security-alarms", "KmsMasterKeyId")]
    assert bench.diff(text).changes == []


def test_a_rule_that_a_service_manages_is_not_touched(bench: Bench) -> None:
    text = with_("event_rule: {}")
    bench.apply(text)
    from moto.backends import get_backend

    rule = get_backend("events")[ACCOUNT]["us-east-1"].event_buses["default"].rules["security-tampering"]
    rule.managed_by, rule.state = "theirs.amazonaws.com", "DISABLED"
    assert bench.diff(text).changes == []
    [note] = notes(bench, text, Kind.OWNED)
    assert note.startswith("State is DISABLED; the baseline asks for ENABLED, and `theirs.amazonaws.com`")


def test_what_is_not_there_fails_verification(bench: Bench) -> None:
    text = with_("event_rule: {}")
    found = findings(bench, text)
    assert {resource: ok for resource, (ok, _) in found.items()} == {
        "trail audit": False,
        "topic security-alarms": False,
        "alarm security-trail-changes": False,
        "alarm security-config-changes": False,
        "event rule security-tampering": False,
    }
    assert "there is no such alarm" in found["alarm security-trail-changes"][1]


def test_a_stopped_trail_raises_no_alarm(bench: Bench) -> None:
    bench.apply(SMALL)
    bench.client("cloudtrail").stop_logging(Name="audit")
    assert findings(bench, SMALL)["trail audit"] == (False, "it is not logging")
