"""The members of Macie's administrator, and their sessions."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import find_organization
from .organization import check_administrator
from .session import administrators, create_session, relationship, sessions


def _removed(request: Request) -> dict[tuple[str, str], str]:
    """The last administrator of each account that is a member no more, by account and Region."""
    return request.saved("macie_removed")


@instead("macie2.members", "CreateMember", row="8 CreateMember")
def create(request: Request) -> dict[str, Any]:
    """An active account of the administrator's organization is a member at once, with Macie."""
    check_administrator(request)
    account = request.params["account"]["accountId"]
    held = find_organization(request.account, request.partition)
    known = held.accounts if held is not None else ()
    if account not in {each.id for each in known if each.status == "ACTIVE"} - {request.account}:
        raise Refused("ValidationException", "The account is not a member of your organization.")
    create_session(request, account)
    administrators(request)[account, request.region] = request.account
    _removed(request).pop((account, request.region), None)
    sessions(request)[account, request.region]["status"] = "ENABLED"
    return {"arn": f"arn:{request.partition}:macie2:{request.region}:{request.account}:member/{account}"}


@instead("macie2.members", "ListMembers")
def list_members(request: Request) -> dict[str, Any]:
    """Only the administrator may ask; former members are shown if it asks for all accounts."""
    check_administrator(request)
    here = request.region, request.account
    found = {
        account: relationship(request, account)
        for (account, region), each in administrators(request).items()
        if (region, each) == here
    }
    if request.params.get("onlyAssociated") == "false":
        left = _removed(request).items()
        found |= {account: "Removed" for (account, region), each in left if (region, each) == here}
    members = [{"accountId": account, "relationshipStatus": status} for account, status in found.items()]
    return {"members": members}


@instead("macie2.members", "UpdateMemberSession")
def update_session(request: Request) -> dict[str, Any]:
    """The administrator pauses Macie in a member, or resumes it."""
    sessions(request)[_member(request)]["status"] = request.params["status"]
    return {}


@instead("macie2.members", "DisassociateMember")
def disassociate(request: Request) -> dict[str, Any]:
    """The account is a member no more, and keeps Macie."""
    member = _member(request)
    _removed(request)[member] = administrators(request).pop(member)
    return {}


def _member(request: Request) -> tuple[str, str]:
    """The key of the member that the request names. Raises `Refused` unless the caller is its administrator."""
    check_administrator(request)
    member = (request.params["id"], request.region)
    if administrators(request).get(member) != request.account:
        raise Refused("ResourceNotFoundException", "The account is no member.", 404)
    return member
