"""What the caller may not do, as a test sets it: denied, expired or unknown, in the words of each protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .words import Refused

if TYPE_CHECKING:
    from .wire import Ask
    from .world import World


@dataclass(frozen=True)
class Denial:
    """One operation (`*` fits any text) that is denied, everywhere or in one Region or account."""

    service: str
    operation: str
    region: str | None = None
    account: str | None = None

    def fits(self, ask: Ask) -> bool:
        """The request is one of those denied."""
        return (
            fnmatchcase(ask.service, self.service)
            and fnmatchcase(ask.operation, self.operation)
            and self.region in (None, ask.region)
            and self.account in (None, ask.account)
        )


_CODES = {
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
    "ec2": ("UnauthorizedOperation", 403),
}


# How a Region that the account has not enabled says that it does not know the caller.
_UNKNOWN = {
    "json": ("UnrecognizedClientException", "The security token included in the request is invalid.", 400),
    "rest-json": (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        403,
    ),
    "query": ("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "rest-xml": ("InvalidToken", "The provided token is malformed or otherwise invalid.", 400),
}


def check_credentials(world: World, ask: Ask) -> None:
    """Raise `Refused` where the caller's credentials have expired, or the Region is not enabled for its account."""
    if world.expired:
        json = ask.protocol in {"json", "rest-json"}
        text = "The security token included in the request is expired"
        raise Refused("ExpiredTokenException" if json else "ExpiredToken", text, 400 if json else 403)
    if ask.region in world.disabled:
        raise Refused(*_UNKNOWN[ask.protocol])


def check(denials: Iterable[Denial], ask: Ask) -> None:
    """Raise `Refused` for a request that is denied."""
    if any(denial.fits(ask) for denial in denials):
        code, status = _CODES.get(ask.protocol, ("AccessDenied", 403))
        user = f"arn:{ask.partition}:iam::{ask.account}:user/sandbox"
        action = f"{ask.service}:{ask.operation}"
        why = "because no identity-based policy allows the action"
        raise Refused(code, f"User: {user} is not authorized to perform: {action} {why}", status)
