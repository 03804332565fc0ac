"""The Regions that an account has enabled, and those that an account must enable first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..aws import Aws
from ..aws.errors import EndpointConnectionError
from ..baseline import Baseline
from ..compare.policy import arn
from ..model import Skipped, Target
from .permission import Permission, allow

_STATES_OF_EC2: Final = {"opt-in-not-required": "ENABLED_BY_DEFAULT", "opted-in": "ENABLED"}
# "Regions that opened after March 20, 2019" must be enabled first, so that AWS adds none to these.
_BY_DEFAULT: Final = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "ap-south-1"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2"),
    }
)
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


def regions_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """The permissions that `enabled_regions` needs, if the file says `regions: all`."""
    if baseline.general.named_regions:
        return
    account = arn(target.partition, "account", "", target.account, "account")
    yield from allow("RegionsRead", "account", "ListRegions", on=[account])
    # Where Account Management has no endpoint, EC2 is called.
    if target.partition not in {"aws", "aws-cn"}:
        yield from allow("RegionsRead", "ec2", "DescribeRegions")


def is_opt_in(region: str, partition: str) -> bool:
    """Whether an account must enable the Region before it can use it. Source: "Enable or disable AWS Regions"."""
    return partition == "aws" and region not in _BY_DEFAULT
