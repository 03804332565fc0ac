"""Make each alarm go off once, and find whether AWS notified the topic: `verify --fire`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...model import Finding, Firing
from ...steps.registry import fires
from . import steps as _steps  # noqa: F401 - registers the step that is set off here
from .metric_alarms import ask_alarms, found_alarms
from .section import Alarms
from .trail import topic_arn

_CHECK: Final = "goes off"
_REASON: Final = "provision verify --fire: a test, nothing has happened"
_DONE: Final = "Successfully executed action"


@fires("alarms", ("cloudwatch", "SetAlarmState"))
def fire_alarms(aws: Aws, baseline: Baseline) -> Firing:
    """Move each alarm to ALARM, in which it stays until AWS evaluates it next, and find what became of its action.

    Source: CloudWatch API, "SetAlarmState". A call that is taken proves nothing: a topic whose policy or key does not let
    CloudWatch in is told in the alarm's history only.
    """
    section = baseline[Alarms]
    names = [section.alarm_name(each) for each in section.chosen_alarms()]
    if not names:
        return
    alarms, topic = found_alarms(ask_alarms(aws, section)), topic_arn(aws, section)
    there = [each for each in names if each in alarms]
    histories = {each: _ask_history(aws, each) for each in there}
    before = {name: _of_topic(reading, topic) for name, reading in histories.items()}
    fired = []
    for name in there:
        if alarms[name]["StateValue"] == "ALARM":
            # Only a change of the state executes an action.
            text = "is in ALARM now, so that it cannot be made to go off"
            yield Finding(f"alarm {name}", _CHECK, None, f"{text}; {_text(before[name]) or 'no action yet'}")
            continue
        call = aws.write("cloudwatch").set_alarm_state(
            AlarmName=name, StateValue="ALARM", StateReason=_REASON
        )
        if (yield call) is None:
            yield Finding(f"alarm {name}", _CHECK, False, "could not be made to go off")
        else:
            fired.append(name)
    aws.await_changes([histories[each] for each in fired], "the alarms to notify the topic")
    for name in fired:
        new = _of_topic(histories[name], topic)
        yield _finding(name, None if new == before[name] else new)


def _ask_history(aws: Aws, name: str) -> Reading:
    """Start reading the newest actions of an alarm."""
    return aws.read("cloudwatch").describe_alarm_history(
        AlarmName=name, HistoryItemType="Action", ScanBy="TimestampDescending", MaxRecords=10
    )


def _of_topic(reading: Reading, topic: str) -> Mapping[str, Any] | None:
    """The newest action of an alarm that was to notify the topic."""
    items = reading.get("AlarmHistoryItems")
    found = (each for each in items if topic in {*str(each.get("HistorySummary")).split()})
    return max(found, key=lambda each: each["Timestamp"], default=None)


def _finding(name: str, action: Mapping[str, Any] | None) -> Finding:
    ok = action is not None and _text(action).startswith(_DONE)
    text = _text(action) or "no action was executed: are its actions enabled, and is it muted"
    return Finding(f"alarm {name}", _CHECK, ok, text)


def _text(action: Mapping[str, Any] | None) -> str:
    """What AWS says of an action, with the error where it names one."""
    if action is None:
        return ""
    try:
        data = json.loads(action.get("HistoryData") or "{}")
    except ValueError:
        data = {}
    error = data.get("error") if isinstance(data, dict) else None
    text = str(action["HistorySummary"])
    return f"{text}: {error}" if error and str(error) not in text else text
