"""Settings that an account has once: the public access block under a policy of the organization, and contacts."""

from __future__ import annotations

import re
from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import before, instead
from ....sandbox.rules.account import about
from ....sandbox.rules.organizations import effective_policies
from ..contact_section import WITH_STATE
from ..steps import S3_POLICY

OWNER_AT_FIRST: Final = {
    "FullName": "Sandbox",
    "AddressLine1": "1 Main Street",
    "City": "Springfield",
    "StateOrRegion": "NJ",
    "PostalCode": "07081",
    "CountryCode": "US",
    "PhoneNumber": "+1 555 0100",
    "WebsiteUrl": "https://example.com",
}
_FIELDS: Final = {
    "Name": r"(?s).{1,64}",
    "Title": r"(?s).{1,50}",
    "EmailAddress": r"\s*[\w+=.#|!&-]+@[\w.-]+\.\w+\s*",
    "PhoneNumber": r"[\s0-9()+-]{1,25}",
}


@before("s3control.policy_owned", "PutPublicAccessBlock", "DeletePublicAccessBlock", row="16.A S3_POLICY")
def policy_owned(request: Request) -> None:
    """Under an S3 policy of the organization, the account cannot change its public access block."""
    if S3_POLICY in effective_policies(request):
        raise Refused("AccessDenied", "Access Denied", 403)


def contacts(request: Request) -> dict[str, dict[str, str]]:
    """The alternate contacts of the account that the request is about, by type."""
    kept: dict[str, dict[str, str]] = request.saved("contacts").setdefault(about(request), {})
    return kept


@instead("account.contact_information", "PutContactInformation", row="API PutContactInformation")
def put_owner(request: Request) -> dict[str, Any]:
    """The primary contact is replaced as a whole; in some countries AWS wants a state or region."""
    want = dict(request.params["ContactInformation"])
    if want["CountryCode"] in WITH_STATE and not want.get("StateOrRegion"):
        raise Refused("ValidationException", "StateOrRegion is required for this country.")
    if not re.fullmatch(r"[+][\s0-9()-]+", want["PhoneNumber"]):
        raise Refused("ValidationException", "Value at 'PhoneNumber' failed to satisfy constraint.")
    request.saved("contact_information")[about(request)] = want
    return {}


@instead("account.contact_information", "GetContactInformation")
def owner(request: Request) -> dict[str, Any]:
    """Every account has a primary contact."""
    return {"ContactInformation": request.saved("contact_information").get(about(request), OWNER_AT_FIRST)}


@instead("account.alternate_contacts", "PutAlternateContact", row="10 Security contact")
def put_contact(request: Request) -> dict[str, Any]:
    """A contact has four fields; the management account names no account id for itself."""
    kept = contacts(request)
    for field, pattern in _FIELDS.items():
        if not re.fullmatch(pattern, request.params.get(field, "")):
            raise Refused("ValidationException", f"Value at '{field}' failed to satisfy constraint.")
    kept[request.params["AlternateContactType"]] = {field: request.params[field] for field in _FIELDS}
    return {}


@instead("account.alternate_contacts", "GetAlternateContact", "DeleteAlternateContact")
def contact(request: Request) -> dict[str, Any]:
    """A contact that is not there is ResourceNotFoundException, also when it is deleted."""
    kind, kept = request.params["AlternateContactType"], contacts(request)
    if kind not in kept:
        text = "No contact of the inputted alternate contact type found."
        raise Refused("ResourceNotFoundException", text, 404)
    if request.operation.startswith("Delete"):
        del kept[kind]
        return {}
    return {"AlternateContact": {**kept[kind], "AlternateContactType": kind}}
