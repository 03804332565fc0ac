"""The step `alarms`: the metric filters of the log group, and the alarms on their metrics."""

from __future__ import annotations

from ...aws import Aws
from ...baseline import Baseline
from ...model import Changes, Part, Scope
from ...steps.registry import harmful_actions, hints, rates, step
from .filters import ask_filters, ensure_filter, want_filters
from .metric_alarms import ask_alarms, ask_mute_rules, ensure_alarm, ensure_unmuted, mute_rules
from .section import Alarms

harmful_actions(
    Alarms,
    *("cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutMetricAlarm"),
    *("cloudwatch:PutAlarmMuteRule", "logs:DeleteLogGroup", "logs:DeleteMetricFilter"),
    *("sns:DeleteTopic", "sns:Unsubscribe", "events:DisableRule", "events:RemoveTargets"),
    *("events:PutPermission", "sns:SetSubscriptionAttributes"),
)
hints(
    "logs",
    {
        "InvalidOperationException": "the log group is protected, or of a class that has no metric filters",
        "LimitExceededException": "a log group has 100 metric filters at most: `aws logs describe-metric-filters`",
    },
)
hints(
    "cloudwatch",
    {"LimitExceededFault": "an account has a quota of alarms in a Region: ask for more in Service Quotas"},
)
hints(
    "events",
    {"LimitExceededException": "a rule has five targets at most: `aws events list-targets-by-rule`"},
)
# "CloudWatch Logs quotas", "CloudWatch service quotas" and "Amazon EventBridge quotas": for each account and Region.
rates("logs", read=5, write=5)
rates("cloudwatch", read=9, write=3)
rates("events", write=5)


@step(
    "alarms", Alarms, Scope.ONCE, needs=("alarms_log_group", "alarms_topic"), clients=("logs", "cloudwatch")
)
def ensure_alarms(aws: Aws, baseline: Baseline) -> Changes:
    """Make the filters and the alarms that the file asks for; tell the rules that mute them."""
    section, want = baseline[Alarms], want_filters(baseline)
    if not want:
        return
    filters_read, alarms_read = ask_filters(aws, section), ask_alarms(aws, section)
    muting = ask_mute_rules(aws, section)
    for name, filters in want.items():
        full, asked = section.alarm_name(name), section.chosen_alarms()[name]
        for each in filters:
            yield Part(f"metric filter {each.name}", ensure_filter(aws, section, each, filters_read))
        yield Part(f"alarm {full}", ensure_alarm(aws, section, name, asked, alarms_read))
        yield from ensure_unmuted(aws, f"alarm {full}", mute_rules(muting[full]))
