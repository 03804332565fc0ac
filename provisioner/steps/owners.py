"""Settings that are owned from above: the policies of an organization that set values in its accounts.

AWS refuses to write such a setting in the account, so a difference is told with its owner, and never fought over. Where
the answer of a service names its owner itself (`ManagedBy`), the step reads it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..aws import Aws
from .permission import Permission, allow

_NONE = ("EffectivePolicyNotFoundException", "AWSOrganizationsNotInUseException")


def policy_owner(aws: Aws, policy_type: str) -> Callable[[], str]:
    """Return a function that names the organization's policy of this type that applies to the account, or returns "".

    It asks AWS when it is called, which `settings` does only where something differs. *policy_type* is that of
    DescribeEffectivePolicy, which every account of an organization may call for itself.
    """

    def owner() -> str:
        answer = aws.read("organizations").describe_effective_policy(PolicyType=policy_type)
        return f"the organization's {policy_type}" if answer.found(*_NONE) else ""

    return owner


def policy_owner_permissions() -> Iterator[Permission]:
    """The permission that `policy_owner` needs. Its action has no resource types."""
    yield from allow("EffectivePolicyRead", "organizations", "DescribeEffectivePolicy")
