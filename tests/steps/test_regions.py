"""Tests of the permissions to list an account's Regions: as `enabled_regions` asks, and none where the file names them."""

from __future__ import annotations

import pytest

from provisioner.model import Target
from provisioner.steps.regions import regions_permissions

from ..conftest import parse_file

FILE = "organization_name: org\nhome_region: {home}\nregions: {regions}\nmacie: {{}}\n"


@pytest.mark.parametrize(
    ("home", "partition", "regions", "actions"),
    [
        ("eu-central-1", "aws", "all", ["account:ListRegions"]),
        ("us-gov-west-1", "aws-us-gov", "all", ["account:ListRegions", "ec2:DescribeRegions"]),
        ("us-gov-west-1", "aws-us-gov", "[us-gov-west-1]", []),
    ],
)
def test_regions_are_listed_where_the_file_asks_for_all(
    home: str, partition: str, regions: str, actions: list[str]
) -> None:
    baseline = parse_file(FILE.format(home=home, regions=regions))
    found = regions_permissions(Target("123456789012", home, partition), baseline)
    assert [each.action for each in found] == actions
