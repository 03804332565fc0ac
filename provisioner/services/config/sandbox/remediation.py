"""Remediations of AWS Config's rules and their exceptions, which moto lacks."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import before, instead
from ..remediation_section import ROLE_PARAMETER
from .custom_rules import policy_of
from .rules import INVALID, no_such_rule

_ROW = "14 config PutRemediationConfigurations; 16.I Remediation"
_DEFAULTS = {"MaximumAutomaticAttempts": 5, "RetryAttemptSeconds": 60}
_VERSIONS = ("BucketVersioning", "S3_BUCKET_VERSIONING_ENABLED")  # rules on the versions of buckets


def _kept(request: Request, kind: str) -> dict[Any, Any]:
    """What the Region has of one *kind*: remediations by rule, exceptions by rule, type and id."""
    kept: dict[Any, Any] = request.saved(f"config_{kind}").setdefault((request.account, request.region), {})
    return kept


@instead("config.remediation_put", "PutRemediationConfigurations", row=_ROW)
def put(request: Request) -> dict[str, Any]:
    """A remediation of a rule is replaced; automatic ones need a role, and rules of services take none."""
    rules, failed = request.store().config_rules, []
    asked = request.params["RemediationConfigurations"]
    for each in asked:
        if each["ConfigRuleName"] not in rules:
            raise Refused(INVALID, str(no_such_rule(each["ConfigRuleName"])))
        if each.get("Automatic") and ROLE_PARAMETER not in (each.get("Parameters") or {}):
            raise Refused(INVALID, f"{ROLE_PARAMETER} is required for automatic remediation.")
    for each in asked:
        name = each["ConfigRuleName"]
        if getattr(rules[name], "created_by", None):
            text = f"Remediation of the service-linked rule {name} is not supported."
            failed.append({"FailureMessage": text, "FailedItems": [each]})
            continue
        word = hashlib.sha256(f"{request.account}{request.region}{name}".encode()).hexdigest()[:8]
        where = f"arn:{request.partition}:config:{request.region}:{request.account}"
        full = {**_DEFAULTS, "Automatic": False, **each, "Arn": f"{where}:remediation-configuration/{word}"}
        _kept(request, "remediations")[name] = full
    return {"FailedBatches": failed}


@instead("config.remediation_read", "DescribeRemediationConfigurations", row=_ROW)
def describe(request: Request) -> dict[str, Any]:
    """Return the remediations of the rules that have one, with AWS's defaults."""
    kept = _kept(request, "remediations")
    return {
        "RemediationConfigurations": [
            kept[name] for name in request.params["ConfigRuleNames"] if name in kept
        ]
    }


def _require(request: Request) -> str:
    name = str(request.params["ConfigRuleName"])
    if name not in _kept(request, "remediations"):
        text = f"No RemediationConfiguration exists for the rule {name}."
        raise Refused("NoSuchRemediationConfigurationException", text)
    return name


@instead("config.remediation_delete", "DeleteRemediationConfiguration", row=_ROW)
def delete(request: Request) -> dict[str, Any]:
    """A remediation is deleted at once."""
    del _kept(request, "remediations")[_require(request)]
    return {}


@before("config.remediation_rule", "DeleteConfigRule", row="DeleteConfigRule, API Reference")
def delete_rule(request: Request) -> None:
    """A rule that has a remediation cannot be deleted."""
    name = request.params["ConfigRuleName"]
    if name in _kept(request, "remediations"):
        text = f"The rule {name} has a remediation action associated with it. Delete that first."
        raise Refused("ResourceInUseException", text)


@instead("config.remediation_status", "DescribeRemediationExecutionStatus", row=_ROW)
def status(request: Request) -> dict[str, Any]:
    """Return the executions, none if nobody has started one."""
    return {"RemediationExecutionStatuses": _kept(request, "executions").get(_require(request), [])}


def _finds(request: Request, name: str) -> list[str]:
    """The buckets that the rule finds: those without versions, by a rule on versions. Others are not evaluated."""
    rule = request.store().config_rules[name]
    text = policy_of(request, name) + str(rule.source.source_identifier)
    if not any(word in text for word in _VERSIONS):
        return []
    buckets = request.store("s3").buckets.values()
    return sorted(
        each.name for each in buckets if each.region_name == request.region and not each.is_versioned
    )


@instead("config.compliance_details", "GetComplianceDetailsByConfigRule", row=_ROW)
def compliance_details(request: Request) -> dict[str, Any]:
    """Return the resources that a rule finds NON_COMPLIANT."""
    name, types = request.params["ConfigRuleName"], request.params.get("ComplianceTypes")
    if name not in request.store().config_rules:
        raise no_such_rule(name)
    results = []
    for bucket in _finds(request, name) if "NON_COMPLIANT" in (types or ["NON_COMPLIANT"]) else ():
        resource = {"ConfigRuleName": name, "ResourceType": "AWS::S3::Bucket", "ResourceId": bucket}
        found = {"EvaluationResultQualifier": resource}
        results.append({"EvaluationResultIdentifier": found, "ComplianceType": "NON_COMPLIANT"})
    return {"EvaluationResults": results}


@instead("config.remediation_exceptions", "PutRemediationExceptions", row=_ROW)
def put_exceptions(request: Request) -> dict[str, Any]:
    """An exception is made for resources that the rule finds NON_COMPLIANT; for others the request does nothing."""
    params, name = request.params, request.params["ConfigRuleName"]
    if name not in request.store().config_rules:
        raise Refused(INVALID, str(no_such_rule(name)))
    for each in params["ResourceKeys"]:
        if each["ResourceType"] == "AWS::S3::Bucket" and each["ResourceId"] in _finds(request, name):
            shown = {key: params[key] for key in ("Message", "ExpirationTime") if params.get(key)}
            key = (name, each["ResourceType"], each["ResourceId"])
            _kept(request, "remediation_exceptions")[key] = {"ConfigRuleName": name, **each, **shown}
    return {"FailedBatches": []}


@instead("config.remediation_exceptions", "DescribeRemediationExceptions")
def describe_exceptions(request: Request) -> dict[str, Any]:
    """Return the exceptions of a rule; those that have expired vanish."""
    params, now = request.params, datetime.now(UTC).timestamp()
    keys = [(each["ResourceType"], each["ResourceId"]) for each in params.get("ResourceKeys") or ()]
    shown = [
        each
        for (name, *key), each in sorted(_kept(request, "remediation_exceptions").items())
        if name == params["ConfigRuleName"] and (not keys or tuple(key) in keys)
        if each.get("ExpirationTime") is None or each["ExpirationTime"] > now
    ]
    return {"RemediationExceptions": shown}
