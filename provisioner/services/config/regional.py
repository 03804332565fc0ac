"""The rules and conformance packs of the file that are in one Region, and their ARNs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.permission import ANY_REGION, Condition, equals, regional
from .regional_section import Regional

Kind = TypeVar("Kind", bound=Regional)


def in_region(resources: Mapping[str, Kind], target: Target) -> dict[str, Kind]:
    """Those for the target's Region, by name. All, if the Region is not known."""
    return {
        name: each
        for name, each in resources.items()
        if (target.home or not each.home_region_only)
        and (each.regions is None or target.region in {*each.regions, ANY_REGION})
    }


def in_each_region(baseline: Baseline) -> Condition | None:
    """The condition that a request is made in one of the file's Regions.

    For what is in one Region of them, too: a second statement would take a tenth of what fits into a policy.
    """
    regions = baseline.general.named_regions
    return equals("aws:RequestedRegion", *regions) if regions else None


def arns_in_region(
    target: Target, baseline: Baseline, resource: str, of: Iterable[Regional]
) -> tuple[tuple[str, ...], Condition | None]:
    """The ARN of a resource for a permission, as `regional`; without a condition if all *of* it is in one Region only."""
    if all(each.home_region_only for each in of):
        return (arn(target.partition, "config", target.region, target.account, resource),), None
    return regional(target, baseline, "config", resource)
