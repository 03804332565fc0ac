"""Automated discovery, and the classification scope with the buckets that it leaves out."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from .organization import delegate
from .session import administrators, session_of


def _scope_id(request: Request) -> str:
    return f"{request.account}{request.region.replace('-', '')}"[:32].ljust(32, "0")


def _refuse_members(request: Request) -> None:
    if (request.account, request.region) in administrators(request):
        text = "Only the Macie administrator of the organization can do this."
        raise Refused("AccessDeniedException", text, 403)


@instead("macie2.discovery", "GetAutomatedDiscoveryConfiguration", row="16.D UpdateAutomatedDiscovery")
def get(request: Request) -> dict[str, Any]:
    """Automated discovery is off in a new session, and has a classification scope once it was on."""
    found = session_of(request)["discovery"]
    scope = {"classificationScopeId": _scope_id(request)} if found.get("was_on") else {}
    return {**{name: each for name, each in found.items() if name != "was_on"}, **scope}


@instead("macie2.discovery_update", "UpdateAutomatedDiscoveryConfiguration", row="16.D only administrator")
def update(request: Request) -> dict[str, Any]:
    """Only an administrator or a standalone account sets it, and only the administrator for members."""
    found = session_of(request)
    _refuse_members(request)
    members = request.params.get("autoEnableOrganizationMembers")
    if members and delegate(request) != request.account:
        raise Refused("ValidationException", "The account does not administer Macie for an organization.")
    found["discovery"] |= {"status": request.params["status"]}
    found["discovery"] |= {"autoEnableOrganizationMembers": members} if members else {}
    if request.params["status"] == "ENABLED":
        found["discovery"]["was_on"] = True
    return {}


def _check_scope(request: Request) -> None:
    found = session_of(request)
    _refuse_members(request)
    if not found["discovery"].get("was_on") or request.params["id"] != _scope_id(request):
        raise Refused("ResourceNotFoundException", "The classification scope doesn't exist.", 404)


@instead("macie2.scope", "GetClassificationScope", row="16.D classification scope")
def get_scope(request: Request) -> dict[str, Any]:
    """The scope has the names of the buckets that automated discovery leaves out."""
    _check_scope(request)
    names = session_of(request)["excluded"]
    shown = {"excludes": {"bucketNames": list(names)}}
    return {"id": _scope_id(request), "name": "automated-sensitive-data-discovery", "s3": shown}


@instead("macie2.scope", "UpdateClassificationScope")
def update_scope(request: Request) -> dict[str, Any]:
    """Names are added, removed, or replaced all."""
    _check_scope(request)
    found, excludes = session_of(request), request.params["s3"]["excludes"]
    names, operation = excludes["bucketNames"], excludes["operation"]
    kept = [] if operation == "REPLACE" else [each for each in found["excluded"] if each not in names]
    found["excluded"] = kept if operation == "REMOVE" else [*kept, *names]
    return {}
