"""Classification of AWS's error codes, and the hints printed with them. The table is `aws.md` §1.1 of the design."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.exceptions import ConnectionError as Unconnected

from ..model import Failure

THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "RequestThrottled",
        "RequestThrottledException",
        "PriorRequestNotComplete",
        "BandwidthLimitExceeded",
        "ProvisionedThroughputExceededException",
        "EC2ThrottledException",
    }
)
# AWS did nothing, because another operation on the same resource was under way.
BUSY = frozenset(
    {"ConcurrentModificationException", "OperationAborted", "OperationAbortedException", "ConflictException"}
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AccessDeniedForDependencyException",
        "AllAccessDisabled",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
# Wrong credentials, or good ones in a Region that is not enabled; the last two are S3's.
NOT_ENABLED = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "AuthFailure",
        "OptInRequired",
        "InvalidAccessKeyId",
        "InvalidToken",
    }
)
NOT_RETRYABLE = DENIED | EXPIRED | NOT_ENABLED  # errors that no retry changes

# Hints by service (botocore's name, "" for every service) and error code. Each service folder adds its own with
# `steps.registry.hints`.
HINTS: dict[tuple[str, str], str] = {
    ("", "LimitExceededException"): (
        "a quota of the account is used up: raise it in Service Quotas, or remove what nobody needs"
    ),
    ("", "RequestTimeTooSkewed"): "the clock of this machine is wrong by more than AWS allows: set it (ntp)",
    ("", "SignatureDoesNotMatch"): "the secret key does not belong to the access key: check the credentials",
}


class OutcomeUnknown(Exception):
    """A write may have taken effect, or somebody else made it first: AWS must be read again before going on.

    *why* is the error, and *by_others* says that AWS answered that the resource is there already.
    """

    def __init__(self, why: Exception, *, already_exists: bool = False):
        super().__init__(str(why))
        self.why = why
        self.already_exists = already_exists


class Incomplete(Exception):
    """AWS answered without a key that its own model promises, so nothing may be concluded from the answer."""


class Stale(Exception):
    """What a request was made from has changed in AWS: the request would undo the change of somebody else."""


class Interrupted(Exception):
    """The user asked to stop; no further call was made."""


def code_of(error: BaseException) -> str:
    """Return AWS's error code, or `""` for an error that is not AWS's answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status_of(error: BaseException) -> int:
    """Return the HTTP status of AWS's answer, or 0 without an answer."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_throttle(error: BaseException) -> bool:
    """Whether AWS throttled the call, and so did nothing."""
    return code_of(error) in THROTTLED or status_of(error) == 429


def is_outage(error: BaseException) -> bool:
    """Whether the call failed in the network or inside AWS, so that its outcome is unknown."""
    if isinstance(error, ClientError):
        return status_of(error) >= 500
    return isinstance(error, HTTPClientError | Unconnected) or type(error).__name__ == "ResponseParserError"


def is_unreachable(error: BaseException) -> bool:
    """Whether no connection was made: the Region lacks the service, no network, or a wrong endpoint or proxy."""
    return isinstance(error, EndpointConnectionError | ProxyConnectionError)


def describe(doing: str, error: BaseException) -> Failure:
    """Return the failure to show to the user: *doing* is the action that failed, and the hint says what to do."""
    if isinstance(error, OutcomeUnknown):
        error = error.why
    service = str(getattr(error, "service", ""))
    if not isinstance(error, ClientError):
        return Failure(
            doing=doing,
            message=str(error) or type(error).__name__,
            service=service,
            operation=str(getattr(error, "operation", "")),
            hint=next((hint for kinds, hint in _LOCAL_HINTS if isinstance(error, kinds)), ""),
        )
    code = code_of(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    waited = getattr(error, "waited", "")
    retried = f"waited {waited}, which is as long as AWS takes" if waited else ""
    return Failure(
        doing=doing,
        message=message or f"HTTP status {status_of(error)}, and no message",
        service=service,
        operation=error.operation_name,
        code=code,
        request_id=str(error.response.get("ResponseMetadata", {}).get("RequestId", "") or ""),
        hint="; ".join(filter(None, (retried, _hint(code, service, error)))),
    )


def _hint(code: str, service: str, error: ClientError) -> str:
    if code in DENIED and error.operation_name == "AssumeRole":
        return (
            "is there a role of that name in the account, does its trust policy let the caller in (`provision permissions FILE"
            " --trust CALLER` prints one), and may the caller `sts:AssumeRole` it"
        )
    if code in DENIED or code == "403":
        action = f"{service}:{error.operation_name}" if service else error.operation_name
        return f"the caller may not `{action}`: its own policies, a service control policy or the resource's policy say no"
    if code in EXPIRED:
        return "the credentials have expired: get new ones (`aws sso login`, or assume the role again) and run again"
    if code in NOT_ENABLED and (accepted := getattr(error, "accepted_in", "")):
        region = getattr(error, "region", "")
        return (
            f"the credentials are good in {accepted}, so {region} is not enabled in this account: `aws account"
            f" enable-region --region-name {region}`, or take it out of `regions`"
        )
    if code in NOT_ENABLED:
        return (
            "wrong credentials, or a Region that is not enabled in this account (`aws account list-regions`)"
        )
    if code in THROTTLED:
        return "AWS kept on throttling the calls: run again later"
    return HINTS.get((service, code)) or HINTS.get(("", code), "")


_LOCAL_HINTS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    (NoCredentialsError, "set AWS_PROFILE or `--profile`, or try it without an account: `--sandbox`"),
    (PartialCredentialsError, "an access key needs its secret key: set both"),
    (ProfileNotFound, "`aws configure list-profiles` shows those that there are"),
    ((SSOTokenLoadError, TokenRetrievalError, UnauthorizedSSOTokenError), "sign in again: `aws sso login`"),
    (NoRegionError, "set `home_region` in the file, `--region` or AWS_REGION"),
    (ProxyConnectionError, "the proxy that HTTPS_PROXY names cannot be reached: correct it, or unset it"),
    (
        EndpointConnectionError,
        "the service may not exist in this Region or partition, or the network or `--endpoint-url` is wrong",
    ),
    (
        (ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError),
        "the network failed; nothing is lost: run again",
    ),
)


__all__ = [
    "BotoCoreError",
    "ClientError",
    "EndpointConnectionError",
    "Incomplete",
    "Interrupted",
    "OutcomeUnknown",
    "code_of",
    "describe",
    "is_outage",
    "is_throttle",
    "is_unreachable",
    "status_of",
]
