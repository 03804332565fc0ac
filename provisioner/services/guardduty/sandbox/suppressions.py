"""Filters of findings, and lists of what is trusted, of a detector."""

from __future__ import annotations

from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.rule import instead
from .state import State, administrator_of_member, detector, made_id, refused, shown

_RULE: Final = "guardduty.one_detector"
_ADDRESSES, _ENTITIES = "IpSetId", "TrustedEntitySetId"


def _filters(request: Request) -> dict[str, State]:
    kept: dict[str, State] = detector(request).setdefault("Filters", {})
    return kept


def _filter(request: Request) -> State:
    found = _filters(request).get(request.params["FilterName"])
    if found is None:
        raise refused("the input filter name does not exist.")
    return found


def _check_not_member(request: Request) -> None:
    if administrator_of_member(request):
        raise refused("the current account cannot alter what its administrator manages.")


@instead(_RULE, "CreateFilter")
def create_filter(request: Request) -> dict[str, Any]:
    """A filter archives findings, or does nothing; a member has only those of its administrator."""
    _check_not_member(request)
    kept, name = _filters(request), request.params["Name"]
    if name in kept:
        raise refused("a filter with the given name already exists.")
    kept[name] = {"Action": "NOOP", "Rank": 1, **_given(request)}
    return {"name": name}


@instead(_RULE, "UpdateFilter")
def update_filter(request: Request) -> dict[str, Any]:
    """What a request leaves out stays."""
    _check_not_member(request)
    _filter(request).update(_given(request))
    return {"name": request.params["FilterName"]}


def _given(request: Request) -> State:
    left_out = {"DetectorId", "ClientToken", "FilterName", "Name"}
    return {key: value for key, value in request.params.items() if key not in left_out}


@instead(_RULE, "GetFilter")
def get_filter(request: Request) -> dict[str, Any]:
    """Return a filter."""
    found = _filter(request)
    criteria = {"criterion": shown((found.get("FindingCriteria") or {}).get("Criterion") or {})}
    plain = {"name": request.params["FilterName"], "action": found["Action"], "rank": found["Rank"]}
    return {**plain, "findingCriteria": criteria}


@instead(_RULE, "ListFilters")
def list_filters(request: Request) -> dict[str, Any]:
    """Return the names of the filters."""
    return {"filterNames": sorted(_filters(request))}


@instead(_RULE, "DeleteFilter")
def delete_filter(request: Request) -> dict[str, Any]:
    """A filter can be deleted."""
    _filter(request)
    del _filters(request)[request.params["FilterName"]]
    return {}


def _lists(request: Request, param: str) -> dict[str, State]:
    kept: dict[str, State] = detector(request).setdefault(param, {})
    return kept


def _list(request: Request, param: str) -> State:
    found = _lists(request, param).get(request.params[param])
    if found is None:
        raise refused("the input list id is not owned by the current account.")
    return found


def _make(request: Request, param: str) -> dict[str, Any]:
    _check_not_member(request)
    made = made_id(request.params["DetectorId"], param, request.params["Name"])
    names = ("Name", "Format", "Location")
    status = "ACTIVE" if request.params["Activate"] else "INACTIVE"
    _lists(request, param)[made] = {**{each: request.params[each] for each in names}, "Status": status}
    return shown({param: made})  # type: ignore[no-any-return]


def _update(request: Request, param: str) -> dict[str, Any]:
    _check_not_member(request)
    found = _list(request, param)
    found.update({key: request.params[key] for key in ("Name", "Location") if key in request.params})
    if "Activate" in request.params:
        found["Status"] = "ACTIVE" if request.params["Activate"] else "INACTIVE"
    return {}


def _delete(request: Request, param: str) -> dict[str, Any]:
    _list(request, param)
    del _lists(request, param)[request.params[param]]
    return {}


for _kind, _param in (("IPSet", _ADDRESSES), ("TrustedEntitySet", _ENTITIES)):

    def _list_all(request: Request, param: str = _param) -> dict[str, Any]:
        """Return the ids of the lists."""
        return {f"{param[0].lower()}{param[1:]}s": sorted(_lists(request, param))}

    def _get(request: Request, param: str = _param) -> dict[str, Any]:
        """Return a list."""
        return shown(_list(request, param))  # type: ignore[no-any-return]

    for _operation, _part in (("Create", _make), ("Update", _update), ("Delete", _delete)):
        instead(_RULE, f"{_operation}{_kind}")(lambda request, part=_part, param=_param: part(request, param))
    instead(_RULE, f"List{_kind}s")(_list_all)
    instead(_RULE, f"Get{_kind}")(_get)
