"""Errors for callers that are denied, expired or unknown, in the protocol of each service."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .model import Refused, WireCall

if TYPE_CHECKING:
    from .ask import Request

_DENIED_ERRORS = {
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
    "ec2": ("UnauthorizedOperation", 403),
}
_INVALID = "The security token included in the request is invalid."
# The error for an unknown caller, and for a Region that the account has not enabled.
_UNKNOWN_ERRORS = {
    "json": ("UnrecognizedClientException", _INVALID, 400),
    "rest-json": ("UnrecognizedClientException", _INVALID, 403),
    "query": ("InvalidClientTokenId", _INVALID, 403),
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "rest-xml": ("InvalidToken", "The provided token is malformed or otherwise invalid.", 400),
}
_EXPIRED = "The security token included in the request is expired"
_EXPIRED_ERRORS = {
    "json": ("ExpiredTokenException", _EXPIRED, 400),
    "rest-json": ("ExpiredTokenException", _EXPIRED, 403),
    "query": ("ExpiredToken", _EXPIRED, 403),
    "ec2": ("RequestExpired", "Request has expired.", 400),
    "rest-xml": ("ExpiredToken", "The provided token has expired.", 400),
}


@dataclass(frozen=True)
class Denial:
    """One operation (`*` matches any text) that is denied, everywhere or in one Region or account.

    With *scp*, a policy's id, a service control policy denies it: in members of the organization only.
    """

    service: str
    operation: str
    region: str | None = None
    account: str | None = None
    scp: str = ""

    def fits(self, request: Request) -> bool:
        """Whether the request is denied."""
        return (
            fnmatchcase(request.service, self.service)
            and fnmatchcase(request.operation, self.operation)
            and self.region in (None, request.region)
            and self.account in (None, request.account)
            and (not self.scp or _organization(request)[0] not in {"", request.account})
        )

    def refusal(self, request: Request) -> Refused:
        """AWS's error for the request."""
        from .callers import caller

        code, status = _DENIED_ERRORS.get(request.protocol, ("AccessDenied", 403))
        start = f"User: {caller(request).arn} is not authorized to perform:"
        if not self.scp:
            why = "because no identity-based policy allows the action"
            return Refused(code, f"{start} {request.service}:{request.operation} {why}", status)
        action, resource = _act(request)
        owner, org = _organization(request)
        policy = (
            f"arn:{request.partition}:organizations::{owner}:policy/{org}/service_control_policy/{self.scp}"
        )
        why = f"with an explicit deny in a service control policy: {policy}"
        return Refused(code, f"{start} {action} on resource: {resource} {why}", status)


def _organization(request: Request) -> tuple[str, str]:
    from .rules.organizations import organization_of

    return organization_of(request.account, request.partition)


def _act(request: Request) -> tuple[str, str]:
    """The action and the resource in AWS's error message; S3 puts its resource in quotes."""
    from .actions import acts

    call = WireCall(request.account, request.region, request.service, request.operation, request.params)
    found = next(iter(acts(call)), None)
    if found is None:
        return f"{request.service}:{request.operation}", "*"
    return found.action, f'"{found.resource}"' if request.service == "s3" else found.resource


def expired(protocol: str) -> Refused:
    """AWS's error for credentials that have expired."""
    return Refused(*_EXPIRED_ERRORS[protocol])


def unknown(protocol: str) -> Refused:
    """AWS's error for credentials that it does not know."""
    return Refused(*_UNKNOWN_ERRORS[protocol])
