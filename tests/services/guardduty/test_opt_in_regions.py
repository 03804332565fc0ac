"""Tests of the export of findings from Regions that an account must enable first."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from provisioner.compare.policy import listed
from provisioner.sandbox.rules.account import must_be_enabled
from provisioner.steps.regions import is_opt_in

from ...conftest import Bench

OPT_IN = "af-south-1"
FILE = f"""
home_region: us-east-1
regions: [us-east-1, {OPT_IN}]
log_buckets: {{logs: {{name: acme-findings}}}}
kms_keys: {{findings: {{alias: alias/findings}}}}
guardduty:
  publishing_destination: {{s3_bucket_name: logs, s3_key_prefix: a, kms_key_arn: findings}}
"""
BOTH = ["guardduty.af-south-1.amazonaws.com", "guardduty.amazonaws.com"]


@pytest.fixture(autouse=True)
def enabled(bench: Bench) -> None:
    bench.world.enable(OPT_IN)


def who_exports(bench: Bench) -> dict[str, Any]:
    """The services of the statements for GuardDuty, by policy and Sid."""
    bucket = bench.client("s3").get_bucket_policy(Bucket="acme-findings")["Policy"]
    kms = bench.client("kms")
    key_id = kms.describe_key(KeyId="alias/findings")["KeyMetadata"]["KeyId"]
    key = kms.get_key_policy(KeyId=key_id)["Policy"]
    return {
        f"{name} {each['Sid']}": sorted(listed(each["Principal"]["Service"]))
        for name, text in (("bucket", bucket), ("key", key))
        for each in json.loads(text)["Statement"]
        if each.get("Sid", "").startswith("GuardDuty")
    }


def test_a_region_that_must_be_enabled_exports_as_a_principal_of_its_own(bench: Bench) -> None:
    bench.apply(FILE)
    assert who_exports(bench) == {
        "bucket GuardDutyBucketLocationProvision": BOTH,
        "bucket GuardDutyExportProvision": BOTH,
        "key GuardDutyExportProvision": BOTH,
    }
    assert bench.diff(FILE).changes == []
    found = [f for r in bench.run(FILE).verify() if r.step == "guardduty_export" for f in r.findings]
    assert [each.detail for each in found if each.check == "publishing"] == ["PUBLISHING"] * 2


def test_it_is_so_with_all_regions_too_and_no_other_region_has_one(bench: Bench) -> None:
    bench.apply(FILE.replace(f"[us-east-1, {OPT_IN}]", "[us-east-1]"))
    assert [*who_exports(bench).values()] == [["guardduty.amazonaws.com"]] * 3
    bench.apply(FILE.replace(f"[us-east-1, {OPT_IN}]", "all"), only=("log_buckets", "kms_keys"))
    assert [*who_exports(bench).values()] == [BOTH] * 3


def test_another_region_exports_nothing_to_one_that_must_be_enabled(bench: Bench) -> None:
    away = FILE.replace("home_region: us-east-1", f"home_region: {OPT_IN}")
    run = bench.run(away)
    sent = run.send(run.rehearse())
    failed = {(r.step, r.target.region): r.failures[0].message for r in sent if r.failures}
    assert failed.keys() == {("guardduty_export", "us-east-1")}
    assert "exports no findings of us-east-1 to a bucket in af-south-1" in failed.popitem()[1]
    detectors = bench.client("guardduty", OPT_IN).list_detectors()["DetectorIds"]
    assert len(detectors) == 1


def test_the_regions_that_are_enabled_by_default_are_those_of_the_sandbox() -> None:
    session = botocore.session.get_session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("ec2", partition):
            assert is_opt_in(region, partition) == must_be_enabled(region), region


def test_the_sandbox_refuses_what_aws_does_of_such_regions(bench: Bench) -> None:
    away = FILE.replace("home_region: us-east-1", f"home_region: {OPT_IN}")
    bench.apply(away.replace(f"[us-east-1, {OPT_IN}]", f"[{OPT_IN}]"))
    there, here = bench.client("guardduty", OPT_IN), bench.client("guardduty")
    [detector] = there.list_detectors()["DetectorIds"]
    [listed] = there.list_publishing_destinations(DetectorId=detector)["Destinations"]
    one = {"DetectorId": detector, "DestinationId": listed["DestinationId"]}
    properties = there.describe_publishing_destination(**one)["DestinationProperties"]
    made = here.create_detector(Enable=True)["DetectorId"]
    with pytest.raises(ClientError, match="does not have permission"):
        here.create_publishing_destination(
            DetectorId=made, DestinationType="S3", DestinationProperties=properties
        )
