"""Ways to silence the alarms by hand: the log group, role, delivery, topic, filters, alarms, mute rules and event rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none
from ....sandbox.policy_text import to_policy, trust_policy

_ROLE_POLICY, _SID = "CloudTrailToLogGroup", "PublishProvision"  # by which what is ours is known


def _watched(admin: Administrator) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Each trail that sends its events with a role of ours: the trail, and the names of the log group and the role."""
    iam = admin.client("iam")
    for trail in admin.client("cloudtrail").describe_trails(includeShadowTrails=False)["trailList"]:
        name = trail.get("CloudWatchLogsRoleArn", "").rpartition("/")[2]
        found = read_or_none(partial(iam.list_role_policies, RoleName=name), "NoSuchEntity") if name else None
        if found and _ROLE_POLICY in found["PolicyNames"]:
            yield trail, trail["CloudWatchLogsLogGroupArn"].split(":")[6], name


def _groups(admin: Administrator) -> Iterator[dict[str, Any]]:
    """The log groups of these trails."""
    names = {group for _, group, _ in _watched(admin)}
    found = admin.client("logs").describe_log_groups()["logGroups"] if names else []
    yield from (each for each in found if each["logGroupName"] in names)


@breaks("alarms_log_group")
def log_group_breaks(admin: Administrator) -> Iterator[Break]:
    """Keep events for less or more time, take the protection and tags away, and delete the log group."""
    logs = admin.client("logs")
    for each in _groups(admin):
        name = each["logGroupName"]
        what, named = f"log group {name}", {"logGroupName": name}
        broken = breaks_of(what)
        if "retentionInDays" in each:
            put, asked = logs.put_retention_policy, "log_group.retention_in_days"
            text = f"kept the events of {what} for a day"
            yield broken("retentionInDays", text, put, asked, **named, retentionInDays=1)
            text = f"kept the events of {what} for ever"
            yield broken("", text, logs.delete_retention_policy, asked, stricter=True, **named)
        identifier = {"logGroupIdentifier": name, "deletionProtectionEnabled": False}
        protect = logs.put_log_group_deletion_protection
        if each["deletionProtectionEnabled"]:
            asked = "log_group.deletion_protection_enabled"
            text = f"took the deletion protection from {what}"
            yield broken("deletionProtectionEnabled", text, protect, asked, **identifier)
        if "kmsKeyId" in each:
            text, asked = f"took the key from {what}", "log_group.kms_key_id"
            yield broken("kmsKeyId", text, logs.disassociate_kms_key, asked, **named)
        arn = each["logGroupArn"]
        for key in logs.list_tags_for_resource(resourceArn=arn)["tags"]:
            text, tag = f"removed the tag {key} of {what}", {"resourceArn": arn, "tagKeys": [key]}
            yield broken(f"tag {key}", text, logs.untag_resource, f"log_group.tags.{key}", **tag)


@breaks("alarms_role")
def role_breaks(admin: Administrator) -> Iterator[Break]:
    """Let another service into the role, and take its policy away."""
    iam = admin.client("iam")
    for _, _, name in _watched(admin):
        broken, role = breaks_of(f"role {name}"), {"RoleName": name}
        text = f"let another service into role {name}, with a policy more"
        yield broken("trust statement", text, _let_in, iam=iam, name=name)
        text, gone = f"deleted the policy of role {name}", {**role, "PolicyName": _ROLE_POLICY}
        yield broken(f"policy {_ROLE_POLICY}", text, iam.delete_role_policy, **gone)


def _let_in(iam: Any, name: str) -> None:
    """Let another service assume the role, and give it a policy that does no harm."""
    harmless = to_policy({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
    made = iam.create_policy(PolicyName="ListBuckets", PolicyDocument=harmless)["Policy"]
    iam.attach_role_policy(RoleName=name, PolicyArn=made["Arn"])
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust_policy("ec2.amazonaws.com"))


@breaks("alarms_delivery")
def delivery_breaks(admin: Administrator) -> Iterator[Break]:
    """Send the trail's events nowhere, or elsewhere."""
    client = admin.client("cloudtrail")
    for trail, _, _ in _watched(admin):
        name = trail["Name"]
        broken = breaks_of(f"delivery of trail {name}")
        nowhere = {"Name": name, "CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""}
        yield broken(
            "CloudWatchLogs", f"sent the events of trail {name} nowhere", client.update_trail, **nowhere
        )


@breaks("alarms_topic")
def topic_breaks(admin: Administrator) -> Iterator[Break]:
    """Keep alarms from publishing, unsubscribe those who listen, and delete the topic."""
    sns = admin.client("sns")
    for each in sns.list_topics()["Topics"]:
        arn = each["TopicArn"]
        name = arn.rpartition(":")[2]
        broken, on = breaks_of(f"topic {name}"), {"TopicArn": arn}
        document = json.loads(sns.get_topic_attributes(**on)["Attributes"]["Policy"])
        sids = [statement.get("Sid", "") for statement in document["Statement"]]
        if not any(sid.endswith(_SID) for sid in sids):
            continue
        for statement, sid in zip(document["Statement"], sids, strict=True):
            if sid.endswith(_SID):
                rest = [one for one in document["Statement"] if one != statement]
                text = json.dumps({**document, "Statement": rest})
                put = {**on, "AttributeName": "Policy", "AttributeValue": text}
                sentence = f"removed {sid} from the policy of topic {name}"
                yield broken(f"policy statement {sid}", sentence, sns.set_topic_attributes, **put)
        if sns.get_topic_attributes(**on)["Attributes"].get("KmsMasterKeyId"):
            put = {**on, "AttributeName": "KmsMasterKeyId", "AttributeValue": ""}
            sentence, asked = f"took the key from topic {name}", "topic.kms_master_key_id"
            yield broken("KmsMasterKeyId", sentence, sns.set_topic_attributes, asked, **put)
        for one in sns.list_subscriptions_by_topic(**on)["Subscriptions"]:
            if one["SubscriptionArn"].startswith("arn:"):
                what = f"subscription {one['Protocol']} {one['Endpoint']}"
                gone = {"SubscriptionArn": one["SubscriptionArn"]}
                sentence = f"unsubscribed {one['Endpoint']} from topic {name}"
                yield breaks_of(what)("", sentence, sns.unsubscribe, "topic.subscriptions", **gone)
                nothing = {"AttributeName": "FilterPolicy", "AttributeValue": '{"from": ["nobody"]}'}
                sentence, put = f"sent nothing to {one['Endpoint']}", sns.set_subscription_attributes
                consent = "remove-foreign-suppression"
                yield breaks_of(what)("filter policy", sentence, put, consent=consent, **gone, **nothing)
        for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]:
            key = tag["Key"]
            text, untag = f"removed the tag {key} of topic {name}", {"ResourceArn": arn, "TagKeys": [key]}
            yield broken(f"tag {key}", text, sns.untag_resource, f"topic.tags.{key}", **untag)
        yield breaks_of("")("", f"deleted topic {name}", sns.delete_topic, **on)


@breaks("alarms")
def alarm_breaks(admin: Administrator) -> Iterator[Break]:
    """Make filters match nothing, and alarms say nothing; delete both; mute an alarm."""
    logs, cloudwatch = admin.client("logs"), admin.client("cloudwatch")
    for group in _groups(admin):
        filters = logs.describe_metric_filters(logGroupName=group["logGroupName"])["metricFilters"]
        for each in filters[:1]:
            yield from _filter_breaks(logs, each)
        for each in filters[1:]:
            yield _without(logs, each)
    alarms = cloudwatch.describe_alarms()["MetricAlarms"] if [*_groups(admin)] else []
    for each in alarms[:1]:
        yield from _alarm_breaks(cloudwatch, each)
    for each in alarms[1:]:
        yield _silent(cloudwatch, each["AlarmName"])


def _filter_breaks(logs: Any, each: dict[str, Any]) -> Iterator[Break]:
    """Every field of one filter; the others are as this one."""
    what, kept = f"metric filter {each['filterName']}", {k: v for k, v in each.items() if k != "creationTime"}
    broken = breaks_of(what)
    [metric] = each["metricTransformations"]
    for field, sentence, new in (
        ("filterPattern", "matched nothing with", {"filterPattern": '{$.eventName="Nothing"}'}),
        (
            "metricName",
            "counted elsewhere with",
            {"metricTransformations": [{**metric, "metricName": "other"}]},
        ),
        ("metricValue", "counted nothing with", {"metricTransformations": [{**metric, "metricValue": "0"}]}),
        ("fieldSelectionCriteria", "narrowed", {"fieldSelectionCriteria": '@aws.account = "1"'}),
    ):
        yield broken(field, f"{sentence} {what}", logs.put_metric_filter, **{**kept, **new})
    yield _without(logs, each)


def _without(logs: Any, each: dict[str, Any]) -> Break:
    what, names = (
        f"metric filter {each['filterName']}",
        {key: each[key] for key in ("logGroupName", "filterName")},
    )
    return breaks_of(what)("", f"deleted {what}", logs.delete_metric_filter, **names)


def _alarm_breaks(cloudwatch: Any, each: dict[str, Any]) -> Iterator[Break]:
    """Every field of one alarm; the others are as this one."""
    name, what = each["AlarmName"], f"alarm {each['AlarmName']}"
    read_only = ("AlarmArn", "AlarmConfigurationUpdatedTimestamp")
    kept = {k: v for k, v in each.items() if k not in read_only and not k.startswith("State")}
    broken = breaks_of(what)
    for field, value in (
        ("AlarmActions", []),
        ("Threshold", 1000.0),
        ("Period", 3600),
        ("EvaluationPeriods", 5),
        ("MetricName", "other"),
        ("TreatMissingData", "missing"),
        ("WarmUpConfiguration", {"WarmUpPeriodDurationInMinutes": 2880}),
    ):
        text = f"changed {field} of {what}"
        yield broken(field, text, cloudwatch.put_metric_alarm, **{**kept, field: value})
    yield _silent(cloudwatch, name)
    yield broken("", f"deleted {what}", cloudwatch.delete_alarms, AlarmNames=[name])
    rule = {
        "Name": "theirs",
        "Rule": {"Schedule": {"Expression": "cron(0 0 * * *)", "Duration": "PT24H"}},
        "MuteTargets": {"AlarmNames": [name]},
    }
    consent = "remove-alarm-mute-rule"
    yield broken("mute rule theirs", f"muted {what}", cloudwatch.put_alarm_mute_rule, consent=consent, **rule)


def _silent(cloudwatch: Any, name: str) -> Break:
    what = f"alarm {name}"
    text = f"disabled the actions of {what}"
    return breaks_of(what)("ActionsEnabled", text, cloudwatch.disable_alarm_actions, AlarmNames=[name])


@breaks("alarms_event_rule")
def event_rule_breaks(admin: Administrator) -> Iterator[Break]:
    """Disable the rule, let it match nothing or more, and remove its target."""
    events = admin.client("events")
    for each in events.list_rules()["Rules"]:
        name, what = each["Name"], f"event rule {each['Name']}"
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
        if not any(target["Id"].startswith("topic-") for target in targets):
            continue
        broken = breaks_of(what)
        yield broken("State", f"disabled {what}", events.disable_rule, Name=name)
        kept = {key: each[key] for key in ("Name", "EventPattern", "Description") if key in each}
        nothing = {**kept, "State": "ENABLED", "EventPattern": '{"source":["nobody"]}'}
        yield broken("EventPattern", f"matched nothing with {what}", events.put_rule, **nothing)
        every = {**kept, "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}
        yield broken("", f"let {what} see reads too", events.put_rule, stricter=True, **every)
        for target in targets:
            gone = {"Rule": name, "Ids": [target["Id"]]}
            yield broken(
                f"target {target['Id']}", f"removed the target of {what}", events.remove_targets, **gone
            )
