"""Tests of the sandbox rules of KMS: each has an outcome that AWS has, and moto without it has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ...sandbox.cases import ACCOUNT, Aws, Case, check, policy

ROOT = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}
DENY = {"Effect": "Deny", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}


def on_key(*calls: Callable[[Any, str], Any], **given: Any) -> Callable[[Aws], Any]:
    """Make a key, make the calls with the client and its id, and return what the last one does."""

    def do(aws: Aws) -> Any:
        key_id = aws.kms.create_key(**given)["KeyMetadata"]["KeyId"]
        return [call(aws.kms, key_id) for call in calls][-1]

    return do


def delete(kms: Any, key: str) -> Any:
    return kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


def rotate(**given: Any) -> Callable[[Any, str], Any]:
    return lambda kms, key: kms.enable_key_rotation(KeyId=key, **given)


def period(kms: Any, key: str) -> Any:
    return kms.get_key_rotation_status(KeyId=key).get("RotationPeriodInDays")


def multi_region(kms: Any, key: str) -> Any:
    return kms.describe_key(KeyId=key)["KeyMetadata"].get("MultiRegion")


def state(kms: Any, key: str) -> Any:
    return kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]


CASES = [
    Case(
        "kms.reserved_aliases",
        "of AWS",
        on_key(lambda kms, key: kms.create_alias(AliasName="alias/aws/x", TargetKeyId=key)),
        "NotAuthorizedException",
    ),
    Case(
        "kms.pending_deletion",
        "a policy",
        on_key(delete, lambda kms, key: kms.put_key_policy(KeyId=key, Policy=policy(ROOT))),
        "KMSInvalidStateException",
    ),
    Case("kms.pending_deletion", "rotation", on_key(delete, rotate()), "KMSInvalidStateException"),
    Case(
        "kms.cancel_deletion",
        "not pending",
        on_key(lambda kms, key: kms.cancel_key_deletion(KeyId=key)),
        "KMSInvalidStateException",
    ),
    Case(
        "kms.disabled",
        "rotation",
        on_key(lambda kms, key: kms.disable_key(KeyId=key), rotate()),
        "DisabledException",
    ),
    Case("kms.rotation_period", "shown", on_key(rotate(RotationPeriodInDays=100), period), 100),
    Case("kms.rotation_period", "AWS's", on_key(rotate(), period), 365),
    Case(
        "kms.rotation_period",
        "kept",
        on_key(rotate(RotationPeriodInDays=100), rotate(), period),
        100,
    ),
    Case("kms.rotation_period", "long", on_key(rotate(RotationPeriodInDays=2561)), "ValidationException"),
    Case("kms.multi_region", "of one Region", on_key(multi_region), False),
    Case("kms.keys_of_others", "denied to S3 only", on_key(state, Policy=policy(ROOT, DENY)), "Enabled"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_a_key_whose_deletion_is_cancelled_is_disabled() -> None:
    from provisioner.sandbox import open_sandbox

    with open_sandbox(None):
        do = on_key(delete, lambda kms, key: kms.cancel_key_deletion(KeyId=key), state)
        assert do(Aws()) == "Disabled"
