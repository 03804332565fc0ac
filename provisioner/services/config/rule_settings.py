"""A Config rule in the shape in which it is compared, and in that in which it is written."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

from ...compare.spelling import to_text
from ...model import Refused
from ...steps.settings import to_api
from .managed_rules import missing_parameters
from .rule_section import Rule, more_often, parameters_text
from .state import JsonObject

FREQUENCY: Final = "MaximumExecutionFrequency"
DETAILS: Final = "SourceDetails"
POLICY: Final = "CustomPolicyDetails"
GUARD: Final = "guard-2.x.x"  # the one that AWS has
_AT_CHANGES: Final = [{"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"}]
_KEPT: Final = ("Description", FREQUENCY, "EvaluationModes")  # if the file does not set them
_MAPPINGS: Final = ("InputParameters", "Scope")


def normal_rule(have: JsonObject) -> dict[str, Any]:
    """The rule as AWS has it, its parameters parsed. To AWS a missing field, `""` and `{}` are the same."""
    text = have.get("InputParameters")
    parameters = json.loads(text) if text else {}
    scope = have.get("Scope") or {}
    return {
        "Source": _normal_source(have["Source"]),
        "Description": have.get("Description") or "",
        "InputParameters": {key: to_text(value) for key, value in parameters.items()},
        "Scope": {
            key: sorted(value) if isinstance(value, list) else value for key, value in scope.items() if value
        },
        FREQUENCY: have.get(FREQUENCY),
    }


def rule_settings(rule: Rule, have: JsonObject | None) -> dict[str, Any]:
    """The fields that the file sets, in the shape of `normal_rule`; None for one to remove."""
    present = normal_rule(have) if have else {key: {} for key in _MAPPINGS}
    want: dict[str, Any] = {"Source": _source(rule, have)}
    # A mapping of the file replaces that of AWS.
    for name, stated in zip(_MAPPINGS, (rule.input_parameters, to_api(rule.scope)), strict=True):
        if stated is not None and (replaced := {**dict.fromkeys(present[name]), **stated}):
            want[name] = replaced
    if rule.description is not None:
        want["Description"] = rule.description
    if rule.maximum_execution_frequency:
        want[FREQUENCY] = rule.maximum_execution_frequency
    return want


def with_policy(have: JsonObject, text: str) -> dict[str, Any]:
    """The rule with the text of its policy, which DescribeConfigRules leaves out."""
    source = have["Source"]
    return {**have, "Source": {**source, POLICY: {**source.get(POLICY, {}), "PolicyText": text}}}


def full_rule(want: JsonObject, have: JsonObject | None) -> dict[str, Any]:
    """All fields of the rule, because PutConfigRule resets those that it does not get."""
    # Fields of another managed rule may not fit this one.
    kept: dict[str, Any] = {}
    if have and same_rule(want, have):
        normal = normal_rule(have)
        kept = {key: have[key] for key in _KEPT if key in have}
        kept |= {key: normal[key] for key in _MAPPINGS}
        kept["Source"] = normal["Source"]
    body = {**{key: {} for key in _MAPPINGS}, **kept, **want}
    body["Source"] = {**kept.get("Source", {}), **want["Source"]}
    if policy := want["Source"].get(POLICY):
        body["Source"][POLICY] = {**kept.get("Source", {}).get(POLICY, {}), **policy}
    for key in _MAPPINGS:
        body[key] = {name: value for name, value in body[key].items() if value is not None}
    body["InputParameters"] = parameters_text(body["InputParameters"]) if body["InputParameters"] else ""
    return {key: value for key, value in body.items() if value or key == "Description"}


def same_rule(want: JsonObject, have: JsonObject) -> bool:
    """Whether both are of one managed rule, or of the user's own."""
    identifier = have["Source"].get("SourceIdentifier")
    return have["Source"]["Owner"] != "AWS" or bool(identifier == want["Source"].get("SourceIdentifier"))


def rarer(have: JsonObject | None, want: JsonObject) -> dict[str, tuple[Any, Any]]:
    """The fields in which AWS evaluates the rule more often than the file asks, by name: what it has, and the file's.

    The frequency of another managed rule says nothing about this one.
    """
    if have is None or not same_rule(want, have):
        return {}
    found = {}
    if more_often(have.get(FREQUENCY), want.get(FREQUENCY)):
        found[FREQUENCY] = (have[FREQUENCY], want[FREQUENCY])
    details, asked = _normal_source(have["Source"]).get(DETAILS), want["Source"].get(DETAILS)
    if asked and details and details != asked and all(_is_covered(each, details) for each in asked):
        found[DETAILS] = (details, asked)
    return found


def _is_covered(asked: JsonObject, details: list[dict[str, Any]]) -> bool:
    """Whether the rule is evaluated on this occasion, as often or more often."""
    same = (each for each in details if each["MessageType"] == asked["MessageType"])
    return any(
        each.get(FREQUENCY) == asked.get(FREQUENCY) or more_often(each.get(FREQUENCY), asked.get(FREQUENCY))
        for each in same
    )


def _normal_source(source: JsonObject) -> dict[str, Any]:
    """The source, with what it is evaluated at in one order. AWS may answer a policy with other blanks around it."""
    found = {key: value for key, value in source.items() if value}
    if DETAILS in found:
        found[DETAILS] = sorted(found[DETAILS], key=lambda each: (each["MessageType"], str(each)))
    if text := found.get(POLICY, {}).get("PolicyText"):
        found[POLICY] = {**found[POLICY], "PolicyText": text.strip()}
    return found


def _source(rule: Rule, have: JsonObject | None) -> dict[str, Any]:
    """The fields of the source that the file sets. A new rule of the user's own is evaluated at each change."""
    found: dict[str, Any] = {"Owner": rule.owner}
    if rule.source_identifier:
        found["SourceIdentifier"] = rule.source_identifier
    if rule.source_details:
        details = [{"EventSource": "aws.config", **to_api(each)} for each in rule.source_details]
        found[DETAILS] = sorted(details, key=lambda each: (each["MessageType"], str(each)))
    elif have is None and rule.owner != "AWS":
        found[DETAILS] = [dict(each) for each in _AT_CHANGES]
    if rule.policy_text is not None:
        found[POLICY] = {"PolicyRuntime": GUARD, "PolicyText": rule.policy_text.strip()}
        if rule.enable_debug_log_delivery is not None:
            found[POLICY]["EnableDebugLogDelivery"] = rule.enable_debug_log_delivery
    return found


def refuse_missing_parameters(identifier: str | None, parameters: Collection[str], place: str) -> None:
    """Raise Refused for a new managed rule without a parameter that AWS requires."""
    if missing := missing_parameters(identifier or "", parameters):
        raise Refused(
            f"{identifier} requires the parameter `{missing[0]}`: add it to `{place}.input_parameters`"
        )
