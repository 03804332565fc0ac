"""Tests of the cloudtrail step: settings and selectors that are stricter in AWS than in the file."""

from __future__ import annotations

import pytest
from moto.cloudtrail.models import cloudtrail_backends

from provisioner.model import Kind
from provisioner.services.cloudtrail.selectors import compare

from ...conftest import MEMBER, Bench
from .sample import (
    ACCOUNT,
    ADVANCED,
    ARN,
    ONLY,
    PLAIN,
    SELECTORS,
    changed,
    make_surroundings,
    notes,
    repaired,
    result,
    unallowed_writes,
)


@pytest.mark.parametrize(
    ("line", "made", "field", "exactly", "loses"),
    [
        (
            "is_organization_trail: false",
            "is_organization_trail: true",
            "IsOrganizationTrail",
            False,
            "the other accounts of the organization are no longer recorded",
        ),
        (
            "is_multi_region_trail: false",
            "is_multi_region_trail: true",
            "IsMultiRegionTrail",
            False,
            "the other Regions are no longer recorded",
        ),
        (
            "enable_log_file_validation: false",
            "enable_log_file_validation: true",
            "EnableLogFileValidation",
            False,
            "that a log file was changed can no longer be proved",
        ),
        (
            "",
            "kms_key_id: alias/audit",
            "KmsKeyId",
            "",
            "log files are no longer encrypted with a key of your own",
        ),
    ],
)
def test_a_stricter_setting_stays_unless_exact_and_allowed(
    bench: Bench, line: str, made: str, field: str, exactly: object, loses: str
) -> None:
    make_surroundings(bench)
    bench.apply(f"{PLAIN}  {made}\n", only=ONLY)
    text = f"{PLAIN}  {line}\n"
    assert changed(bench, text) == []
    assert repaired(bench, text) == [], "the bucket's policy stays what the trail needs"
    [(kind, said)] = [(n.kind, n.text) for n in result(bench, text).notes if n.kind is Kind.STRICTER]
    assert (kind, said.split()[0]) == (Kind.STRICTER, field)
    exact = text + "  exact: true\n"
    [change] = result(bench, exact).changes
    assert change.call.params == {"Name": ARN, field: exactly}
    assert (change.consent, change.loses) == ("weaken-trail", loses)
    assert unallowed_writes(bench, exact) == [], "nothing is done without the flag"
    assert "UpdateTrail" in repaired(bench, exact, "weaken-trail")


def test_a_change_that_is_not_allowed_does_not_stop_the_repair(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(PLAIN + "  kms_key_id: alias/audit\n", only=ONLY)
    bench.client("cloudtrail").update_trail(Name=ARN, IsMultiRegionTrail=False)
    exact = PLAIN + "  is_multi_region_trail: true\n  enable_log_file_validation: false\n  exact: true\n"
    repair, loosening = result(bench, exact).changes
    assert (repair.call.params, repair.consent) == ({"Name": ARN, "IsMultiRegionTrail": True}, None)
    assert loosening.call.params == {"Name": ARN, "EnableLogFileValidation": False, "KmsKeyId": ""}
    assert unallowed_writes(bench, exact) == ["UpdateTrail"]
    assert [c.consent for c in result(bench, exact).changes] == ["weaken-trail"]
    assert repaired(bench, exact, "weaken-trail") == ["UpdateTrail"]


@pytest.mark.parametrize("owner", [ACCOUNT, MEMBER, "999988887777"])
def test_a_key_that_the_file_leaves_out_is_stricter_whoever_owns_it(bench: Bench, owner: str) -> None:
    make_surroundings(bench)
    bench.apply(PLAIN + "  kms_key_id: alias/audit\n", only=ONLY)
    trail = cloudtrail_backends[ACCOUNT]["us-east-1"].trails["audit"]
    trail.kms_key_id = f"arn:aws:kms:us-east-1:{owner}:key/1"
    assert changed(bench, PLAIN) == []
    unknown = [Kind.WARNING] if owner != ACCOUNT else []  # its owner could lock the logs away
    assert [kind for kind, _ in notes(bench, PLAIN)] == [Kind.STRICTER, *unknown]
    [change] = result(bench, PLAIN + "  exact: true\n").changes
    assert (change.consent, change.call.params) == ("weaken-trail", {"Name": ARN, "KmsKeyId": ""})


def test_more_recorded_events_stay_unless_exact_and_allowed(bench: Bench) -> None:
    text = PLAIN + "  event_selectors: [{read_write_type: All}]\n"
    bench.apply(text, only=ONLY)
    vault = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::vault/"]}
    more = [{"ReadWriteType": "All", "DataResources": [vault]}]
    bench.client("cloudtrail").put_event_selectors(TrailName=ARN, EventSelectors=more)
    assert changed(bench, text) == []
    assert notes(bench, text) == [
        (
            Kind.STRICTER,
            "also records AWS::S3::Object of arn:aws:s3:::vault/, which the baseline does not ask for",
        )
    ]
    [change] = result(bench, text + "  exact: true\n").changes
    assert (change.call.operation, change.consent) == ("put_event_selectors", "drop-recorded-events")
    assert change.loses == "no longer recorded: AWS::S3::Object of arn:aws:s3:::vault/"
    assert unallowed_writes(bench, text + "  exact: true\n") == []
    assert repaired(bench, text + "  exact: true\n", "drop-recorded-events") == ["PutEventSelectors"]


def test_a_repair_keeps_other_recorded_events_without_consent(bench: Bench) -> None:
    text = PLAIN + "  event_selectors: [{read_write_type: All}]\n"
    bench.apply(text, only=ONLY)
    vault = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::vault/"]}
    other = [{"ReadWriteType": "WriteOnly", "DataResources": [vault]}]
    cloudtrail = bench.client("cloudtrail")
    cloudtrail.put_event_selectors(TrailName=ARN, EventSelectors=other)
    [change] = result(bench, text).changes
    assert change.consent is None
    assert repaired(bench, text) == ["PutEventSelectors"]
    have = cloudtrail.get_event_selectors(TrailName=ARN)
    assert not compare(have, {"EventSelectors": [*other, {"ReadWriteType": "All"}]}).missing
    more = "also records AWS::S3::Object of arn:aws:s3:::vault/ (write), which the baseline does not ask for"
    assert notes(bench, text) == [(Kind.STRICTER, more)]

    cloudtrail.put_event_selectors(TrailName=ARN, EventSelectors=other)
    exact = text + "  exact: true\n"
    assert [c.consent for c in result(bench, exact).changes] == [None, "drop-recorded-events"]
    assert unallowed_writes(bench, exact) == ["PutEventSelectors"], "the repair"
    assert changed(bench, text) == []
    assert repaired(bench, exact, "drop-recorded-events") == ["PutEventSelectors"]
    assert notes(bench, text) == []


@pytest.mark.parametrize("exact", ["", "  exact: true\n"])
def test_selectors_without_room_do_not_stop_the_repair(bench: Bench, exact: str) -> None:
    text = (
        PLAIN
        + '  event_selectors: [{data_resources: [{type: "AWS::S3::Object", values: ["arn:aws:s3:::own/"]}]}]\n'
    )
    bench.apply(text, only=ONLY)
    junk = {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::junk-{n}/" for n in range(250)]}
    other = [{"ReadWriteType": "ReadOnly", "DataResources": [junk]}]
    bench.client("cloudtrail").put_event_selectors(TrailName=ARN, EventSelectors=other)
    [change] = result(bench, text + exact).changes
    assert change.consent is None
    [(kind, said)] = notes(bench, text + exact)
    assert kind is Kind.WARNING
    assert said.startswith(
        "no longer recorded, as AWS has no room for it too: AWS::S3::Object of arn:aws:s3:::junk-0/"
    )
    assert said.endswith(", 240 more")
    assert repaired(bench, text + exact) == ["PutEventSelectors"]
    assert notes(bench, text + exact) == []


def test_basic_selectors_of_the_file_are_added_to_advanced_ones(bench: Bench) -> None:
    bench.apply(PLAIN + ADVANCED, only=ONLY)
    text = PLAIN + SELECTORS
    [change] = result(bench, text).changes
    assert (change.consent, [d.field for d in change.differences]) == (None, ["AdvancedEventSelectors"])
    assert repaired(bench, text) == ["PutEventSelectors"]
    assert changed(bench, PLAIN + ADVANCED) == []
    exact = text + "  exact: true\n"
    assert repaired(bench, exact, "drop-recorded-events") == ["PutEventSelectors"]
    assert "EventSelectors" in bench.client("cloudtrail").get_event_selectors(TrailName=ARN)


def test_a_repair_of_insights_keeps_the_others(bench: Bench) -> None:
    text = PLAIN + "  insight_selectors: [{insight_type: ApiCallRateInsight}]\n"
    bench.apply(text, only=ONLY)
    other = [{"InsightType": "ApiErrorRateInsight"}]
    bench.client("cloudtrail").put_insight_selectors(TrailName=ARN, InsightSelectors=other)
    [change] = result(bench, text).changes
    assert change.consent is None
    assert [each["InsightType"] for each in change.call.params["InsightSelectors"]] == [
        "ApiCallRateInsight",
        "ApiErrorRateInsight",
    ]
    assert repaired(bench, text) == ["PutInsightSelectors"]


def test_more_insights_are_stricter(bench: Bench) -> None:
    text = PLAIN + "  insight_selectors: [{insight_type: ApiCallRateInsight}]\n"
    bench.apply(text, only=ONLY)
    both = [{"InsightType": kind} for kind in ("ApiErrorRateInsight", "ApiCallRateInsight")]
    bench.client("cloudtrail").put_insight_selectors(TrailName=ARN, InsightSelectors=both)
    assert changed(bench, text) == []
    [(kind, said)] = notes(bench, text)
    assert (kind, "ApiErrorRateInsight" in said) == (Kind.STRICTER, True)


def test_a_category_of_insights_is_removed_if_exact(bench: Bench) -> None:
    text = PLAIN + "  exact: true\n  insight_selectors: [{insight_type: ApiCallRateInsight}]\n"
    bench.apply(text, only=ONLY)
    vault = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::vault/"]}
    bench.client("cloudtrail").put_event_selectors(TrailName=ARN, EventSelectors=[{"DataResources": [vault]}])
    both = [{"InsightType": "ApiCallRateInsight", "EventCategories": ["Data", "Management"]}]
    bench.client("cloudtrail").put_insight_selectors(TrailName=ARN, InsightSelectors=both)
    [change] = result(bench, text).changes
    assert change.call.params["InsightSelectors"][0]["EventCategories"] == ["Management"]
    assert change.consent == "drop-recorded-events"
    assert repaired(bench, text, "drop-recorded-events") == ["PutInsightSelectors"]


def test_advanced_selectors_replace_basic_ones_and_converge(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    [change] = result(bench, PLAIN + ADVANCED).changes
    assert change.consent is None
    assert [(d.field, d.want is None) for d in change.differences] == [
        ("EventSelectors", True),
        ("AdvancedEventSelectors", False),
    ]
    assert repaired(bench, PLAIN + ADVANCED) == ["PutEventSelectors"]
    more = "management events of kms.amazonaws.com, management events of rdsdata.amazonaws.com"
    assert [text for kind, text in notes(bench, PLAIN + ADVANCED) if kind is Kind.STRICTER] == [
        f"also records {more}, which the baseline does not ask for"
    ], "the trail recorded them before"
    exact = PLAIN + ADVANCED + "  exact: true\n"
    assert repaired(bench, exact, "drop-recorded-events") == ["PutEventSelectors"]
