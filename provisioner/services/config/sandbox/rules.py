"""AWS Config rules: validation, returned fields, deletion and evaluation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from ....sandbox.ask import Request
from ....sandbox.model import Refused, Response
from ....sandbox.rule import after, before, instead
from ..managed_rules import intended

_IDENTIFIER = re.compile(r"[A-Z][A-Z0-9_]+")
INVALID = "InvalidParameterValueException"


def _known() -> dict[str, Any]:
    from moto.config.models import MANAGED_RULES_CONSTRAINTS

    rules: dict[str, Any] = MANAGED_RULES_CONSTRAINTS
    return rules


def _asked(request: Request) -> tuple[dict[str, Any], str, str]:
    """The rule of the request, its managed identifier (empty for a custom rule), and its trigger type."""
    rule = request.params.get("ConfigRule") or {}
    source = rule.get("Source") or {}
    name = source.get("SourceIdentifier", "") if source.get("Owner") == "AWS" else ""
    return rule, name, _known().get(name, {}).get("Trigger type", "")


@before("config.rule_needs_recorder", "PutConfigRule", row="13.2 put_config_rule with no recorder")
def rule_needs_recorder(request: Request) -> None:
    """A rule without a recorder is NoAvailableConfigurationRecorderException, unless it is periodic."""
    _, _, trigger = _asked(request)
    if not request.store().recorders and trigger != "Periodic":
        text = "Configuration recorder is not available to put config rule."
        raise Refused("NoAvailableConfigurationRecorderException", text)


@before("config.rule_parameters", "PutConfigRule", row="13.2 InputParameters with a number, >1024 chars")
def rule_parameters(request: Request) -> None:
    """InputParameters is a JSON object of strings that are not blank, with 1024 characters at most."""
    rule, name, _ = _asked(request)
    text = rule.get("InputParameters")
    if not text:
        return
    if len(text) > 1024:
        raise Refused(INVALID, "InputParameters must have length less than or equal to 1024")
    try:
        values = json.loads(text)
    except ValueError:
        raise Refused(INVALID, f"Invalid json {text} passed in the InputParameters field") from None
    for key, value in values.items() if isinstance(values, dict) and name else []:
        if not isinstance(value, str) or not value.strip():
            raise Refused(INVALID, f"Blank spaces are not acceptable for input parameter: {key}.")


@before("config.rule_frequency", "PutConfigRule", row="13.2 MaximumExecutionFrequency")
def rule_frequency(request: Request) -> None:
    """A change-triggered managed rule must not have a MaximumExecutionFrequency."""
    rule, name, trigger = _asked(request)
    if rule.get("MaximumExecutionFrequency") and name and trigger and "Periodic" not in trigger:
        text = f"A maximum execution frequency for this rule is not allowed: {name}"
        raise Refused(INVALID, text)


@instead("config.newer_rules", "PutConfigRule", row="13.2 SourceIdentifier newer than moto's static list")
def newer_rules(request: Request) -> Response:
    """A managed rule that is newer than moto is accepted if its identifier has the right form, and is no misspelt one."""
    rule, name, _ = _asked(request)
    if not name or name in _known() or not _IDENTIFIER.fullmatch(name) or intended(name):
        return request.moto()
    try:
        given: Iterable[str] = json.loads(rule.get("InputParameters") or "{}")
    except ValueError:
        given = ()
    parameters = [{"Name": one, "Optional": True} for one in given]
    entry = {"Parameters": parameters, "Trigger type": "Configuration changes"}
    with patch.dict("moto.config.models.MANAGED_RULES_CONSTRAINTS", {name: entry}):
        return request.moto()


@before("config.rule_tags", "PutConfigRule", row="13.2 tags on re-put")
def rule_tags(request: Request) -> None:
    """Tags count when a rule is created; later puts ignore them."""
    rule, _, _ = _asked(request)
    old = request.store().config_rules.get(rule.get("ConfigRuleName"))
    if old is not None:
        request.rewrite(Tags=[{"Key": k, "Value": v} for k, v in old.tags.items()])


@after("config.rule_fields", "DescribeConfigRules", row="13.2 keys of a rule: no EvaluationModes")
def rule_fields(_: Request, answer: dict[str, Any]) -> None:
    """A rule is returned with its evaluation modes."""
    for shown in answer["ConfigRules"]:
        shown.setdefault("EvaluationModes", [{"Mode": "DETECTIVE"}])


@after("config.rule_scope", "DescribeConfigRules", row="moto drops TagKey and TagValue of a scope")
def rule_scope(request: Request, answer: dict[str, Any]) -> None:
    """A scope by tag is returned as it was put."""
    for shown in answer["ConfigRules"]:
        held = request.store().config_rules.get(shown["ConfigRuleName"])
        tags = getattr(getattr(held, "scope", None), "tags", None)
        if tags:
            [(key, value)] = tags.items()
            shown["Scope"] = {"TagKey": key} | ({"TagValue": value} if value else {})


@before("config.rule_names", "DescribeConfigRules", row="13.2 describe_config_rules of 30 rules")
def rule_names(request: Request) -> None:
    """DescribeConfigRules accepts 25 names at most."""
    if len(request.params.get("ConfigRuleNames") or []) > 25:
        raise Refused(INVALID, "ConfigRuleNames must have length less than or equal to 25")


@instead("config.rule_deletion", "DeleteConfigRule", row="13.2 delete_config_rule")
def delete_rule(request: Request) -> dict[str, Any]:
    """A deleted rule is returned once more, as DELETING, before it is gone; until then it cannot be put."""
    name = request.params["ConfigRuleName"]
    rule = request.store().config_rules.get(name)
    if rule is None:
        raise no_such_rule(name)
    if rule.config_rule_state != "ACTIVE":
        text = f"The rule {name} is currently being deleted.  Please retry after some time"
        raise Refused("ResourceInUseException", text)
    rule.config_rule_state = "DELETING"
    return {}


@after("config.rule_deletion", "DescribeConfigRules")
def deletion_ends(request: Request, answer: dict[str, Any]) -> None:
    """Remove a rule that was returned as DELETING."""
    held = request.store().config_rules
    for shown in answer["ConfigRules"]:
        if shown.get("ConfigRuleState") == "DELETING":
            held.pop(shown["ConfigRuleName"], None)
            request.world.dirty = True


def _chosen(request: Request) -> list[Any]:
    names, held = request.params.get("ConfigRuleNames"), request.store().config_rules
    for name in names or []:
        if name not in held:
            raise no_such_rule(name)
    return [rule for name, rule in sorted(held.items()) if not names or name in names]


def no_such_rule(name: str) -> Refused:
    """AWS's answer where there is no rule of that name."""
    text = f"The ConfigRule '{name}' provided in the request is invalid. Please check the name"
    return Refused("NoSuchConfigRuleException", text)


def _recording(request: Request) -> bool:
    return any(recorder.status.recording for recorder in request.store().recorders.values())


@instead(
    "config.rule_evaluation",
    "DescribeConfigRuleEvaluationStatus",
    row="14 config DescribeConfigRuleEvaluationStatus",
)
def evaluation_status(request: Request) -> dict[str, Any]:
    """A rule is evaluated while the recorder records, and finds its resources compliant."""
    now, on = datetime.now(UTC), _recording(request)
    shown = []
    for rule in _chosen(request):
        one: dict[str, Any] = {
            "ConfigRuleName": rule.config_rule_name,
            "ConfigRuleArn": rule.config_rule_arn,
            "ConfigRuleId": rule.config_rule_id,
            "FirstActivatedTime": rule.last_updated_time,
            "FirstEvaluationStarted": on,
        }
        if on:
            one |= {"LastSuccessfulInvocationTime": now, "LastSuccessfulEvaluationTime": now}
        shown.append(one)
    return {"ConfigRulesEvaluationStatus": shown}


@instead("config.rule_evaluation", "DescribeComplianceByConfigRule")
def compliance(request: Request) -> dict[str, Any]:
    """Return the compliance of each rule."""
    found = {"ComplianceType": "COMPLIANT" if _recording(request) else "INSUFFICIENT_DATA"}
    names = [rule.config_rule_name for rule in _chosen(request)]
    return {"ComplianceByConfigRules": [{"ConfigRuleName": name, "Compliance": found} for name in names]}


@instead("config.rule_evaluation", "StartConfigRulesEvaluation")
def start_evaluation(request: Request) -> dict[str, Any]:
    """Evaluate the rules at once."""
    _chosen(request)
    return {}
