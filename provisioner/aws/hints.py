"""The failure to show to the user for an error, with a hint that says what to do."""

from __future__ import annotations

import re
from typing import Final

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
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

from ..model import Failure
from .errors import (
    DENIED,
    EXPIRED,
    NOT_ENABLED,
    THROTTLED,
    ClientError,
    ConfigurationError,
    EndpointConnectionError,
    OutcomeUnknown,
    UnusableAnswer,
    code_of,
    is_untrusted,
    lacks_files,
    status_of,
    why_denied,
)

_DENIED_ACTION: Final = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")
# Of S3 Block Public Access, in its user guide.
_PUBLIC_ACCESS: Final = re.compile(r"public [\w ()-]+ are (?:blocked|prevented) by the \w+[\w ]*")
_WRONG_TIME: Final = re.compile(r"Signature (expired|not yet current)")
_WRONG_CLOCK: Final = "the clock of this machine is wrong by more than AWS allows: set it (ntp)"
MORE_FILES: Final = "allow more open files: `ulimit -n 1024`"
NO_CREDENTIALS: Final = "set AWS_PROFILE or `--profile`, or try it without an account: `--sandbox`"
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


def _denied_hint(service: str, error: ClientError) -> str:
    """What to do about a denied call, with the IAM action that AWS names, or that the operation needs."""
    from .iam_actions import iam_action  # loads a service's model

    named = _DENIED_ACTION.search(str(error))
    action = named[1] if named else iam_action(service, error.operation_name)
    why = why_denied(error)
    if public := _PUBLIC_ACCESS.search(str(error)):
        return f"no permission helps, because {public[0]}"
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
    if lacks_files(error):
        return MORE_FILES
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
    (NoCredentialsError, NO_CREDENTIALS),
    (PartialCredentialsError, "an access key needs its secret key: set both"),
    (ProfileNotFound, "`aws configure list-profiles` shows those that there are"),
    ((SSOTokenLoadError, TokenRetrievalError, UnauthorizedSSOTokenError), "sign in again: `aws sso login`"),
    (NoRegionError, "set `home_region` in the file, `--region` or AWS_REGION"),
    (ProxyConnectionError, "the proxy that HTTPS_PROXY names cannot be reached: correct it, or unset it"),
    (
        EndpointConnectionError,
        "the service may not exist in this Region or partition, or the network, `--endpoint-url` or AWS_ENDPOINT_URL is wrong",
    ),
    (
        (ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError),
        "the network failed; nothing is lost: run again",
    ),
    (
        UnusableAnswer,
        "a proxy or a wrong `--endpoint-url` or AWS_ENDPOINT_URL may answer in the place of AWS: correct it, or run again",
    ),
)
