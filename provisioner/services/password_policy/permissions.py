"""The IAM permissions that the step `password_policy` needs. The policy has no ARN, so the resource is `*`."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...model import Target
from ...steps.permission import APPLY, Permission, allow, permits


@permits("password_policy")
def password_policy_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read the policy, and replace it."""
    yield from allow("PasswordPolicyRead", "iam", "GetAccountPasswordPolicy")
    yield from allow("PasswordPolicyWrite", "iam", "UpdateAccountPasswordPolicy", purposes=APPLY)
