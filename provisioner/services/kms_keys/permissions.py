"""The permissions of the step `kms_keys`.

The ids of keys are AWS's, so that a policy can only name all keys of the account in `home_region`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.permission import APPLY, DELIVERY_DECLARATIONS, Permission, allow, permits
from ...steps.principals import principal_permissions
from .section import KmsKeys


@permits("kms_keys")
def kms_key_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Find, read, create and configure the keys of the file, with what their users' statements need."""
    keys = baseline[KmsKeys].root.values()
    if not keys:
        return
    on = (arn(target.partition, "kms", target.region, target.account, "key/*"),)
    aliases = tuple(arn(target.partition, "kms", target.region, target.account, each.alias) for each in keys)
    rotates = any(each.rotation_period_in_days is not None for each in keys)
    # AWS has no resource for it.
    yield from allow("KeysList", "kms", "ListKeys")
    reads = ["DescribeKey", "GetKeyPolicy", "ListGrants", "ListResourceTags"]
    yield from allow("KeysRead", "kms", [*reads, *(["GetKeyRotationStatus"] if rotates else [])], on=on)
    # AWS has no resource for CreateKey.
    yield from allow("KeysMake", "kms", "CreateKey", purposes=APPLY)
    writes = ["EnableKey", "PutKeyPolicy", "TagResource"]
    writes += ["EnableKeyRotation"] if rotates else []
    writes += ["UpdateKeyDescription"] if any(each.description is not None for each in keys) else []
    yield from allow("KeysWrite", "kms", writes, on=on, purposes=APPLY)
    yield from allow("KeyAliasesWrite", "kms", "CreateAlias", on=(*on, *aliases), purposes=APPLY)
    for each in keys:
        yield from principal_permissions("KeysPrincipals", target, each.statements)
    if baseline.general.accounts is not None:
        yield from allow("OrganizationRead", "organizations", "DescribeOrganization")
    for declaration in DELIVERY_DECLARATIONS:
        yield from declaration(target, baseline)
