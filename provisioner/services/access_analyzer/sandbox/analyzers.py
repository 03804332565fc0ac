"""The analyzers of an account in a Region, as AWS keeps them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.iam import LINKED, service_linked
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import delegated, held_organization, trusted
from ....sandbox.words import Refused

PRINCIPAL = "access-analyzer.amazonaws.com"
LINKED[PRINCIPAL] = "AccessAnalyzer"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
_MOST = {"ACCOUNT": 1, "ORGANIZATION": 5, "ACCOUNT_UNUSED_ACCESS": 1, "ORGANIZATION_UNUSED_ACCESS": 5}
_UNUSED = "unusedAccess"


def analyzers(ask: Ask) -> dict[str, dict[str, Any]]:
    """Those of the request's account and Region, by name."""
    kept: dict[str, dict[str, Any]] = ask.note("access_analyzer").setdefault((ask.account, ask.region), {})
    return kept


@instead(
    "accessanalyzer.create", "CreateAnalyzer", row="10 Access Analyzer; 13.3 the whole service is missing"
)
def create(ask: Ask) -> dict[str, Any]:
    """An analyzer is made once for a name, one of a type in an account, for an organization by who administers it."""
    name, kind = ask.params["analyzerName"], ask.params["type"]
    if not _NAME.fullmatch(name) or kind not in _MOST:
        raise Refused("ValidationException", "Invalid request body.")
    kept = analyzers(ask)
    if name in kept:
        raise Refused("ConflictException", f"Analyzer {name} already exists.", 409)
    if kind.startswith("ORGANIZATION"):
        _administers(ask)
    if sum(each["type"] == kind and "managedBy" not in each for each in kept.values()) >= _MOST[kind]:
        raise Refused(
            "ServiceQuotaExceededException", f"You have reached the limit of {kind} analyzers.", 402
        )
    configuration = _configuration(kind, ask.params.get("configuration"))
    service_linked(ask.account, ask.partition, PRINCIPAL)
    arn = f"arn:{ask.partition}:access-analyzer:{ask.region}:{ask.account}:analyzer/{name}"
    kept[name] = {
        "arn": arn,
        "name": name,
        "type": kind,
        "createdAt": datetime.fromtimestamp(ask.world.now(), UTC).isoformat(),
        "tags": dict(ask.params.get("tags") or {}),
        "status": "ACTIVE",
        **({"configuration": configuration} if configuration else {}),
    }
    return {"arn": arn}


def _administers(ask: Ask) -> None:
    """The caller is the management account or a delegated administrator, and the service has trusted access."""
    held = held_organization(ask.account, ask.partition)
    if held is None or not trusted(held, PRINCIPAL):
        raise Refused("ValidationException", "You must create an organization before creating the analyzer.")
    if ask.account != held.org.master_account_id and not delegated(held, ask.account, PRINCIPAL):
        raise Refused("AccessDeniedException", "You are not the delegated administrator.", 403)


def _configuration(kind: str, given: Any) -> dict[str, Any]:
    """What an analyzer of unused access is told; one of external access takes nothing."""
    if not kind.endswith("_UNUSED_ACCESS"):
        if given:
            raise Refused(
                "ValidationException", "External access analyzers do not support any configuration."
            )
        return {}
    unused = {"unusedAccessAge": 90, **((given or {}).get(_UNUSED) or {})}
    if not 1 <= unused["unusedAccessAge"] <= 365:
        raise Refused("ValidationException", "unusedAccessAge must be between 1 and 365.")
    return {_UNUSED: unused}


@instead("accessanalyzer.list", "ListAnalyzers", row="10 ListAnalyzers omits configuration")
def list_analyzers(ask: Ask) -> dict[str, Any]:
    """The list of analyzers tells all of them but their configuration."""
    kind = ask.params.get("type")
    found = [_shown(ask, each) for each in analyzers(ask).values() if kind in (None, each["type"])]
    return {"analyzers": [{k: v for k, v in each.items() if k != "configuration"} for each in found]}


@instead("accessanalyzer.get", "GetAnalyzer", row="10 GetAnalyzer")
def get(ask: Ask) -> dict[str, Any]:
    """An analyzer is told with its configuration."""
    return {"analyzer": _shown(ask, _named(ask))}


@instead("accessanalyzer.update", "UpdateAnalyzer", row="10 Access Analyzer")
def update(ask: Ask) -> dict[str, Any]:
    """The configuration is replaced, of an analyzer that has one."""
    found = _named(ask)
    if not found["type"].endswith("_UNUSED_ACCESS"):
        raise Refused("ValidationException", "This action is not supported for external access analyzers.")
    found["configuration"] = _configuration(found["type"], ask.params.get("configuration"))
    return {"configuration": found["configuration"]}


@instead("accessanalyzer.delete", "DeleteAnalyzer", row="10 Access Analyzer")
def delete(ask: Ask) -> dict[str, Any]:
    """An analyzer is deleted, unless an AWS service manages it."""
    found = _named(ask)
    if "managedBy" in found:
        raise Refused("AccessDeniedException", "The analyzer is managed by an AWS service.", 403)
    del analyzers(ask)[found["name"]]
    return {}


@instead("accessanalyzer.tag", "TagResource", row="10 Access Analyzer")
def tag(ask: Ask) -> dict[str, Any]:
    """Tags are added, others stay."""
    _of_arn(ask)["tags"] |= ask.params["tags"]
    return {}


@instead("accessanalyzer.untag", "UntagResource", row="10 Access Analyzer")
def untag(ask: Ask) -> dict[str, Any]:
    """The tags of these keys are removed."""
    found, gone = _of_arn(ask), ask.params["tagKeys"]
    found["tags"] = {key: value for key, value in found["tags"].items() if key not in gone}
    return {}


def _named(ask: Ask) -> dict[str, Any]:
    name = ask.params["analyzerName"]
    found = analyzers(ask).get(name)
    if found is None:
        raise Refused("ResourceNotFoundException", f"Analyzer {name} not found.", 404)
    return found


def _of_arn(ask: Ask) -> dict[str, Any]:
    arn = ask.params["resourceArn"]
    found = next((each for each in analyzers(ask).values() if each["arn"] == arn), None)
    if found is None:
        raise Refused("ResourceNotFoundException", f"Resource {arn} not found.", 404)
    return found


def _shown(ask: Ask, found: dict[str, Any]) -> dict[str, Any]:
    """An analyzer of the organization is disabled as long as the service has no trusted access."""
    held = held_organization(ask.account, ask.partition)
    if found["type"].startswith("ORGANIZATION") and not (held is not None and trusted(held, PRINCIPAL)):
        return {**found, "status": "DISABLED", "statusReason": {"code": "AWS_SERVICE_ACCESS_DISABLED"}}
    return dict(found)
