"""Regions of an account: which are enabled, as account and ec2 tell it.

Moto's own ec2 takes a second to import.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..ask import Ask, Surroundings
from ..callers import caller
from ..denial import unknown
from ..rule import before, instead
from ..words import Refused
from .organizations import delegated, held_organization, trusted

_PRINCIPAL = "account.amazonaws.com"
# What ec2 calls the states of a Region.
_OPT_IN = {
    "ENABLED_BY_DEFAULT": "opt-in-not-required",
    "ENABLED": "opted-in",
    "DISABLED": "not-opted-in",
}

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


def is_enabled(world: Surroundings, account: str, region: str) -> bool:
    """The account can use the Region: by default, by opting in, or because a test has switched it on or off."""
    if region in world.disabled:
        return False
    for who in (account, None):
        if (who, region) in world.regions:
            return world.regions[who, region]
    opted: dict[tuple[str, str], bool] = world.memory.get("regions", {})
    return opted.get((account, region), region in _DEFAULT or region not in regions("aws"))


@before("account.opt_in", "*:*", row="1.5 a call to a not-opted-in region fails; moto has no opt-in notion")
def opt_in(ask: Ask) -> None:
    """A Region that the account has not enabled does not know the caller."""
    if not is_enabled(ask.world, ask.account, ask.region):
        raise unknown(ask.protocol)


def _state(ask: Ask, account: str, region: str) -> str:
    if not is_enabled(ask.world, account, region):
        return "DISABLED"
    return "ENABLED_BY_DEFAULT" if region in _DEFAULT else "ENABLED"


def _about(ask: Ask) -> str:
    """The account that is asked about: the caller's own, or a member where Organizations trusts the service."""
    account = ask.params.get("AccountId")
    if not account:
        return ask.account
    held = held_organization(ask.account, ask.partition)
    allowed = (
        held is not None
        and trusted(held, _PRINCIPAL)
        and (held.org.master_account_id == ask.account or delegated(held, ask.account, _PRINCIPAL))
        and account in {one.id for one in held.accounts} - {held.org.master_account_id}
    )
    if not allowed:
        user = caller(ask).arn
        text = f"User: {user} is not authorized to perform: account:{ask.operation}"
        raise Refused("AccessDeniedException", text, 403)
    return str(account)


@instead("account.list_regions", "ListRegions", row="14 account ListRegions")
def list_regions(ask: Ask) -> dict[str, Any]:
    """ListRegions names the Regions of the partition, and which of them the account has enabled."""
    wanted, account = ask.params.get("RegionOptStatusContains"), _about(ask)
    found = [{"RegionName": r, "RegionOptStatus": _state(ask, account, r)} for r in regions(ask.partition)]
    every = [one for one in found if not wanted or one["RegionOptStatus"] in wanted]
    size = ask.world.page_size or int(ask.params.get("MaxResults") or 50)
    start = int(ask.params.get("NextToken") or 0)
    more = {"NextToken": str(start + size)} if start + size < len(every) else {}
    return {"Regions": every[start : start + size], **more}


@instead("account.list_regions", "GetRegionOptStatus")
def region_opt_status(ask: Ask) -> dict[str, Any]:
    """The state of one Region."""
    name, account = _known(ask), _about(ask)
    return {"RegionName": name, "RegionOptStatus": _state(ask, account, name)}


def _known(ask: Ask) -> str:
    name = str(ask.params["RegionName"])
    if name not in regions(ask.partition):
        raise Refused("ValidationException", f"Region {name} is not valid.")
    return name


@instead("account.opt_in", "EnableRegion", "DisableRegion")
def switch_region(ask: Ask) -> dict[str, Any]:
    """The account has opted in or out, at once where AWS takes minutes; a default Region cannot be opted out of."""
    name, account = _known(ask), _about(ask)
    if name in _DEFAULT:
        raise Refused("ValidationException", f"Region {name} cannot be enabled or disabled.")
    ask.note("regions")[account, name] = ask.operation == "EnableRegion"
    return {}


@instead("account.describe_regions", "ec2:DescribeRegions", row="1.5 ec2:DescribeRegions")
def describe_regions(ask: Ask) -> dict[str, Any]:
    """DescribeRegions names the enabled Regions, or with AllRegions all of them."""
    every, names = ask.params.get("AllRegions"), ask.params.get("RegionNames")
    states = {r: _state(ask, ask.account, r) for r in regions(ask.partition) if not names or r in names}
    return {
        "Regions": [
            {"RegionName": r, "Endpoint": f"ec2.{r}.amazonaws.com", "OptInStatus": _OPT_IN[state]}
            for r, state in states.items()
            if every or state != "DISABLED"
        ]
    }
