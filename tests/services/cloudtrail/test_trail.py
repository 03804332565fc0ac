"""Tests of the cloudtrail step: a new trail, and drift of its settings, selectors, tags and logging."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore import xform_name

from provisioner.model import Kind
from provisioner.sandbox import Fault, WireCall
from provisioner.services.cloudtrail.delivery import cloudtrail_delivery

from ...conftest import Bench
from .sample import (
    ACCOUNT,
    ARN,
    FULL,
    GROUP,
    ONLY,
    PLAIN,
    ROLE,
    STATED,
    TOPIC,
    changed,
    make_surroundings,
    notes,
    repaired,
    result,
    written_by_anyone,
)


def test_a_new_trail_logs_before_it_uses_what_can_refuse_it(bench: Bench) -> None:
    """Its key, topic and log group are set by a request each, so that none of them keeps AWS from recording."""
    make_surroundings(bench)
    found = result(bench, FULL)
    calls = [
        "create_trail",
        "start_logging",
        "put_event_selectors",
        "put_insight_selectors",
        "update_trail",
        "update_trail",
        "update_trail",
    ]
    assert [c.call.operation for c in found.changes] == calls
    assert [c.action for c in found.changes] == ["create", *["update"] * 6]
    assert [sorted(c.call.params.keys() - {"Name"}) for c in found.changes[4:]] == [
        ["KmsKeyId"],
        ["SnsTopicName"],
        ["CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"],
    ]
    before = len(bench.world.writes)
    bench.apply(FULL, only=ONLY)
    writes = [c for c in bench.world.writes[before:] if c.service == "cloudtrail"]
    assert [xform_name(c.operation) for c in writes] == calls
    assert {c.params.get("Name") or c.params.get("TrailName") for c in writes[1:]} == {ARN}
    assert writes[0].params["TagsList"] == [
        {"Key": "team", "Value": "security"},
        {"Key": "tier", "Value": "1"},
    ]
    assert changed(bench, FULL) == []


def test_a_key_that_is_closed_to_cloudtrail_stops_nothing_else(bench: Bench) -> None:
    """Else whoever takes CloudTrail out of the key's policy could delete the trail for good."""
    make_surroundings(bench)
    bench.world.interrupt(
        lambda call, phase: (
            Fault("InsufficientEncryptionPolicyException") if "KmsKeyId" in call.params else None
        )
    )
    run = bench.run(FULL, only=ONLY)
    [done] = [each for each in run.send(run.rehearse()) if each.failures]
    assert [each.code for each in done.failures] == ["InsufficientEncryptionPolicyException"]
    assert changed(bench, FULL) == ["KmsKeyId"]
    assert bench.client("cloudtrail").get_trail_status(Name=ARN)["IsLogging"]


def test_a_new_trail_with_the_default_selectors_needs_two_calls(bench: Bench) -> None:
    text = PLAIN + "  event_selectors: [{read_write_type: ReadOnly}, {read_write_type: WriteOnly}]\n"
    assert [c.call.operation for c in result(bench, text).changes] == ["create_trail", "start_logging"]
    bench.apply(text, only=ONLY)
    assert changed(bench, text) == []


def test_a_new_trail_records_no_more_than_the_file_asks_for(bench: Bench) -> None:
    text = PLAIN + "  event_selectors: [{read_write_type: WriteOnly}]\n"
    change = result(bench, text).changes[-1]
    assert (change.call.operation, change.consent) == ("put_event_selectors", None)
    bench.apply(text, only=ONLY)
    assert (changed(bench, text), notes(bench, text)) == ([], [])


CONSISTENCY_ERRORS = {
    "InsufficientS3BucketPolicyException": "Incorrect S3 bucket policy is detected for bucket: acme-logs",
    "S3BucketDoesNotExistException": "S3 bucket acme-logs does not exist!",
    "InvalidCloudWatchLogsRoleArnException": "Access denied. Check the trust relationships.",
    "InvalidCloudWatchLogsLogGroupArnException": "Access denied. Check the permissions.",
    "CloudTrailAccessNotEnabledException": "Trusted access is off.",
    "InsufficientEncryptionPolicyException": "Insufficient permissions",
    "ConflictException": "The trail is not ready.",
}


def test_eventual_consistency_is_waited_for(bench: Bench) -> None:
    left: list[tuple[str, str]] = []
    cloudtrail = bench.client("cloudtrail")

    def fault(call: WireCall, phase: str) -> Fault | None:
        if call.operation in {"CreateTrail", "UpdateTrail"} and phase == "before" and left:
            return Fault(left[0][0], 400, left.pop()[1])
        return None

    bench.apply(PLAIN, only=ONLY)
    bench.world.interrupt(fault)  # type: ignore[arg-type]
    for each in CONSISTENCY_ERRORS.items():
        for tamper in (
            lambda: cloudtrail.delete_trail(Name=ARN),
            lambda: cloudtrail.update_trail(Name=ARN, EnableLogFileValidation=False),
        ):
            tamper()
            bench.waits.clear()
            left[:] = [each] * 3
            bench.apply(STATED, only=ONLY)
            waits = [wait for wait in bench.waits if not wait.until.startswith("AWS's rate")]
            assert (each[0], len(waits)) == (each[0], 3)


def test_the_bucket_policy_allows_an_organization_trail(bench: Bench) -> None:
    bench.apply(PLAIN + "  s3_key_prefix: trails\n  is_organization_trail: true\n", only=ONLY)
    have = json.loads(bench.client("s3").get_bucket_policy(Bucket="acme-logs")["Policy"])["Statement"]
    for want in cloudtrail_delivery("arn:aws:s3:::acme-logs", "trails", ARN, ACCOUNT, "o-sandbox12345"):
        assert any(all(s.get(k) == v for k, v in want.items() if k != "Sid") for s in have), want["Sid"]


# --- drift ---


def update(**given: Any) -> Callable[[Any], Any]:
    return lambda cloudtrail: cloudtrail.update_trail(Name=ARN, **given)


OTHER_GROUP, OTHER_ROLE = GROUP.replace("audit", "other"), ROLE.replace("audit", "other")
# A change by hand, the fields that differ then, and the one call that repairs them.
DRIFT: list[tuple[Callable[[Any], Any], list[str], str]] = [
    (update(KmsKeyId="alias/other"), ["KmsKeyId"], "UpdateTrail"),
    (update(KmsKeyId=""), ["KmsKeyId"], "UpdateTrail"),
    (update(SnsTopicName="other"), ["SnsTopicName"], "UpdateTrail"),
    (
        update(CloudWatchLogsLogGroupArn=OTHER_GROUP, CloudWatchLogsRoleArn=ROLE),
        ["CloudWatchLogsLogGroupArn"],
        "UpdateTrail",
    ),
    (
        update(CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=OTHER_ROLE),
        ["CloudWatchLogsRoleArn"],
        "UpdateTrail",
    ),
    (
        lambda cloudtrail: cloudtrail.put_event_selectors(
            TrailName=ARN, EventSelectors=[{"ReadWriteType": "WriteOnly"}]
        ),
        ["EventSelectors"],
        "PutEventSelectors",
    ),
    (
        lambda cloudtrail: cloudtrail.put_insight_selectors(TrailName=ARN, InsightSelectors=[]),
        ["InsightSelectors"],
        "PutInsightSelectors",
    ),
    (
        lambda cloudtrail: cloudtrail.add_tags(ResourceId=ARN, TagsList=[{"Key": "team", "Value": "sales"}]),
        ["tag team"],
        "AddTags",
    ),
    (lambda cloudtrail: cloudtrail.stop_logging(Name=ARN), ["logging"], "StartLogging"),
]


def test_drift_is_repaired_by_one_call(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(FULL, only=ONLY)
    for tamper, fields, call in DRIFT:
        tamper(bench.client("cloudtrail"))
        assert changed(bench, FULL) == fields
        assert (fields, repaired(bench, FULL)) == (fields, [call])


def test_an_update_names_only_what_differs_and_the_log_group_pair_together(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(FULL, only=ONLY)
    cloudtrail = bench.client("cloudtrail")
    cloudtrail.update_trail(Name=ARN, CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=OTHER_ROLE)
    cloudtrail.update_trail(Name=ARN, EnableLogFileValidation=False)
    assert [change.call.params for change in result(bench, FULL).changes] == [
        {"Name": ARN, "EnableLogFileValidation": True},
        {"Name": ARN, "CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": ROLE},
    ]


def test_a_deleted_trail_is_made_again(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    bench.client("cloudtrail").delete_trail(Name=ARN)
    assert repaired(bench, PLAIN) == ["CreateTrail", "StartLogging"]


def test_settings_that_the_file_leaves_out_are_neither_read_nor_changed(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(PLAIN, only=ONLY)
    cloudtrail = bench.client("cloudtrail")
    cloudtrail.update_trail(
        Name=ARN, SnsTopicName="audit", CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=ROLE
    )
    cloudtrail.put_event_selectors(TrailName=ARN, EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    before = len(bench.world.calls)
    assert (changed(bench, PLAIN), notes(bench, PLAIN)) == ([], [])
    asked = {call.operation for call in bench.world.calls[before:] if call.service == "cloudtrail"}
    assert asked == {"DescribeTrails", "GetTrailStatus"}


def test_a_prefix_that_the_file_leaves_out_stays_and_may_be_delivered_to(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    with written_by_anyone(bench.client("s3"), "acme-logs"):
        bench.client("cloudtrail").update_trail(Name=ARN, S3KeyPrefix="moved")
    assert result(bench, PLAIN).changes == []
    bench.apply(PLAIN, only=ONLY)
    assert "LatestDeliveryError" not in bench.client("cloudtrail").get_trail_status(Name=ARN)
    [change] = result(bench, PLAIN + "  s3_key_prefix: ''\n").changes
    assert change.call.params == {"Name": ARN, "S3KeyPrefix": ""}


def test_a_change_of_bucket_warns_of_the_old_logs(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    found = result(bench, PLAIN.replace("acme-logs", "acme-new-logs"))
    [change] = found.changes
    [difference] = change.differences
    assert (difference.have, difference.want) == ("acme-logs", "acme-new-logs")
    assert change.consent is None
    assert any("`acme-logs`" in note.text for note in found.notes)


def test_the_bucket_may_be_named_by_its_key_or_its_name(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    assert changed(bench, PLAIN.replace("s3_bucket_name: logs", "s3_bucket_name: acme-logs")) == []


def test_a_key_may_be_given_by_id_alias_or_arn(bench: Bench) -> None:
    make_surroundings(bench)
    key = bench.client("kms").describe_key(KeyId="alias/audit")["KeyMetadata"]
    bench.apply(PLAIN + "  kms_key_id: alias/audit\n", only=ONLY)
    for given in (key["KeyId"], key["Arn"], f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/audit"):
        assert changed(bench, f"{PLAIN}  kms_key_id: {given}\n") == []


def test_a_missing_key_is_refused(bench: Bench) -> None:
    found = result(bench, PLAIN + "  kms_key_id: alias/nope\n")
    assert found.failure
    assert found.failure.message.startswith("the key `alias/nope` does not exist in us-east-1")


def test_a_topic_may_be_given_by_name_or_arn(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(PLAIN + "  sns_topic_name: audit\n", only=ONLY)
    assert changed(bench, f"{PLAIN}  sns_topic_name: {TOPIC}\n") == []


def test_tags_of_others_are_kept_and_reported(bench: Bench) -> None:
    text = PLAIN + "  tags: {team: security}\n"
    bench.apply(text, only=ONLY)
    cloudtrail = bench.client("cloudtrail")
    cloudtrail.add_tags(
        ResourceId=ARN, TagsList=[{"Key": "bill", "Value": "42"}, {"Key": "team", "Value": "x"}]
    )
    assert repaired(bench, text) == ["AddTags"]
    assert notes(bench, text) == [(Kind.FOREIGN, "tags of others are kept: bill")]
    [listed] = cloudtrail.list_tags(ResourceIdList=[ARN])["ResourceTagList"]
    assert {tag["Key"]: tag["Value"] for tag in listed["TagsList"]} == {"bill": "42", "team": "security"}
