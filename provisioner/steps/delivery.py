"""Log delivery: which service writes to which bucket, and the bucket policy statements that it needs.

A service that delivers logs registers with `@delivers`; the bucket's policy is made of all their statements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from ..aws.errors import BotoCoreError, ClientError
from ..baseline import Baseline
from ..baseline.partitions import all_regions
from ..compare.policy import PolicyError, Statement, listed
from ..model import Refused
from .organization import read_organization
from .permission import Permission, allow

if TYPE_CHECKING:
    from ..aws import Aws
    from ..baseline.accounts import Accounts

OneOrMany = str | Sequence[str]  # one, or several

SID_SUFFIX: Final = (
    "Provision"  # suffix of our Sids, as AWS's console writes the documented Sids for other trails
)
SOURCE: Final = "aws:SourceArn"
LOG_GROUP: Final = "kms:EncryptionContext:aws:logs:arn"
# The conditions that name what uses a bucket, key, topic or role, each with its operator.
_SOURCES: Final = (
    *(("StringEquals", SOURCE), ("StringEqualsIfExists", SOURCE)),
    *(("ArnLike", SOURCE), ("ArnLike", LOG_GROUP)),
)
_ARN: Final = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:([a-z0-9-]*|\*):(\d{12})?:.+")
FULL_CONTROL: Final = {"s3:x-amz-acl": "bucket-owner-full-control"}
_MOST_ACCOUNTS: Final = 100  # listed by id in a bucket policy, which may have 20 KB


@dataclass(frozen=True)
class Delivery:
    """What one service needs of a bucket. *bucket* is the reference as the file has it.

    *headers* are the condition keys of the headers that it sends with what it delivers. *key_statements* are those that it
    needs in the policy of the key with which the bucket encrypts by default. *in_use* tells whether the
    source of an ARN delivers to the bucket of a name now: its permission is kept.
    """

    service: str
    bucket: str
    statements: Callable[[str], Sequence[Statement]]  # given the bucket's ARN
    headers: Mapping[str, str] = field(default_factory=dict)
    in_use: Callable[[str, str], bool] = lambda arn, bucket: False
    key_statements: Sequence[Statement] = ()


@dataclass(frozen=True)
class Grants:
    """What all services need of one bucket: its *statements*, and by Delivery the *headers* and what is *in_use*."""

    statements: Sequence[Statement] = ()
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by service principal
    in_use: Sequence[Callable[[str, str], bool]] = ()


Deliverer = Callable[["Aws", Baseline], Iterator[Delivery]]
DELIVERERS: list[Deliverer] = []


def delivers(deliverer: Deliverer) -> Deliverer:
    """Register a function that yields the buckets that a service writes to, with the statements that it needs."""
    DELIVERERS.append(deliverer)
    return deliverer


@dataclass(frozen=True)
class Sources:
    """The accounts in which a service delivers: these, or all of an organization."""

    accounts: Sequence[str] = ()
    organization_id: str | None = None


def sources(aws: Aws, baseline: Baseline) -> Sources:
    """The accounts in which a service of every account delivers: this one, or those of the file.

    They come from the file alone: a run for a few of them must not take the permission from the others.
    Raises Refused if the file has `accounts` and the account is in no organization.
    """
    fleet = baseline.general.accounts
    if fleet is None:
        return Sources([aws.account])
    if _listed_by_id(fleet):
        return Sources(fleet.ids)
    organization = read_organization(aws)
    if organization is None:
        raise Refused(
            "`accounts` needs an organization, and this account is in none:"
            " remove `accounts`, or run this from an account of the organization"
        )
    return Sources(organization_id=organization.id)


def sources_permissions(baseline: Baseline) -> Iterator[Permission]:
    """The permission that `sources` needs: to read the organization's id, unless a policy lists the accounts."""
    accounts = baseline.general.accounts
    if accounts is not None and not _listed_by_id(accounts):
        yield from allow("OrganizationRead", "organizations", "DescribeOrganization")


def _listed_by_id(accounts: Accounts) -> bool:
    """Tell whether a bucket policy lists each account: the file does, and there are not too many."""
    return accounts.listed and len(accounts.ids) <= _MOST_ACCOUNTS


def all_statements(*groups: Sequence[Statement]) -> list[Statement]:
    """Join lists of statements, without duplicates. Raises PolicyError if two different statements have one Sid."""
    by_sid: dict[str, Statement] = {}
    for statement in chain.from_iterable(groups):
        sid = statement["Sid"]
        if by_sid.setdefault(sid, statement) != statement:
            raise PolicyError(f"policy: `{sid}`: two deliveries want one Sid for two statements")
    return list(by_sid.values())


def allow_service(
    sid: str, service: OneOrMany, action: OneOrMany, resource: OneOrMany, equals: Mapping[str, OneOrMany]
) -> dict[str, Any]:
    """A statement that allows the principals of an AWS service an action, under the conditions *equals* (`StringEquals`)."""
    principal = {"Service": service}
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": resource,
    }
    return {**statement, "Condition": {"StringEquals": dict(equals)}} if equals else statement


def with_sources_in_use(have: Statement | None, want: Statement, in_use: Callable[[str], bool]) -> Statement:
    """The statement *want*, with the sources, or log groups, that *have* allows too and that are in use.

    *in_use* is asked about ARNs only, in Regions that there are: who writes anything else there must not stop the repair.
    With `ArnLike` they may be patterns. One that cannot be looked at stays, as it may be in use.
    """
    for operator, key in _SOURCES:
        asked = (want.get("Condition") or {}).get(operator) or {}
        sources = listed(asked.get(key))
        there = listed((((have or {}).get("Condition") or {}).get(operator) or {}).get(key))
        others = [each for each in there if each not in sources and _is_arn(each, operator)]
        kept = [each for each in others if _may_be_in_use(each, in_use)] if sources else []
        if kept:
            values = {**asked, key: sorted([*sources, *kept])}
            want = {**want, "Condition": {**want["Condition"], operator: values}}
    return want


def with_earlier_regions(have: Statement | None, want: Statement) -> dict[str, Any]:
    """The statement *want*, with the principals of its services in single Regions that *have* lets in.

    A Region that the file leaves out now goes on to deliver. AWS names such a principal `SERVICE.REGION.amazonaws.com`.
    """
    principal, before = want.get("Principal"), (have or {}).get("Principal")
    if not isinstance(principal, Mapping) or not isinstance(before, Mapping):
        return dict(want)
    asked, kept = listed(principal.get("Service")), set[str]()
    for each in {*listed(before.get("Service"))} - {*asked}:
        service, _, rest = each.partition(".")
        region, _, suffix = rest.partition(".")
        if region in all_regions() and f"{service}.{suffix}" in asked:
            kept.add(each)
    return {**want, "Principal": {**principal, "Service": sorted([*asked, *kept])}} if kept else dict(want)


def _is_arn(source: str, operator: str) -> bool:
    """Whether the source is the ARN of something, or with `ArnLike` a pattern for some of one account."""
    found, is_pattern = _ARN.fullmatch(source), operator == "ArnLike"
    if found is None or (set(source) & set("*?$") and not is_pattern):
        return False
    return found[1] in {"", "*", *all_regions()}


def _may_be_in_use(source: str, in_use: Callable[[str], bool]) -> bool:
    try:
        return in_use(source)
    except (ClientError, BotoCoreError):
        return True


def log_path(bucket_arn: str, prefix: str | None, owner: str, below: str = "") -> str:
    """The ARN of all objects below `PREFIX/AWSLogs/OWNER/`. *below* narrows it to a folder there."""
    clean = (prefix or "").rstrip("/")
    return f"{bucket_arn}/{clean}{'/' if clean else ''}AWSLogs/{owner}/{below}*"


def one_or_list(names: OneOrMany, what: str) -> OneOrMany:
    """One name as text, several as a sorted list without duplicates, as AWS returns them."""
    unique = [names] if isinstance(names, str) else sorted(set(names))
    if not unique:
        raise PolicyError(f"policy: want at least one {what}, got none")
    return unique[0] if len(unique) == 1 else unique
