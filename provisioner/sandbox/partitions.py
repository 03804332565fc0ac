"""AWS's partitions, from botocore's data: moto's own table lacks some of them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from moto.utilities import utils

from .models import LOADER

_PARTITIONS: Final[tuple[dict[str, Any], ...]] = tuple(LOADER.load_data("partitions")["partitions"])
# The ends of the host names of AWS's endpoints, e.g. `.amazonaws.com`.
DNS_SUFFIXES: Final = tuple(
    sorted(
        {f".{each['outputs'][key]}" for each in _PARTITIONS for key in ("dnsSuffix", "dualStackDnsSuffix")}
    )
)


@cache
def partition_of(region: str) -> str:
    """The partition of a Region; of one that botocore does not know, by the form of its name, or `aws`."""
    return next((str(each["id"]) for each in _PARTITIONS if re.match(each["regionRegex"], region)), "aws")


def dns_suffix(partition: str) -> str:
    """The domain of a partition's endpoints, such as `amazonaws.com`."""
    return next(str(each["outputs"]["dnsSuffix"]) for each in _PARTITIONS if each["id"] == partition)


def _correct_moto() -> None:
    """Give moto botocore's partitions. Its modules keep references to both tables, so these are changed in place."""
    own = dict(utils.REGION_PREFIX_TO_PARTITION)
    utils.REGION_PREFIX_TO_PARTITION.clear()  # the first prefix that fits counts: `us-isof-…` before `us-iso…`
    for each in _PARTITIONS:
        utils.REGION_PREFIX_TO_PARTITION.update(dict.fromkeys(each["regions"], each["id"]))
        if each["id"] not in utils.PARTITION_NAMES:
            utils.PARTITION_NAMES.append(each["id"])
    utils.REGION_PREFIX_TO_PARTITION.update(own)


_correct_moto()
