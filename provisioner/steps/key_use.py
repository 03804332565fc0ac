"""Use of KMS keys: which service uses which key of the file, and the key policy statements that it needs.

A service that encrypts registers with `@uses_key`; the key's policy is made of all their statements. `look_at_key` finds
the key that a field of the file names, whether the file makes it or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..aws import Aws
from ..aws.errors import DENIED, ClientError, code_of
from ..baseline import Baseline
from ..baseline.partitions import dns_suffix, region_of
from ..compare.policy import Statement, arn
from ..model import PENDING, Kind, Note, Target
from . import existing
from .delivery import LOG_GROUP, allow_service
from .existing import Existing, Look, is_foreign
from .permission import ANY_ACCOUNT, Permission, allow, equals
from .references import find, locate, owner, resource_key

KIND: Final = "key"


@dataclass(frozen=True)
class KeyUse:
    """What one service needs of a key. *key* is the reference as the file has it.

    *in_use* tells whether the source of an ARN uses the key of an ARN now: its permission is kept.
    """

    key: str
    statements: Sequence[Statement]
    in_use: Callable[[str, str], bool] = lambda source, key: False


KeyUser = Callable[[Aws, Baseline], Iterator[KeyUse]]
KEY_USERS: list[KeyUser] = []


def uses_key(user: KeyUser) -> KeyUser:
    """Register a function that yields the keys that a service uses, with the statements that it needs."""
    KEY_USERS.append(user)
    return user


def allow_log_groups(aws: Aws, sid: str, groups: str) -> Statement:
    """Let CloudWatch Logs encrypt these log groups with the key. *groups* is an ARN, or a pattern of ARNs.

    Source: CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service".
    """
    actions = ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    # The principal is of the Region and has the domain of the partition.
    service = f"logs.{aws.region}.{dns_suffix(aws.partition)}"
    made = allow_service(sid, service, actions, "*", {})
    return {**made, "Condition": {"ArnLike": {LOG_GROUP: groups}}}


def look_at_key(aws: Aws, baseline: Baseline, reference: str, region: str | None = None) -> Look:
    """Start to look at the key that a field names, and return a function that waits for the answer.

    That has the key's ARN, as in `existing.key`. That of a key which the file makes is PENDING until AWS has it, and its
    state is what its own step repairs. *region* is that of a key which the file does not make.
    """
    found = find(baseline, KIND, reference)
    if found is None:
        return existing.key(aws, reference, region)
    home, account = baseline.general.home_region, owner(KIND, aws.account, aws.archive)
    by_name = arn(aws.partition, "kms", home, account, found.resource.name)
    wait = locate(aws, KIND, by_name, home)

    def look() -> Existing:
        try:
            key_arn = wait()
        except ClientError as error:
            if account == aws.account or code_of(error) not in DENIED:
                raise
            key_arn = PENDING  # AWS answers so for a key of another account that does not exist
        uses = (resource_key(KIND, found.resource.name),)
        return Existing("key", by_name, True, "is one of this file", answer={"Arn": key_arn}, uses=uses)

    return look


def look_at_own_key(aws: Aws, baseline: Baseline, reference: str) -> Look:
    """As `look_at_key`, in the Region of the ARN. A key of another account is not looked at: its owner alone may."""
    if is_foreign(aws, reference):
        return lambda: Existing("key", reference, None, "is in another account and cannot be looked at")
    return look_at_key(aws, baseline, reference, region_of(reference) or None)


def unknown_key(aws: Aws, title: str, key: str | None, field: str) -> Iterator[Note]:
    """Warn of a key that the file leaves to AWS, and that belongs to an account which the run does not know.

    An id alone means a key of this account. A key that the file names is replaced by its own step.
    """
    account = f"{key or ''}:::::".split(":")[4]
    if account and account not in {aws.account, aws.central, aws.archive}:
        text = (
            f"is encrypted with {key}, which is not known as a key of yours: its owner could lock away what it encrypts; "
            f"name it in `{field}` if it is yours, else name another"
        )
        yield Note(Kind.WARNING, title, text)


def key_permissions(
    title: str, target: Target, baseline: Baseline, reference: str | None
) -> Iterator[Permission]:
    """The permission to look at the key that a field names, unless the step that makes it has that already."""
    if not reference:
        return
    found = find(baseline, KIND, reference)
    account = owner(KIND, target.account, target.archive or target.account)
    if found is None:
        named, region, account = reference, target.region, target.account
        if reference.startswith("arn:"):
            _, _, _, region, account, named = reference.split(":", 5)
    elif account == target.account:
        return
    else:
        named, region = found.resource.name, baseline.general.home_region
    is_alias = named.startswith("alias/")
    # KMS authorizes by key, not by alias, and the file does not name the key of an alias.
    resource = "key/*" if is_alias else f"key/{named.removeprefix('key/')}"
    condition = equals("kms:RequestAlias", named) if is_alias else None
    on = (arn(target.partition, "kms", region, account, resource),)
    yield from allow(title, "kms", ["DescribeKey"], on=on, condition=condition)


def may_look(target: Target, reference: str | None) -> bool:
    """Whether the account may look at a key by ARN: its owner alone may, if it is not known to be another's."""
    is_arn = (reference or "").startswith("arn:")
    return not is_arn or str(reference).split(":")[4] in {target.account, ANY_ACCOUNT}
