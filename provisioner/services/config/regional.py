"""The rules and conformance packs of the file that are in one Region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ...model import Target
from ...steps.permission import ANY_REGION
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
