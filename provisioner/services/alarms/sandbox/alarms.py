"""CloudWatch alarms, and the rules that mute them. Moto's alarms are not used."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from ....compare.policy_eval import Act, decide
from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.kms import find_key, key_refuses

_INVALID: Final = "ValidationError"
_MOST_ACTIONS: Final = 5
_PRINCIPAL: Final = "cloudwatch.amazonaws.com"


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
        **({"_set_at": have["_set_at"]} if "_set_at" in have else {}),
    }
    return {}


@instead("cloudwatch.describe", "DescribeAlarms", row="§9 Alarms; 1.3 DescribeAlarms")
def describe(request: Request) -> dict[str, Any]:
    """The alarms of these names, or whose names begin so."""
    params = request.params
    names, start = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
    found = [
        each
        for each in _shown(request)
        if (names is None or each["AlarmName"] in names) and each["AlarmName"].startswith(start)
    ]
    return {"CompositeAlarms": [], "MetricAlarms": found}


@instead("cloudwatch.describe_for_metric", "DescribeAlarmsForMetric", row="API DescribeAlarmsForMetric")
def describe_for_metric(request: Request) -> dict[str, Any]:
    """The alarms on a metric: of this name, in this namespace, with exactly these dimensions."""
    params, same = request.params, ("MetricName", "Namespace")
    found = [
        each
        for each in _shown(request)
        if all(each.get(key) == params[key] for key in same)
        and each["Dimensions"] == params.get("Dimensions", [])
    ]
    return {"MetricAlarms": found}


def _shown(request: Request) -> list[dict[str, Any]]:
    """The alarms as AWS shows them, by name."""
    kept = _kept(request, "metric_alarms")
    for each in kept.values():
        _evaluate(request, each)
    return [
        {key: value for key, value in each.items() if not key.startswith("_")}
        for _, each in sorted(kept.items())
    ]


def _evaluate(request: Request, alarm: dict[str, Any]) -> None:
    """A state that was set lasts until the alarm is evaluated, here after a period without data."""
    if request.world.now() - alarm.get("_set_at", request.world.now()) >= alarm["Period"]:
        del alarm["_set_at"]
        alarm["StateValue"] = "OK" if alarm["TreatMissingData"] == "notBreaching" else "INSUFFICIENT_DATA"


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


@instead("cloudwatch.state", "SetAlarmState", row="API SetAlarmState; §9 alarm then fails silently")
def set_state(request: Request) -> dict[str, Any]:
    """A change to ALARM executes the actions, unless they are disabled or muted; the history alone says how that went."""
    params = request.params
    alarm = _kept(request, "metric_alarms").get(params["AlarmName"])
    if alarm is None:
        raise Refused("ResourceNotFound", "There is no such alarm.", 404)
    _evaluate(request, alarm)
    goes_off = params["StateValue"] == "ALARM" != alarm["StateValue"]
    alarm |= {"StateValue": params["StateValue"], "StateReason": params["StateReason"]}
    alarm |= {"StateUpdatedTimestamp": _now(request), "_set_at": request.world.now()}
    if goes_off and alarm["ActionsEnabled"] and not _mute_rules(request, params["AlarmName"]):
        history = request.saved("alarm_history").setdefault(alarm["AlarmArn"], [])
        history += [_execute(request, alarm, each) for each in alarm["AlarmActions"]]
    return {}


def _execute(request: Request, alarm: dict[str, Any], action: str) -> dict[str, Any]:
    """The item of the history about an action."""
    fault = _fault(request, alarm, action)
    state = {"actionState": "Failed" if fault else "Succeeded", "notificationResource": action}
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmType": "MetricAlarm",
        "Timestamp": _now(request),
        "HistoryItemType": "Action",
        "HistorySummary": f"{'Failed to execute' if fault else 'Successfully executed'} action {action}",
        "HistoryData": json.dumps({**state, "error": fault or None}),
    }


def _fault(request: Request, alarm: dict[str, Any], action: str) -> str:
    """Why CloudWatch cannot publish to the topic; an empty text if it can."""
    topic = request.store("sns").topics.get(action)
    if topic is None:
        return "Topic does not exist"
    context = {"aws:sourceaccount": request.account, "aws:sourcearn": alarm["AlarmArn"]}
    if decide(json.loads(topic.policy), Act("sns:Publish", action, _PRINCIPAL, context)) != "allow":
        return "CloudWatch Alarms is not authorized to perform: SNS:Publish"
    if not topic.kms_master_key_id:
        return ""
    key = find_key(topic.kms_master_key_id, request.account, request.region)
    encrypted = {**context, "kms:encryptioncontext:aws:sns:topicarn": action}
    if key is None or key_refuses(key, _PRINCIPAL, ("kms:GenerateDataKey", "kms:Decrypt"), encrypted):
        return "CloudWatch Alarms does not have authorization to access the SNS topic encryption key."
    return "" if key.key_state == "Enabled" else f"{key.arn} is disabled."


@instead("cloudwatch.history", "DescribeAlarmHistory", row="API DescribeAlarmHistory")
def history(request: Request) -> dict[str, Any]:
    """The actions of an alarm, the newest first. Other items are not kept."""
    arn = f"arn:{request.partition}:cloudwatch:{request.region}:{request.account}:alarm:{request.params['AlarmName']}"
    return {"AlarmHistoryItems": request.saved("alarm_history").get(arn, [])[::-1]}


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
    shown = ("AlarmMuteRuleArn", "Status", "LastUpdatedTimestamp")
    rules = _mute_rules(request, request.params.get("AlarmName"))
    return {"AlarmMuteRuleSummaries": [{key: each[key] for key in shown} for each in rules]}


def _mute_rules(request: Request, alarm: str | None) -> list[dict[str, Any]]:
    """The rules that mute an alarm; all, for None."""
    rules = _kept(request, "mute_rules").values()
    return [x for x in rules if alarm in {None, *(x.get("MuteTargets") or {}).get("AlarmNames", ())}]


@instead("cloudwatch.delete_mute_rule", "DeleteAlarmMuteRule", row="16.E Alarm mute rules")
def delete_mute_rule(request: Request) -> dict[str, Any]:
    """A rule is deleted."""
    if _kept(request, "mute_rules").pop(request.params["AlarmMuteRuleName"], None) is None:
        raise Refused("ResourceNotFoundException", "There is no such mute rule.", 404)
    return {}
