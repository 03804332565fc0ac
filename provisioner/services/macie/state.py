"""Read what Macie has in an account and Region, and who administers it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from ...aws import Aws
from ...aws.errors import ClientError, code_of
from ...model import Wait
from .section import Macie

T = TypeVar("T")
SERVICE: Final = "macie2"
PRINCIPAL: Final = "macie.amazonaws.com"
TITLE: Final = "Macie"
# What a new session publishes to Security Hub.
NEW_PUBLICATION: Final = {"publishClassificationFindings": False, "publishPolicyFindings": True}

_DENIED: Final = "AccessDeniedException"
_NOT_ENABLED: Final = "Macie is not enabled"
# Terraform waits four minutes.
ENABLED: Final = Wait(_DENIED, "Macie to be enabled everywhere", _NOT_ENABLED, 240)
_IAM: Final = "is not authorized to perform"  # how IAM begins to say what it denies


def if_enabled(ask: Callable[[], T]) -> T | None:
    """The answer of a read, or None where Macie is not enabled: AWS denies that with a message of its own."""
    try:
        return ask()
    except ClientError as error:
        if code_of(error) == _DENIED and _NOT_ENABLED in _message(error):
            return None
        raise


def start_reads(aws: Aws, section: Macie) -> None:
    """Start every read that the section needs. Each is remembered until it is asked for, or Macie is written to."""
    read = aws.read(SERVICE)
    read.get_macie_session()
    read.list_findings_filters()
    if section.security_hub_configuration:
        read.get_findings_publication_configuration()
    if section.automated_discovery:
        read.get_automated_discovery_configuration()
        if section.automated_discovery.exclude_log_buckets and aws.target.home:
            read.get_administrator_account()
    if section.organization and aws.account == section.administrator:
        read.describe_organization_configuration()
        if section.organization.create_members:
            read.list_members(onlyAssociated="false")
            aws.read("organizations").list_accounts()


def read_session(aws: Aws) -> dict[str, Any] | None:
    """The session's status and publishing frequency, or None where Macie is not enabled."""
    reading = aws.read(SERVICE).get_macie_session()
    status = if_enabled(lambda: reading.get("status"))
    if status is None:
        return None
    frequency = "findingPublishingFrequency"
    return {"status": status, frequency: reading.all().get(frequency)}


class Discovery(NamedTuple):
    """The configuration of automated discovery, or *owner*: who sets it, where the account may not even read it."""

    have: Mapping[str, Any]
    owner: str = ""


def read_discovery(aws: Aws) -> Discovery:
    """The configuration of automated discovery; empty where Macie is not enabled."""
    reading = aws.read(SERVICE).get_automated_discovery_configuration()
    try:
        status = if_enabled(lambda: reading.get("status"))
    except ClientError as error:
        if code_of(error) == _DENIED and _IAM not in _message(error) and (name := administrator(aws)()):
            return Discovery({}, name)
        raise
    return Discovery({} if status is None else reading.all())


def read_destination(aws: Aws) -> dict[str, Any]:
    """Where results are stored, by the fields of S3Destination; empty where Macie is not enabled, or stores none."""
    reading = aws.read(SERVICE).get_classification_export_configuration()
    answer = if_enabled(reading.all) or {}
    found = (answer.get("configuration") or {}).get("s3Destination") or {}
    return {**found, "keyPrefix": (found.get("keyPrefix") or "").rstrip("/") or None}


def read_auto_enable(aws: Aws) -> bool | None:
    """Whether new accounts get Macie; None where Macie is not enabled, or the account does not administer it yet."""
    reading = aws.read(SERVICE).describe_organization_configuration()
    return if_administrator(lambda: bool(reading.get("autoEnable")))


def if_administrator(ask: Callable[[], T]) -> T | None:
    """The answer of a read, or None where Macie is not enabled, or the account does not administer it yet."""
    try:
        return if_enabled(ask)
    except ClientError as error:
        message = _message(error)
        if code_of(error) == _DENIED and "administrator" in message and _IAM not in message:
            return None
        raise


def administrator(aws: Aws) -> Callable[[], str]:
    """Return a function that names the other account that administers Macie here, or returns "".

    It asks AWS when it is called, which `settings` does only where something differs.
    """

    def owner() -> str:
        reading = aws.read(SERVICE).get_administrator_account()
        answer = if_enabled(lambda: reading.found("ResourceNotFoundException"))
        found = (answer or {}).get("administrator") or {}
        account = found.get("accountId") or aws.account
        active = found.get("relationshipStatus") in {"Enabled", "Paused"}
        return f"Macie's administrator, account {account}," if active and account != aws.account else ""

    return owner


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))
