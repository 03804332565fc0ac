"""Log groups and their metric filters. Moto keeps the groups, and their filters are kept here."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from ....compare.policy_eval import Act, decide
from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.partitions import dns_suffix
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.kms import find_key
from .grammar import BadPattern, matcher

_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288),
    3653,
)
_INVALID: Final = "InvalidParameterException"
_MOST: Final = 100  # metric filters of a log group


def _extra(request: Request, name: str) -> dict[str, Any]:
    """What moto does not keep of a log group."""
    kept: dict[str, Any] = request.saved("log_groups").setdefault((request.account, request.region, name), {})
    return kept


def _filters(request: Request, name: str) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = _extra(request, name).setdefault("filters", {})
    return kept


def _group(request: Request, name: str) -> Any:
    found = request.store("logs").groups.get(name)
    if found is None:
        raise Refused("ResourceNotFoundException", "The specified log group does not exist.")
    return found


def _check_key(request: Request, name: str, key_id: str | None) -> None:
    """Raise `Refused` for a key that CloudWatch Logs may not use for the log group."""
    if not key_id:
        return
    service = f"logs.{request.region}.{dns_suffix(request.partition)}"
    key = find_key(key_id, request.account, request.region)
    group = f"arn:{request.partition}:logs:{request.region}:{request.account}:log-group:{name}"
    context = {"kms:encryptioncontext:aws:logs:arn": group}
    if (
        key is None
        or key.key_state != "Enabled"
        or decide(json.loads(key.policy), Act("kms:GenerateDataKey", key.arn, service, context)) != "allow"
    ):
        raise Refused(_INVALID, "The specified KMS Key Id could not be found or is not accessible.")


@before("logs.create", "CreateLogGroup", row="13.6 log group `aws/x`, bogus KMS key; 16.E classes")
def create(request: Request) -> None:
    """A log group's name does not begin with aws/, and its key must let CloudWatch Logs in."""
    name, params = request.params["logGroupName"], request.params
    if name.startswith("aws/"):
        raise Refused(_INVALID, "Log groups starting with aws/ are reserved for AWS.")
    if name in request.store("logs").groups:
        return
    _check_key(request, name, params.get("kmsKeyId"))
    kept = _extra(request, name)
    kept.clear()
    kept["logGroupClass"] = params.get("logGroupClass", "STANDARD")
    kept["deletionProtectionEnabled"] = bool(params.get("deletionProtectionEnabled"))


@after("logs.describe", "DescribeLogGroups", row="16.E logGroupClass, deletionProtectionEnabled not returned")
def describe(request: Request, answer: dict[str, Any]) -> None:
    """DescribeLogGroups has the class, the deletion protection and the account's retention policy."""
    for each in answer["logGroups"]:
        kept = _extra(request, each["logGroupName"])
        each["logGroupClass"] = kept.get("logGroupClass", "STANDARD")
        each["deletionProtectionEnabled"] = kept.get("deletionProtectionEnabled", False)
        for (account, region, prefix), policy in request.saved("retention_policies").items():
            if (account, region) == (request.account, request.region) and each["logGroupName"].startswith(
                prefix
            ):
                each |= {"retentionPolicyName": policy["name"], "retentionInDays": policy["days"]}


@instead("logs.protection", "PutLogGroupDeletionProtection", row="14 logs; 16.E deletion protection")
def protect(request: Request) -> dict[str, Any]:
    """Deletion protection is turned on and off."""
    name = request.params["logGroupIdentifier"].removesuffix(":*").rpartition("log-group:")[2]
    _group(request, name)
    _extra(request, name)["deletionProtectionEnabled"] = request.params["deletionProtectionEnabled"]
    return {}


@before("logs.delete", "DeleteLogGroup", row="16.E protected group can be deleted")
def delete(request: Request) -> None:
    """A log group with deletion protection cannot be deleted; its filters go with it."""
    name = request.params["logGroupName"]
    if name in request.store("logs").groups and _extra(request, name).get("deletionProtectionEnabled"):
        raise Refused("InvalidOperationException", "The log group has deletion protection enabled.")
    _extra(request, name).clear()


@before("logs.retention", "PutRetentionPolicy", row="13.6 retention 10")
def retention(request: Request) -> None:
    """A retention is one of AWS's numbers of days."""
    if request.params["retentionInDays"] not in _DAYS:
        raise Refused(_INVALID, "The retention is not one of the valid numbers of days.")


@instead("logs.key", "AssociateKmsKey", "DisassociateKmsKey", row="14 logs: AssociateKmsKey; §9 Logs")
def associate(request: Request) -> dict[str, Any]:
    """A log group gets a key that lets CloudWatch Logs in, or none."""
    name = request.params["logGroupName"]
    group = _group(request, name)
    _check_key(request, name, request.params.get("kmsKeyId"))
    group.kms_key_id = request.params.get("kmsKeyId")
    return {}


@instead("logs.account_policy", "PutAccountPolicy", row="16.E account-level retention policies")
def account_policy(request: Request) -> dict[str, Any]:
    """A retention policy of the account wins over the retention of each log group whose name begins as it says."""
    params = request.params
    if params["policyType"] != "RETENTION_POLICY":
        raise Refused(_INVALID, "The sandbox knows retention policies only.")
    days = json.loads(params["policyDocument"])["RetentionInDays"]
    prefix = (re.search(r'"([^"]*)"', params.get("selectionCriteria") or "") or ["", ""])[1]
    policy = {"name": params["policyName"], "days": days}
    request.saved("retention_policies")[request.account, request.region, prefix] = policy
    return {"accountPolicy": {"policyName": params["policyName"]}}


@instead("logs.put_filter", "PutMetricFilter", row="13.6 metric filter on missing group; §9 PutMetricFilter")
def put_filter(request: Request) -> dict[str, Any]:
    """A filter is of an existing STANDARD group, has a valid pattern and one transformation, and is replaced whole."""
    params, name = request.params, request.params["logGroupName"]
    _group(request, name)
    if _extra(request, name).get("logGroupClass", "STANDARD") != "STANDARD":
        raise Refused("InvalidOperationException", "Metric filters need a log group of the Standard class.")
    if len(params["metricTransformations"]) != 1:
        raise Refused(_INVALID, "A metric filter has exactly one metric transformation.")
    [metric] = params["metricTransformations"]
    if "defaultValue" in metric and metric.get("dimensions"):
        raise Refused(_INVALID, "A metric filter has a default value or dimensions, not both.")
    pattern = params["filterPattern"].strip()
    try:
        matcher(pattern) if pattern.startswith("{") else None
    except BadPattern as error:
        raise Refused(_INVALID, f"Invalid metric filter pattern: {error}") from None
    kept = _filters(request, name)
    if params["filterName"] not in kept and len(kept) >= _MOST:
        raise Refused("LimitExceededException", "Resource limit exceeded.")
    kept[params["filterName"]] = {
        "applyOnTransformedLogs": False,
        **params,
        "filterPattern": pattern,
        "creationTime": int(request.world.now() * 1000),
    }
    return {}


@instead("logs.describe_filters", "DescribeMetricFilters", row="1.3 DescribeMetricFilters; §9")
def describe_filters(request: Request) -> dict[str, Any]:
    """The filters of a log group, or of all; of a group that does not exist, ResourceNotFoundException."""
    params = request.params
    if name := params.get("logGroupName"):
        _group(request, name)
    groups = [name] if name else sorted(request.store("logs").groups)
    start, metric = params.get("filterNamePrefix", ""), params.get("metricName")
    found = [
        each
        for group in groups
        for each in sorted(_filters(request, group).values(), key=lambda one: str(one["filterName"]))
        if each["filterName"].startswith(start) and _of_metric(each, metric, params.get("metricNamespace"))
    ]
    return {"metricFilters": found}


def _of_metric(kept: dict[str, Any], name: str | None, namespace: str | None) -> bool:
    [metric] = kept["metricTransformations"]
    return name is None or (metric["metricName"], metric["metricNamespace"]) == (name, namespace)


@instead("logs.delete_filter", "DeleteMetricFilter", row="§9 Logs")
def delete_filter(request: Request) -> dict[str, Any]:
    """A filter is deleted."""
    name = request.params["logGroupName"]
    _group(request, name)
    if _filters(request, name).pop(request.params["filterName"], None) is None:
        raise Refused("ResourceNotFoundException", "The specified metric filter does not exist.")
    return {}
