"""Tests of the section `alarms`: what the file may say."""

from __future__ import annotations

import pytest

from provisioner.baseline import BaselineError
from provisioner.services.alarms.section import Alarms

from ...conftest import Bench
from .sample import ACCOUNT, ALL, LEAST, SMALL, TRAIL


def names(bench: Bench, text: str) -> list[str]:
    return list(bench.baseline(text)[Alarms].wanted())


def test_one_line_asks_for_all_of_cis(bench: Bench) -> None:
    assert len(names(bench, ALL)) == 17


def test_the_least_file_asks_for_alarms_on_what_stops_recording_and_alarming(bench: Bench) -> None:
    assert names(bench, LEAST) == ["trail_changes", "config_changes", "watchers", "detectors"]


def test_one_alarm_can_be_asked_for_or_not(bench: Bench) -> None:
    more = "metric_alarms: {root_usage: {enabled: true}, config_changes: {enabled: false}}"
    assert names(bench, SMALL.replace("watchers", f"{more}, watchers")) == ["root_usage", "trail_changes"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("trail: other", "the file's own trail is `audit`"),
        ("metric_alarms: {root_usage: {only_our_trail: true}}", "only `trail_changes` is about one trail"),
        ("metric_alarms: {root_usge: {threshold: 2}}", "did you mean .root_usage"),
        ("topic: {kms_master_key_id: alias/aws/sns}", "no alarm can publish"),
        ("log_group: {name: aws/logs}", "AWS's own"),
        ("log_group: {retention_in_days: 10}", "retention_in_days"),
    ],
)
def test_what_is_wrong_is_named(bench: Bench, line: str, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        bench.baseline(f"{TRAIL}alarms: {{{line}}}\n")


def test_without_a_trail_there_is_nothing_to_watch(bench: Bench) -> None:
    with pytest.raises(BaselineError, match="no trail to watch: set `trail`"):
        bench.baseline("regions: [us-east-1]\nalarms: {cis: all}\n")


def test_the_trails_own_section_names_the_log_group(bench: Bench) -> None:
    own = (
        f"cloud_watch_logs_log_group_arn: 'arn:aws:logs:us-east-1:{ACCOUNT}:log-group:theirs:*',"
        f" cloud_watch_logs_role_arn: 'arn:aws:iam::{ACCOUNT}:role/r'"
    )
    text = SMALL.replace("is_multi_region_trail: true", f"is_multi_region_trail: true, {own}")
    with pytest.raises(BaselineError, match="sends its events to `theirs`"):
        bench.baseline(text)
    named = text.replace("watchers:", "log_group: {name: theirs}, watchers:")
    assert names(bench, named) == ["trail_changes", "config_changes"]
