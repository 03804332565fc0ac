"""Regions of an account: which are enabled, for the services account and ec2.

Moto's own ec2 takes a second to import.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..ask import Request, SandboxState
from ..callers import caller
from ..denial import unknown
from ..model import Refused
from ..rule import before, instead
from .organizations import delegated, find_organization, trusted

_PRINCIPAL = "account.amazonaws.com"
# The states of a Region in account's terms -> in ec2's.
_OPT_IN = {"ENABLED_BY_DEFAULT": "opt-in-not-required", "ENABLED": "opted-in", "DISABLED": "not-opted-in"}

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


def is_enabled(world: SandboxState, account: str, region: str) -> bool:
    """Whether the account can use the Region: by default, by opting in, or as a test has set it."""
    if region in world.disabled:
        return False
    for who in (account, None):
        if (who, region) in world.regions:
            return world.regions[who, region]
    opted: dict[tuple[str, str], bool] = world.memory.get("regions", {})
    return opted.get((account, region), region in _DEFAULT or region not in regions("aws"))


def must_be_enabled(region: str) -> bool:
    """Whether the Region is one that accounts opt in to."""
    return region in regions("aws") and region not in _DEFAULT


@before("account.opt_in", "*:*", row="1.5 a call to a not-opted-in region fails; moto has no opt-in notion")
def opt_in(request: Request) -> None:
    """A call in a Region that the account has not enabled fails as for an unknown caller."""
    if not is_enabled(request.world, request.account, request.region):
        raise unknown(request.protocol)


def _state(request: Request, account: str, region: str) -> str:
    if not is_enabled(request.world, account, region):
        return "DISABLED"
    return "ENABLED_BY_DEFAULT" if region in _DEFAULT else "ENABLED"


def about(request: Request) -> str:
    """The account that the request is about: the caller's own, or a member if Organizations trusts the service."""
    account = request.params.get("AccountId")
    if not account:
        return request.account
    held = find_organization(request.account, request.partition)
    allowed = (
        held is not None
        and trusted(held, _PRINCIPAL)
        and (held.org.master_account_id == request.account or delegated(held, request.account, _PRINCIPAL))
        and account in {one.id for one in held.accounts} - {held.org.master_account_id}
    )
    if not allowed:
        text = f"User: {caller(request).arn} is not authorized to perform: account:{request.operation}"
        raise Refused("AccessDeniedException", text, 403)
    return str(account)


@instead("account.list_regions", "ListRegions", row="14 account ListRegions")
def list_regions(request: Request) -> dict[str, Any]:
    """ListRegions returns the Regions of the partition and whether the account has enabled them."""
    want, account = request.params.get("RegionOptStatusContains"), about(request)
    found = [
        {"RegionName": r, "RegionOptStatus": _state(request, account, r)} for r in regions(request.partition)
    ]
    every = [one for one in found if not want or one["RegionOptStatus"] in want]
    return request.page(
        "Regions", every, request.world.page_size or int(request.params.get("MaxResults") or 50)
    )


@instead("account.list_regions", "GetRegionOptStatus")
def region_opt_status(request: Request) -> dict[str, Any]:
    """Return the state of one Region."""
    name, account = _known(request), about(request)
    return {"RegionName": name, "RegionOptStatus": _state(request, account, name)}


def _known(request: Request) -> str:
    name = str(request.params["RegionName"])
    if name not in regions(request.partition):
        raise Refused("ValidationException", f"Region {name} is not valid.")
    return name


@instead("account.opt_in", "EnableRegion", "DisableRegion")
def switch_region(request: Request) -> dict[str, Any]:
    """The account opts in or out at once, where AWS takes minutes; a default Region cannot be opted out of."""
    name, account = _known(request), about(request)
    if name in _DEFAULT:
        raise Refused("ValidationException", f"Region {name} cannot be enabled or disabled.")
    request.saved("regions")[account, name] = request.operation == "EnableRegion"
    return {}


@instead("account.describe_regions", "ec2:DescribeRegions", row="1.5 ec2:DescribeRegions")
def describe_regions(request: Request) -> dict[str, Any]:
    """DescribeRegions returns the enabled Regions, or with AllRegions all of them."""
    include_disabled, names = request.params.get("AllRegions"), request.params.get("RegionNames")
    states = {
        r: _state(request, request.account, r) for r in regions(request.partition) if not names or r in names
    }
    return {
        "Regions": [
            {"RegionName": r, "Endpoint": f"ec2.{r}.amazonaws.com", "OptInStatus": _OPT_IN[state]}
            for r, state in states.items()
            if include_disabled or state != "DISABLED"
        ]
    }
