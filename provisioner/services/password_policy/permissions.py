"""What the step `password_policy` asks to be allowed. There is one policy in an account, and it has no ARN: hence `*`."""

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
