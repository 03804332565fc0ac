"""AWS Config rules of the user's own: policies in Guard, which moto refuses, and Lambda functions, which it cannot find."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import after, before, instead
from .rules import INVALID, no_such_rule

_STAND_IN = {"Owner": "AWS", "SourceIdentifier": "ENCRYPTED_VOLUMES"}  # what moto takes in their place
_OF_CHANGES = ("ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification")


def _sources(request: Request) -> dict[str, dict[str, Any]]:
    """What moto does not hold of the rules of the Region, by name."""
    key = (request.account, request.region)
    kept: dict[str, dict[str, Any]] = request.saved("config_custom_rules").setdefault(key, {})
    return kept


@before("config.custom_rules", "PutConfigRule", row="16.I Guard rule → Python TypeError")
def custom_rules(request: Request) -> None:
    """A policy has a text, a runtime and types of changes; a function is one of the Region that AWS Config may invoke."""
    rule = request.params["ConfigRule"]
    source = rule.get("Source") or {}
    if source.get("Owner") not in {"CUSTOM_POLICY", "CUSTOM_LAMBDA"}:
        return
    types = [each.get("MessageType") for each in source.get("SourceDetails") or ()]
    if not types:
        raise Refused(INVALID, "SourceDetails should be provided if the owner is not AWS.")
    if source["Owner"] == "CUSTOM_LAMBDA":
        _check_function(request, str(source.get("SourceIdentifier")))
    else:
        _check_policy(source, types)
    request.scratch["custom"] = {"Source": source, "InputParameters": rule.get("InputParameters")}
    plain = {key: value for key, value in rule.items() if key != "InputParameters"}
    request.rewrite(ConfigRule={**plain, "Source": _STAND_IN})


def _check_function(request: Request, arn: str) -> None:
    if not arn.startswith(f"arn:{request.partition}:lambda:{request.region}:{request.account}:function:"):
        text = f"The AWS Lambda function {arn} cannot be invoked. Check the specified function ARN, and check the"
        raise Refused("InsufficientPermissionsException", f"{text} function's permissions.")


def _check_policy(source: dict[str, Any], types: list[Any]) -> None:
    details = source.get("CustomPolicyDetails") or {}
    if source.get("SourceIdentifier"):
        raise Refused(INVALID, "SourceIdentifier should be null/empty if the owner is CUSTOM_POLICY.")
    if not str(details.get("PolicyText") or "").strip() or details.get("PolicyRuntime") != "guard-2.x.x":
        raise Refused(INVALID, "CustomPolicyDetails needs a PolicyText, and the PolicyRuntime guard-2.x.x.")
    if not set(types) <= set(_OF_CHANGES):
        raise Refused(INVALID, "A custom policy rule is triggered by configuration changes only.")


@after("config.custom_rules", "PutConfigRule")
def keep_source(request: Request, _: dict[str, Any]) -> None:
    """Keep the source and the parameters, which moto has not got."""
    name, custom = request.params["ConfigRule"]["ConfigRuleName"], request.scratch.get("custom")
    if custom is None:
        _sources(request).pop(name, None)
    else:
        _sources(request)[name] = custom


@after("config.custom_rules", "DescribeConfigRules")
def show_source(request: Request, answer: dict[str, Any]) -> None:
    """A rule is returned with its source, without the text of a policy."""
    for shown in answer["ConfigRules"]:
        if custom := _sources(request).get(shown["ConfigRuleName"]):
            source = dict(custom["Source"])
            if details := source.get("CustomPolicyDetails"):
                kept = {key: value for key, value in details.items() if key != "PolicyText"}
                source["CustomPolicyDetails"] = {"EnableDebugLogDelivery": False, **kept}
            shown["Source"] = source
            if custom["InputParameters"]:
                shown["InputParameters"] = custom["InputParameters"]


def policy_of(request: Request, name: str) -> str:
    """The text of the policy of a rule, empty for one of another kind."""
    source = _sources(request).get(name, {}).get("Source", {})
    return str(source.get("CustomPolicyDetails", {}).get("PolicyText", ""))


@instead("config.custom_rules", "GetCustomRulePolicy")
def policy_text(request: Request) -> dict[str, Any]:
    """Return the text of the policy of a rule."""
    name = request.params["ConfigRuleName"]
    if name not in request.store().config_rules or name not in _sources(request):
        raise no_such_rule(name)
    return {"PolicyText": policy_of(request, name)}
