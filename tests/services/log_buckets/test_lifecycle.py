"""Tests of the log_buckets step: lifecycle rules that keep logs longer than the file asks for, and those of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.model import Kind

from ...conftest import Bench
from .sample import (
    EXACT,
    FILE,
    FOREIGN_RULE,
    NAME,
    change_rule,
    fields,
    put_rules,
    rules,
    set_up_by_others,
    texts,
)

SHORTEN = "shorten-retention"
ONLY_DELETES = f"""
log_buckets:
  logs:
    name: {NAME}
    lifecycle_rules: [{{id: old, expiration: {{days: 90}}}}]
"""


def test_longer_retention_stays_when_the_rest_of_the_rule_is_repaired(bench: Bench) -> None:
    bench.apply(FILE)
    change_rule(Expiration={"Days": 4000}, Transitions=[])(bench.client("s3"))
    plan = bench.apply(FILE)
    assert "keeps logs longer: 4000 days instead of 2555" in texts(plan, Kind.STRICTER)[0]
    rule = rules(bench)["archive"]
    assert (rule["Expiration"]["Days"], len(rule["Transitions"])) == (4000, 2), "repaired, and still longer"
    [(_, change)] = bench.diff(FILE + EXACT).changes
    assert change.consent == "shorten-retention"


def test_old_versions_that_are_kept_longer_are_stricter(bench: Bench) -> None:
    bench.apply(FILE)
    for expiration, text in (
        ({"NoncurrentDays": 900}, "900 days instead of 365"),
        ({"NoncurrentDays": 365, "NewerNoncurrentVersions": 3}, "the newest 3 for ever instead of 365 days"),
        ({}, "for ever instead of 365 days"),
    ):
        rule = {k: v for k, v in rules(bench)["archive"].items() if k != "NoncurrentVersionExpiration"}
        put_rules(bench, {**rule, **({"NoncurrentVersionExpiration": expiration} if expiration else {})})
        plan = bench.diff(FILE)
        assert fields(plan) == []
        assert f"keeps old versions longer: {text}" in texts(plan, Kind.STRICTER)[0]
        [(_, change)] = bench.diff(FILE + EXACT).changes
        assert change.consent == SHORTEN


@pytest.mark.parametrize(("days", "longer"), [(-30, False), (30, False), (4000, True)])
def test_a_date_is_stricter_only_if_it_keeps_a_log_of_today_longer(
    bench: Bench, days: int, longer: bool
) -> None:
    text = FILE.replace(
        "        transitions: [{days: 30, storage_class: STANDARD_IA}, {days: 90, storage_class: GLACIER}]\n",
        "",
    )
    bench.apply(text)
    date = (datetime.now(UTC) + timedelta(days)).replace(hour=0, minute=0, second=0, microsecond=0)
    change_rule(Expiration={"Date": date})(bench.client("s3"))
    plan = bench.diff(text)
    assert fields(plan) == ([] if longer else ["lifecycle rule archive"])
    assert [c.consent for _, c in plan.changes] == ([] if longer else [None])
    assert len(texts(plan, Kind.STRICTER)) == longer
    assert [c.consent for _, c in bench.diff(text + EXACT).changes] == [SHORTEN if longer else None]


def test_a_later_date_beside_transitions_becomes_no_expiration(bench: Bench) -> None:
    bench.apply(FILE)
    change_rule(Transitions=[], Expiration={"Date": datetime(2199, 1, 1, tzinfo=UTC)})(bench.client("s3"))
    assert "until 2199-01-01 instead of 2555 days" in texts(bench.apply(FILE), Kind.STRICTER)[0]
    assert "Expiration" not in rules(bench)["archive"], "S3 takes no Date beside days"
    assert fields(bench.diff(FILE)) == []


def test_a_bucket_of_others_without_expiration_gets_none(bench: Bench) -> None:
    set_up_by_others(bench)
    plan = bench.apply(FILE)
    assert [t.split(" instead")[0] for t in texts(plan, Kind.STRICTER)] == [
        "lifecycle rule archive keeps logs longer: for ever",
        "lifecycle rule archive keeps old versions longer: for ever",
    ]
    assert not {"Expiration", "NoncurrentVersionExpiration"} & rules(bench)["archive"].keys()
    assert len(rules(bench)["archive"]["Transitions"]) == 2
    assert fields(bench.diff(FILE)) == []


@pytest.mark.parametrize("text", [FILE, ONLY_DELETES], ids=["whole", "only deletes"])
def test_shortening_needs_consent_in_every_run(bench: Bench, text: str) -> None:
    set_up_by_others(bench)
    for _ in range(2):
        run = bench.run(text + EXACT)
        [sent] = run.send(run.rehearse())
        assert sent.ok
        assert [c.consent for c in sent.withheld] == [SHORTEN]
        assert not any("Days" in rule.get("Expiration", {}) for rule in rules(bench).values())
    assert fields(bench.diff(text)) == []
    bench.apply(text + EXACT, allow=(SHORTEN,))
    assert all("Days" in rule["Expiration"] for rule in rules(bench).values())
    assert fields(bench.diff(text + EXACT)) == []


def test_a_rule_of_ours_that_was_deleted_comes_back_without_a_flag(bench: Bench) -> None:
    bench.apply(FILE)
    bench.client("s3").delete_bucket_lifecycle(Bucket=NAME)
    [(_, change)] = bench.apply(FILE + EXACT).changes
    assert change.consent is None
    assert rules(bench)["archive"]["Expiration"] == {"Days": 2555}


SOONER = [
    ({"Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}, "deletes logs after 1 day, and the baseline"),
    ({"Filter": {"Prefix": "AWSLogs/1/"}, "Expiration": {"Days": 90}}, "after 90 days"),
    ({"Prefix": "AWS", "NoncurrentVersionExpiration": {"NoncurrentDays": 2}}, "old versions after 2 days"),
    ({"Filter": {}, "Expiration": {"Date": datetime(2020, 1, 1, tzinfo=UTC)}}, "on 2020-01-01"),
]
NOT_SOONER = [
    {"Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}},
    {"Filter": {"Prefix": ""}, "Expiration": {"Days": 2555}},
    {"Filter": {"Prefix": ""}, "Expiration": {"Days": 1}, "Status": "Disabled"},
    {"Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
]


@pytest.mark.parametrize(("rule", "text"), SOONER)
def test_a_rule_of_others_that_deletes_sooner_is_removed_with_consent_only(
    bench: Bench, rule: Any, text: str
) -> None:
    bench.apply(FILE)
    ours = [] if "Prefix" in rule else [rules(bench)["archive"]]
    put_rules(bench, *ours, {"ID": "x", "Status": "Enabled", **rule})
    plan = bench.diff(FILE)
    [change] = [change for _, change in plan.changes if change.consent]
    assert change.consent == "remove-foreign-lifecycle-rule"
    assert change.loses.startswith("`x` of others deletes")
    assert text in change.loses
    assert texts(plan, Kind.FOREIGN) == []
    bench.apply(FILE, allow=(change.consent,))
    assert rules(bench).keys() == {"archive"}


@pytest.mark.parametrize("rule", NOT_SOONER)
def test_a_rule_of_others_that_deletes_nothing_sooner_is_only_named(bench: Bench, rule: Any) -> None:
    bench.apply(FILE)
    put_rules(bench, rules(bench)["archive"], {"ID": "x", "Status": "Enabled", **rule})
    plan = bench.diff(FILE)
    assert texts(plan, Kind.WARNING) == []
    assert texts(plan, Kind.FOREIGN) == ["lifecycle rules of others are kept: x"]


def test_any_deletion_by_others_is_shown_where_the_file_deletes_nothing(bench: Bench) -> None:
    text = f"log_buckets: {{logs: {{name: {NAME}, lifecycle_rules: []}}}}\n"
    bench.apply(text)
    put_rules(bench, FOREIGN_RULE)
    [(_, change)] = bench.diff(text).changes
    assert "and the baseline keeps them for ever" in change.loses


@pytest.mark.parametrize(
    ("action", "value", "stays"),
    [
        ("Transitions", [{"Days": 30, "StorageClass": "GLACIER"}], True),
        ("Transitions", [{"Days": 90, "StorageClass": "GLACIER"}], False),
        ("NoncurrentVersionTransitions", [{"NoncurrentDays": 30, "StorageClass": "GLACIER"}], True),
        ("AbortIncompleteMultipartUpload", {"DaysAfterInitiation": 3}, True),
        ("NoncurrentVersionExpiration", {"NoncurrentDays": 1}, False),
    ],
)
def test_actions_that_the_file_leaves_out_stay_unless_they_delete(
    bench: Bench, action: str, value: Any, stays: bool
) -> None:
    bench.apply(ONLY_DELETES)
    rule = {**rules(bench)["old"], "Expiration": {"Days": 100}, action: value}
    put_rules(bench, rule)
    plan = bench.apply(ONLY_DELETES + "    exact: true\n", allow=(SHORTEN,))
    assert rules(bench)["old"]["Expiration"] == {"Days": 90}
    assert (action in rules(bench)["old"]) is stays
    told = [text for text in texts(plan, Kind.FOREIGN) if f"stay: {action} of old" in text]
    assert bool(told) is stays
    assert bench.diff(ONLY_DELETES).changes == []
