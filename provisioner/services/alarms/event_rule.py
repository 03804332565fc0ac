"""The step `alarms_event_rule`: the faster path to the same topic. Also what its rule shares with those of other Regions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...model import Call, Changes, Difference, Exists, Kind, Note, Part, Scope, update
from ...steps.registry import step
from ...steps.settings import Strictness, settings
from .event_rule_section import EventRule
from .section import Alarms
from .trail import topic_arn

ABSENT: Final = "ResourceNotFoundException"
# Of our target: these do not keep an event from it.
KEPT: Final = ("DeadLetterConfig", "RetryPolicy")
_CARRIED: Final = ("ScheduleExpression", "Description", "RoleArn")
# The events of the rule, by the source in `detail.eventSource`, which is not always the name of the service's API:
# "Creating rules that react to events".
EVENTS: Final[dict[str, tuple[str, ...]]] = {
    "cloudtrail": ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"),
    "config": ("StopConfigurationRecorder", "DeleteConfigurationRecorder", "DeleteDeliveryChannel"),
    "kms": ("DisableKey", "ScheduleKeyDeletion"),  # without its key, a trail delivers nothing
    "monitoring": ("DeleteAlarms", "DisableAlarmActions", "PutAlarmMuteRule"),
    "logs": ("DeleteLogGroup", "DeleteMetricFilter", "PutAccountPolicy"),
    "sns": ("DeleteTopic", "Unsubscribe"),
    "guardduty": ("DeleteDetector", "UpdateDetector", "StopMonitoringMembers"),
    "securityhub": ("DisableSecurityHub", "BatchDisableStandards"),
    "macie2": ("DisableMacie",),
    "access-analyzer": ("DeleteAnalyzer",),
    "organizations": ("LeaveOrganization", "DisableAWSServiceAccess", "DeregisterDelegatedAdministrator"),
}
_PATTERN: Final[dict[str, Any]] = {
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {
        "eventSource": [f"{each}.amazonaws.com" for each in EVENTS],
        "eventName": sorted({name for names in EVENTS.values() for name in names}),
    },
}


def read_rule(aws: Aws, rule: EventRule) -> tuple[Reading, Reading]:
    """Start reading the rule and its targets."""
    read = aws.read("events")
    return read.describe_rule(Name=rule.name), read.list_targets_by_rule(Rule=rule.name)


@step(
    "alarms_event_rule",
    Alarms,
    Scope.ONCE,
    needs=("alarms_topic",),
    clients=("events",),
    field="event_rule",
)
def ensure_alarms_event_rule(aws: Aws, baseline: Baseline) -> Changes:
    """Make the rule and its target, if the file asks for it."""
    section = baseline[Alarms]
    if (rule := section.event_rule) is None:
        return
    reading, listed = read_rule(aws, rule)
    yield from rule_and_target(aws, rule, reading, _target(aws, section, rule, listed))


def rule_and_target(aws: Aws, rule: EventRule, reading: Reading, target: Changes) -> Changes:
    """Make or repair the rule, and then its *target*. Neither is touched where a service of AWS manages the rule."""
    have, title = reading.found(ABSENT), title_of(rule)
    if have is not None:
        yield Exists(title)
    owner = f"`{have['ManagedBy']}`" if have and have.get("ManagedBy") else ""
    yield from _rule(aws, rule, title, have, reading, owner)
    if not owner:
        yield Part(f"target of {title}", target)


def title_of(rule: EventRule) -> str:
    """The name of the rule in a report."""
    return f"event rule {rule.name}"


def _rule(
    aws: Aws, rule: EventRule, title: str, have: Mapping[str, Any] | None, reading: Reading, owner: str
) -> Changes:
    """Make or repair the rule. PutRule replaces all: what AWS has besides is sent with it."""
    state = {"State": have.get("State"), "EventPattern": _read(have.get("EventPattern"))} if have else {}
    kept = {name: have[name] for name in _CARRIED if name in have} if have else {}
    kept = {"Description": "Somebody changes or stops what records and alarms", **kept}

    def put(whole: dict[str, Any]) -> Call:
        pattern = json.dumps(whole["EventPattern"], separators=(",", ":"))
        call: Call = aws.write("events").put_rule(
            Name=rule.name, State=whole["State"], EventPattern=pattern, **kept
        )
        return call.based_on(reading)

    yield from settings(
        title,
        state,
        {"State": rule.state, "EventPattern": _normal(_PATTERN)},
        put,
        Strictness.of(EventRule, exact=rule.exact),
        whole=True,
        action="update" if have else "create",
        owner=lambda: owner,
    )


def notifies(targets: Sequence[Mapping[str, Any]], topic: str) -> bool:
    """Whether one of the targets is the topic, which gets the event as it is."""
    return any(each["Arn"] == topic and each.keys() <= {"Id", "Arn", *KEPT} for each in targets)


def _target(aws: Aws, section: Alarms, rule: EventRule, reading: Reading) -> Changes:
    """Ensure the topic as a target of the rule, beside others: another topic goes on until somebody removes it."""
    found = reading.value("Targets", ABSENT) or []
    title, name, arn = title_of(rule), section.topic.name, topic_arn(aws, section)
    want = {"Id": f"topic-{name}"[:64], "Arn": arn}
    if not notifies(found, arn):
        have, call = put_target(aws, rule, found, want)
        yield update(title, (Difference(f"target {want['Id']}", have, call.params["Targets"][0]),), call)
    yield from others_kept(title, found, arn)


def put_target(
    aws: Aws, rule: EventRule, targets: Sequence[Mapping[str, Any]], want: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, Call]:
    """The target that has the id of *want* now, and the request that adds *want* or replaces that one."""
    have = next((dict(each) for each in targets if each["Id"] == want["Id"]), None)
    kept = {name: have[name] for name in KEPT if name in have} if have else {}
    call: Call = aws.write("events").put_targets(Rule=rule.name, Targets=[{**kept, **want}])
    return have, call.failing_on("FailedEntries")


def others_kept(title: str, targets: Sequence[Mapping[str, Any]], own: str) -> Iterator[Note]:
    """Tell the targets other than that of the ARN *own*."""
    if others := sorted(each["Id"] for each in targets if each["Arn"] != own):
        yield Note(Kind.FOREIGN, title, f"targets of others are kept: {', '.join(others)}")


def _read(pattern: str | None) -> Any:
    """The pattern of a rule in its normal form; as it is, where it is no JSON."""
    try:
        return _normal(json.loads(pattern or "{}"))
    except ValueError:
        return pattern


def _normal(value: Any) -> Any:
    """The pattern with its lists sorted, whose order means nothing."""
    if isinstance(value, Mapping):
        return {key: _normal(each) for key, each in value.items()}
    return sorted(map(_normal, value), key=repr) if isinstance(value, list) else value
