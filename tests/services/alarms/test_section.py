"""Tests of the section `alarms`: what the file may say."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from provisioner.baseline import BaselineError
from provisioner.services.alarms.section import Alarms

from ...conftest import Bench
from .sample import ACCOUNT, ALL, LEAST, SMALL, TRAIL

ELSEWHERE = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


def names(bench: Bench, text: str) -> list[str]:
    return list(bench.baseline(text)[Alarms].chosen_alarms())


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
        (f"log_group: {{kms_key_id: '{ELSEWHERE}'}}", "log_group.kms_key_id: the key is in eu-west-1"),
        (f"topic: {{kms_master_key_id: '{ELSEWHERE}'}}", "topic.kms_master_key_id: the key is in eu-west-1"),
        ("log_group: {retention_in_days: 10}", "retention_in_days"),
        ("metric_namespace: AWS/Logs", "AWS's own"),
        ("trail: a b", "want the name or the ARN of a trail"),
        ("trail: 'arn:aws:s3:::b'", "want the name or the ARN of a trail"),
    ],
)
def test_what_is_wrong_is_named(bench: Bench, line: str, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        bench.baseline(f"{TRAIL}alarms: {{{line}}}\n")


QUEUE, FUNCTION = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
ENDPOINTS = {
    "email": (["a@example.com"], ["nobody", "a@b", "a b@example.com", "@example.com"]),
    "https": (["https://example.com", "https://example.com/a?b=c"], ["http://example.com", "example.com", "https://"]),
    "sms": (["+15550100", "+1 555 0100"], ["abc", "+"]),
    "sqs": ([QUEUE], ["0777", "q", FUNCTION, f"{QUEUE}.fifo", f"{QUEUE}:1"]),
    "lambda": ([FUNCTION, f"{FUNCTION}:live"], ["f", QUEUE, "arn:aws:lambda:us-east-1:1:function:f"]),
}  # fmt: skip


@pytest.mark.parametrize("protocol", ENDPOINTS)
def test_validate_and_the_sandbox_take_the_same_endpoints(bench: Bench, protocol: str) -> None:
    sns = bench.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    for valid, endpoints in zip((True, False), ENDPOINTS[protocol], strict=True):
        for each in endpoints:
            text = f"{TRAIL}alarms: {{topic: {{subscriptions: [{{protocol: {protocol}, endpoint: '{each}'}}]}}}}\n"
            if valid:
                bench.baseline(text)
                sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=each)
                continue
            with pytest.raises(BaselineError, match=f"`{protocol}` wants|want text"):
                bench.baseline(text)
            with pytest.raises(ClientError, match="InvalidParameter"):
                sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=each)


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
