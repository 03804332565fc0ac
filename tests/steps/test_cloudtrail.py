"""The trail: each way it drifts, what stands in its way, and what is reported and left alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.delivery import CLOUDTRAIL, cloudtrail_delivery, kms_log_key, sns_topic
from provisioner.model import Finding, Kind, Result
from provisioner.policy import document
from provisioner.proof import Arrivals, arriving, moment
from provisioner.sandbox import Fault, WireCall
from provisioner.steps.cloudtrail_proof import verify_cloudtrail

from ..conftest import Bench
from .test_trusted_access import MEMBER, become

ACCOUNT = "123456789012"
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:audit:*"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/audit"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:audit"
ONLY = ("cloudtrail",)
PLAIN = """
log_buckets: {logs: {name: acme-logs}}
cloudtrail:
  name: audit
  s3_bucket_name: logs
"""
SELECTORS = """
  event_selectors:
    - read_write_type: WriteOnly
    - read_write_type: ReadOnly
      include_management_events: false
      data_resources:
        - {type: "AWS::S3::Object", values: ["arn:aws:s3:::vault/", "arn:aws:s3:::safe/"]}
"""
ADVANCED = """
  advanced_event_selectors:
    - name: who changed what
      field_selectors:
        - {field: eventCategory, equals: [Management]}
        - {field: eventSource, not_equals: [kms.amazonaws.com, rdsdata.amazonaws.com]}
    - name: reads of the vault
      field_selectors:
        - {field: eventCategory, equals: [Data]}
        - {field: resources.type, equals: ["AWS::S3::Object"]}
        - {field: resources.ARN, starts_with: ["arn:aws:s3:::vault/"]}
        - {field: readOnly, equals: ["true"]}
"""
FULL = (
    PLAIN
    + f"""
  s3_key_prefix: trails
  is_organization_trail: true
  kms_key_id: alias/audit
  sns_topic_name: audit
  cloud_watch_logs_log_group_arn: "{GROUP}"
  cloud_watch_logs_role_arn: {ROLE}
  insight_selectors: [{{insight_type: ApiCallRateInsight}}]
  tags: {{team: security, tier: "1"}}
"""
    + SELECTORS
)


def make_surroundings(bench: Bench) -> None:
    """What the file above names, and other steps or people make."""
    kms, iam = bench.client("kms"), bench.client("iam")
    statements = kms_log_key("aws", ACCOUNT, trail_arn=ARN)
    for alias in ("alias/audit", "alias/other"):
        key = kms.create_key(Policy=json.dumps(document(statements)))["KeyMetadata"]
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    for name in ("audit", "other"):
        topic = f"{TOPIC.removesuffix('audit')}{name}"
        policy = json.dumps(document(sns_topic(topic, trail_arn=ARN)))
        bench.client("sns").create_topic(Name=name, Attributes={"Policy": policy})
        bench.client("logs").create_log_group(logGroupName=name)
        allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        trust = {"Effect": "Allow", "Principal": {"Service": CLOUDTRAIL}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document([trust])))
        iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=json.dumps(document([allow])))


@contextmanager
def written_by_anyone(bench: Bench, bucket: str) -> Iterator[None]:
    """The bucket's policy lets CloudTrail write anywhere; then it is as it was."""
    s3 = bench.client("s3")
    allow = {"Effect": "Allow", "Principal": {"Service": CLOUDTRAIL}, "Action": "s3:*"}
    everywhere = {**allow, "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}
    try:
        was = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    except s3.exceptions.from_code("NoSuchBucketPolicy"):
        was = None
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document([everywhere])))
    yield
    if was is not None:
        s3.put_bucket_policy(Bucket=bucket, Policy=was)


def result(bench: Bench, text: str = PLAIN) -> Result:
    return next(r for r in bench.diff(text, only=ONLY).results if r.step == "cloudtrail")


def changed(bench: Bench, text: str) -> list[str]:
    found = result(bench, text)
    assert found.ok, found.failure or found.blocked_by
    return [d.field for c in found.changes for d in c.differences]


def notes(bench: Bench, text: str) -> list[tuple[Kind, str]]:
    return [(note.kind, note.text) for note in result(bench, text).notes]


def repaired(bench: Bench, text: str) -> list[str]:
    """The names of the writes with which an apply brings the trail back; afterwards nothing differs."""
    before = len(bench.world.writes)
    bench.apply(text, only=ONLY)
    made = [call.operation for call in bench.world.writes[before:]]
    assert changed(bench, text) == []
    return made


# --- a new trail ---


def test_a_new_trail_is_made_in_one_call_and_started(bench: Bench) -> None:
    make_surroundings(bench)
    found = result(bench, FULL)
    assert [c.call.operation for c in found.changes] == [
        "create_trail",
        "start_logging",
        "put_event_selectors",
        "put_insight_selectors",
    ]
    assert [c.action for c in found.changes] == ["create", "update", "update", "update"]
    assert {c.call.params.get("Name") or c.call.params.get("TrailName") for c in found.changes[1:]} == {ARN}
    before = len(bench.world.writes)
    bench.apply(FULL, only=ONLY)
    writes = [c for c in bench.world.writes[before:] if c.service == "cloudtrail"]
    assert [c.operation for c in writes] == [
        "CreateTrail",
        "StartLogging",
        "PutEventSelectors",
        "PutInsightSelectors",
    ]
    assert writes[0].params["TagsList"] == [
        {"Key": "team", "Value": "security"},
        {"Key": "tier", "Value": "1"},
    ]
    assert changed(bench, FULL) == []


def test_a_new_trail_with_the_selectors_that_it_is_born_with_needs_two_calls(bench: Bench) -> None:
    text = PLAIN + "  event_selectors: [{read_write_type: ReadOnly}, {read_write_type: WriteOnly}]\n"
    assert [c.call.operation for c in result(bench, text).changes] == ["create_trail", "start_logging"]
    bench.apply(text, only=ONLY)
    assert changed(bench, text) == []


def test_a_new_trail_records_no_more_than_the_file_says(bench: Bench) -> None:
    text = PLAIN + "  event_selectors: [{read_write_type: WriteOnly}]\n"
    change = result(bench, text).changes[-1]
    assert (change.call.operation, change.consent) == ("put_event_selectors", None)
    bench.apply(text, only=ONLY)
    assert (changed(bench, text), notes(bench, text)) == ([], [])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: acme-logs"),
        ("S3BucketDoesNotExistException", "S3 bucket acme-logs does not exist!"),
        ("InvalidCloudWatchLogsRoleArnException", "Access denied. Check the trust relationships."),
        ("CloudTrailAccessNotEnabledException", "off"),
        ("InsufficientEncryptionPolicyException", "no"),
        ("ConflictException", "busy"),
    ],
)
@pytest.mark.parametrize("operation", ["CreateTrail", "UpdateTrail"])
def test_what_aws_has_not_seen_everywhere_is_waited_for(
    bench: Bench, code: str, message: str, operation: str
) -> None:
    if operation == "UpdateTrail":
        bench.apply(PLAIN, only=ONLY)
        bench.client("cloudtrail").update_trail(Name="audit", EnableLogFileValidation=False)
    left = [3]

    def not_yet(call: WireCall, phase: str) -> Fault | None:
        if call.operation == operation and phase == "before" and left[0]:
            left[0] -= 1
            return Fault(code, 400, message)
        return None

    bench.world.interrupt(not_yet)  # type: ignore[arg-type]
    bench.apply(PLAIN, only=ONLY)
    assert len([w for w in bench.waits if w.operation == operation.replace("T", "_t").lower()]) == 3
    assert bench.clock.time < 60


# --- drift ---

DRIFT: list[tuple[str, Callable[[Any], Any], list[str], list[str]]] = [
    ("bucket", lambda ct: ct.update_trail(Name=ARN, S3BucketName="acme-elsewhere"), ["S3BucketName"], ["UpdateTrail"]),
    ("prefix", lambda ct: ct.update_trail(Name=ARN, S3KeyPrefix="moved"), ["S3KeyPrefix"], ["UpdateTrail"]),
    ("organization", lambda ct: ct.update_trail(Name=ARN, IsOrganizationTrail=False), ["IsOrganizationTrail"], ["UpdateTrail"]),
    ("one Region", lambda ct: ct.update_trail(Name=ARN, IsMultiRegionTrail=False), ["IsMultiRegionTrail"], ["UpdateTrail"]),
    (
        "no global services",
        lambda ct: ct.update_trail(Name=ARN, IsMultiRegionTrail=False, IncludeGlobalServiceEvents=False),
        ["IsMultiRegionTrail", "IncludeGlobalServiceEvents"],
        ["UpdateTrail"],
    ),
    ("validation", lambda ct: ct.update_trail(Name=ARN, EnableLogFileValidation=False), ["EnableLogFileValidation"], ["UpdateTrail"]),
    ("another key", lambda ct: ct.update_trail(Name=ARN, KmsKeyId="alias/other"), ["KmsKeyId"], ["UpdateTrail"]),
    ("no key", lambda ct: ct.update_trail(Name=ARN, KmsKeyId=""), ["KmsKeyId"], ["UpdateTrail"]),
    ("topic", lambda ct: ct.update_trail(Name=ARN, SnsTopicName="other"), ["SnsTopicName"], ["UpdateTrail"]),
    (
        "log group",
        lambda ct: ct.update_trail(
            Name=ARN, CloudWatchLogsLogGroupArn=GROUP.replace("audit", "other"), CloudWatchLogsRoleArn=ROLE
        ),
        ["CloudWatchLogsLogGroupArn"],
        ["UpdateTrail"],
    ),
    (
        "role",
        lambda ct: ct.update_trail(
            Name=ARN, CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=ROLE.replace("audit", "other")
        ),
        ["CloudWatchLogsRoleArn"],
        ["UpdateTrail"],
    ),
    (
        "fewer events",
        lambda ct: ct.put_event_selectors(TrailName=ARN, EventSelectors=[{"ReadWriteType": "WriteOnly"}]),
        ["EventSelectors"],
        ["PutEventSelectors"],
    ),
    (
        "no insights",
        lambda ct: ct.put_insight_selectors(TrailName=ARN, InsightSelectors=[]),
        ["InsightSelectors"],
        ["PutInsightSelectors"],
    ),
    (
        "a tag",
        lambda ct: ct.add_tags(ResourceId=ARN, TagsList=[{"Key": "team", "Value": "sales"}]),
        ["tags.team"],
        ["AddTags"],
    ),
    (
        "no tag",
        lambda ct: ct.remove_tags(ResourceId=ARN, TagsList=[{"Key": "tier"}]),
        ["tags.tier"],
        ["AddTags"],
    ),
    ("stopped", lambda ct: ct.stop_logging(Name=ARN), ["logging"], ["StartLogging"]),
]  # fmt: skip


@pytest.mark.parametrize(("tamper", "fields", "calls"), [d[1:] for d in DRIFT], ids=[d[0] for d in DRIFT])
def test_each_drift_is_seen_alone_and_repaired_alone(
    bench: Bench, tamper: Callable[[Any], Any], fields: list[str], calls: list[str]
) -> None:
    make_surroundings(bench)
    bench.client("s3").create_bucket(Bucket="acme-elsewhere")
    bench.apply(FULL, only=ONLY)
    with written_by_anyone(bench, "acme-elsewhere"), written_by_anyone(bench, "acme-logs"):
        tamper(bench.client("cloudtrail"))
    assert changed(bench, FULL) == fields
    assert repaired(bench, FULL) == calls


def test_an_update_names_only_what_differs_and_the_log_group_pair_together(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(FULL, only=ONLY)
    cloudtrail = bench.client("cloudtrail")
    cloudtrail.update_trail(
        Name=ARN, CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=ROLE.replace("audit", "other")
    )
    cloudtrail.update_trail(Name=ARN, EnableLogFileValidation=False)
    [change] = result(bench, FULL).changes
    assert change.call.params == {
        "Name": ARN,
        "EnableLogFileValidation": True,
        "CloudWatchLogsLogGroupArn": GROUP,
        "CloudWatchLogsRoleArn": ROLE,
    }


def test_a_deleted_trail_is_made_again(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    bench.client("cloudtrail").delete_trail(Name=ARN)
    assert repaired(bench, PLAIN) == ["CreateTrail", "StartLogging"]


def test_what_the_file_does_not_ask_for_is_neither_read_nor_changed(bench: Bench) -> None:
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


def test_a_prefix_that_the_file_does_not_have_is_drift(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    with written_by_anyone(bench, "acme-logs"):
        bench.client("cloudtrail").update_trail(Name=ARN, S3KeyPrefix="moved")
    [change] = result(bench, PLAIN).changes
    assert change.call.params == {"Name": ARN, "S3KeyPrefix": ""}


def test_moving_the_logs_needs_consent_and_says_what_is_lost(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    [change] = result(bench, PLAIN.replace("acme-logs", "acme-new-logs")).changes
    [difference] = change.differences
    assert (difference.have, difference.want) == ("acme-logs", "acme-new-logs")
    assert change.consent == "replace-trail-bucket"
    assert "`acme-logs`" in change.loses


def test_the_bucket_may_be_named_by_its_key_or_its_name(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    assert changed(bench, PLAIN.replace("s3_bucket_name: logs", "s3_bucket_name: acme-logs")) == []


@pytest.mark.parametrize("given", ["alias/audit", "id", "arn", "alias arn"])
def test_a_key_is_the_same_by_any_of_its_names(bench: Bench, given: str) -> None:
    make_surroundings(bench)
    alias = next(a for a in bench.client("kms").list_aliases()["Aliases"] if a["AliasName"] == "alias/audit")
    key = bench.client("kms").describe_key(KeyId="alias/audit")["KeyMetadata"]
    names = {"id": key["KeyId"], "arn": key["Arn"], "alias arn": alias["AliasArn"]}
    text = PLAIN + "  kms_key_id: "
    bench.apply(text + "alias/audit\n", only=ONLY)
    assert changed(bench, f"{text}{names.get(given, given)}\n") == []


def test_a_key_that_is_not_there_is_refused_before_anything_is_made(bench: Bench) -> None:
    found = result(bench, PLAIN + "  kms_key_id: alias/nope\n")
    assert found.failure
    assert found.failure.message.startswith("there is no key `alias/nope` in us-east-1")


def test_a_topic_is_the_same_by_name_and_arn(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(PLAIN + "  sns_topic_name: audit\n", only=ONLY)
    assert changed(bench, f"{PLAIN}  sns_topic_name: {TOPIC}\n") == []


def test_tags_of_others_are_kept_and_reported(bench: Bench) -> None:
    text = PLAIN + "  tags: {team: security}\n"
    bench.apply(text, only=ONLY)
    cloudtrail = bench.client("cloudtrail")
    cloudtrail.add_tags(ResourceId=ARN, TagsList=[{"Key": "bill", "Value": "42"}, {"Key": "team", "Value": "x"}])
    assert repaired(bench, text) == ["AddTags"]
    assert notes(bench, text) == [(Kind.FOREIGN, "tags of others, kept: bill")]
    [listed] = cloudtrail.list_tags(ResourceIdList=[ARN])["ResourceTagList"]
    assert {tag["Key"]: tag["Value"] for tag in listed["TagsList"]} == {"bill": "42", "team": "security"}


# --- stricter in AWS than in the file ---


@pytest.mark.parametrize(
    ("line", "made", "field", "exactly"),
    [
        ("is_organization_trail: false", "is_organization_trail: true", "IsOrganizationTrail", False),
        ("is_multi_region_trail: false", "is_multi_region_trail: true", "IsMultiRegionTrail", False),
        ("enable_log_file_validation: false", "enable_log_file_validation: true", "EnableLogFileValidation", False),
        ("", "kms_key_id: alias/audit", "KmsKeyId", ""),
    ],
)
def test_the_stricter_side_is_reported_and_left_alone(
    bench: Bench, line: str, made: str, field: str, exactly: object
) -> None:
    make_surroundings(bench)
    bench.apply(f"{PLAIN}  {made}\n", only=ONLY)
    text = f"{PLAIN}  {line}\n"
    assert changed(bench, text) == []
    assert repaired(bench, text) == [], "the bucket's policy stays what the trail needs"
    [(kind, said)] = [(n.kind, n.text) for n in result(bench, text).notes if n.kind is Kind.STRICTER]
    assert (kind, said.split()[0]) == (Kind.STRICTER, field)
    [change] = result(bench, text + "  exact: true\n").changes
    assert change.call.params == {"Name": ARN, field: exactly}
    assert repaired(bench, text + "  exact: true\n")


def test_recording_more_is_no_drift_but_exactness_ends_it(bench: Bench) -> None:
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
    assert (change.call.operation, change.consent) == ("put_event_selectors", None)
    assert repaired(bench, text + "  exact: true\n") == ["PutEventSelectors"]


def test_a_repair_that_ends_other_recording_needs_consent(bench: Bench) -> None:
    text = PLAIN + "  event_selectors: [{read_write_type: All}]\n"
    bench.apply(text, only=ONLY)
    vault = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::vault/"]}
    other = [{"ReadWriteType": "WriteOnly", "DataResources": [vault]}]
    bench.client("cloudtrail").put_event_selectors(TrailName=ARN, EventSelectors=other)
    [change] = result(bench, text).changes
    assert change.consent == "drop-recorded-events"
    assert change.loses == "no longer recorded: AWS::S3::Object of arn:aws:s3:::vault/ (write)"


def test_more_insights_are_left_alone(bench: Bench) -> None:
    text = PLAIN + "  insight_selectors: [{insight_type: ApiCallRateInsight}]\n"
    bench.apply(text, only=ONLY)
    both = [{"InsightType": kind} for kind in ("ApiErrorRateInsight", "ApiCallRateInsight")]
    bench.client("cloudtrail").put_insight_selectors(TrailName=ARN, InsightSelectors=both)
    assert changed(bench, text) == []
    [(kind, said)] = notes(bench, text)
    assert (kind, "ApiErrorRateInsight" in said) == (Kind.STRICTER, True)


def test_advanced_selectors_replace_basic_ones_and_converge(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    [change] = result(bench, PLAIN + ADVANCED).changes
    assert change.consent == "drop-recorded-events", "KMS and RDS Data API events were recorded"
    assert [(d.field, d.want is None) for d in change.differences] == [
        ("EventSelectors", True),
        ("AdvancedEventSelectors", False),
    ]
    assert repaired(bench, PLAIN + ADVANCED) == ["PutEventSelectors"]


# --- what stands in the way ---


def make_trail(bench: Bench, name: str, region: str = "us-east-1", **given: Any) -> Any:
    bucket, cloudtrail = f"acme-{name}-{region}", bench.client("cloudtrail", region)
    bench.client("s3").create_bucket(Bucket=bucket)
    with written_by_anyone(bench, bucket):
        cloudtrail.create_trail(Name=name, S3BucketName=bucket, IsMultiRegionTrail=True, **given)
    cloudtrail.start_logging(Name=name)
    return cloudtrail


def test_a_trail_with_another_home_is_never_made_twice(bench: Bench) -> None:
    make_trail(bench, "audit", "eu-west-1")
    found = result(bench)
    assert found.changes == []
    assert found.failure
    assert "at home in eu-west-1" in found.failure.message
    assert "`home_region: eu-west-1`" in found.failure.message


def test_the_organizations_trail_seen_from_a_member_is_not_touched(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply(PLAIN + "  is_organization_trail: true\n", only=ONLY)
    become(bench, monkeypatch, MEMBER)
    found = result(bench, PLAIN.replace("acme-logs", "acme-member-logs"))
    assert found.failure
    assert f"belongs to the organization's management account {ACCOUNT}" in found.failure.message


def test_a_delegated_administrator_makes_and_keeps_the_organizations_trail(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PLAIN + "  is_organization_trail: true\n"
    bench.apply(text, only=("trusted_access",))
    bench.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=MEMBER)
    become(bench, monkeypatch, MEMBER)
    bench.apply(text, only=ONLY)
    [trail] = bench.client("cloudtrail").describe_trails()["trailList"]
    assert trail["TrailARN"] == ARN, "the management account's"
    bench.client("cloudtrail").stop_logging(Name=ARN)
    assert repaired(bench, text) == ["StartLogging"]


def test_a_delegated_administrators_own_trail_is_in_the_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PLAIN + "  is_organization_trail: true\n"
    bench.apply(text, only=("trusted_access",))
    bench.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=MEMBER)
    become(bench, monkeypatch, MEMBER)
    make_trail(bench, "audit")
    found = result(bench, text)
    assert found.failure
    assert "is this account's own" in found.failure.message


@pytest.mark.parametrize("operation", ["DescribeTrails", "GetTrailStatus", "GetEventSelectors", "ListTags"])
def test_a_failed_read_is_no_absence(bench: Bench, operation: str) -> None:
    text = PLAIN + SELECTORS + "  tags: {team: security}\n"
    bench.apply(text, only=ONLY)
    bench.world.interrupt(
        lambda call, phase: Fault("AccessDeniedException") if call.operation == operation else None
    )
    plan = bench.diff(text, only=ONLY)
    assert plan.changes == []
    assert {r.failure.code for r in plan.results if r.failure} == {"AccessDeniedException"}


# --- other trails ---


def test_another_trail_that_records_management_events_is_said(bench: Bench) -> None:
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


def test_a_trail_of_others_that_cannot_be_looked_into_is_no_failure(bench: Bench) -> None:
    cloudtrail = make_trail(bench, "old")
    cloudtrail.put_event_selectors(TrailName="old", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    bench.apply(PLAIN, only=ONLY)
    bench.world.interrupt(
        lambda call, phase: Fault("AccessDeniedException") if call.operation == "GetEventSelectors" else None
    )
    [(kind, said)] = notes(bench, PLAIN)
    assert (kind, said.startswith("may record management events too")) == (Kind.WARNING, True)


def test_a_trail_that_records_its_own_deliveries_is_warned_of(bench: Bench) -> None:
    everything = 'data_resources: [{type: "AWS::S3::Object", values: ["arn:aws:s3"]}]'
    [(kind, said)] = notes(bench, f"{PLAIN}  event_selectors: [{{{everything}}}]\n")
    assert (kind, "arn:aws:s3:::acme-logs/" in said) == (Kind.WARNING, True)


def test_an_organization_trail_of_one_region_is_warned_of(bench: Bench) -> None:
    text = PLAIN + "  is_organization_trail: true\n  is_multi_region_trail: false\n"
    [(kind, said)] = notes(bench, text)
    assert (kind, "us-east-1 only" in said) == (Kind.WARNING, True)


# --- the file ---

_DATA = 'include_management_events: false, data_resources: [{type: "AWS::S3::Object", values: [%s]}]'


@pytest.mark.parametrize(
    ("lines", "path", "says"),
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
        ("event_selectors: []", "event_selectors", "1 to 5"),
        (f"event_selectors: [{', '.join(['{}'] * 6)}]", "event_selectors", "1 to 5"),
        ("event_selectors: [{include_management_events: false}]", "event_selectors[0]", "records nothing"),
        (f"event_selectors: [{{{_DATA % ', '.join(f'a{i}' for i in range(251))}}}]", "event_selectors", "got 251"),
        (f"event_selectors: [{{}}]\n{ADVANCED}", "advanced_event_selectors", "keep one"),
        (
            f"event_selectors: [{{{_DATA % 'a'}}}]\n  insight_selectors: [{{insight_type: ApiErrorRateInsight}}]",
            "insight_selectors[0]",
            "management events",
        ),
        (
            "event_selectors: [{read_write_type: ReadOnly}]\n  insight_selectors: [{insight_type: ApiCallRateInsight}]",
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
def test_what_aws_would_refuse_is_refused_offline(bench: Bench, lines: str, path: str, says: str) -> None:
    text = PLAIN.replace("  name: audit\n", "") if lines.startswith("name:") else PLAIN
    text = text.replace("  s3_bucket_name: logs\n", "") if lines.startswith("s3_bucket") else text
    with pytest.raises(BaselineError) as caught:
        bench.baseline(f"{text}  {lines}\n")
    [problem] = caught.value.problems
    assert problem.path == f"cloudtrail.{path}"
    assert says in problem.message + problem.hint


# --- the proof ---

NOW = datetime(2025, 3, 1, 14, 8, 20, tzinfo=UTC)


def ago(**given: float) -> datetime:
    return NOW - timedelta(**given)


@pytest.mark.parametrize(
    ("last", "error", "since", "running", "ok", "says"),
    [
        (None, None, ago(minutes=3), True, None, "waiting for the next; no log file yet; usually 5 minutes"),
        (None, None, ago(minutes=21), True, False, "no log file yet, though it runs since 13:47 UTC, 21 minutes ago"),
        (ago(minutes=3), None, ago(days=3), True, True, "last log file 14:05 UTC, 3 minutes ago"),
        (ago(hours=25), None, ago(days=3), True, False, "last log file 2025-02-28 13:08 UTC, 25 hours ago, though"),
        (ago(days=9), None, ago(minutes=2), True, None, "waiting for the next; last log file 2025-02-20"),
        (ago(hours=5), "AccessDenied", ago(days=3), True, False, "AccessDenied: the bucket's policy or its key's"),
        (ago(hours=5), "Odd", ago(days=3), True, False, "Odd; last log file 09:08 UTC, 5 hours ago"),
        (ago(hours=30), None, ago(days=3), False, None, "stopped; last log file"),
        (None, None, None, True, None, "waiting"),
    ],
)  # fmt: skip
def test_a_delivery_is_judged_by_its_age(
    last: datetime | None, error: str | None, since: datetime | None, running: bool, ok: bool | None, says: str
) -> None:
    arrivals = Arrivals("log file", last, error, since, timedelta(minutes=20), "5 minutes")
    found = arriving("trail audit", "delivery to S3", arrivals, NOW, running=running)
    assert found.ok is ok
    assert says in found.detail


def test_times_are_told_in_utc_with_the_date_of_another_day() -> None:
    assert moment(ago(seconds=5), NOW) == "14:08 UTC, just now"
    assert moment(ago(minutes=1), NOW) == "14:07 UTC, 1 minute ago"
    assert moment(ago(days=3), NOW) == "2025-02-26 14:08 UTC, 3 days ago"


def proof(bench: Bench, text: str, *, later: timedelta = timedelta()) -> dict[str, Finding]:
    run = bench.run(text, only=ONLY)
    node = next(node for node in run.graph if node.step.name == "cloudtrail")
    aws, baseline = run._aws(node), run._filled(node)
    found = list(verify_cloudtrail(aws, baseline, now=lambda: datetime.now(UTC) + later))
    return {each.check: each for each in found}


def test_a_trail_that_works_is_proven(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(FULL, only=ONLY)
    found = proof(bench, FULL)
    assert [(check, each.ok) for check, each in found.items()] == [
        ("logging", True),
        ("delivery to S3", True),
        ("log file validation", True),
        ("delivery to CloudWatch Logs", True),
        ("notification by SNS", None),
        ("newest event", True),
    ]
    assert found["newest event"].detail.startswith("PutInsightSelectors by sandbox, ")


def test_only_what_the_trail_has_is_proven(bench: Bench) -> None:
    text = PLAIN + "  enable_log_file_validation: false\n"
    bench.apply(text, only=ONLY)
    assert list(proof(bench, text)) == ["logging", "delivery to S3", "newest event"]


def test_the_newest_event_costs_one_call(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    before = len(bench.world.calls)
    proof(bench, PLAIN)
    asked = [c.params for c in bench.world.calls[before:] if c.operation == "LookupEvents"]
    assert asked == [{"MaxResults": 1}]


def test_a_delivery_that_has_become_old_is_a_failure(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    assert proof(bench, PLAIN, later=timedelta(hours=25))["delivery to S3"].ok is False


def test_a_bucket_that_refuses_the_logs_is_a_failure(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    bench.client("s3").delete_bucket_policy(Bucket="acme-logs")
    found = proof(bench, PLAIN)
    assert (found["logging"].ok, found["delivery to S3"].ok) == (True, False)
    assert found["delivery to S3"].detail.startswith("AccessDenied: ")


def test_a_stopped_trail_is_a_failure(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    bench.client("cloudtrail").stop_logging(Name=ARN)
    found = proof(bench, PLAIN)
    assert (found["logging"].ok, found["delivery to S3"].ok) == (False, None)
    assert "nothing is recorded" in found["logging"].detail


def test_no_trail_is_a_failure(bench: Bench) -> None:
    assert [(each.check, each.ok) for each in proof(bench, PLAIN).values()] == [("logging", False)]


def test_the_bucket_lets_the_organization_in_where_the_trail_is_the_organizations(bench: Bench) -> None:
    bench.apply(PLAIN + "  s3_key_prefix: trails\n  is_organization_trail: true\n", only=ONLY)
    have = json.loads(bench.client("s3").get_bucket_policy(Bucket="acme-logs")["Policy"])["Statement"]
    for want in cloudtrail_delivery("arn:aws:s3:::acme-logs", "trails", ARN, ACCOUNT, "o-sandbox12345"):
        assert any(all(s.get(k) == v for k, v in want.items() if k != "Sid") for s in have), want["Sid"]
