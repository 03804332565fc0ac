"""AWS's error codes by what they mean for a call, and the exceptions of this package."""

from __future__ import annotations

import errno
import json
import re
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.exceptions import ConnectionError as Unconnected

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

_WHY_DENIED: Final = re.compile(
    r"an explicit deny(?: in an? [\w -]*(?:policy|boundary))?|no [\w -]*(?:policy|boundary)(?= allows)"
)


class OutcomeUnknown(Exception):
    """A write may have taken effect, or somebody else made it first: AWS must be read again before going on.

    *why* is the error, and *already_exists* says that others are known to have made it.
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


def unprocessed(answer: Any, key: str, operation: str) -> ClientError | None:
    """Return the error of a call that AWS answered with success, and with a list under *key* of what it did not do.

    Its code is the first `ErrorCode` of the list, and its message has the whole list. None if the list is empty.
    """
    listed = answer.get(key) if key else None
    if not listed:
        return None
    code = next((str(each["ErrorCode"]) for each in listed if each.get("ErrorCode")), "Unprocessed")
    text = "; ".join(json.dumps(each, default=str) for each in listed)
    metadata = answer.get("ResponseMetadata", {})
    details: Any = {
        "Error": {"Code": code, "Message": f"AWS did not process {text}"},
        "ResponseMetadata": metadata,
    }
    return ClientError(details, operation)


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


def lacks_files(error: BaseException | None) -> bool:
    """Whether the process, or the system, has as many open files as it may, which is what the error comes from."""
    seen = list[BaseException]()  # an error can be its own cause
    while error is not None and error not in seen:
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            return True
        seen.append(error)
        error = error.__cause__
    return False


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


def why_denied(error: ClientError) -> str:
    """Return which policy denies the call, or does not allow it, in AWS's words; empty if AWS does not say.

    For example `an explicit deny in a service control policy` or `no identity-based policy`. The words are those of
    "Troubleshoot access denied error messages" in the IAM user guide.
    """
    found = _WHY_DENIED.search(str(error))
    return found[0] if found else ""


__all__ = [
    "BotoCoreError",
    "ClientError",
    "ConfigurationError",
    "EndpointConnectionError",
    "Incomplete",
    "Interrupted",
    "NoCredentialsError",
    "OutcomeUnknown",
    "UnusableAnswer",
    "code_of",
    "is_outage",
    "is_persistent",
    "is_throttle",
    "status_of",
    "unprocessed",
]
