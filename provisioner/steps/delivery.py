"""Deliveries: which service writes logs to which bucket, and the bucket policy statements that it needs.

A service that delivers registers with `@delivers`; the bucket's policy is made from what its deliverers need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..baseline import Baseline
from ..compare.policy import PolicyError, Statement

if TYPE_CHECKING:
    from ..aws import Aws

Names = str | Sequence[str]  # one, or several

MARK: Final = "Provision"  # ends the Sids of our statements; AWS's console writes the documented ones for trails of others
FULL_CONTROL: Final = {"s3:x-amz-acl": "bucket-owner-full-control"}


@dataclass(frozen=True)
class Delivery:
    """What one service needs of a bucket. *bucket* is the reference as the file has it."""

    service: str
    bucket: str
    statements: Callable[[str], Sequence[Statement]]  # from the bucket's ARN


Deliverer = Callable[["Aws", Baseline], Iterator[Delivery]]
DELIVERERS: list[Deliverer] = []


def delivers(deliverer: Deliverer) -> Deliverer:
    """Register a function that says which bucket a service writes to, and with which statements."""
    DELIVERERS.append(deliverer)
    return deliverer


def all_statements(*groups: Sequence[Statement]) -> list[Statement]:
    """All statements in one list, each Sid once; raises PolicyError where one Sid would say two things."""
    found: dict[str, Statement] = {}
    for statement in (statement for group in groups for statement in group):
        sid = statement["Sid"]
        if found.setdefault(sid, statement) != statement:
            raise PolicyError(f"policy: `{sid}`: two deliveries want one Sid for two statements")
    return list(found.values())


def allow_service(
    sid: str, service: str, action: Names, resource: Names, equals: Mapping[str, Names]
) -> dict[str, Any]:
    """A statement that lets an AWS service do something, where *equals* holds."""
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
    }
    return {**statement, "Condition": {"StringEquals": dict(equals)}} if equals else statement


def log_path(bucket_arn: str, prefix: str | None, owner: str, below: str = "") -> str:
    """The ARN of all objects below `AWSLogs/OWNER/`, after the prefix."""
    clean = (prefix or "").rstrip("/")
    return f"{bucket_arn}/{clean}{'/' if clean else ''}AWSLogs/{owner}/{below}*"


def one_or_sorted(names: Names, what: str) -> Names:
    """One name as itself, several sorted and once each: what AWS gives back."""
    found = [names] if isinstance(names, str) else sorted(set(names))
    if not found:
        raise PolicyError(f"policy: want at least one {what}, got none")
    return found[0] if len(found) == 1 else found
