"""The key policy: the statements that it needs for what uses the key, ours by their Sid; those of others stay.

Source: "Key policies" and "Default key policy" in the KMS Developer Guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare import policy
from ...compare.policy import Document, Statement
from ...compare.policy_dangers import Protected, dangers
from ...model import Call, Changes, Wait
from ...steps.delivery import (
    SID_SUFFIX,
    all_statements,
    allow_service,
    with_earlier_regions,
    with_sources_in_use,
)
from ...steps.existing import Look
from ...steps.key_use import KEY_USERS, KeyUse, allow_log_groups
from ...steps.organization import own_organization, read_organization
from ...steps.other_accounts import told_accounts, with_other_accounts
from ...steps.principals import without_missing
from ...steps.references import find
from ...steps.registry import consents, harmful_actions
from ...steps.statements import Danger, new_principals, statements
from .section import POLICY_BYTES, Key, KmsKeys

_EVERY: Final = "*"
# What no other account may do with a key.
_WRITES: Final = (
    *("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:CreateGrant", "kms:RevokeGrant"),
    *("kms:DisableKeyRotation", "kms:UpdateAlias", "kms:DeleteAlias", "kms:UntagResource"),
)
_READS: Final = ("kms:Decrypt", "kms:ReEncryptFrom")  # what not everybody may do

consents("remove-foreign-statement")
harmful_actions(KmsKeys, *_WRITES)


@dataclass(frozen=True)
class Uses:
    """What uses one key: the *statements* of its policy, and whether a source still uses the key."""

    statements: Sequence[Statement]
    users: Sequence[KeyUse] = ()
    missing: str = ""  # what the file's own statements name, and does not exist

    def in_use(self, source: str, key_arn: str) -> bool:
        """Whether the source of that ARN uses the key now."""
        return any(each.in_use(source, key_arn) for each in self.users)


def find_uses(aws: Aws, baseline: Baseline, name: str, want: Key, principals: Sequence[Look]) -> Uses:
    """What uses the key: the services that register with `@uses_key`, and those that the file lists.

    *principals* are the roles and users that the file's own statements name.
    """
    users = []
    for user in KEY_USERS:
        for each in user(aws, baseline):
            found = find(baseline, "key", each.key)
            if found and found.key == name:
                users.append(each)
    generated = all_statements(
        [_enable_root(aws)], _organization(aws, baseline), _listed(aws, want), *(u.statements for u in users)
    )
    marked = [{**each, "Sid": f"{each['Sid']}{SID_SUFFIX}"} for each in generated]
    left, missing = without_missing([*marked, *want.statements], principals)
    return Uses(left, users, missing)


def _enable_root(aws: Aws) -> Statement:
    """Without it nobody could manage the key: IAM policies count only where the key's policy lets the account in."""
    root = {"AWS": policy.arn(aws.partition, "iam", "", aws.account, "root")}
    return {
        "Sid": "EnableRoot",
        "Effect": "Allow",
        "Principal": root,
        "Action": "kms:*",
        "Resource": _EVERY,
    }


def _organization(aws: Aws, baseline: Baseline) -> list[Statement]:
    """Let the accounts of the file see which key an alias names, as they deliver with it."""
    organization = read_organization(aws) if baseline.general.accounts is not None else None
    if organization is None:
        return []
    look: Statement = {
        "Sid": "LookFromOrganization",
        "Effect": "Allow",
        "Principal": {"AWS": _EVERY},
        "Action": "kms:DescribeKey",
        "Resource": _EVERY,
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization.id}},
    }
    return [look]


def _listed(aws: Aws, want: Key) -> list[Statement]:
    """The statements of services whose use of the key no setting of the file shows."""
    made: list[Statement] = []
    if "cloudwatch" in want.uses:
        source = {"aws:SourceAccount": aws.account}
        actions = ["kms:Decrypt", "kms:GenerateDataKey*"]
        made.append(
            allow_service("AlarmsToEncryptedTopic", "cloudwatch.amazonaws.com", actions, _EVERY, source)
        )
    if "logs" in want.uses:
        groups = policy.arn(aws.partition, "logs", aws.region, aws.account, "log-group:*")
        made.append(allow_log_groups(aws, "LogGroups", groups))
    return made


def key_policy(aws: Aws, want: Key, key_arn: str, uses: Uses, reading: Reading) -> Changes:
    """Add or repair our statements; offer to remove those of others that stop a use of the key or open it."""
    have: Document = reading.get("Policy")
    found = {policy.sid_of(each): each for each in policy.statements(have)}
    wide = with_other_accounts(aws, found.values(), uses.statements)
    yield from told_accounts(want.title, uses.statements, wide)
    own = [
        with_sources_in_use(before, with_earlier_regions(before, each), lambda x: uses.in_use(x, key_arn))
        for each in wide
        for before in [found.get(each["Sid"])]
    ]

    def put(document: dict[str, Any]) -> Call:
        write, key_id = aws.write("kms"), key_arn.rpartition("/")[2]
        call = write.put_key_policy(KeyId=key_id, PolicyName="default", Policy=policy.compact(document))
        call = call.based_on(reading)
        return call.waiting(new_principal()) if new_principals(have, document) else call

    def find_dangers(foreign: Sequence[Statement]) -> Iterable[Danger]:
        what = Protected(
            resource=key_arn,
            account=aws.account,
            region=aws.region,
            friends={aws.central, aws.archive},
            writes=_WRITES,
            reads=_READS,
            organization=lambda: own_organization(aws),
            partition=aws.partition,
        )
        return dangers(foreign, [_plain(each) for each in own], what)

    yield from statements(
        want.title,
        have,
        own,
        put,
        partition=aws.partition,
        most=POLICY_BYTES,
        dangers=find_dangers,
        consent="remove-foreign-statement",
    )


def new_principal() -> Wait:
    """Wait until KMS knows a role or user that the policy names. It answers as for a policy that is wrong."""
    until = "KMS to know the new principal of the key policy"
    return Wait("MalformedPolicyDocumentException", until, text="invalid principal")


def _plain(statement: Statement) -> Statement:
    """The statement with the first action of each pattern: a request of a service has no pattern in it."""
    return {**statement, "Action": [each.rstrip("*") for each in policy.listed(statement["Action"])]}
