"""AWS's partitions and Regions, from botocore's data. The data is read as a file, as importing botocore takes time."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from .problem import Path, leaves, most_similar


class _Partition(NamedTuple):
    name: str
    pattern: re.Pattern[str]  # of the names of its Regions
    regions: tuple[str, ...]
    dns_suffix: str


@cache
def _partitions() -> tuple[_Partition, ...]:
    spec = find_spec("botocore")
    folders = spec.submodule_search_locations if spec else None
    with open(os.path.join((folders or [""])[0], "data", "partitions.json"), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - importing pathlib takes time
        found = json.load(file)["partitions"]
    return tuple(
        _Partition(
            each["id"],
            pattern := re.compile(each["regionRegex"]),
            tuple(filter(pattern.match, each["regions"])),  # without `aws-global` and the like
            each["outputs"]["dnsSuffix"],
        )
        for each in found
    )


@cache
def all_regions() -> Mapping[str, str]:
    """Every Region that botocore knows, with its partition."""
    return {region: each.name for each in _partitions() for region in each.regions}


def partition_of(region: str) -> str:
    """The partition of a Region. One that botocore does not know yet is assigned by the form of its name, or to `aws`."""
    return next((each.name for each in _partitions() if each.pattern.match(region)), "aws")


def region_of(arn: str | None) -> str:
    """The Region in an ARN; an empty text where there is none."""
    return f"{arn}:::".split(":")[3]


def dns_suffix(partition: str) -> str:
    """The domain of a partition's endpoints, such as `amazonaws.com`. Raises KeyError for an unknown partition."""
    return {each.name: each.dns_suffix for each in _partitions()}[partition]


def unknown_region(region: str) -> str:
    """The error message for a Region that botocore does not know; an empty text if it does."""
    if region in all_regions():
        return ""
    close = most_similar(region, all_regions())
    hint = f"did you mean `{close}`?" if close else "if it is new, upgrade botocore"
    return f"there is no Region `{region}`; {hint}"


def arns_elsewhere(value: Any, partition: str, path: Path) -> Iterator[tuple[Path, str]]:
    """The path of each ARN of another partition in a nested value, and the error message."""
    for at, text in leaves(value, path):
        if not (isinstance(text, str) and text.startswith("arn:")):
            continue
        found = text.split(":")[1]
        if found != partition and any(each.name == found for each in _partitions()):
            elsewhere = f"the ARN is of {found}, and the file's Regions are in {partition}"
            yield at, f"{elsewhere}: an account is in one partition; write `${{partition}}` in the ARN"
