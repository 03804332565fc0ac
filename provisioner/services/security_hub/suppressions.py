"""Automation rules of others that hide findings. Source: AWS Security Hub CSPM User Guide, "Automation rules"."""

from __future__ import annotations

from typing import Any, Final

from ...aws import Aws
from ...model import Changes
from ...steps.suppressions import suppression
from .state import HUB, WAITS, if_enabled, read_administrator

SUPPRESSIONS: Final = "automation rules"
_MOST: Final = 100  # rules that an administrator may have, and rules in an answer
_HIDING: Final = frozenset(("SUPPRESSED", "RESOLVED"))
_UNPROCESSED: Final = "UnprocessedAutomationRules"


def ensure_unsuppressed(aws: Aws) -> Changes:
    """Offer to disable each rule that suppresses findings, resolves them, or makes them unimportant.

    A member has none: its administrator's rules are for it too, and AWS shows them to the administrator alone.
    """
    read, write = aws.read("securityhub"), aws.write("securityhub")
    if read_administrator(aws) not in {"", aws.account}:
        return
    listed = if_enabled(read.list_automation_rules(MaxResults=_MOST), "AutomationRulesMetadata") or []
    enabled = [each["RuleArn"] for each in listed if each.get("RuleStatus", "ENABLED") == "ENABLED"]
    if not enabled:
        return
    for each in read.batch_get_automation_rules(AutomationRulesArns=enabled).get("Rules"):
        if effect := _effect(each):
            off = [{"RuleArn": each["RuleArn"], "RuleStatus": "DISABLED"}]
            call = write.batch_update_automation_rules(UpdateAutomationRulesRequestItems=off)
            call = call.waiting(*WAITS).failing_on(_UNPROCESSED)
            yield suppression(HUB, "automation rule", each["RuleName"], effect, call)


def _effect(rule: dict[str, Any]) -> str:
    """What the rule does to findings so that nobody sees them; empty if nothing."""
    for action in rule.get("Actions") or ():
        update = action.get("FindingFieldsUpdate") or {}
        status = (update.get("Workflow") or {}).get("Status")
        if status in _HIDING:
            return f"sets findings to {status}"
        if (update.get("Severity") or {}).get("Label") == "INFORMATIONAL":
            return "sets the severity of findings to INFORMATIONAL"
    return ""
