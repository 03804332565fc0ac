"""Fault injection: the error answers that the server gives instead of the sandbox's, with the codes of each service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.rules.rates import throttle_of

from .recorder import ROLE, SESSION

_XML: Final = {"s3", "iam", "sts"}  # services that do not answer in JSON, and have other codes
_BROKEN: Final = {
    "s3": Fault("InternalError", 500, "We encountered an internal error. Please try again."),
    "iam": Fault("ServiceFailure", 500, "The request processing has failed because of an unknown error."),
    "organizations": Fault("ServiceException", 500, "AWS Organizations can't complete your request."),
    "account": Fault("InternalServerException", 500, "The operation failed because of an internal error."),
}


@dataclass(frozen=True)
class Faults:
    """The faults to inject: shares of all requests, and an *account* and a *region* to which access is denied."""

    errors: float = 0.0  # answered with status 500
    resets: float = 0.0  # connection reset after the request took effect
    account: str = ""
    region: str = ""


def _throttled(call: WireCall) -> Fault:
    return throttle_of(call.service)


def _broken(call: WireCall) -> Fault:
    text = "An internal error has occurred. Please retry your request."
    return _BROKEN.get(call.service, Fault("InternalFailure", 500, text))


def _unknown(call: WireCall) -> Fault:
    text = "The security token included in the request is invalid."
    if call.service == "s3":
        text = "The AWS Access Key Id you provided does not exist in our records."
        return Fault("InvalidAccessKeyId", 403, text)
    if call.service in _XML:
        return Fault("InvalidClientTokenId", 403, text)
    return Fault("UnrecognizedClientException", 400, text)


def _unsigned(call: WireCall) -> Fault:
    text = "The request signature we calculated does not match the signature you provided."
    if call.service in _XML:
        return Fault("SignatureDoesNotMatch", 403, text)
    return Fault("InvalidSignatureException", 400, text)


def _denied(call: WireCall) -> Fault:
    """Denied by a service control policy, or in the case of AssumeRole by the trust policy of the role."""
    action = f"{call.service}:{call.operation}"
    if call.operation == "AssumeRole":
        user = f"arn:aws:iam::{call.account}:user/fleet"
        why = f"on resource: {call.params.get('RoleArn')}"
    else:
        user = f"arn:aws:sts::{call.account}:assumed-role/{ROLE}/{SESSION.decode()}"
        why = "with an explicit deny in a service control policy"
    text = f"User: {user} is not authorized to perform: {action} {why}"
    if call.service in _XML:
        return Fault("AccessDenied", 403, text)
    return Fault("AccessDeniedException", 400, text)


FAULTS: Final[dict[str, Callable[[WireCall], Fault]]] = {
    "throttled": _throttled,
    "broken": _broken,
    "unknown": _unknown,
    "unsigned": _unsigned,
    "denied": _denied,
}
