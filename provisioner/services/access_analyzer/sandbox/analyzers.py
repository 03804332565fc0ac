"""The analyzers of an account in a Region."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.iam import LINKED_ROLES, ensure_linked_role
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import delegated, find_organization, trusted

PRINCIPAL = "access-analyzer.amazonaws.com"
LINKED_ROLES[PRINCIPAL] = "AccessAnalyzer"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
_MOST = {"ACCOUNT": 1, "ORGANIZATION": 5, "ACCOUNT_UNUSED_ACCESS": 1, "ORGANIZATION_UNUSED_ACCESS": 5}
_UNUSED = "unusedAccess"


def analyzers(request: Request) -> dict[str, dict[str, Any]]:
    """The analyzers of the request's account and Region, by name."""
    kept: dict[str, dict[str, Any]] = request.saved("access_analyzer").setdefault(
        (request.account, request.region), {}
    )
    return kept


@instead("accessanalyzer.create", "CreateAnalyzer", row="10 Access Analyzer")
def create(request: Request) -> dict[str, Any]:
    """An analyzer has a unique name and a limit per type; an organization's needs its administrator."""
    name, kind = request.params["analyzerName"], request.params["type"]
    if not _NAME.fullmatch(name) or kind not in _MOST:
        raise Refused("ValidationException", "Invalid request body.")
    kept = analyzers(request)
    if name in kept:
        raise Refused("ConflictException", f"Analyzer {name} already exists.", 409)
    if kind.startswith("ORGANIZATION"):
        _check_administrator(request)
    if sum(each["type"] == kind and "managedBy" not in each for each in kept.values()) >= _MOST[kind]:
        text = f"You have reached the limit of {kind} analyzers."
        raise Refused("ServiceQuotaExceededException", text, 402)
    configuration = _configuration(kind, request.params.get("configuration"))
    ensure_linked_role(request.account, request.partition, PRINCIPAL)
    arn = f"arn:{request.partition}:access-analyzer:{request.region}:{request.account}:analyzer/{name}"
    kept[name] = {
        "arn": arn,
        "name": name,
        "type": kind,
        "createdAt": datetime.fromtimestamp(request.world.now(), UTC).isoformat(),
        "tags": dict(request.params.get("tags") or {}),
        "status": "ACTIVE",
        **({"configuration": configuration} if configuration else {}),
    }
    return {"arn": arn}


def _check_administrator(request: Request) -> None:
    """Raise `Refused` unless the caller administers the organization and the service has trusted access."""
    held = find_organization(request.account, request.partition)
    if held is None or not trusted(held, PRINCIPAL):
        raise Refused("ValidationException", "You must create an organization before creating the analyzer.")
    if request.account != held.org.master_account_id and not delegated(held, request.account, PRINCIPAL):
        raise Refused("AccessDeniedException", "You are not the delegated administrator.", 403)


def _configuration(kind: str, given: Any) -> dict[str, Any]:
    """The configuration of an unused access analyzer; external access analyzers have none."""
    if not kind.endswith("_UNUSED_ACCESS"):
        if given:
            text = "External access analyzers do not support any configuration."
            raise Refused("ValidationException", text)
        return {}
    unused = {"unusedAccessAge": 90, **((given or {}).get(_UNUSED) or {})}
    if not 1 <= unused["unusedAccessAge"] <= 365:
        raise Refused("ValidationException", "unusedAccessAge must be between 1 and 365.")
    return {_UNUSED: unused}


@instead("accessanalyzer.list", "ListAnalyzers", row="10 ListAnalyzers omits configuration")
def list_analyzers(request: Request) -> dict[str, Any]:
    """ListAnalyzers returns analyzers without their configuration."""
    kind = request.params.get("type")
    found = [_shown(request, each) for each in analyzers(request).values() if kind in (None, each["type"])]
    hidden = {"configuration", "archiveRules"}
    return {"analyzers": [{k: v for k, v in each.items() if k not in hidden} for each in found]}


@instead("accessanalyzer.get", "GetAnalyzer", row="10 GetAnalyzer")
def get(request: Request) -> dict[str, Any]:
    """GetAnalyzer returns the configuration, too."""
    found = _shown(request, named(request))
    return {"analyzer": {key: value for key, value in found.items() if key != "archiveRules"}}


@instead("accessanalyzer.update", "UpdateAnalyzer", row="10 Access Analyzer")
def update(request: Request) -> dict[str, Any]:
    """The configuration is replaced; only unused access analyzers have one."""
    found = named(request)
    if not found["type"].endswith("_UNUSED_ACCESS"):
        raise Refused("ValidationException", "This action is not supported for external access analyzers.")
    found["configuration"] = _configuration(found["type"], request.params.get("configuration"))
    return {"configuration": found["configuration"]}


@instead("accessanalyzer.delete", "DeleteAnalyzer", row="10 Access Analyzer")
def delete(request: Request) -> dict[str, Any]:
    """An analyzer can be deleted unless an AWS service manages it."""
    found = named(request)
    if "managedBy" in found:
        raise Refused("AccessDeniedException", "The analyzer is managed by an AWS service.", 403)
    del analyzers(request)[found["name"]]
    return {}


@instead("accessanalyzer.tag", "TagResource", row="10 Access Analyzer")
def tag(request: Request) -> dict[str, Any]:
    """Tags are added; others are kept."""
    _of_arn(request)["tags"] |= request.params["tags"]
    return {}


@instead("accessanalyzer.untag", "UntagResource", row="10 Access Analyzer")
def untag(request: Request) -> dict[str, Any]:
    """The tags with these keys are removed."""
    tags = _of_arn(request)["tags"]
    for key in request.params["tagKeys"]:
        tags.pop(key, None)
    return {}


def named(request: Request) -> dict[str, Any]:
    """The analyzer that the request names."""
    name = request.params["analyzerName"]
    found = analyzers(request).get(name)
    if found is None:
        raise Refused("ResourceNotFoundException", f"Analyzer {name} not found.", 404)
    return found


def _of_arn(request: Request) -> dict[str, Any]:
    arn = request.params["resourceArn"]
    found = next((each for each in analyzers(request).values() if each["arn"] == arn), None)
    if found is None:
        raise Refused("ResourceNotFoundException", f"Resource {arn} not found.", 404)
    return found


def _shown(request: Request, found: dict[str, Any]) -> dict[str, Any]:
    """An analyzer as it is returned; an organization's is disabled while the service has no trusted access."""
    held = find_organization(request.account, request.partition)
    if found["type"].startswith("ORGANIZATION") and not (held is not None and trusted(held, PRINCIPAL)):
        return {**found, "status": "DISABLED", "statusReason": {"code": "AWS_SERVICE_ACCESS_DISABLED"}}
    return dict(found)
