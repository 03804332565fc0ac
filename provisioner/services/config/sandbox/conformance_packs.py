"""AWS Config's conformance packs, which moto lacks: they are made in the background, from a template that is not returned."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.iam import ensure_linked_role
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ..pack_template import TemplateError, rule_names
from .rules import INVALID

PACKS = "config-conforms.amazonaws.com"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,255}")
_SHOWN = ("DeliveryS3Bucket", "DeliveryS3KeyPrefix", "ConformancePackInputParameters", "Source", "Scope")
_ROW = "16.I conformance packs; 14 config ConformancePack"


def packs(request: Request) -> dict[str, dict[str, Any]]:
    """The packs of the request's account and Region, by name."""
    key = (request.account, request.region)
    kept: dict[str, dict[str, Any]] = request.saved("config_conformance_packs").setdefault(key, {})
    return kept


def pack_arn(request: Request, name: str) -> str:
    """The pack's ARN, which ends in a random but constant id in AWS."""
    word = hashlib.sha256(f"{request.account}{request.region}{name}".encode()).hexdigest()[:8]
    where = f"arn:{request.partition}:config:{request.region}:{request.account}"
    return f"{where}:conformance-pack/{name}/conformance-pack-{word}"


@instead("config.pack_put", "PutConformancePack", row=_ROW)
def put(request: Request) -> dict[str, Any]:
    """A pack has one template or source; it is replaced, but for its tags. A request during a change is refused, once."""
    params, kept = request.params, packs(request)
    name, template, source = params["ConformancePackName"], params.get("TemplateBody"), params.get("Source")
    if not _NAME.fullmatch(name) or bool(template) is bool(source) or (params.get("Scope") and not source):
        raise Refused(INVALID, "Specify a valid name, and only one of TemplateBody and Source.")
    before = kept.get(name)
    if before and before["state"].endswith("_IN_PROGRESS"):
        _finish(request, name)
        raise Refused(
            "ResourceInUseException", f"The conformance pack {name} is being changed. Try again later."
        )
    if template:
        try:
            rule_names(template)
        except TemplateError as error:
            raise Refused("ConformancePackTemplateValidationException", str(error)) from None
    ensure_linked_role(request.account, request.partition, PACKS)
    given = {each["Key"]: each["Value"] for each in params.get("Tags") or ()}
    kept[name] = {
        "tags": before["tags"] if before else given,
        "template": template,
        "requested": request.world.now(),
        "state": "UPDATE_IN_PROGRESS" if before else "CREATE_IN_PROGRESS",
        "shown": {key: params[key] for key in _SHOWN if params.get(key)},
    }
    return {"ConformancePackArn": pack_arn(request, name)}


def _named(request: Request, name: str) -> dict[str, Any]:
    found = packs(request).get(name)
    if found is None:
        raise Refused("NoSuchConformancePackException", f"Conformance pack with name {name} does not exist.")
    return found


def _ids(request: Request, name: str) -> dict[str, Any]:
    arn, managed = pack_arn(request, name), "Source" in packs(request)[name]["shown"]
    return {
        "ConformancePackName": name,
        "ConformancePackArn": arn,
        "ConformancePackId": arn.rpartition("/")[2],
        "Type": "MANAGED" if managed else "CUSTOM",
        "LastUpdateRequestedTime": packs(request)[name]["requested"],
    }


@instead("config.pack_read", "DescribeConformancePacks", row=_ROW)
def describe(request: Request) -> dict[str, Any]:
    """A pack is returned without its template."""
    names = request.params.get("ConformancePackNames") or [*packs(request)]
    shown = [
        {**_ids(request, each), **_named(request, each)["shown"]} for each in names if _named(request, each)
    ]
    return {"ConformancePackDetails": shown}


@instead("config.pack_state", "DescribeConformancePackStatus", row="4 PutConformancePack is asynchronous")
def status(request: Request) -> dict[str, Any]:
    """A pack is in progress at first; without a recorder AWS cannot make it, and says why."""
    kept, shown = packs(request), []
    names = request.params.get("ConformancePackNames") or [*kept]
    for name in [each for each in names if each in kept]:
        pack = kept[name]
        reason = {"ConformancePackStatusReason": pack["reason"]} if "reason" in pack else {}
        shown.append({**_ids(request, name), "ConformancePackState": pack["state"], **reason})
        _finish(request, name)
    return {"ConformancePackStatusDetails": shown}


def _finish(request: Request, name: str) -> None:
    """End what is in progress."""
    kept = packs(request)
    what, _, doing = kept[name]["state"].partition("_")
    if doing != "IN_PROGRESS":
        return
    request.world.dirty = True
    if what == "DELETE":
        del kept[name]
    elif request.store().recorders:
        kept[name]["state"] = f"{what}_COMPLETE"
    else:
        text = "Configuration recorder is not available to put config rule."
        kept[name] |= {"state": f"{what}_FAILED", "reason": text}


@instead("config.pack_read", "DescribeConformancePackCompliance")
def compliance(request: Request) -> dict[str, Any]:
    """A pack is returned with the rules of its template, each with an id of the pack in its name."""
    name = request.params["ConformancePackName"]
    pack, word = _named(request, name), pack_arn(request, name)[-8:]
    found = [
        {"ConfigRuleName": f"{rule}-conformance-pack-{word}", "ComplianceType": "COMPLIANT", "Controls": []}
        for rule in (rule_names(pack["template"]) if pack["template"] else ())
    ]
    return {"ConformancePackName": name, "ConformancePackRuleComplianceList": found}


@instead("config.pack_delete", "DeleteConformancePack", row="4 Conformance packs: Delete")
def delete(request: Request) -> dict[str, Any]:
    """A pack is returned once more while it is deleted; until then it cannot be put."""
    pack = _named(request, request.params["ConformancePackName"])
    if pack["state"].endswith("_IN_PROGRESS"):
        raise Refused("ResourceInUseException", "The conformance pack is being changed. Try again later.")
    pack["state"] = "DELETE_IN_PROGRESS"
    return {}
