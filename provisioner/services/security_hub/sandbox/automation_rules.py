"""Automation rules, which change findings. Only an account that is no member has any."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from .hub import members, own_hub


def _rules(request: Request) -> dict[str, dict[str, Any]]:
    """The rules of the hub, by ARN."""
    hub = own_hub(request)
    if (request.account, request.region) in members(request):
        raise Refused("AccessDeniedException", "Only the administrator manages automation rules.", 403)
    kept: dict[str, dict[str, Any]] = hub.setdefault("rules", {})
    return kept


@instead("securityhub.hub", "CreateAutomationRule")
def create(request: Request) -> dict[str, Any]:
    """A rule is enabled unless the request says otherwise; two may have one name."""
    kept, name = _rules(request), request.params["RuleName"]
    made = sha256(f"{name} {len(kept)}".encode()).hexdigest()[:32]
    arn = f"arn:{request.partition}:securityhub:{request.region}:{request.account}:automation-rule/{made}"
    kept[arn] = {"RuleStatus": "ENABLED", "IsTerminal": False, **request.params, "RuleArn": arn}
    return {"RuleArn": arn}


@instead("securityhub.hub", "ListAutomationRules")
def list_rules(request: Request) -> dict[str, Any]:
    """Return the rules without what they do."""
    known = ("RuleArn", "RuleStatus", "RuleOrder", "RuleName", "Description", "IsTerminal")
    return {
        "AutomationRulesMetadata": [{key: each[key] for key in known} for each in _rules(request).values()]
    }


@instead("securityhub.hub", "BatchGetAutomationRules")
def get(request: Request) -> dict[str, Any]:
    """Return the rules of these ARNs."""
    found, missing = _split(request, request.params["AutomationRulesArns"])
    return {"Rules": found, "UnprocessedAutomationRules": missing}


@instead("securityhub.hub", "BatchUpdateAutomationRules")
def update(request: Request) -> dict[str, Any]:
    """What a request leaves out of a rule stays."""
    asked = {each["RuleArn"]: each for each in request.params["UpdateAutomationRulesRequestItems"]}
    found, missing = _split(request, [*asked])
    for each in found:
        each.update(asked[each["RuleArn"]])
    return _processed(found, missing)


@instead("securityhub.hub", "BatchDeleteAutomationRules")
def delete(request: Request) -> dict[str, Any]:
    """Rules can be deleted."""
    found, missing = _split(request, request.params["AutomationRulesArns"])
    for each in found:
        del _rules(request)[each["RuleArn"]]
    return _processed(found, missing)


def _split(request: Request, arns: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rules that there are, and what AWS answers for the others."""
    kept = _rules(request)
    missing = [
        {"RuleArn": arn, "ErrorCode": 404, "ErrorMessage": "no rule"} for arn in arns if arn not in kept
    ]
    return [kept[arn] for arn in arns if arn in kept], missing


def _processed(found: list[dict[str, Any]], missing: list[dict[str, Any]]) -> dict[str, Any]:
    done = [each["RuleArn"] for each in found]
    return {"ProcessedAutomationRules": done, "UnprocessedAutomationRules": missing}
