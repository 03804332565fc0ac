"""CloudWatch alarms, and the rules that mute them. Moto's alarms are not used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead

_INVALID: Final = "ValidationError"
_MOST_ACTIONS: Final = 5


def _kept(request: Request, kind: str) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = request.saved(kind).setdefault((request.account, request.region), {})
    return kept


def _now(request: Request) -> datetime:
    return datetime.fromtimestamp(request.world.now(), UTC)


def _check_actions(request: Request, actions: list[str]) -> None:
    if len(actions) > _MOST_ACTIONS:
        raise Refused(_INVALID, "The number of actions is at most 5.")
    for each in actions:
        parts = each.split(":")
        if parts[0] != "arn" or len(parts) < 6:
            raise Refused(_INVALID, f"Invalid arn syntax: {each}")
        if parts[2] == "sns" and parts[3] != request.region:
            raise Refused(
                _INVALID, f"Invalid region {parts[3]} specified. Only {request.region} is supported."
            )


@instead("cloudwatch.put", "PutMetricAlarm", row="13.6 new alarm state; Period 45; §9 Alarms")
def put(request: Request) -> dict[str, Any]:
    """An alarm is replaced as a whole, begins without data, and does not get the tags of a second request."""
    params = dict(request.params)
    period = params.get("Period", 60)
    if period not in {10, 20, 30} and period % 60:
        raise Refused(_INVALID, "Period must be 10, 20, 30 or a multiple of 60.")
    if period * params["EvaluationPeriods"] > 86400 * (7 if period >= 3600 else 1):
        raise Refused(
            _INVALID, "Metrics cannot be checked across more than a day (EvaluationPeriods * Period)."
        )
    for kind in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        _check_actions(request, params.get(kind) or [])
    kept, name = _kept(request, "metric_alarms"), params["AlarmName"]
    have, tags = kept.get(name, {}), params.pop("Tags", [])
    state = {"StateValue": "INSUFFICIENT_DATA", "StateReason": "Unchecked: Initial alarm creation"}
    arn = f"arn:{request.partition}:cloudwatch:{request.region}:{request.account}:alarm:{name}"
    kept[name] = {
        "ActionsEnabled": True,
        "AlarmActions": [],
        "OKActions": [],
        "InsufficientDataActions": [],
        "Dimensions": [],
        "TreatMissingData": "missing",
        **params,
        **{key: have.get(key, value) for key, value in state.items()},
        "AlarmArn": arn,
        "AlarmConfigurationUpdatedTimestamp": _now(request),
        "StateUpdatedTimestamp": have.get("StateUpdatedTimestamp", _now(request)),
        "_tags": have.get("_tags", tags),
    }
    return {}


@instead("cloudwatch.describe", "DescribeAlarms", row="§9 Alarms; 1.3 DescribeAlarms")
def describe(request: Request) -> dict[str, Any]:
    """The alarms of these names, or whose names begin so."""
    params, kept = request.params, _kept(request, "metric_alarms")
    names, start = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
    found = [
        {key: value for key, value in each.items() if key != "_tags"}
        for name, each in sorted(kept.items())
        if (names is None or name in names) and name.startswith(start)
    ]
    return {"CompositeAlarms": [], "MetricAlarms": found}


@instead("cloudwatch.delete", "DeleteAlarms", row="§9 Alarms")
def delete(request: Request) -> dict[str, Any]:
    """Alarms are deleted; one that does not exist is no error."""
    for name in request.params["AlarmNames"]:
        _kept(request, "metric_alarms").pop(name, None)
    return {}


@instead("cloudwatch.actions", "EnableAlarmActions", "DisableAlarmActions", row="16.E ActionsEnabled")
def actions(request: Request) -> dict[str, Any]:
    """The actions of alarms are switched on and off."""
    for name in request.params["AlarmNames"]:
        if name in _kept(request, "metric_alarms"):
            _kept(request, "metric_alarms")[name]["ActionsEnabled"] = request.operation.startswith("Enable")
    return {}


@instead("cloudwatch.mute", "PutAlarmMuteRule", row="16.E Alarm mute rules")
def mute(request: Request) -> dict[str, Any]:
    """A rule mutes the alarms that it names."""
    name = request.params["Name"]
    arn = f"arn:{request.partition}:cloudwatch:{request.region}:{request.account}:alarm-mute-rule:{name}"
    kept = {
        **request.params,
        "AlarmMuteRuleArn": arn,
        "Status": "ACTIVE",
        "LastUpdatedTimestamp": _now(request),
    }
    _kept(request, "mute_rules")[name] = kept
    return {}


@instead("cloudwatch.list_mute_rules", "ListAlarmMuteRules", row="16.E Alarm mute rules")
def list_mute_rules(request: Request) -> dict[str, Any]:
    """The rules that mute an alarm, without saying which alarms they mute."""
    alarm = request.params.get("AlarmName")
    shown = ("AlarmMuteRuleArn", "Status", "LastUpdatedTimestamp")
    found = [
        {key: each[key] for key in shown}
        for each in _kept(request, "mute_rules").values()
        if alarm in {None, *(each.get("MuteTargets") or {}).get("AlarmNames", ())}
    ]
    return {"AlarmMuteRuleSummaries": found}


@instead("cloudwatch.delete_mute_rule", "DeleteAlarmMuteRule", row="16.E Alarm mute rules")
def delete_mute_rule(request: Request) -> dict[str, Any]:
    """A rule is deleted."""
    if _kept(request, "mute_rules").pop(request.params["AlarmMuteRuleName"], None) is None:
        raise Refused("ResourceNotFoundException", "There is no such mute rule.", 404)
    return {}
