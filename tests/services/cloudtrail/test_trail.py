"""The trail: each way it drifts, what stands in its way, and what is reported and left alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.cloudtrail.models import cloudtrail_backends

from provisioner.compare.policy import document
from provisioner.model import Kind, Result
from provisioner.sandbox import Fault, WireCall
from provisioner.services.cloudtrail.delivery import CLOUDTRAIL, cloudtrail_delivery
from provisioner.services.cloudtrail.selectors import compare

from ...conftest import MEMBER, Bench
from ...surroundings import kms_log_key, sns_topic

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
    kms, iam, sns, logs = (bench.client(service) for service in ("kms", "iam", "sns", "logs"))
    statements = kms_log_key("aws", ACCOUNT, trail_arn=ARN)
    for alias in ("alias/audit", "alias/other"):
        key = kms.create_key(Policy=json.dumps(document(statements)))["KeyMetadata"]
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    for name in ("audit", "other"):
        topic = f"{TOPIC.removesuffix('audit')}{name}"
        policy = json.dumps(document(sns_topic(topic, trail_arn=ARN)))
        sns.create_topic(Name=name, Attributes={"Policy": policy})
        logs.create_log_group(logGroupName=name)
        allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        trust = {"Effect": "Allow", "Principal": {"Service": CLOUDTRAIL}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document([trust])))
        iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=json.dumps(document([allow])))


@contextmanager
def written_by_anyone(s3: Any, bucket: str) -> Iterator[None]:
    """The bucket's policy lets CloudTrail write anywhere; then it is as it was."""
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


def repaired(bench: Bench, text: str, *allow: str) -> list[str]:
    """The names of the writes with which an apply brings the trail back; afterwards nothing differs."""
    before = len(bench.world.writes)
    bench.apply(text, only=ONLY, allow=allow)
    made = [call.operation for call in bench.world.writes[before:]]
    assert changed(bench, text) == []
    return made


def held_back(bench: Bench, text: str) -> list[str]:
    """The writes of an apply that is allowed nothing, where something waits for a flag."""
    before = len(bench.world.writes)
    plan = bench.apply(text, only=ONLY)
    assert [r.step for r in plan.results if r.withheld] == ["cloudtrail"]
    return [call.operation for call in bench.world.writes[before:]]


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


NOT_YET = {
    "InsufficientS3BucketPolicyException": "Incorrect S3 bucket policy is detected for bucket: acme-logs",
    "S3BucketDoesNotExistException": "S3 bucket acme-logs does not exist!",
    "InvalidCloudWatchLogsRoleArnException": "Access denied. Check the trust relationships.",
    "InvalidCloudWatchLogsLogGroupArnException": "Access denied. Check the permissions.",
    "CloudTrailAccessNotEnabledException": "Trusted access is off.",
    "InsufficientEncryptionPolicyException": "Insufficient permissions",
    "ConflictException": "The trail is not ready.",
}


def test_what_aws_has_not_seen_everywhere_is_waited_for(bench: Bench) -> None:
    left: list[tuple[str, str]] = []
    cloudtrail = bench.client("cloudtrail")

    def not_yet(call: WireCall, phase: str) -> Fault | None:
        if call.operation in {"CreateTrail", "UpdateTrail"} and phase == "before" and left:
            return Fault(left[0][0], 400, left.pop()[1])
        return None

    bench.apply(PLAIN, only=ONLY)
    bench.world.interrupt(not_yet)  # type: ignore[arg-type]
    for each in NOT_YET.items():
        for tamper in (
            lambda: cloudtrail.delete_trail(Name=ARN),
            lambda: cloudtrail.update_trail(Name=ARN, EnableLogFileValidation=False),
        ):
            tamper()
            bench.waits.clear()
            left[:] = [each] * 3
            bench.apply(PLAIN, only=ONLY)
            waits = [wait for wait in bench.waits if not wait.until.startswith("AWS's rate")]
            assert (each[0], len(waits)) == (each[0], 3)


def test_the_bucket_lets_the_organization_in_where_the_trail_is_the_organizations(bench: Bench) -> None:
    bench.apply(PLAIN + "  s3_key_prefix: trails\n  is_organization_trail: true\n", only=ONLY)
    have = json.loads(bench.client("s3").get_bucket_policy(Bucket="acme-logs")["Policy"])["Statement"]
    for want in cloudtrail_delivery("arn:aws:s3:::acme-logs", "trails", ARN, ACCOUNT, "o-sandbox12345"):
        assert any(all(s.get(k) == v for k, v in want.items() if k != "Sid") for s in have), want["Sid"]


# --- drift ---


def update(**given: Any) -> Callable[[Any], Any]:
    return lambda cloudtrail: cloudtrail.update_trail(Name=ARN, **given)


def tag(call: str, **given: Any) -> Callable[[Any], Any]:
    return lambda cloudtrail: getattr(cloudtrail, call)(ResourceId=ARN, TagsList=[given])


def record(*selectors: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda cloudtrail: cloudtrail.put_event_selectors(TrailName=ARN, EventSelectors=[*selectors])


OTHER_GROUP, OTHER_ROLE = GROUP.replace("audit", "other"), ROLE.replace("audit", "other")
# What somebody does by hand, the fields that differ then, and the one call that repairs it.
DRIFT: list[tuple[Callable[[Any], Any], list[str], str]] = [
    (update(S3BucketName="acme-elsewhere"), ["S3BucketName"], "UpdateTrail"),
    (update(S3KeyPrefix="moved"), ["S3KeyPrefix"], "UpdateTrail"),
    (update(IsOrganizationTrail=False), ["IsOrganizationTrail"], "UpdateTrail"),
    (update(IsMultiRegionTrail=False), ["IsMultiRegionTrail"], "UpdateTrail"),
    (
        update(IsMultiRegionTrail=False, IncludeGlobalServiceEvents=False),
        ["IsMultiRegionTrail", "IncludeGlobalServiceEvents"],
        "UpdateTrail",
    ),
    (update(EnableLogFileValidation=False), ["EnableLogFileValidation"], "UpdateTrail"),
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
    (record({"ReadWriteType": "WriteOnly"}), ["EventSelectors"], "PutEventSelectors"),
    (
        lambda cloudtrail: cloudtrail.put_insight_selectors(TrailName=ARN, InsightSelectors=[]),
        ["InsightSelectors"],
        "PutInsightSelectors",
    ),
    (tag("add_tags", Key="team", Value="sales"), ["tag team"], "AddTags"),
    (tag("remove_tags", Key="tier"), ["tag tier"], "AddTags"),
    (lambda cloudtrail: cloudtrail.stop_logging(Name=ARN), ["logging"], "StartLogging"),
]


def test_each_drift_is_seen_alone_and_repaired_alone(bench: Bench) -> None:
    make_surroundings(bench)
    s3, cloudtrail = bench.client("s3"), bench.client("cloudtrail")
    s3.create_bucket(Bucket="acme-elsewhere")
    bench.apply(FULL, only=ONLY)
    for tamper, fields, call in DRIFT:
        with written_by_anyone(s3, "acme-elsewhere"), written_by_anyone(s3, "acme-logs"):
            tamper(cloudtrail)
        assert changed(bench, FULL) == fields
        assert (fields, repaired(bench, FULL)) == (fields, [call])


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
    with written_by_anyone(bench.client("s3"), "acme-logs"):
        bench.client("cloudtrail").update_trail(Name=ARN, S3KeyPrefix="moved")
    [change] = result(bench, PLAIN).changes
    assert change.call.params == {"Name": ARN, "S3KeyPrefix": ""}


def test_moving_the_logs_is_a_change_and_says_where_the_old_ones_are(bench: Bench) -> None:
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


def test_a_key_is_the_same_by_any_of_its_names(bench: Bench) -> None:
    make_surroundings(bench)
    key = bench.client("kms").describe_key(KeyId="alias/audit")["KeyMetadata"]
    bench.apply(PLAIN + "  kms_key_id: alias/audit\n", only=ONLY)
    for given in (key["KeyId"], key["Arn"], f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/audit"):
        assert changed(bench, f"{PLAIN}  kms_key_id: {given}\n") == []


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
    cloudtrail.add_tags(
        ResourceId=ARN, TagsList=[{"Key": "bill", "Value": "42"}, {"Key": "team", "Value": "x"}]
    )
    assert repaired(bench, text) == ["AddTags"]
    assert notes(bench, text) == [(Kind.FOREIGN, "tags of others are kept: bill")]
    [listed] = cloudtrail.list_tags(ResourceIdList=[ARN])["ResourceTagList"]
    assert {tag["Key"]: tag["Value"] for tag in listed["TagsList"]} == {"bill": "42", "team": "security"}


# --- stricter in AWS than in the file ---


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
def test_the_stricter_side_is_reported_and_left_alone(
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
    assert held_back(bench, exact) == [], "nothing is done without the flag"
    assert "UpdateTrail" in repaired(bench, exact, "weaken-trail")


def test_what_is_not_allowed_to_be_loosened_holds_up_no_repair(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(PLAIN + "  kms_key_id: alias/audit\n", only=ONLY)
    bench.client("cloudtrail").update_trail(Name=ARN, IsMultiRegionTrail=False)
    exact = PLAIN + "  enable_log_file_validation: false\n  exact: true\n"
    repair, loosening = result(bench, exact).changes
    assert (repair.call.params, repair.consent) == ({"Name": ARN, "IsMultiRegionTrail": True}, None)
    assert loosening.call.params == {"Name": ARN, "EnableLogFileValidation": False, "KmsKeyId": ""}
    assert held_back(bench, exact) == ["UpdateTrail"]
    assert [c.consent for c in result(bench, exact).changes] == ["weaken-trail"]
    assert repaired(bench, exact, "weaken-trail") == ["UpdateTrail"]


@pytest.mark.parametrize("owner", [ACCOUNT, MEMBER, "999988887777"])
def test_a_key_that_the_file_does_not_name_is_stricter_whoever_owns_it(bench: Bench, owner: str) -> None:
    """The log archive's, a security account's: recommended practice, and not ours to take away."""
    make_surroundings(bench)
    bench.apply(PLAIN + "  kms_key_id: alias/audit\n", only=ONLY)
    trail = cloudtrail_backends[ACCOUNT]["us-east-1"].trails["audit"]
    trail.kms_key_id = f"arn:aws:kms:us-east-1:{owner}:key/1"
    assert changed(bench, PLAIN) == []
    assert [kind for kind, _ in notes(bench, PLAIN)] == [Kind.STRICTER]
    [change] = result(bench, PLAIN + "  exact: true\n").changes
    assert (change.consent, change.call.params) == ("weaken-trail", {"Name": ARN, "KmsKeyId": ""})


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
    assert (change.call.operation, change.consent) == ("put_event_selectors", "drop-recorded-events")
    assert change.loses == "no longer recorded: AWS::S3::Object of arn:aws:s3:::vault/"
    assert held_back(bench, text + "  exact: true\n") == []
    assert repaired(bench, text + "  exact: true\n", "drop-recorded-events") == ["PutEventSelectors"]


def test_a_repair_goes_on_recording_the_rest_and_asks_nobody(bench: Bench) -> None:
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
    assert held_back(bench, exact) == ["PutEventSelectors"], "the repair"
    assert changed(bench, text) == []
    assert repaired(bench, exact, "drop-recorded-events") == ["PutEventSelectors"]
    assert notes(bench, text) == []


@pytest.mark.parametrize("exact", ["", "  exact: true\n"])
def test_selectors_that_somebody_has_filled_up_stop_no_repair(bench: Bench, exact: str) -> None:
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


def test_basic_selectors_of_the_file_are_put_in_with_advanced_ones_of_others(bench: Bench) -> None:
    bench.apply(PLAIN + ADVANCED, only=ONLY)
    text = PLAIN + SELECTORS
    [change] = result(bench, text).changes
    assert (change.consent, [d.field for d in change.differences]) == (None, ["AdvancedEventSelectors"])
    assert repaired(bench, text) == ["PutEventSelectors"]
    assert changed(bench, PLAIN + ADVANCED) == []
    exact = text + "  exact: true\n"
    assert repaired(bench, exact, "drop-recorded-events") == ["PutEventSelectors"]
    assert "EventSelectors" in bench.client("cloudtrail").get_event_selectors(TrailName=ARN)


def test_a_repair_of_insights_goes_on_with_the_others(bench: Bench) -> None:
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


def test_more_insights_are_left_alone(bench: Bench) -> None:
    text = PLAIN + "  insight_selectors: [{insight_type: ApiCallRateInsight}]\n"
    bench.apply(text, only=ONLY)
    both = [{"InsightType": kind} for kind in ("ApiErrorRateInsight", "ApiCallRateInsight")]
    bench.client("cloudtrail").put_insight_selectors(TrailName=ARN, InsightSelectors=both)
    assert changed(bench, text) == []
    [(kind, said)] = notes(bench, text)
    assert (kind, "ApiErrorRateInsight" in said) == (Kind.STRICTER, True)


def test_a_category_of_insights_is_ended_by_name(bench: Bench) -> None:
    text = PLAIN + "  exact: true\n  insight_selectors: [{insight_type: ApiCallRateInsight}]\n"
    bench.apply(text, only=ONLY)
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
