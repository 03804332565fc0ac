"""Config's rules: each makes its outcome, and only it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox.world import World

from ...sandbox.cases import (
    ACCOUNT,
    LINKED_ROLE,
    MEMBER,
    ORGANIZATION,
    Aws,
    Case,
    check,
    config_statements,
    make_bucket,
    make_channel,
    make_linked_role,
    make_recorder,
    make_role,
    managed_rule,
    service,
    tls_only,
)


def recorder(**fields: Any) -> Any:
    """What a recorder shows that was put with these fields."""

    def do(aws: Aws) -> Any:
        aws.config.put_configuration_recorder(
            ConfigurationRecorder={"name": "default", "roleARN": LINKED_ROLE, **fields}
        )
        return aws.config.describe_configuration_recorders()["ConfigurationRecorders"][0]

    return do


def shown(key: str, **fields: Any) -> Any:
    return lambda aws: recorder(**fields)(aws).get(key)


def nameless(aws: Aws) -> Any:
    aws.config.put_configuration_recorder(ConfigurationRecorder={"roleARN": LINKED_ROLE})
    return aws.config.describe_configuration_recorders()["ConfigurationRecorders"][0]["name"]


def channel(*statements: Any, **fields: Any) -> Any:
    return lambda aws: make_channel(aws, *statements, **fields)


def no_such_role(aws: Aws) -> Any:
    make_bucket(aws, *config_statements("bkt"))
    make_recorder(aws)
    aws.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "bkt"})


def nameless_channel(aws: Aws) -> Any:
    make_channel(aws)
    aws.config.put_delivery_channel(DeliveryChannel={"s3BucketName": "bkt"})
    return [one["name"] for one in aws.config.describe_delivery_channels()["DeliveryChannels"]]


def states(*, broken: bool = False) -> Any:
    """What the recorder's status says first, and what then."""

    def do(aws: Aws) -> Any:
        make_channel(aws)
        aws.config.start_configuration_recorder(ConfigurationRecorderName="default")
        if broken:
            aws.s3.delete_bucket_policy(Bucket="bkt")
        read = aws.config.describe_configuration_recorder_status
        return [read()["ConfigurationRecordersStatus"][0]["lastStatus"] for _ in range(2)]

    return do


def deliveries(*, started: bool, broken: bool = False) -> Any:
    def do(aws: Aws) -> Any:
        make_channel(aws)
        if started:
            aws.config.start_configuration_recorder(ConfigurationRecorderName="default")
        if broken:
            aws.s3.delete_bucket_policy(Bucket="bkt")
        (one,) = aws.config.describe_delivery_channel_status()["DeliveryChannelsStatus"]
        return one["configSnapshotDeliveryInfo"]["lastStatus"], one["configHistoryDeliveryInfo"].get(
            "lastErrorCode"
        )

    return do


def put_rule(rule: dict[str, Any], *, recorded: bool = True, then: str = "") -> Any:
    """A rule is put; the answer is one of its fields."""

    def do(aws: Aws) -> Any:
        if recorded:
            make_recorder(aws)
        aws.config.put_config_rule(ConfigRule=rule)
        return aws.config.describe_config_rules()["ConfigRules"][0].get(then) if then else None

    return do


def retagged(aws: Aws) -> Any:
    make_recorder(aws)
    for value in ("old", "new"):
        aws.config.put_config_rule(ConfigRule=managed_rule(), Tags=[{"Key": "k", "Value": value}])
    arn = aws.config.describe_config_rules()["ConfigRules"][0]["ConfigRuleArn"]
    return aws.config.list_tags_for_resource(ResourceArn=arn)["Tags"]


def going(aws: Aws) -> Any:
    """The states in which a deleted rule is seen, one list for each read."""
    make_recorder(aws)
    aws.config.put_config_rule(ConfigRule=managed_rule())
    aws.config.delete_config_rule(ConfigRuleName="r")
    return [
        [r["ConfigRuleState"] for r in aws.config.describe_config_rules()["ConfigRules"]] for _ in range(2)
    ]


def put_while_going(aws: Aws) -> Any:
    make_recorder(aws)
    aws.config.put_config_rule(ConfigRule=managed_rule())
    aws.config.delete_config_rule(ConfigRuleName="r")
    aws.config.put_config_rule(ConfigRule=managed_rule())


def found(*, recording: bool) -> Any:
    def do(aws: Aws) -> Any:
        make_channel(aws)
        aws.config.put_config_rule(ConfigRule=managed_rule())
        if recording:
            aws.config.start_configuration_recorder(ConfigurationRecorderName="default")
        (one,) = aws.config.describe_config_rule_evaluation_status()["ConfigRulesEvaluationStatus"]
        (two,) = aws.config.describe_compliance_by_config_rule()["ComplianceByConfigRules"]
        return one["FirstEvaluationStarted"], two["Compliance"]["ComplianceType"]

    return do


def recorder_tags(aws: Aws) -> Any:
    arn = recorder()(aws)["arn"]
    aws.config.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}])
    aws.config.untag_resource(ResourceArn=arn, TagKeys=["c"])
    recorder()(aws)
    return aws.config.list_tags_for_resource(ResourceArn=arn)["Tags"]


def counts(aws: Aws) -> Any:
    make_channel(aws)
    aws.config.start_configuration_recorder(ConfigurationRecorderName="default")
    return aws.config.get_discovered_resource_counts()["totalDiscoveredResources"]


def listed(aws: Aws) -> Any:
    arn = recorder()(aws)["arn"]
    return aws.config.list_configuration_recorders()["ConfigurationRecorderSummaries"][0]["arn"] == arn


_DAILY = {"recordingFrequency": "DAILY", "recordingModeOverrides": []}
_CONTINUOUS = {"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []}
_PASSWORD = managed_rule(identifier="IAM_PASSWORD_POLICY")
_INVALID = "InvalidParameterValueException"
_ARN = f"arn:aws:config:us-east-1:{ACCOUNT}:configuration-recorder/default/"
_POLICY = "InsufficientDeliveryPolicyException"

CASES = [
    Case("config.recorder_name", "none", nameless, "default"),
    Case(
        "config.recorder_role",
        "none",
        lambda aws: aws.config.put_configuration_recorder(ConfigurationRecorder={"name": "default"}),
        "InvalidRoleException",
    ),
    Case(
        "config.recording_mode",
        "kept",
        shown("recordingMode", recordingMode={"recordingFrequency": "DAILY"}),
        _DAILY,
    ),
    Case("config.recording_mode", "default", shown("recordingMode"), _CONTINUOUS),
    Case(
        "config.recording_mode",
        "unknown",
        shown("name", recordingMode={"recordingFrequency": "HOURLY"}),
        "ValidationException",
    ),
    Case("config.recorder_fields", "scope", shown("recordingScope"), "PAID"),
    Case("config.recorder_fields", "ARN", lambda aws: (recorder()(aws).get("arn") or "")[: len(_ARN)], _ARN),
    Case("config.list_recorders", "the one", listed, True),
    Case("config.recorder_tags", "kept over a put", recorder_tags, [{"Key": "a", "Value": "b"}]),
    Case("config.resource_counts", "recorded", counts, 1),
    Case("config.channel_name", "none", nameless_channel, ["default"]),
    Case("config.channel_delivery", "no bucket", channel(s3BucketName="none"), "NoSuchBucketException"),
    Case("config.channel_delivery", "no policy", channel(tls_only("bkt")), _POLICY),
    Case("config.channel_delivery", "other account", channel(*config_statements("bkt", MEMBER)), _POLICY),
    Case("config.channel_delivery", "other prefix", channel(s3KeyPrefix="logs"), _POLICY),
    Case("config.channel_delivery", "no ListBucket", channel(*config_statements("bkt")[::2]), _POLICY),
    Case("config.channel_delivery", "no role", no_such_role, _POLICY),
    Case(
        "config.channel_key_and_topic",
        "key",
        channel(s3KmsKeyArn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/none"),
        "InvalidS3KmsKeyArnException",
    ),
    Case(
        "config.channel_key_and_topic",
        "topic",
        channel(snsTopicARN=f"arn:aws:sns:us-east-1:{ACCOUNT}:none"),
        "InvalidSNSTopicARNException",
    ),
    Case("config.recorder_status", "works", states(), ["Pending", "Success"]),
    Case("config.recorder_status", "broke", states(broken=True), ["Pending", "Failure"]),
    Case("config.channel_status", "works", deliveries(started=True), ("Success", None)),
    Case(
        "config.channel_status", "broke", deliveries(started=True, broken=True), ("Failure", "AccessDenied")
    ),
    Case("config.channel_status", "not started", deliveries(started=False), ("Not_Applicable", None)),
    Case(
        "config.rule_needs_recorder",
        "change",
        put_rule(managed_rule(), recorded=False),
        "NoAvailableConfigurationRecorderException",
    ),
    Case(
        "config.rule_parameters",
        "number",
        put_rule({**_PASSWORD, "InputParameters": '{"MinimumPasswordLength": 14}'}),
        _INVALID,
    ),
    Case(
        "config.rule_parameters",
        "long",
        put_rule({**managed_rule(), "InputParameters": '{"kmsId": "' + "x" * 1024 + '"}'}),
        _INVALID,
    ),
    Case(
        "config.rule_frequency",
        "change",
        put_rule(managed_rule(MaximumExecutionFrequency="One_Hour")),
        _INVALID,
    ),
    Case(
        "config.newer_rules",
        "spelt well",
        put_rule(managed_rule(identifier="A_RULE_OF_NEXT_YEAR"), then="ConfigRuleState"),
        "ACTIVE",
    ),
    Case("config.rule_tags", "put again", retagged, [{"Key": "k", "Value": "old"}]),
    Case(
        "config.rule_fields",
        "modes",
        put_rule(managed_rule(), then="EvaluationModes"),
        [{"Mode": "DETECTIVE"}],
    ),
    Case(
        "config.rule_scope",
        "by tag",
        put_rule(managed_rule(Scope={"TagKey": "env", "TagValue": "prod"}), then="Scope"),
        {"TagKey": "env", "TagValue": "prod"},
    ),
    Case(
        "config.rule_names",
        "26 names",
        lambda aws: aws.config.describe_config_rules(ConfigRuleNames=["r"] * 26),
        _INVALID,
    ),
    Case("config.rule_deletion", "seen once", going, [["DELETING"], []]),
    Case("config.rule_deletion", "in use", put_while_going, "ResourceInUseException"),
    Case("config.rule_evaluation", "recording", found(recording=True), (True, "COMPLIANT")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_a_periodic_rule_needs_no_recorder(aws: Aws) -> None:
    put_rule(managed_rule(identifier="IAM_ROOT_ACCESS_KEY_CHECK"), recorded=False)(aws)


@pytest.mark.parametrize("identifier", ["lower_case", "WITH-DASH"])
def test_an_identifier_that_is_no_managed_rules_is_refused(aws: Aws, identifier: str) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterValueException"):
        put_rule(managed_rule(identifier=identifier))(aws)


def test_nothing_recorded_is_not_known_to_comply(aws: Aws) -> None:
    assert found(recording=False)(aws) == (False, "INSUFFICIENT_DATA")


def test_thirty_rules_come_in_pages(aws: Aws, world: World) -> None:
    make_recorder(aws)
    for number in range(30):
        aws.config.put_config_rule(ConfigRule=managed_rule(f"r{number:02}"))
    pages = aws.config.get_paginator("describe_config_rules")
    assert [len(page["ConfigRules"]) for page in pages.paginate()] == [25, 5]
    world.page_size = 16
    assert [len(page["ConfigRules"]) for page in pages.paginate()] == [16, 14]


def test_the_organization_form_of_the_bucket_policy_is_enough(aws: Aws) -> None:
    where = "arn:aws:s3:::bkt"
    writes = {"aws__SourceOrgID": ORGANIZATION, "s3__x-amz-acl": "bucket-owner-full-control"}
    make_channel(
        aws,
        service("config", "s3:GetBucketAcl", where),
        service("config", "s3:ListBucket", where),
        service("config", "s3:PutObject", f"{where}/AWSLogs/*/*", **writes),
    )


def custom(aws: Aws, *statements: Any, bucket: tuple[Any, ...] = ()) -> None:
    role = make_role(aws, "recorder", "config.amazonaws.com", *statements)
    make_bucket(aws, *bucket)
    make_recorder(aws, role)
    aws.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "bkt"})


def test_a_custom_role_delivers_by_its_own_rights(aws: Aws) -> None:
    may = {
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:GetBucketAcl"],
        "Resource": ["arn:aws:s3:::bkt", "arn:aws:s3:::bkt/*"],
    }
    custom(aws, may)


def test_a_custom_role_delivers_by_the_bucket_policy(aws: Aws) -> None:
    allow = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}}
    custom(
        aws,
        bucket=(
            {**allow, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bkt/*"},
            {**allow, "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::bkt"},
        ),
    )


def test_what_config_itself_may_is_nothing_to_a_custom_role(aws: Aws) -> None:
    with pytest.raises(ClientError, match="unable to get bucket acl"):
        custom(aws, bucket=tuple(config_statements("bkt")))


def test_another_account_delivers_into_the_log_bucket(aws: Aws) -> None:
    make_bucket(aws, *config_statements("bkt", MEMBER))
    member = aws.of(MEMBER)
    make_linked_role(member)
    make_recorder(member, LINKED_ROLE.replace(ACCOUNT, MEMBER))
    member.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "bkt"})
    member.config.start_configuration_recorder(ConfigurationRecorderName="default")


def test_a_misspelt_rule_and_an_empty_value_are_refused(world: World) -> None:
    aws = Aws()
    make_recorder(aws)
    source = {"Owner": "AWS", "SourceIdentifier": "ENCRYPTED_VOLUMS"}
    rule: dict[str, Any] = {"ConfigRuleName": "r", "Source": source}
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*sourceIdentifier"):
        aws.config.put_config_rule(ConfigRule=rule)
    rule["Source"] = {"Owner": "AWS", "SourceIdentifier": "ACCESS_KEYS_ROTATED"}
    for value in ("", " "):
        given = json.dumps({"maxAccessKeyAge": value})
        with pytest.raises(ClientError, match="Blank spaces are not acceptable for input parameter"):
            aws.config.put_config_rule(ConfigRule={**rule, "InputParameters": given})
    aws.config.put_config_rule(ConfigRule={**rule, "InputParameters": '{"maxAccessKeyAge":"90"}'})


def test_a_role_of_another_account_is_refused(world: World) -> None:
    recorder = {"name": "default", "roleARN": LINKED_ROLE.replace(ACCOUNT, MEMBER)}
    with pytest.raises(ClientError, match="Cross-account pass role is not allowed"):
        Aws().config.put_configuration_recorder(ConfigurationRecorder=recorder)


@pytest.mark.parametrize(
    ("region", "bucket_region", "refused"),
    [
        ("cn-north-1", "cn-northwest-1", True),
        ("cn-north-1", "cn-north-1", False),
        ("cn-northwest-1", "cn-north-1", False),
    ],
)
def test_in_beijing_the_bucket_is_in_beijing(
    world: World, region: str, bucket_region: str, refused: bool
) -> None:
    aws, there = Aws(region), Aws(bucket_region)
    there.s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": bucket_region})
    statements = [
        {
            "Sid": "Config",
            "Effect": "Allow",
            "Principal": {"Service": "config.amazonaws.com"},
            "Action": "s3:*",
            "Resource": ["arn:aws-cn:s3:::bkt", "arn:aws-cn:s3:::bkt/*"],
        }
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    there.s3.put_bucket_policy(Bucket="bkt", Policy=document)
    role = aws.iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")["Role"]["Arn"]
    aws.config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    channel = {"name": "default", "s3BucketName": "bkt"}
    if not refused:
        aws.config.put_delivery_channel(DeliveryChannel=channel)
        return
    with pytest.raises(ClientError, match=r"InsufficientDeliveryPolicyException.*not in cn-north-1"):
        aws.config.put_delivery_channel(DeliveryChannel=channel)
