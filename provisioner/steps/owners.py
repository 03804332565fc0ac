"""Settings that are owned from above: the policies of an organization that set values in its accounts.

AWS refuses to write such a setting in the account, so a difference is told with its owner, and never fought over. Where
the answer of a service names its owner itself (`ManagedBy`), the step reads it there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from ..aws import Aws
from .permission import Permission, allow

_NONE: Final = ("EffectivePolicyNotFoundException", "AWSOrganizationsNotInUseException")
_LISTS: Final = ("enable_in_regions", "disable_in_regions")


def policy_owner(aws: Aws, policy_type: str) -> Callable[[], str]:
    """Return a function that names the organization's policy of this type that applies to the account, or returns "".

    It asks AWS when it is called, which `settings` does only where something differs. *policy_type* is that of
    DescribeEffectivePolicy, which every account of an organization may call for itself. A policy that lists Regions sets
    nothing in the others.
    """

    def owner() -> str:
        answer = aws.read("organizations").describe_effective_policy(PolicyType=policy_type)
        if not answer.found(*_NONE) or not _reaches(answer.get("EffectivePolicy"), aws.region):
            return ""
        return f"the organization's {policy_type}"

    return owner


def _reaches(policy: Any, region: str) -> bool:
    """Whether an effective policy sets something in the Region. One without lists of Regions does so in all.

    Source: AWS Organizations User Guide, "Security Hub policy syntax and examples".
    """
    try:
        content = json.loads(policy["PolicyContent"])
    except ValueError:
        return True
    blocks = (
        [each for each in content.values() if isinstance(each, dict)] if isinstance(content, dict) else []
    )
    lists = [each[name] for each in blocks for name in _LISTS if name in each]
    return not lists or any(
        not isinstance(each, list) or {region, "ALL_SUPPORTED"} & {*each} for each in lists
    )


def policy_owner_permissions() -> Iterator[Permission]:
    """The permission that `policy_owner` needs. Its action has no resource types."""
    yield from allow("EffectivePolicyRead", "organizations", "DescribeEffectivePolicy")
