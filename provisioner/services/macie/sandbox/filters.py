"""Filters of Macie's findings."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from .session import session_of


def _filters(request: Request) -> dict[str, dict[str, Any]]:
    """The filters of the session, by id."""
    kept: dict[str, dict[str, Any]] = session_of(request).setdefault("filters", {})
    return kept


def _filter(request: Request) -> dict[str, Any]:
    found = _filters(request).get(request.params["id"])
    if found is None:
        raise Refused("ResourceNotFoundException", "The request failed: there is no such filter.", 404)
    return found


@instead("macie2.session", "CreateFindingsFilter")
def create(request: Request) -> dict[str, Any]:
    """A filter has a unique name; it archives findings, or does nothing."""
    name, action = request.params["name"], request.params["action"]
    if action not in {"ARCHIVE", "NOOP"}:
        raise Refused("ValidationException", "The action is ARCHIVE or NOOP.")
    if any(each["name"] == name for each in _filters(request).values()):
        raise Refused("ConflictException", f"The filter {name} already exists.", 409)
    made = sha256(f"{request.account} {request.region} {name}".encode()).hexdigest()[:32]
    arn = f"arn:{request.partition}:macie2:{request.region}:{request.account}:findings-filter/{made}"
    _filters(request)[made] = {"id": made, "arn": arn, "name": name, "action": action}
    return {"id": made, "arn": arn}


@instead("macie2.session", "UpdateFindingsFilter")
def update(request: Request) -> dict[str, Any]:
    """What a request leaves out stays."""
    found = _filter(request)
    found.update({key: request.params[key] for key in ("action", "name") if key in request.params})
    return {"id": found["id"], "arn": found["arn"]}


@instead("macie2.session", "ListFindingsFilters")
def list_filters(request: Request) -> dict[str, Any]:
    """Return the filters."""
    return {"findingsFilterListItems": [*_filters(request).values()]}


@instead("macie2.session", "DeleteFindingsFilter")
def delete(request: Request) -> dict[str, Any]:
    """A filter can be deleted."""
    _filter(request)
    del _filters(request)[request.params["id"]]
    return {}
