"""The permissions of the steps of `alarms`. Most of it is in the home Region of the account that has the trail."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.key_use import key_permissions, may_look
from ...steps.permission import (
    APPLY,
    FIRE,
    VERIFY,
    Permission,
    allow,
    equals,
    permission_notes,
    permits,
    regional,
    within,
)
from ...steps.references import find, keys
from ...steps.roles import named_roles, role_permissions
from .delivery import CLOUDTRAIL
from .keys import EVENTS
from .section import Alarms
from .trail import trail_name


@permits("alarms_log_group")
def alarms_log_group_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, make and protect the log group."""
    section = baseline[Alarms].log_group
    on = (_named(target, "logs", f"log-group:{section.name}"),)
    # AWS lists log groups without a resource.
    yield from allow("AlarmsLogGroupsRead", "logs", "DescribeLogGroups", condition=within(target))
    if section.tags:
        yield from allow("AlarmsLogGroupRead", "logs", "ListTagsForResource", on=on)
    yield from _key_read(target, baseline, section.kms_key_id)
    writes = {
        "CreateLogGroup": True,
        "PutRetentionPolicy": section.retention_in_days is not None,
        "PutLogGroupDeletionProtection": section.deletion_protection_enabled is not None,
        "AssociateKmsKey": section.kms_key_id is not None,
        "TagResource": bool(section.tags),  # CreateLogGroup with tags requires it too
    }
    names = [name for name, needed in writes.items() if needed]
    yield from allow("AlarmsLogGroupWrite", "logs", names, on=on, purposes=APPLY)


@permits("alarms_role")
def alarms_role_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, make and repair the role, and what others attached to it."""
    yield from _trail_read(baseline)
    if _own_delivery(baseline):
        return
    yield from role_permissions("AlarmsRole", target, baseline[Alarms].role_name, inline=True)


@permits("alarms_delivery")
def alarms_delivery_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Look at the trail and at its deliveries, and let it write to the log group with the role."""
    yield from _trail_read(baseline)
    # An organization trail belongs to the management account, which the file does not name.
    trail = (arn(target.partition, "cloudtrail", target.region, "*", f"trail/{trail_name(baseline)}"),)
    yield from allow("AlarmsTrailStatusRead", "cloudtrail", "GetTrailStatus", on=trail, purposes=VERIFY)
    roles = named_roles(target, baseline[Alarms].role_name)
    yield from allow("AlarmsRoleRead", "iam", "GetRole", on=roles)
    if _own_delivery(baseline):
        return
    yield from allow("AlarmsTrailWrite", "cloudtrail", "UpdateTrail", on=trail, purposes=APPLY)
    to_cloudtrail = equals("iam:PassedToService", CLOUDTRAIL)
    yield from allow("AlarmsRolePass", "iam", "PassRole", on=roles, condition=to_cloudtrail, purposes=APPLY)


@permits("alarms_topic")
def alarms_topic_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, make and configure the topic."""
    topic = baseline[Alarms].topic
    on = (_named(target, "sns", topic.name),)
    reads = {
        "GetTopicAttributes": True,
        "ListSubscriptionsByTopic": bool(topic.subscriptions),
        "GetSubscriptionAttributes": bool(topic.subscriptions),
        "ListTagsForResource": bool(topic.tags),
    }
    yield from allow("AlarmsTopicRead", "sns", [name for name, needed in reads.items() if needed], on=on)
    yield from allow("AlarmsTopicRead", "sns", "ListSubscriptionsByTopic", on=on, purposes=VERIFY)
    yield from _key_read(target, baseline, topic.kms_master_key_id)
    writes = {
        "CreateTopic": True,
        "SetTopicAttributes": True,
        "Subscribe": bool(topic.subscriptions),
        "TagResource": bool(topic.tags),
    }
    names = [name for name, needed in writes.items() if needed]
    yield from allow("AlarmsTopicWrite", "sns", names, on=on, purposes=APPLY)


@permits("alarms")
def alarms_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, make and repair the filters and alarms, and read what mutes them."""
    section = baseline[Alarms]
    if not section.chosen_alarms():
        return
    group = (_named(target, "logs", f"log-group:{section.log_group.name}"),)
    alarms = (_named(target, "cloudwatch", f"alarm:{section.name_prefix}*"),)
    yield from allow("AlarmsFiltersRead", "logs", "DescribeMetricFilters", on=group)
    yield from allow("AlarmsFiltersWrite", "logs", "PutMetricFilter", on=group, purposes=APPLY)
    # Both list more than the alarms of the file.
    lists = "DescribeAlarms ListAlarmMuteRules"
    yield from allow("AlarmsRead", "cloudwatch", lists, condition=within(target))
    yield from allow("AlarmsWrite", "cloudwatch", "PutMetricAlarm", on=alarms, purposes=APPLY)
    firing = "SetAlarmState DescribeAlarmHistory"
    yield from allow("AlarmsFire", "cloudwatch", firing, on=alarms, purposes=FIRE)


@permits("alarms_event_rule")
def alarms_event_rule_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, make and repair the rule and its target."""
    if rule := baseline[Alarms].event_rule:
        on = (_named(target, "events", f"rule/{rule.name}"),)
        yield from allow("AlarmsRuleRead", "events", "DescribeRule ListTargetsByRule", on=on)
        yield from allow("AlarmsRuleWrite", "events", "PutRule PutTargets", on=on, purposes=APPLY)


@permits("alarms_event_role")
def alarms_event_role_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, make and repair the role, and what others attached to it or put into the policy of the bus."""
    if rule := baseline[Alarms].forwarded_rule:
        bus = (_named(target, "events", "event-bus/default"),)
        yield from allow("AlarmsBusRead", "events", "DescribeEventBus", on=bus)
        yield from role_permissions("AlarmsEventRole", target, rule.role_name, inline=True)


@permits("alarms_event_forwarding")
def alarms_event_forwarding_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, make and repair the rule of another Region, and let it use the role."""
    rule = baseline[Alarms].forwarded_rule
    if rule is None or target.home:
        return
    on, region = regional(target, baseline, "events", f"rule/{rule.name}")
    roles, to_events = named_roles(target, rule.role_name), equals("iam:PassedToService", EVENTS)
    yield from allow("AlarmsForwardRead", "events", "DescribeRule ListTargetsByRule", on=on, condition=region)
    yield from allow("AlarmsEventRoleRead", "iam", "GetRole", on=roles)
    writes = "PutRule PutTargets"
    yield from allow("AlarmsForwardWrite", "events", writes, on=on, condition=region, purposes=APPLY)
    yield from allow("AlarmsForwardPass", "iam", "PassRole", on=roles, condition=to_events, purposes=APPLY)


@permission_notes
def alarms_notes(baseline: Baseline, actions: Collection[str]) -> Iterator[str]:
    """Warn that permission to write a role's policies gives the role's permissions, and more."""
    if Alarms in baseline and "iam:PutRolePolicy" in actions and not _own_delivery(baseline):
        name = baseline[Alarms].role_name
        yield f"whoever may write the policies of role {name}, which CloudTrail assumes, can give it any permission"
    rule = baseline[Alarms].forwarded_rule if Alarms in baseline else None
    if rule and "iam:PutRolePolicy" in actions:
        text = "which EventBridge assumes, can give it any permission"
        yield f"whoever may write the policies of role {rule.role_name}, {text}"


def _named(target: Target, service: str, resource: str) -> str:
    return arn(target.partition, service, target.region, target.account, resource)


def _key_read(target: Target, baseline: Baseline, key: str | None) -> Iterator[Permission]:
    """Look at the key, which its owner alone may."""
    if may_look(target, key):
        yield from key_permissions("AlarmsKeyRead", target, baseline, key)


def _own_delivery(baseline: Baseline) -> bool:
    """The trail's own section says where its events go."""
    found = [find(baseline, "trail", each) for each in keys(baseline, "trail")]
    return any(each.resource.cloud_watch_logs_log_group_arn for each in found if each)


def _trail_read(baseline: Baseline) -> Iterator[Permission]:
    """Find the trail, and the organization of one that records it. AWS has no resource for either."""
    yield from allow("AlarmsTrailsRead", "cloudtrail", "DescribeTrails")
    yield from allow("OrganizationRead", "organizations", "DescribeOrganization")
