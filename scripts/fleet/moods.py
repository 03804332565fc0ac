"""What AWS says instead of an answer, with the code that each service has for it."""

from __future__ import annotations

from typing import Final

from provisioner.sandbox import Fault, WireCall

from .recorder import ROLE, SESSION, Mood

_RATE: Final = {
    "s3": Fault("SlowDown", 503, "Please reduce your request rate."),
    "iam": Fault("Throttling", 400, "Rate exceeded"),
    "sts": Fault("Throttling", 400, "Rate exceeded"),
    "organizations": Fault("TooManyRequestsException", 400, "You have sent too many requests."),
    "account": Fault("TooManyRequestsException", 429, "Too many requests."),
}
_BROKEN: Final = {
    "s3": Fault("InternalError", 500, "We encountered an internal error. Please try again."),
    "iam": Fault("ServiceFailure", 500, "The request processing has failed because of an unknown error."),
    "organizations": Fault("ServiceException", 500, "AWS Organizations can't complete your request."),
    "account": Fault("InternalServerException", 500, "The operation failed because of an internal error."),
}
_UNKNOWN: Final = {
    "s3": Fault(
        "InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."
    ),
    "iam": Fault("InvalidClientTokenId", 403, "The security token included in the request is invalid."),
    "sts": Fault("InvalidClientTokenId", 403, "The security token included in the request is invalid."),
}


def _throttled(call: WireCall) -> Fault:
    return _RATE.get(call.service, Fault("ThrottlingException", 400, "Rate exceeded"))


def _broken(call: WireCall) -> Fault:
    text = "An internal error has occurred. Please retry your request."
    return _BROKEN.get(call.service, Fault("InternalFailure", 500, text))


def _unknown(call: WireCall) -> Fault:
    text = "The security token included in the request is invalid."
    return _UNKNOWN.get(call.service, Fault("UnrecognizedClientException", 400, text))


def _unsigned(call: WireCall) -> Fault:
    text = "The request signature we calculated does not match the signature you provided."
    if call.service in {"s3", "iam", "sts"}:
        return Fault("SignatureDoesNotMatch", 403, text)
    return Fault("InvalidSignatureException", 400, text)


def _denied(call: WireCall) -> Fault:
    """A service control policy, or for a role its trust policy, says no."""
    by_xml = call.service in {"s3", "iam", "sts"}
    action = f"{call.service}:{call.operation}"
    if call.operation == "AssumeRole":
        who = f"arn:aws:iam::{call.account}:user/fleet"
        text = f"User: {who} is not authorized to perform: {action} on resource: {call.params.get('RoleArn')}"
    else:
        who = f"arn:aws:sts::{call.account}:assumed-role/{ROLE}/{SESSION.decode()}"
        why = "with an explicit deny in a service control policy"
        text = f"User: {who} is not authorized to perform: {action} {why}"
    return Fault("AccessDenied", 403, text) if by_xml else Fault("AccessDeniedException", 400, text)


MOODS: Final[dict[str, Mood]] = {
    "throttled": _throttled,
    "broken": _broken,
    "unknown": _unknown,
    "unsigned": _unsigned,
    "denied": _denied,
}
