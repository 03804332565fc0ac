"""Tests of the section `cloudtrail`: what CloudTrail would refuse is refused when the file is read."""

from __future__ import annotations

import pytest

from provisioner.baseline import BaselineError

from ...conftest import Bench
from .sample import ADVANCED, GROUP, PLAIN, ROLE

_DATA = 'include_management_events: false, data_resources: [{type: "AWS::S3::Object", values: [%s]}]'
_BUCKET = '"arn:aws:s3:::a/"'
_MANY = ", ".join(f'"arn:aws:s3:::a/{number}"' for number in range(251))
_LOGS = "cloud_watch_logs_log_group_arn: '%s'\n  cloud_watch_logs_role_arn: %s"
_INSIGHTS = "  insight_selectors: [{insight_type: %s}]"


@pytest.mark.parametrize(
    ("lines", "path", "text"),
    [
        ("name: a--b", "name", "singly"),
        ("name: ab", "name", "3 to 128"),
        ("name: 10.0.0.1", "name", "IP address"),
        ("name: aws-controltower-BaselineCloudTrail", "name", "Control Tower"),
        ("s3_bucket_name: log", "s3_bucket_name", "did you mean 'logs'"),
        ("s3_key_prefix: x/", "s3_key_prefix", "without a '/'"),
        ("s3_key_prefix: x/AWSLogs/y", "s3_key_prefix", "AWSLogs/"),
        ("include_global_service_events: false", "include_global_service_events", "drop this line"),
        (f"cloud_watch_logs_role_arn: {ROLE}", "cloud_watch_logs_role_arn", "cloud_watch_logs_log_group_arn"),
        (f"cloud_watch_logs_log_group_arn: '{GROUP[:-2]}'", "cloud_watch_logs_log_group_arn", "':*'"),
        ("kms_key_id: arn:aws:kms:eu-west-1:123456789012:key/1", "kms_key_id", "us-east-1"),
        ("kms_key_id: arn:aws-cn:kms:us-east-1:123456789012:key/1", "kms_key_id", "`${partition}`"),
        ("kms_key_id: arn:aws:s3:::bucket", "kms_key_id", "want a key"),
        ("kms_key_id: alias/aws/s3", "kms_key_id", "of your own"),
        ("sns_topic_name: arn:aws:sns:eu-west-1:123456789012:audit", "sns_topic_name", "us-east-1"),
        ("sns_topic_name: arn:aws:sqs:us-east-1:123456789012:audit", "sns_topic_name", "topic"),
        ("sns_topic_name: audit.fifo", "sns_topic_name", "FIFO"),
        (
            _LOGS % (GROUP.replace("us-east-1", "eu-west-1"), ROLE),
            "cloud_watch_logs_log_group_arn",
            "us-east-1",
        ),
        (
            _LOGS % (GROUP, "arn:aws:iam::111122223333:role/audit"),
            "cloud_watch_logs_role_arn",
            "same account",
        ),
        (
            _LOGS % (GROUP, ROLE.replace("arn:aws:", "arn:aws-cn:")),
            "cloud_watch_logs_role_arn",
            "`${partition}`",
        ),
        ("event_selectors: []", "event_selectors", "1 to 5"),
        (f"event_selectors: [{', '.join(['{}'] * 6)}]", "event_selectors", "1 to 5"),
        ("event_selectors: [{include_management_events: false}]", "event_selectors[0]", "records nothing"),
        (f"event_selectors: [{{{_DATA % _MANY}}}]", "event_selectors", "got 251"),
        (f"event_selectors: [{{}}]\n{ADVANCED}", "advanced_event_selectors", "keep one"),
        (
            f"event_selectors: [{{{_DATA % _BUCKET}}}]\n{_INSIGHTS % 'ApiErrorRateInsight'}",
            "insight_selectors[0]",
            "management events",
        ),
        (
            f"event_selectors: [{{read_write_type: ReadOnly}}]\n{_INSIGHTS % 'ApiCallRateInsight'}",
            "insight_selectors[0]",
            "management writes",
        ),
        (
            "advanced_event_selectors: [{field_selectors: [{field: eventName, equals: [x]}]}]",
            "advanced_event_selectors[0].field_selectors",
            "eventCategory",
        ),
        (
            "advanced_event_selectors: [{field_selectors: [{field: eventCategory}]}]",
            "advanced_event_selectors[0].field_selectors[0]",
            "want a condition",
        ),
        ("tags: {'aws:x': y}", "tags['aws:x']", "AWS's own"),
    ],
)  # fmt: skip
def test_a_file_that_aws_would_refuse_is_refused(bench: Bench, lines: str, path: str, text: str) -> None:
    file = PLAIN.replace("  name: audit\n", "") if lines.startswith("name:") else PLAIN
    file = file.replace("  s3_bucket_name: logs\n", "") if lines.startswith("s3_bucket") else file
    with pytest.raises(BaselineError) as caught:
        bench.baseline(f"{file}  {lines}\n")
    [problem] = caught.value.problems
    assert problem.path == f"cloudtrail.{path}"
    assert text in problem.message + problem.hint
