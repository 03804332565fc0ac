"""Verify the chain from an event to a person, link by link: trail, log group, filter, alarm, topic, subscription."""

from __future__ import annotations

from collections.abc import Iterator

from ...aws import Aws
from ...baseline import Baseline
from ...model import Finding, Findings
from ...steps.registry import verify
from ...steps.roles import ask_role
from . import delivery as _delivery  # noqa: F401 - registers a step that is verified here
from . import steps as _steps  # noqa: F401 - registers a step that is verified here
from .event_rule import ABSENT as NO_RULE
from .event_rule import notifies, read_rule, title_of
from .filters import ask_filters, broken_filters, found_filters, want_filters
from .forwarding import broken_forwarding, forwards, want_target
from .keys import look_at, verify_key
from .metric_alarms import ask_alarms, ask_mute_rules, broken_alarm, found_alarms, mute_rules
from .section import Alarms
from .topic import ABSENT, ask_subscriptions, reaches_somebody
from .trail import GROUP, group_arn, read_watched, topic_arn


@verify("alarms_delivery")
def verify_alarms_delivery(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the trail logs, and its events reach the log group."""
    section, trail = baseline[Alarms], read_watched(aws, baseline)
    title = f"trail {trail.name}"
    status = aws.read("cloudtrail").get_trail_status(Name=trail.arn).found("TrailNotFoundException")
    if trail.have is None or status is None:
        yield Finding(title, "events reach the log group", False, "there is no such trail")
        return
    problems = [
        *(["it is not logging"] if not status.get("IsLogging") else []),
        *(["it sends its events elsewhere"] if trail.have.get(GROUP) != group_arn(aws, section) else []),
        *([error] if (error := status.get("LatestCloudWatchLogsDeliveryError")) else []),
    ]
    arrived = status.get("LatestCloudWatchLogsDeliveryTime")
    text = "; ".join(problems) or ("events arrive" if arrived else "no event has arrived yet")
    yield Finding(title, "events reach the log group", not problems if problems or arrived else None, text)


@verify("alarms_topic")
def verify_alarms_topic(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the topic is there, and whether a notification reaches somebody."""
    section = baseline[Alarms]
    title, arn = f"topic {section.topic.name}", topic_arn(aws, section)
    reading, look = ask_subscriptions(aws, arn), look_at(aws, baseline, section.topic.kms_master_key_id)
    listed = reading.value("Subscriptions", *ABSENT)
    if listed is None:
        yield Finding(title, "confirmed subscription", False, "there is no such topic")
    else:
        yield reaches_somebody(title, listed)
    yield from verify_key(title, look)


@verify("alarms")
def verify_alarms(aws: Aws, baseline: Baseline) -> Findings:
    """Find for each alarm whether its filters count, it is enabled and unmuted, and it notifies the topic."""
    section, asked = baseline[Alarms], want_filters(baseline)
    if not asked:
        return
    filters_read, alarms_read = ask_filters(aws, section), ask_alarms(aws, section)
    muting = ask_mute_rules(aws, section)
    filters, alarms = found_filters(filters_read), found_alarms(alarms_read)
    for name, each in asked.items():
        full, (_, special) = section.alarm_name(name), section.chosen_alarms()[name]
        muted = mute_rules(muting[full])
        problems: Iterator[str] = broken_alarm(aws, section, name, special, alarms.get(full), muted)
        broken = [*broken_filters(section, each, filters), *problems]
        text = (
            "; ".join(broken) or f"counts {len(each)} pattern{'s' * (len(each) > 1)} and notifies the topic"
        )
        yield Finding(f"alarm {full}", "raises", not broken, text)


@verify("alarms_event_rule")
def verify_alarms_event_rule(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the rule is enabled and notifies the topic."""
    section = baseline[Alarms]
    if (rule := section.event_rule) is None:
        return
    reading, listed = read_rule(aws, rule)
    have = reading.found(NO_RULE)
    targets = listed.value("Targets", NO_RULE) or []
    ok = bool(have and have["State"].startswith("ENABLED")) and notifies(targets, topic_arn(aws, section))
    text = f"{have['State']}, {len(targets)} targets" if have else "there is no such rule"
    yield Finding(title_of(rule), "notifies the topic", ok, text)


@verify("alarms_event_forwarding")
def verify_alarms_event_forwarding(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the Region's rule is enabled and can send to the home Region."""
    rule, home = baseline[Alarms].forwarded_rule, baseline.general.home_region
    if rule is None or aws.target.home:
        return
    reading, listed = read_rule(aws, rule)
    held = ask_role(aws, home, rule.role_name).value("Role", "NoSuchEntity")
    targets = listed.value("Targets", NO_RULE) or []
    sends = forwards(targets, want_target(aws, baseline, rule, held))
    broken = [*broken_forwarding(reading.found(NO_RULE), held, sends=sends)]
    yield Finding(title_of(rule), "sends to the home Region", not broken, "; ".join(broken) or home)
