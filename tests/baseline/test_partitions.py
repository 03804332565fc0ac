"""Tests of Regions and partitions: botocore's own, a misspelt Region, and two partitions in one file."""

from __future__ import annotations

import botocore.session
import pytest

from provisioner.aws.clients import default_region
from provisioner.aws.errors import ConfigurationError
from provisioner.baseline import parse
from provisioner.baseline.partitions import all_regions, dns_suffix, partition_of
from provisioner.cli.option_checks import check_regions
from provisioner.cli.options import CommandError

from .sample import HEAD, SECTIONS, Buckets, messages, read

SESSION = botocore.session.get_session()
DATA = {each["id"]: each for each in SESSION.get_data("partitions")["partitions"]}
NEW = {
    "eu-west-9": "aws",
    "cn-south-1": "aws-cn",
    "us-gov-north-1": "aws-us-gov",
    "eusc-de-west-1": "aws-eusc",
    "us-iso-north-1": "aws-iso",
    "us-isob-north-1": "aws-iso-b",
    "eu-isoe-north-1": "aws-iso-e",
    "us-isof-north-1": "aws-iso-f",
}
BUCKET = "buckets: {a: {name: a}}\n"


def test_regions_and_partitions_are_botocores() -> None:
    theirs = {each: SESSION.get_partition_for_region(each) for each in all_regions()}
    assert dict(all_regions()) == theirs
    assert {each: partition_of(each) for each in theirs} == theirs
    assert set(theirs.values()) == DATA.keys() == {*SESSION.get_available_partitions()}
    assert {r for p in DATA for r in SESSION.get_available_regions("sts", p)} <= theirs.keys()
    assert not any(each.endswith("-global") for each in theirs)


def test_the_environment_and_flags_take_the_regions_that_the_file_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also one for which only the data on partitions is in botocore yet, as its clients can be made."""
    for region, partition in all_regions().items():
        monkeypatch.setenv("AWS_REGION", region)
        assert default_region(None) == region
        head = HEAD.replace("eu-west-1", region)
        baseline = parse(f"{head}regions: all\n{BUCKET}", "b", SECTIONS, {})
        check_regions(baseline, (region,))
        assert SESSION.create_client("sts", region_name=region).meta.partition == partition
    for wrong in ("us-east-1 ", "us-esat-1", "aws-global"):
        monkeypatch.setenv("AWS_REGION", wrong)
        with pytest.raises(ConfigurationError, match=f"there is no Region `{wrong}`"):
            default_region(None)
        with pytest.raises(CommandError, match=f"--regions {wrong}: there is no Region"):
            check_regions(read(BUCKET), (wrong,))
    with pytest.raises(CommandError, match="an account is in one partition"):
        check_regions(read(BUCKET), ("cn-north-1",))


@pytest.mark.parametrize(("region", "partition"), NEW.items())
def test_partition_of_a_region_that_botocore_does_not_know(region: str, partition: str) -> None:
    assert region not in all_regions()
    assert partition_of(region) == partition


@pytest.mark.parametrize("partition", DATA)
def test_sample_values_of_each_partition(partition: str) -> None:
    home = next(region for region, each in all_regions().items() if each == partition)
    text = HEAD.replace("eu-west-1", home) + "buckets: {a: {name: '${partition}-${region}'}}\n"
    baseline = parse(text, "b", SECTIONS, {})
    assert (baseline.partition, baseline.region) == (partition, home)
    assert baseline[Buckets].root["a"].name == f"{partition}-{home}"
    assert dns_suffix(partition) == DATA[partition]["outputs"]["dnsSuffix"]


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("us-esat-1", "did you mean `us-east-1`?"),
        ("eu-west-11", "did you mean `eu-west-1`?"),
        ("eu-wets-1", "did you mean `eu-west-1`?"),
        ("cn-nroth-1", "did you mean `cn-north-1`?"),
        ("us-gov-esat-1", "did you mean `us-gov-east-1`?"),
        ("xx-moon-dark-7", "if it is new, upgrade botocore"),
    ],
)
def test_a_misspelt_region(wrong: str, hint: str) -> None:
    text = f"there is no Region `{wrong}`; {hint}"
    assert messages(f"regions: [eu-west-1, {wrong}]\n{BUCKET}") == [f"3:22: regions[1]: {text}"]
    head = HEAD.replace("home_region: eu-west-1", f"home_region: {wrong}")
    assert messages(BUCKET, head=head) == [f"2:14: home_region: {text}"]


@pytest.mark.parametrize("partition", [each for each in DATA if each != "aws"])
def test_two_partitions_in_one_file(partition: str) -> None:
    region = next(region for region, each in all_regions().items() if each == partition)
    one = "an account is in one partition"
    (found,) = messages(f"regions: [eu-west-1, {region}]\n{BUCKET}")
    place = f"3:22: regions[1]: '{region}' is in {partition}"
    assert found == f"{place}, and `home_region` is in aws: {one}; make a file for each"
    foreign = f"buckets:\n  a:\n    name: a\n    tags: {{k: 'arn:{partition}:iam::123456789012:role/r'}}\n"
    (found,) = messages(foreign)
    place = f"6:15: buckets.a.tags.k: the ARN is of {partition}"
    text = f"and the file's Regions are in aws: {one}; write `${{partition}}` in the ARN"
    assert found == f"{place}, {text}"
    for same in ("${partition}", "*", "awsome"):
        read(foreign.replace(f"arn:{partition}:", f"arn:{same}:"))
