"""The members of GuardDuty's administrator: their relationship, and the features of their detectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.model import Response
from ....sandbox.responses import success
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import find_organization
from .detector import check_features, features_of, set_features, sources_of
from .organization import configuration
from .state import (
    State,
    add_detector,
    administrator_of_member,
    by_name,
    detector,
    find_detector,
    offered,
    refused,
    shown,
    state,
)

_MEMBERS: Final = "guardduty.members"
_DETECTORS: Final = "guardduty.member_detectors"
_NO_MEMBER: Final = "The request was rejected because the account is not an associated member."


@instead("guardduty.member", "GetAdministratorAccount", row="6 GetAdministratorAccount")
def get_administrator(request: Request) -> dict[str, Any] | Response:
    """A member's administrator; no content for an account that is no member."""
    found = detector(request)
    if not (administrator := administrator_of_member(request)):
        return replace(success(request, {}), body=b"")
    status = _relationship(found)
    return {"administrator": {"accountId": administrator, "relationshipStatus": status}}


@instead(_MEMBERS, "CreateMembers", row="14 guardduty CreateMembers")
def create(request: Request) -> dict[str, Any]:
    """An account of the organization is a member at once, with what is enabled by itself; others are unprocessed."""
    enabled = configuration(request)["Features"]
    held = find_organization(request.account, request.partition)
    active = {each.id for each in held.accounts if each.status == "ACTIVE"} if held is not None else set()
    left = []
    for each in request.params["AccountDetails"]:
        account = each["AccountId"]
        if account not in active - {request.account}:
            left.append({"AccountId": account, "Result": "The account is not a member of the organization."})
            continue
        made = find_detector(request, account) or add_detector(request, account)
        made["Status"] = "ENABLED"
        _enable(request, made, enabled)
        state(request, "members")[account, request.region] = request.account
        state(request, "removed").pop((account, request.region), None)
    return {"unprocessedAccounts": shown(left)}


@instead(_MEMBERS, "ListMembers")
def list_members(request: Request) -> dict[str, Any]:
    """The members of the caller, those that are suspended included; unless only these are asked for, former ones too."""
    detector(request)
    found = {account: _relationship(find_detector(request, account)) for account in _own(request, "members")}
    if str(request.params.get("OnlyAssociated", "true")).lower() == "false":
        found |= dict.fromkeys(_own(request, "removed"), "Removed")
    members = [
        {
            "AccountId": account,
            "MasterId": request.account,
            "AdministratorId": request.account,
            "Email": f"{account}@example.com",
            "RelationshipStatus": status,
        }
        for account, status in found.items()
    ]
    return {"members": shown(members)}


@instead(_MEMBERS, "DisassociateMembers")
def disassociate(request: Request) -> dict[str, Any]:
    """The accounts are members no more, and keep their detectors."""
    _check_not_all(request, "disassociate")

    def remove(account: str, found: State) -> None:
        del state(request, "members")[account, request.region]
        state(request, "removed")[account, request.region] = request.account

    return _each(request, remove)


@instead(_MEMBERS, "StopMonitoringMembers")
def stop(request: Request) -> dict[str, Any]:
    """GuardDuty is suspended in the accounts, which stay members."""
    _check_not_all(request, "stop monitoring")
    return _each(request, lambda account, found: found.update(Status="DISABLED"))


@instead(_MEMBERS, "StartMonitoringMembers")
def start(request: Request) -> dict[str, Any]:
    """GuardDuty is enabled again in members in which it was suspended; other accounts are unprocessed."""
    detector(request)
    return _each(request, lambda account, found: found.update(Status="ENABLED"))


@instead(_DETECTORS, "GetMemberDetectors", row="14 guardduty UpdateMemberDetectors")
def get_detectors(request: Request) -> dict[str, Any]:
    """The features of members; accounts that are none are in UnprocessedAccounts."""
    detector(request)
    found: list[dict[str, Any]] = []

    def add(account: str, one: State) -> None:
        features = [each for each in features_of(request, one, account) if each["Name"] != "AI_ANALYST"]
        one_member = {"accountId": account, "dataSources": sources_of(one), "features": shown(features)}
        found.append(one_member)

    return {**_each(request, add), "members": found}


@instead(_DETECTORS, "UpdateMemberDetectors")
def update_detectors(request: Request) -> dict[str, Any]:
    """The administrator sets features of members; those that the request leaves out stay."""
    detector(request)
    asked = by_name(request.params.get("Features"))

    def update(account: str, found: State) -> None:
        check_features(request, asked, account)
        set_features(request, found, asked)

    return _each(request, update)


def _own(request: Request, kind: str) -> Iterator[str]:
    """The accounts of one kind, `members` or `removed`, that are the caller's in the Region."""
    for (account, region), administrator in [*state(request, kind).items()]:
        if (region, administrator) == (request.region, request.account):
            yield account


def _each(request: Request, do: Any) -> dict[str, Any]:
    """Do something to each account of the request that is a member, and answer with the others."""
    members, left = {*_own(request, "members")}, []
    for account in request.params["AccountIds"]:
        found = find_detector(request, account)
        if account in members and found:
            do(account, found)
        else:
            left.append({"AccountId": account, "Result": _NO_MEMBER})
    return {"unprocessedAccounts": shown(left)}


def _relationship(found: State | None) -> str:
    return "Enabled" if found and found["Status"] == "ENABLED" else "Paused"


def _check_not_all(request: Request, what: str) -> None:
    """Raise `Refused` where GuardDuty is enabled in ALL accounts: no member can be taken out then."""
    if detector(request)["Organization"]["Members"] == "ALL":
        raise refused(f"you cannot {what} members while autoEnableOrganizationMembers is ALL.")


def _enable(request: Request, found: State, configured: dict[str, dict[str, str]]) -> None:
    """Enable in a member what the organization's configuration enables in new accounts, or in all."""
    for name, each in configured.items():
        if each.get("AutoEnable", "NONE") == "NONE" or name not in offered(request):
            continue
        kept = found["Features"][name]
        kept["Status"] = "ENABLED"
        kept["Parts"] |= {part: "ENABLED" for part in kept["Parts"] if each.get(part, "NONE") != "NONE"}
