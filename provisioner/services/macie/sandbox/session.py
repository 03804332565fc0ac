"""The Macie session of an account in a Region, and the settings that it holds."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.iam import LINKED_ROLES, ensure_linked_role, linked_role_name
from ....sandbox.model import Refused
from ....sandbox.rule import instead

PRINCIPAL = "macie.amazonaws.com"
LINKED_ROLES[PRINCIPAL] = "AmazonMacie"
Session = dict[str, Any]


def sessions(request: Request) -> dict[tuple[str, str], Session]:
    """All sessions, by account and Region."""
    return request.saved("macie")


def session_of(request: Request) -> Session:
    """The session of the request's account and Region. Raises `Refused` where Macie is not enabled."""
    found = sessions(request).get((request.account, request.region))
    if found is None:
        raise Refused("AccessDeniedException", "Macie is not enabled.", 403)
    return found


def administrators(request: Request) -> dict[tuple[str, str], str]:
    """The administrator of each member, by account and Region. Macie has no call of the member that sets it."""
    return request.saved("macie_members")


def create_session(request: Request, account: str, **given: Any) -> None:
    """Enable Macie in an account of the request's Region, unless it is, with AWS's defaults."""
    sessions(request).setdefault(
        (account, request.region),
        {
            "status": "ENABLED",
            "findingPublishingFrequency": "FIFTEEN_MINUTES",
            **{name: each for name, each in given.items() if each is not None},
            "publication": {"publishClassificationFindings": False, "publishPolicyFindings": True},
            "destination": None,
            "discovery": {"status": "DISABLED"},
            "excluded": [],
            "autoEnable": False,
        },
    )
    ensure_linked_role(account, request.partition, PRINCIPAL)


@instead("macie2.enable", "EnableMacie", row="8 EnableMacie when enabled; 13.5 enable_macie twice")
def enable(request: Request) -> dict[str, Any]:
    """Enabling Macie where it is enabled is a ConflictException."""
    if (request.account, request.region) in sessions(request):
        raise Refused("ConflictException", "Macie has already been enabled", 409)
    frequency, status = request.params.get("findingPublishingFrequency"), request.params.get("status")
    create_session(request, request.account, status=status, findingPublishingFrequency=frequency)
    return {}


@instead("macie2.session", "GetMacieSession", row="8 Not enabled; 13.5 get_macie_session")
def get(request: Request) -> dict[str, Any]:
    """Where Macie is not enabled, every call is an AccessDeniedException that says so."""
    found = session_of(request)
    role = f"arn:{request.partition}:iam::{request.account}:role/aws-service-role/{PRINCIPAL}"
    shown = {name: found[name] for name in ("status", "findingPublishingFrequency")}
    return {**shown, "serviceRole": f"{role}/{linked_role_name(PRINCIPAL)}"}


@instead("macie2.update", "UpdateMacieSession", row="14 macie2 UpdateMacieSession")
def update(request: Request) -> dict[str, Any]:
    """What a request leaves out stays."""
    found = session_of(request)
    for name in ("status", "findingPublishingFrequency"):
        found[name] = request.params.get(name) or found[name]
    return {}


@instead("macie2.disable", "DisableMacie", row="8 DisableMacie; 13.5 disable twice")
def disable(request: Request) -> dict[str, Any]:
    """All settings go with Macie; it cannot be disabled in a member or in the organization's administrator."""
    session_of(request)
    key = (request.account, request.region)
    delegates = request.saved("macie_delegates").items()
    if key in administrators(request) or any((each, where) == key for (_, where), each in delegates):
        text = "Cannot disable Macie while associated with an administrator account"
        raise Refused("ConflictException", text, 409)
    del sessions(request)[key]
    return {}


@instead("macie2.publication", "GetFindingsPublicationConfiguration", row="14 macie2")
def get_publication(request: Request) -> dict[str, Any]:
    """A new session publishes policy findings only."""
    return {"securityHubConfiguration": dict(session_of(request)["publication"])}


@instead("macie2.publication", "PutFindingsPublicationConfiguration")
def put_publication(request: Request) -> dict[str, Any]:
    """Both switches are replaced."""
    found = session_of(request)
    found["publication"] = dict(request.params.get("securityHubConfiguration") or found["publication"])
    return {}


@instead("macie2.administrator", "GetAdministratorAccount", row="8 Macie, members")
def get_administrator(request: Request) -> dict[str, Any]:
    """A member's administrator; an account that is no member has none."""
    session_of(request)
    account = administrators(request).get((request.account, request.region))
    status = relationship(request, request.account)
    return {"administrator": {"accountId": account, "relationshipStatus": status}} if account else {}


def relationship(request: Request, account: str) -> str:
    """The relationship of a member with its administrator."""
    found = sessions(request).get((account, request.region))
    return "Paused" if found and found["status"] == "PAUSED" else "Enabled"
