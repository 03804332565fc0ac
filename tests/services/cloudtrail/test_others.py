"""Tests of trails of others: those that have our trail's name, and those that also record management events."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.model import Kind
from provisioner.sandbox import Fault

from ...conftest import MEMBER, Bench, assume_account
from .sample import ACCOUNT, ARN, ONLY, PLAIN, SELECTORS, notes, repaired, result, written_by_anyone


def make_trail(bench: Bench, name: str, region: str = "us-east-1", **given: Any) -> Any:
    bucket, cloudtrail = f"acme-{name}-{region}", bench.client("cloudtrail", region)
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=bucket)
    with written_by_anyone(s3, bucket):
        cloudtrail.create_trail(**{"Name": name, "S3BucketName": bucket, "IsMultiRegionTrail": True, **given})
    cloudtrail.start_logging(Name=name)
    return cloudtrail


@pytest.mark.parametrize("every_region", [True, False])
def test_a_trail_with_another_home_region_is_adopted_there(bench: Bench, every_region: bool) -> None:
    text = PLAIN + SELECTORS + "  is_multi_region_trail: true\n  tags: {team: security}\n"
    text += "  insight_selectors: [{insight_type: ApiCallRateInsight}]\n"
    cloudtrail = make_trail(bench, "audit", "eu-west-1", IsMultiRegionTrail=every_region)
    cloudtrail.stop_logging(Name="audit")
    before = len(bench.world.writes)
    repaired(bench, text)
    made = [call for call in bench.world.writes[before:] if call.service == "cloudtrail"]
    names = {"StartLogging", "UpdateTrail", "PutEventSelectors", "PutInsightSelectors", "AddTags"}
    assert {(call.operation, call.region) for call in made} == {(name, "eu-west-1") for name in names}
    [trail] = cloudtrail.describe_trails()["trailList"]
    assert (trail["S3BucketName"], trail["IsMultiRegionTrail"]) == ("acme-logs", True)
    assert "LatestDeliveryError" not in cloudtrail.get_trail_status(Name="audit")
    assert ["is at home in eu-west-1" in text for kind, text in notes(bench, text) if kind is Kind.WARNING]
    assert all(each.ok for each in bench.run(text, only=ONLY).verify())


def test_two_trails_of_the_name_in_other_regions_are_refused(bench: Bench) -> None:
    for region in ("eu-west-1", "us-west-2"):
        make_trail(bench, "audit", region, IsMultiRegionTrail=False)
    found = result(bench)
    assert found.failure
    assert "at home in eu-west-1 and us-west-2" in found.failure.message


def test_a_trail_of_one_region_leaves_that_of_another_alone(bench: Bench) -> None:
    make_trail(bench, "audit", "eu-west-1", IsMultiRegionTrail=False)
    text = PLAIN + "  is_multi_region_trail: false\n"
    assert repaired(bench, text)[-2:] == ["CreateTrail", "StartLogging"]


def test_a_member_is_refused_the_organization_trail(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.apply(PLAIN + "  is_organization_trail: true\n", only=ONLY)
    assume_account(bench, monkeypatch, MEMBER)
    found = result(bench, PLAIN.replace("acme-logs", "acme-member-logs"))
    assert found.failure
    assert f"belongs to the organization's management account {ACCOUNT}" in found.failure.message


def test_a_delegated_administrator_makes_and_repairs_the_organization_trail(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PLAIN + "  is_organization_trail: true\n"
    bench.apply(text, only=("cloudtrail_trusted_access",))
    bench.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=MEMBER)
    assume_account(bench, monkeypatch, MEMBER)
    bench.apply(text, only=ONLY)
    [trail] = bench.client("cloudtrail").describe_trails()["trailList"]
    assert trail["TrailARN"] == ARN, "the management account's"
    bench.client("cloudtrail").stop_logging(Name=ARN)
    assert repaired(bench, text) == ["StartLogging"]


def test_a_delegated_administrators_own_trail_of_that_name_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PLAIN + "  is_organization_trail: true\n"
    bench.apply(text, only=("cloudtrail_trusted_access",))
    bench.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=MEMBER)
    assume_account(bench, monkeypatch, MEMBER)
    make_trail(bench, "audit")
    found = result(bench, text)
    assert found.failure
    assert "is this account's own" in found.failure.message


def test_a_failed_read_fails_the_step(bench: Bench) -> None:
    text = PLAIN + SELECTORS + "  tags: {team: security}\n  insight_selectors: []\n"
    bench.apply(text, only=ONLY)
    denied = {""}
    bench.world.interrupt(
        lambda call, phase: Fault("AccessDeniedException") if call.operation in denied else None
    )
    for operation in (
        "DescribeTrails",
        "GetTrailStatus",
        "GetEventSelectors",
        "GetInsightSelectors",
        "ListTags",
    ):
        denied = {operation}
        plan = bench.diff(text, only=ONLY)
        assert plan.changes == []
        assert {r.failure.code for r in plan.results if r.failure} == {"AccessDeniedException"}


def test_another_trail_that_records_management_events_is_a_warning(bench: Bench) -> None:
    cloudtrail = make_trail(bench, "old", "eu-west-1")
    bench.apply(PLAIN, only=ONLY)
    text = "records management events too: AWS bills every copy but the first"
    assert notes(bench, PLAIN) == [(Kind.WARNING, text)]

    vault = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::vault/"]}
    data_only = [{"IncludeManagementEvents": False, "DataResources": [vault]}]
    cloudtrail.put_event_selectors(TrailName="old", EventSelectors=data_only)
    assert notes(bench, PLAIN) == []

    cloudtrail.put_event_selectors(TrailName="old", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    assert notes(bench, PLAIN) == [(Kind.WARNING, text)]

    cloudtrail.stop_logging(Name="old")
    assert notes(bench, PLAIN) == []


def test_an_unreadable_trail_of_others_is_a_warning(bench: Bench) -> None:
    cloudtrail = make_trail(bench, "old")
    cloudtrail.put_event_selectors(TrailName="old", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    bench.apply(PLAIN, only=ONLY)
    bench.world.interrupt(
        lambda call, phase: Fault("AccessDeniedException") if call.operation == "GetEventSelectors" else None
    )
    [(kind, text)] = notes(bench, PLAIN)
    assert (kind, text.startswith("may record management events too")) == (Kind.WARNING, True)


def test_a_trail_that_records_its_own_deliveries_is_a_warning(bench: Bench) -> None:
    everything = 'data_resources: [{type: "AWS::S3::Object", values: ["arn:aws:s3"]}]'
    text = f"{PLAIN}  event_selectors: [{{{everything}}}]\n"
    for before in ("", PLAIN):  # a new trail, and one that records them from now on
        if before:
            bench.apply(before, only=ONLY)
        [(kind, note)] = notes(bench, text)
        assert (kind, "arn:aws:s3:::acme-logs/" in note) == (Kind.WARNING, True)
    bench.apply(text, only=ONLY)
    assert notes(bench, text) == []  # what goes on is told no more


def test_an_organization_trail_of_one_region_is_a_warning(bench: Bench) -> None:
    file = PLAIN + "  is_organization_trail: true\n  is_multi_region_trail: false\n"
    [(kind, text)] = notes(bench, file)
    assert (kind, "us-east-1 only" in text) == (Kind.WARNING, True)
