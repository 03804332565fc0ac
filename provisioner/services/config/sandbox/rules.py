"""Config rules: which are taken, how they come back, how they are deleted and what they find."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from ....sandbox.ask import Ask
from ....sandbox.rule import after, before, instead
from ....sandbox.words import Answer, Refused

_IDENTIFIER = re.compile(r"[A-Z][A-Z0-9_]+")
_INVALID = "InvalidParameterValueException"


def _known() -> dict[str, Any]:
    from moto.config.models import MANAGED_RULES_CONSTRAINTS

    rules: dict[str, Any] = MANAGED_RULES_CONSTRAINTS
    return rules


def _asked(ask: Ask) -> tuple[dict[str, Any], str, str]:
    """The rule of the request, its managed identifier (empty for a custom rule), and its trigger."""
    rule = ask.params.get("ConfigRule") or {}
    source = rule.get("Source") or {}
    name = source.get("SourceIdentifier", "") if source.get("Owner") == "AWS" else ""
    return rule, name, _known().get(name, {}).get("Trigger type", "")


@before("config.rule_needs_recorder", "PutConfigRule", row="13.2 put_config_rule with no recorder")
def rule_needs_recorder(ask: Ask) -> None:
    """A rule needs a recorder: NoAvailableConfigurationRecorderException; only a periodic one does not."""
    _, _, trigger = _asked(ask)
    if not ask.store().recorders and trigger != "Periodic":
        text = "Configuration recorder is not available to put delivery channel."
        raise Refused(
            "NoAvailableConfigurationRecorderException", text.replace("delivery channel", "config rule")
        )


@before("config.rule_parameters", "PutConfigRule", row="13.2 InputParameters with a number, >1024 chars")
def rule_parameters(ask: Ask) -> None:
    """InputParameters is JSON of strings, 1024 characters at most."""
    rule, name, _ = _asked(ask)
    text = rule.get("InputParameters")
    if not text:
        return
    if len(text) > 1024:
        raise Refused(_INVALID, "InputParameters must have length less than or equal to 1024")
    try:
        values = json.loads(text)
    except ValueError:
        raise Refused(_INVALID, f"Invalid json {text} passed in the InputParameters field") from None
    for key, value in values.items() if isinstance(values, dict) and name else []:
        if not isinstance(value, str):
            raise Refused(_INVALID, f"Blank spaces are not acceptable for input parameter: {key}.")


@before(
    "config.rule_frequency", "PutConfigRule", row="13.2 MaximumExecutionFrequency on change-triggered rule"
)
def rule_frequency(ask: Ask) -> None:
    """A change-triggered managed rule takes no MaximumExecutionFrequency."""
    rule, name, trigger = _asked(ask)
    if rule.get("MaximumExecutionFrequency") and name and trigger and "Periodic" not in trigger:
        text = f"A maximum execution frequency for this rule is not allowed: {name}"
        raise Refused(_INVALID, text)


@instead("config.newer_rules", "PutConfigRule", row="13.2 SourceIdentifier newer than moto's static list")
def newer_rules(ask: Ask) -> Answer:
    """A managed rule that moto has not heard of is taken if it is spelt like one."""
    rule, name, _ = _asked(ask)
    if not name or name in _known() or not _IDENTIFIER.fullmatch(name):
        return ask.moto()
    try:
        given: Iterable[str] = json.loads(rule.get("InputParameters") or "{}")
    except ValueError:
        given = ()
    entry = {
        "Parameters": [{"Name": one, "Optional": True} for one in given],
        "Trigger type": "Configuration changes",
    }
    with patch.dict("moto.config.models.MANAGED_RULES_CONSTRAINTS", {name: entry}):
        return ask.moto()


@before("config.rule_tags", "PutConfigRule", row="13.2 tags on re-put")
def rule_tags(ask: Ask) -> None:
    """Tags count when a rule is made; on a later put they are ignored."""
    rule, _, _ = _asked(ask)
    old = ask.store().config_rules.get(rule.get("ConfigRuleName"))
    if old is not None:
        ask.rewrite(Tags=[{"Key": k, "Value": v} for k, v in old.tags.items()])


@after("config.rule_fields", "DescribeConfigRules", row="13.2 keys of a rule: no EvaluationModes")
def rule_fields(_: Ask, answer: dict[str, Any]) -> None:
    """A rule shows its evaluation modes."""
    for shown in answer["ConfigRules"]:
        shown.setdefault("EvaluationModes", [{"Mode": "DETECTIVE"}])


@after("config.rule_scope", "DescribeConfigRules", row="moto drops TagKey and TagValue of a scope")
def rule_scope(ask: Ask, answer: dict[str, Any]) -> None:
    """A scope by tag comes back as it was put."""
    for shown in answer["ConfigRules"]:
        held = ask.store().config_rules.get(shown["ConfigRuleName"])
        tags = getattr(getattr(held, "scope", None), "tags", None)
        if tags:
            [(key, value)] = tags.items()
            shown["Scope"] = {"TagKey": key} | ({"TagValue": value} if value else {})


@before("config.rule_names", "DescribeConfigRules", row="13.2 describe_config_rules of 30 rules")
def rule_names(ask: Ask) -> None:
    """DescribeConfigRules takes 25 names at most."""
    if len(ask.params.get("ConfigRuleNames") or []) > 25:
        raise Refused(_INVALID, "ConfigRuleNames must have length less than or equal to 25")


@instead("config.rule_deletion", "DeleteConfigRule", row="13.2 delete_config_rule")
def delete_rule(ask: Ask) -> dict[str, Any]:
    """A deleted rule is seen DELETING once before it is gone; until then it cannot be put."""
    name = ask.params["ConfigRuleName"]
    rule = ask.store().config_rules.get(name)
    if rule is None:
        text = f"The ConfigRule '{name}' provided in the request is invalid. Please check the name"
        raise Refused("NoSuchConfigRuleException", text)
    if rule.config_rule_state != "ACTIVE":
        text = f"The rule {name} is currently being deleted.  Please retry after some time"
        raise Refused("ResourceInUseException", text)
    rule.config_rule_state = "DELETING"
    return {}


@after("config.rule_deletion", "DescribeConfigRules")
def deletion_ends(ask: Ask, answer: dict[str, Any]) -> None:
    """Whoever has seen a rule go does not see it again."""
    held = ask.store().config_rules
    for shown in answer["ConfigRules"]:
        if shown.get("ConfigRuleState") == "DELETING":
            held.pop(shown["ConfigRuleName"], None)
            ask.world.dirty = True


def _chosen(ask: Ask) -> list[Any]:
    names, held = ask.params.get("ConfigRuleNames"), ask.store().config_rules
    for name in names or []:
        if name not in held:
            text = f"The ConfigRule '{name}' provided in the request is invalid. Please check the name"
            raise Refused("NoSuchConfigRuleException", text)
    return [rule for name, rule in sorted(held.items()) if not names or name in names]


def _recording(ask: Ask) -> bool:
    return any(recorder.status.recording for recorder in ask.store().recorders.values())


@instead(
    "config.rule_evaluation",
    "DescribeConfigRuleEvaluationStatus",
    row="14 config DescribeConfigRuleEvaluationStatus",
)
def evaluation_status(ask: Ask) -> dict[str, Any]:
    """A rule is evaluated where the recorder records, and finds its resources compliant."""
    now, on = datetime.now(UTC), _recording(ask)
    shown = []
    for rule in _chosen(ask):
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
def compliance(ask: Ask) -> dict[str, Any]:
    """What the rules found."""
    kind = "COMPLIANT" if _recording(ask) else "INSUFFICIENT_DATA"
    return {
        "ComplianceByConfigRules": [
            {"ConfigRuleName": rule.config_rule_name, "Compliance": {"ComplianceType": kind}}
            for rule in _chosen(ask)
        ]
    }


@instead("config.rule_evaluation", "StartConfigRulesEvaluation")
def start_evaluation(ask: Ask) -> dict[str, Any]:
    """The rules are evaluated at once."""
    _chosen(ask)
    return {}
