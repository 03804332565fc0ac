"""Classification of AWS's error codes, and the hints printed with them. The table is `aws.md` §1.1 of the design."""

from __future__ import annotations

import re
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
    SSLError,
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
        "TransactionInProgressException",
    }
)
# AWS did nothing, because another operation on the same resource was under way.
BUSY = frozenset(
    {
        "ConcurrentModificationException",
        "ConcurrentModification",  # IAM's
        "EntityTemporarilyUnmodifiable",  # IAM's
        "ResourceConcurrentModificationException",
        "ConcurrentAccess",
        "OperationAborted",
        "OperationAbortedException",
        "ConflictException",
    }
)
# AWS gave up waiting for the request; S3's status for that is 400.
_OUTAGES = frozenset({"RequestTimeout", "RequestTimeoutException"})
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

_DENIED_ACTION: Final = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")
_WHY_DENIED: Final = re.compile(
    r"an explicit deny(?: in an? [\w -]*(?:policy|boundary))?|no [\w -]*(?:policy|boundary)(?= allows)"
)
_WRONG_TIME: Final = re.compile(r"Signature (expired|not yet current)")
_WRONG_CLOCK: Final = "the clock of this machine is wrong by more than AWS allows: set it (ntp)"
_WRONG_KEY: Final = "the secret key does not belong to the access key: check the credentials"

# Hints by service (botocore's name, "" for every service) and error code. Each service folder adds its own with
# `steps.registry.hints`.
HINTS: dict[tuple[str, str], str] = {
    ("", "LimitExceededException"): (
        "a quota of the account is used up: raise it in Service Quotas, or remove what nobody needs"
    ),
    ("", "SignatureDoesNotMatch"): _WRONG_KEY,
    ("", "InvalidSignatureException"): _WRONG_KEY,
    ("", "IncompleteSignature"): _WRONG_KEY,
}


class OutcomeUnknown(Exception):
    """A write may have taken effect, or somebody else made it first: AWS must be read again before going on.

    *why* is the error, and *by_others* says that AWS answered that the resource is there already.
    """

    def __init__(self, why: Exception, *, already_exists: bool = False):
        super().__init__(str(why))
        self.why = why
        self.already_exists = already_exists


class Incomplete(BotoCoreError):
    """AWS answered without a key that its own model promises, so nothing may be concluded from the answer."""

    fmt = "{text}"

    def __init__(self, text: str):
        super().__init__(text=text)


class UnusableAnswer(HTTPClientError):
    """What answered is not AWS: its bytes are not HTTP, too many, or not of the service's protocol."""

    fmt = "{problem}"


class Stale(Exception):
    """What a request was made from has changed in AWS: the request would undo the change of somebody else."""


class ConfigurationError(BotoCoreError):
    """The environment or the configuration of the AWS tools is wrong: *message* says what and where, *hint* the remedy."""

    fmt = "{message}"

    def __init__(self, message: str, hint: str):
        super().__init__(message=message, hint=hint)  # both, so that the error can go to another process
        self.hint = hint


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
        return status_of(error) >= 500 or status_of(error) == 408 or code_of(error) in _OUTAGES
    return isinstance(error, HTTPClientError | Unconnected) and not is_untrusted(error)


def is_untrusted(error: BaseException) -> bool:
    """Whether the server's certificate was not accepted, which no retry changes."""
    return isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def is_persistent(error: BaseException) -> bool:
    """Whether an outage is seldom over after some tries: no connection, no answer in time, or none of AWS's."""
    return isinstance(
        error,
        EndpointConnectionError
        | ProxyConnectionError
        | ConnectTimeoutError
        | ReadTimeoutError
        | SSLError
        | UnusableAnswer,
    )


def is_closed_to_caller(error: BaseException) -> bool:
    """Whether STS in a Region cannot be reached, or lets nobody or not these credentials in: another Region's may."""
    return code_of(error) in {"RegionDisabledException", *NOT_ENABLED} or is_persistent(error)


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
            hint=_local_hint(error),
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


def why_denied(error: ClientError) -> str:
    """Return which policy denies the call, or does not allow it, in AWS's words; empty if AWS does not say.

    For example `an explicit deny in a service control policy` or `no identity-based policy`. The words are those of
    "Troubleshoot access denied error messages" in the IAM user guide.
    """
    found = _WHY_DENIED.search(str(error))
    return found[0] if found else ""


def _denied_hint(service: str, error: ClientError) -> str:
    """What to do about a denied call, with the IAM action that AWS names, or that the operation needs."""
    from .iam_actions import iam_action  # loads a service's model

    named = _DENIED_ACTION.search(str(error))
    action = named[1] if named else iam_action(service, error.operation_name)
    why = why_denied(error)
    if "explicit deny" in why:
        return f"{why} keeps the caller from `{action}`: except the caller there"
    if why:
        return f"{why} lets the caller `{action}`: add it (`provision permissions FILE` prints all that is needed)"
    return (
        f"the caller may not `{action}`: an explicit Deny, its own policies, a service control policy or the resource's"
        " policy say no"
    )


def _is_clock(code: str, text: str) -> bool:
    """Whether AWS refused a signature for its time."""
    return code in {"RequestTimeTooSkewed", "RequestInTheFuture"} or bool(_WRONG_TIME.search(text))


def _local_hint(error: BaseException) -> str:
    """What to do about an error that is not AWS's answer."""
    if isinstance(error, ConfigurationError):
        return error.hint
    if is_untrusted(error):
        return (
            "the certificate is not accepted: set AWS_CA_BUNDLE to those of your proxy or endpoint, and look at the clock"
            " of this machine"
        )
    return next((hint for kinds, hint in _LOCAL_HINTS if isinstance(error, kinds)), "")


def _hint(code: str, service: str, error: ClientError) -> str:
    if code in DENIED and error.operation_name == "AssumeRole" and "explicit deny" not in why_denied(error):
        return (
            "is there a role of that name in the account, does its trust policy let the caller in (`provision permissions FILE"
            " --trust CALLER` prints one), and may the caller `sts:AssumeRole` it"
        )
    if code in DENIED or code == "403":
        return _denied_hint(service, error)
    if _is_clock(code, str(error)):
        return _WRONG_CLOCK
    if code in EXPIRED or (code == "400" and error.operation_name == "HeadBucket"):
        return "the credentials have expired: get new ones (`aws sso login`, or assume the role again) and run again"
    if code in NOT_ENABLED and (accepted := getattr(error, "accepted_in", "")):
        region = getattr(error, "region", "")
        return (
            f"the credentials are good in {accepted}: either {region} is not enabled in this account (`aws account"
            f" enable-region --region-name {region}`, or take it out of `regions`), or they are a session of STS's global"
            " endpoint, which only Regions that are enabled by default accept (get them with"
            " AWS_STS_REGIONAL_ENDPOINTS=regional)"
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
    (
        UnusableAnswer,
        "a proxy or a wrong `--endpoint-url` may answer in the place of AWS: correct it, or run again",
    ),
)


__all__ = [
    "BotoCoreError",
    "ClientError",
    "ConfigurationError",
    "EndpointConnectionError",
    "Incomplete",
    "Interrupted",
    "OutcomeUnknown",
    "UnusableAnswer",
    "code_of",
    "describe",
    "is_outage",
    "is_persistent",
    "is_throttle",
    "status_of",
]
