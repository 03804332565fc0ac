"""The archive rules of an analyzer."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from .analyzers import named


def _rules(request: Request) -> dict[str, dict[str, Any]]:
    """The rules of the analyzer that the request names, by name."""
    kept: dict[str, dict[str, Any]] = named(request).setdefault("archiveRules", {})
    return kept


@instead("accessanalyzer.update", "CreateArchiveRule")
def create(request: Request) -> dict[str, Any]:
    """A rule has a name that is unique in its analyzer."""
    name = request.params["ruleName"]
    if name in _rules(request):
        raise Refused("ConflictException", f"Archive rule {name} already exists.", 409)
    made = {"ruleName": name, "filter": request.params["filter"]}
    _rules(request)[name] = made
    return {}


@instead("accessanalyzer.update", "ListArchiveRules")
def list_rules(request: Request) -> dict[str, Any]:
    """Return the rules of the analyzer."""
    at = "2025-01-01T00:00:00Z"
    return {"archiveRules": [{**each, "createdAt": at, "updatedAt": at} for each in _rules(request).values()]}


@instead("accessanalyzer.update", "DeleteArchiveRule")
def delete(request: Request) -> dict[str, Any]:
    """A rule can be deleted."""
    if _rules(request).pop(request.params["ruleName"], None) is None:
        raise Refused("ResourceNotFoundException", "There is no such archive rule.", 404)
    return {}
