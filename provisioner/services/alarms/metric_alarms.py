"""The alarms on the metrics of the filters, and the rules that mute them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ...aws import Aws, Reading
from ...model import Call, Change, Changes, Difference, Exists, Kind, Note
from ...steps.registry import consents
from ...steps.settings import Strictness, settings
from .catalogue import AlarmName, Entry
from .section import Alarms, MetricAlarm
from .trail import topic_arn

consents("remove-alarm-mute-rule")

_ACTIONS: Final = "AlarmActions"
_MOST_ACTIONS: Final = 5
# What DescribeAlarms answers, and PutMetricAlarm does not take.
ANSWERED: Final = frozenset(
    (
        *("AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateValue", "StateReason", "StateReasonData"),
        *("StateUpdatedTimestamp", "StateTransitionedTimestamp", "EvaluationState"),
    )
)
# An alarm that has one of these looks at something else than the metric of the filter, or later.
_NONE_OF: Final = (
    *("ExtendedStatistic", "Dimensions", "Unit", "DatapointsToAlarm", "Metrics", "ThresholdMetricId"),
    *("EvaluationWindow", "WarmUpConfiguration", "EvaluationCriteria", "EvaluationInterval"),
)


def want_alarm(section: Alarms, name: AlarmName, special: MetricAlarm) -> dict[str, Any]:
    """The alarm by PutMetricAlarm's names, without its actions. Source: CIS, "Remediation" of 4.1 to 4.15."""
    return {
        "ActionsEnabled": True,
        "MetricName": section.alarm_name(name),
        "Namespace": section.metric_namespace,
        "Statistic": "Sum",
        "Period": special.period,
        "EvaluationPeriods": 1,
        "Threshold": float(special.threshold),
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **dict.fromkeys(_NONE_OF),
    }


def ask_alarms(aws: Aws, section: Alarms) -> Reading:
    """Start reading all alarms of the file."""
    names = [section.alarm_name(each) for each in section.chosen_alarms()]
    return aws.read("cloudwatch").describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"])


def found_alarms(reading: Reading) -> dict[str, Mapping[str, Any]]:
    """The alarms by name."""
    return {each["AlarmName"]: each for each in reading.get("MetricAlarms")}


def ask_mute_rules(aws: Aws, section: Alarms) -> dict[str, Reading]:
    """Start reading the rules that mute each alarm. AWS lists them for one alarm, without saying which they mute."""
    names = [section.alarm_name(each) for each in section.chosen_alarms()]
    read = aws.read("cloudwatch")
    return {
        each: read.list_alarm_mute_rules(AlarmName=each, Statuses=["SCHEDULED", "ACTIVE"]) for each in names
    }


def mute_rules(reading: Reading) -> list[str]:
    """The names of the rules that mute an alarm, now or at some time."""
    found = reading.value("AlarmMuteRuleSummaries", "ResourceNotFoundException") or []
    return sorted(str(each["AlarmMuteRuleArn"]).rpartition(":")[2] for each in found)


def state_of(have: Mapping[str, Any]) -> dict[str, Any]:
    """An alarm with what it has not as None, in the shape of `want_alarm`."""
    found = {name: have.get(name) or None for name in _NONE_OF}
    if have.get("DatapointsToAlarm") == have.get("EvaluationPeriods"):
        found["DatapointsToAlarm"] = None
    return {**have, "TreatMissingData": have.get("TreatMissingData", "missing"), **found}


def ensure_alarm(
    aws: Aws, section: Alarms, name: AlarmName, asked: tuple[Entry, MetricAlarm], reading: Reading
) -> Changes:
    """Make or repair an alarm. PutMetricAlarm replaces all: what AWS has besides is sent with it."""
    (entry, special), full = asked, section.alarm_name(name)
    have, title = found_alarms(reading).get(full), f"alarm {full}"
    state = state_of(have) if have else {}
    kept = {key: value for key, value in state.items() if key not in ANSWERED}
    if have is None:
        about = f"CIS {entry.cis}: {entry.title}" if entry.cis else entry.title
        kept = {"AlarmName": full, "AlarmDescription": about}
    else:
        yield Exists(title)
    want = want_alarm(section, name, special)
    actions = list(state.get(_ACTIONS) or [])
    if (topic := topic_arn(aws, section)) not in actions:
        if len(actions) >= _MOST_ACTIONS:
            text = f"no longer notifies {actions[-1]}, as AWS takes {_MOST_ACTIONS} actions"
            yield Note(Kind.WARNING, title, text)
        want[_ACTIONS] = [*actions[: _MOST_ACTIONS - 1], topic]

    def put(whole: dict[str, Any]) -> Call:
        given = {key: value for key, value in {**kept, **whole}.items() if key not in ANSWERED}
        call: Call = aws.write("cloudwatch").put_metric_alarm(
            **{key: value for key, value in given.items() if value is not None}
        )
        return call.based_on(reading.at("MetricAlarms", lambda found: _settings_of(found, full)))

    strictness = Strictness.of(MetricAlarm, exact=special.exact)
    action = "update" if have else "create"
    yield from settings(title, state, want, put, strictness, whole=True, action=action)  # type: ignore[arg-type]


def _settings_of(found: Any, name: str) -> list[Any]:
    """The alarm without its state, which changes by itself."""
    alarms = [each for each in found if each["AlarmName"] == name]
    return [{key: value for key, value in each.items() if key not in ANSWERED} for each in alarms]


def ensure_unmuted(aws: Aws, title: str, rules: Sequence[str]) -> Iterator[Change]:
    """Offer to delete the rules of others that mute an alarm: it looks perfect, and nobody hears it."""
    for each in rules:
        call = aws.write("cloudwatch").delete_alarm_mute_rule(AlarmMuteRuleName=each)
        loses = f"`{each}` of others mutes the {title}"
        removed = (Difference(f"mute rule {each}", "mutes it", None),)
        yield Change(title, removed, call, consent="remove-alarm-mute-rule", loses=loses)


def broken_alarm(
    aws: Aws,
    section: Alarms,
    name: AlarmName,
    special: MetricAlarm,
    have: Mapping[str, Any] | None,
    muted: Sequence[str],
) -> Iterator[str]:
    """What keeps an alarm from notifying the topic, in words."""
    if have is None:
        yield "there is no such alarm"
        return
    state, want = state_of(have), want_alarm(section, name, special)
    differs = [key for key, value in want.items() if state.get(key) != value]
    if "ActionsEnabled" in differs:
        yield "its actions are disabled"
    elif differs and not (differs == ["Threshold"] and state["Threshold"] < want["Threshold"]):
        yield f"the alarm has another {', '.join(differs)}"
    if topic_arn(aws, section) not in state.get(_ACTIONS, ()):
        yield "it does not notify the topic"
    if muted:
        yield f"it is muted by {', '.join(f'`{each}`' for each in muted)}"
