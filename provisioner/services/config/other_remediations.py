"""Remediations of others that AWS Config starts by itself: they may undo what the file sets, again after each repair.

Source: "Remediating Noncompliant Resources" in the AWS Config Developer Guide; Systems Manager Automation runbook reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Finding, Findings
from .remediation import remediation_title, remediations_of
from .section import Config

_MOST: Final = 25  # rules in one request
# A parameter of AWS's documents with which a document weakens what it is to harden.
_WEAKENS: Final = {
    "VersioningState": "suspended",
    "BlockPublicAcls": "false",
    "BlockPublicPolicy": "false",
    "IgnorePublicAcls": "false",
    "RestrictPublicBuckets": "false",
}


def look_at_other_remediations(aws: Aws, baseline: Baseline) -> Callable[[], Findings]:
    """Start to list the rules of the Region; return the function that finds the remediations that the file does not have.

    One that weakens something fails. What others do nobody can know: it is told.
    """
    read, own = aws.read("config"), remediations_of(baseline[Config], aws.target)
    rules = read.describe_config_rules()

    def find() -> Findings:
        # Nobody can give a remediation to a rule of a service.
        names = [
            each["ConfigRuleName"]
            for each in rules.get("ConfigRules")
            if not each.get("CreatedBy") and each["ConfigRuleName"] not in own
        ]
        asked = [
            read.describe_remediation_configurations(ConfigRuleNames=names[start : start + _MOST])
            for start in range(0, len(names), _MOST)
        ]
        for have in (each for reading in asked for each in reading.get("RemediationConfigurations")):
            if have.get("Automatic"):
                yield _finding(have)

    return find


def _finding(have: Any) -> Finding:
    document, weaker = have["TargetId"], ", ".join(_weakening(have.get("Parameters") or {}))
    text = f"of others: AWS Config starts {document} by itself on what the rule finds"
    text += f" with {weaker}: end it" if weaker else ", which may undo what the file sets"
    return Finding(remediation_title(have["ConfigRuleName"]), "by others", False if weaker else None, text)


def _weakening(parameters: dict[str, Any]) -> Iterator[str]:
    for name, value in parameters.items():
        for each in (value.get("StaticValue") or {}).get("Values", ()):
            if str(each).lower() == _WEAKENS.get(name):
                yield f"{name} {each}"
