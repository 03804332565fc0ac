"""Regions of an account: which are enabled, as account and ec2 tell it.

Moto's own ec2 takes a second to import.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .rule import instead
from .wire import Ask

_DEFAULT = {
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1",
    "eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1",
    "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2",
    "us-gov-west-1", "us-gov-east-1", "cn-north-1", "cn-northwest-1",
}  # fmt: skip


@cache
def regions(partition: str) -> tuple[str, ...]:
    """The Regions of a partition that botocore knows."""
    import boto3

    return tuple(sorted(boto3.Session().get_available_regions("ec2", partition_name=partition)))


def _state(ask: Ask, region: str) -> str:
    return "ENABLED_BY_DEFAULT" if region in _DEFAULT - ask.world.disabled else "DISABLED"


@instead("account.list_regions", "ListRegions", row="14 account ListRegions")
def list_regions(ask: Ask) -> dict[str, Any]:
    """ListRegions names the Regions of the partition; those to opt in to are disabled."""
    wanted = ask.params.get("RegionOptStatusContains")
    found = [{"RegionName": r, "RegionOptStatus": _state(ask, r)} for r in regions(ask.partition)]
    every = [one for one in found if not wanted or one["RegionOptStatus"] in wanted]
    size = ask.world.page_size or int(ask.params.get("MaxResults") or 50)
    start = int(ask.params.get("NextToken") or 0)
    more = {"NextToken": str(start + size)} if start + size < len(every) else {}
    return {"Regions": every[start : start + size], **more}


@instead("account.list_regions", "GetRegionOptStatus")
def region_opt_status(ask: Ask) -> dict[str, Any]:
    """The state of one Region."""
    name = ask.params["RegionName"]
    return {"RegionName": name, "RegionOptStatus": _state(ask, name)}


@instead("account.describe_regions", "ec2:DescribeRegions", row="1.5 ec2:DescribeRegions")
def describe_regions(ask: Ask) -> dict[str, Any]:
    """DescribeRegions names the enabled Regions, or with AllRegions all of them."""
    every, names = ask.params.get("AllRegions"), ask.params.get("RegionNames")
    enabled = _DEFAULT - ask.world.disabled
    found = [r for r in regions(ask.partition) if (every or r in enabled) and (not names or r in names)]
    state = {True: "opt-in-not-required", False: "not-opted-in"}
    return {
        "Regions": [
            {"RegionName": r, "Endpoint": f"ec2.{r}.amazonaws.com", "OptInStatus": state[r in enabled]}
            for r in found
        ]
    }
