"""What the caller may not do, as a test sets it: denied, expired or unknown, in the words of each protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .words import Refused, WireCall

if TYPE_CHECKING:
    from .ask import Ask

_CODES = {
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
    "ec2": ("UnauthorizedOperation", 403),
}
_INVALID = "The security token included in the request is invalid."
# How AWS says that it does not know the caller; a Region that the account has not enabled says the same.
_UNKNOWN = {
    "json": ("UnrecognizedClientException", _INVALID, 400),
    "rest-json": ("UnrecognizedClientException", _INVALID, 403),
    "query": ("InvalidClientTokenId", _INVALID, 403),
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "rest-xml": ("InvalidToken", "The provided token is malformed or otherwise invalid.", 400),
}
_EXPIRED = "The security token included in the request is expired"
_ENDED = {
    "json": ("ExpiredTokenException", _EXPIRED, 400),
    "rest-json": ("ExpiredTokenException", _EXPIRED, 403),
    "query": ("ExpiredToken", _EXPIRED, 403),
    "ec2": ("RequestExpired", "Request has expired.", 400),
    "rest-xml": ("ExpiredToken", "The provided token has expired.", 400),
}


@dataclass(frozen=True)
class Denial:
    """One operation (`*` fits any text) that is denied, everywhere or in one Region or account.

    With *scp*, a policy's id, it is a service control policy that denies it: in members of the organization only.
    """

    service: str
    operation: str
    region: str | None = None
    account: str | None = None
    scp: str = ""

    def fits(self, ask: Ask) -> bool:
        """The request is one of those denied."""
        return (
            fnmatchcase(ask.service, self.service)
            and fnmatchcase(ask.operation, self.operation)
            and self.region in (None, ask.region)
            and self.account in (None, ask.account)
            and (not self.scp or _is_member(ask))
        )

    def refusal(self, ask: Ask) -> Refused:
        """What AWS answers."""
        from .callers import caller

        code, status = _CODES.get(ask.protocol, ("AccessDenied", 403))
        who = f"User: {caller(ask).arn} is not authorized to perform:"
        if not self.scp:
            why = "because no identity-based policy allows the action"
            return Refused(code, f"{who} {ask.service}:{ask.operation} {why}", status)
        action, resource = _act(ask)
        why = f"with an explicit deny in a service control policy: {_scp_arn(ask, self.scp)}"
        return Refused(code, f"{who} {action} on resource: {resource} {why}", status)


def _is_member(ask: Ask) -> bool:
    """No service control policy has a say in the management account."""
    from .rules.organizations import held_organization

    held = held_organization(ask.account, ask.partition)
    return held is not None and held.org.master_account_id != ask.account


def _scp_arn(ask: Ask, policy: str) -> str:
    from .rules.organizations import held_organization

    held = held_organization(ask.account, ask.partition)
    org, owner = (held.org.id, held.org.master_account_id) if held is not None else ("", "")
    return f"arn:{ask.partition}:organizations::{owner}:policy/{org}/service_control_policy/{policy}"


def _act(ask: Ask) -> tuple[str, str]:
    """The action and the resource that AWS names; S3 puts its resource in quotes."""
    from .actions import acts

    call = WireCall(ask.account, ask.region, ask.service, ask.operation, ask.params)
    found = next(iter(acts(call)), None)
    if found is None:
        return f"{ask.service}:{ask.operation}", "*"
    return found.action, f'"{found.resource}"' if ask.service == "s3" else found.resource


def expired(protocol: str) -> Refused:
    """What AWS answers to credentials that have ended."""
    return Refused(*_ENDED[protocol])


def unknown(protocol: str) -> Refused:
    """What AWS answers to credentials that it does not know."""
    return Refused(*_UNKNOWN[protocol])


def check_credentials(ask: Ask) -> None:
    """Raise `Refused` where all credentials have expired."""
    if ask.world.expired:
        raise expired(ask.protocol)


def check(denials: Iterable[Denial], ask: Ask) -> None:
    """Raise `Refused` for a request that is denied."""
    for denial in denials:
        if denial.fits(ask):
            raise denial.refusal(ask)
