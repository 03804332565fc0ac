"""The Regions that an account has enabled."""

from __future__ import annotations

from typing import Final

from ..aws import Aws
from ..aws.errors import EndpointConnectionError
from ..model import Skipped

_STATES_OF_EC2: Final = {"opt-in-not-required": "ENABLED_BY_DEFAULT", "opted-in": "ENABLED"}
_ENABLED: Final = {"ENABLED", "ENABLED_BY_DEFAULT"}


def enabled_regions(aws: Aws, home: str) -> tuple[list[str], list[Skipped]]:
    """The Regions that the account has enabled, and the others as skipped. One call, in the Region *home*.

    It calls AWS Account Management, and EC2, whose botocore model is ten times as large, only in partitions without the
    former.
    """
    try:
        regions = aws.read("account", home).list_regions().get("Regions")
        states = {each["RegionName"]: each.get("RegionOptStatus", "") for each in regions}
    except EndpointConnectionError:
        regions = aws.read("ec2", home).describe_regions(AllRegions=True).get("Regions")
        states = {
            each["RegionName"]: _STATES_OF_EC2.get(each.get("OptInStatus"), "DISABLED") for each in regions
        }
    skipped = [
        Skipped(aws.account, region, f"is {state.lower() or 'not enabled'}")
        for region, state in sorted(states.items())
        if state not in _ENABLED
    ]
    return sorted(region for region, state in states.items() if state in _ENABLED), skipped
