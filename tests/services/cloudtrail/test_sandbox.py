"""Tests of the sandbox rules of CloudTrail: each has an outcome that AWS has, and moto without the rule has not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox.world import World

from ...sandbox.cases import (
    ACCOUNT,
    CLOSED,
    MEMBER,
    ORGANIZATION,
    OTHER_MEMBER,
    STRANGER,
    Aws,
    Case,
    check,
    make_bucket,
    make_role,
    make_trail,
    outcome,
    policy,
    service,
    tls_only,
    trail_statements,
)

_DEFAULT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
_WRITES = {**_DEFAULT, "ReadWriteType": "WriteOnly"}
_ADVANCED = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
_INSIGHT = [{"InsightType": "ApiCallRateInsight"}]


def create(*statements: Any, **fields: Any) -> Any:
    """Make a trail with a bucket whose policy has these statements, or by default all that it needs."""

    def do(aws: Aws) -> Any:
        make_bucket(aws, *(statements or trail_statements("bkt", fields.get("Name", "trl"))))
        aws.cloudtrail.create_trail(**{"Name": "trl", "S3BucketName": "bkt", **fields})

    return do


def on_trail(call: str, region: str = "us-east-1", **params: Any) -> Any:
    """The answer to a call on a multi-Region trail `trl`; a parameter `"ARN"` is replaced by its ARN."""

    def do(aws: Aws) -> Any:
        arn = make_trail(aws, IsMultiRegionTrail=True)
        filled = {k: arn if v == "ARN" else v for k, v in params.items()}
        answer = getattr(aws.at(region).cloudtrail, call)(**filled)
        return {k: v for k, v in answer.items() if k != "ResponseMetadata"}

    return do


def twice(**second: Any) -> Any:
    def do(aws: Aws) -> Any:
        make_trail(aws, IsMultiRegionTrail=True)
        region = second.pop("region", "us-east-1") if "region" in second else "us-east-1"
        aws.at(region).cloudtrail.create_trail(Name="trl", S3BucketName="bkt", S3KeyPrefix="other")

    return do


def sixth(aws: Aws) -> Any:
    names = [f"trl{number}" for number in range(6)]
    make_bucket(aws, *(s for name in names for s in trail_statements("bkt", name)))
    for name in names:
        aws.cloudtrail.create_trail(Name=name, S3BucketName="bkt")


def deleted_by_arn(aws: Aws) -> Any:
    aws.cloudtrail.delete_trail(Name=make_trail(aws))
    return aws.cloudtrail.describe_trails()["trailList"]


def listed_in_another_region(aws: Aws) -> Any:
    make_trail(aws)
    return [one["Name"] for one in aws.at("eu-west-1").cloudtrail.list_trails()["Trails"]]


def trusted(aws: Aws) -> None:
    aws.organizations.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")


def organization_trail(aws: Aws) -> str:
    trusted(aws)
    make_bucket(aws, *trail_statements("bkt", organization=True))
    made = {"Name": "trl", "S3BucketName": "bkt", "IsOrganizationTrail": True, "IsMultiRegionTrail": True}
    arn: str = aws.cloudtrail.create_trail(**made)["TrailARN"]
    return arn


def organization_path_missing(aws: Aws) -> Any:
    trusted(aws)
    create(IsOrganizationTrail=True)(aws)


def member_creates(aws: Aws) -> Any:
    trusted(aws)
    make_bucket(aws, *trail_statements("bkt"))
    aws.of(MEMBER).cloudtrail.create_trail(Name="trl", S3BucketName="bkt", IsOrganizationTrail=True)


def member_stops(aws: Aws) -> Any:
    arn = organization_trail(aws)
    aws.of(MEMBER).cloudtrail.stop_logging(Name=arn)


def linked_role(aws: Aws) -> Any:
    organization_trail(aws)
    return aws.iam.get_role(RoleName="AWSServiceRoleForCloudTrail")["Role"]["RoleName"]


def selectors(**put: Any) -> Any:
    def do(aws: Aws) -> Any:
        make_trail(aws)
        if put:
            aws.cloudtrail.put_event_selectors(TrailName="trl", **put)
        shown = aws.cloudtrail.get_event_selectors(TrailName="trl")
        custom = aws.cloudtrail.get_trail(Name="trl")["Trail"]["HasCustomEventSelectors"]
        return {k: v for k, v in shown.items() if k.endswith("Selectors")}, custom

    return do


def tags_of_an_old_trail(aws: Aws) -> Any:
    arn = make_trail(aws, TagsList=[{"Key": "a", "Value": "b"}])
    aws.cloudtrail.delete_trail(Name="trl")
    aws.cloudtrail.create_trail(Name="trl", S3BucketName="bkt")
    return aws.cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"]


def key(*statements: Any, disabled: bool = False, clear: bool = False) -> Any:
    """The KmsKeyId of a trail with a key whose policy has these statements and that of its owner."""

    def do(aws: Aws) -> Any:
        owner = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}
        made = aws.kms.create_key(Policy=policy(owner, *statements))["KeyMetadata"]
        aws.kms.create_alias(AliasName="alias/trail", TargetKeyId=made["KeyId"])
        if disabled:
            aws.kms.disable_key(KeyId=made["KeyId"])
        make_trail(aws, KmsKeyId="alias/trail")
        if clear:
            aws.cloudtrail.update_trail(Name="trl", KmsKeyId="")
        return (
            aws.cloudtrail.get_trail(Name="trl")["Trail"].get("KmsKeyId", "").replace(made["Arn"], "its ARN")
        )

    return do


_KEY = [service("cloudtrail", action, "*") for action in ("kms:GenerateDataKey*", "kms:DescribeKey")]


def topic(*, by_arn: bool, allowed: bool) -> Any:
    def do(aws: Aws) -> Any:
        arn = aws.sns.create_topic(Name="topic")["TopicArn"]
        if allowed:
            text = policy(service("cloudtrail", "SNS:Publish", arn))
            aws.sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)
        make_trail(aws, SnsTopicName=arn if by_arn else "topic")
        return aws.cloudtrail.get_trail(Name="trl")["Trail"]["SnsTopicARN"] == arn

    return do


def log_group(*, suffix: str = ":*", principal: str = "cloudtrail.amazonaws.com", may: str = "logs:*") -> Any:
    def do(aws: Aws) -> Any:
        aws.logs.create_log_group(logGroupName="trail")
        role = make_role(aws, "r", principal, {"Effect": "Allow", "Action": may, "Resource": "*"})
        group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail{suffix}"
        make_trail(aws, CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=role)

    return do


def status(*, broken: bool) -> Any:
    def do(aws: Aws) -> Any:
        make_trail(aws, EnableLogFileValidation=True)
        aws.cloudtrail.start_logging(Name="trl")
        if broken:
            aws.s3.delete_bucket_policy(Bucket="bkt")
        shown = aws.cloudtrail.get_trail_status(Name="trl")
        return "LatestDigestDeliveryTime" in shown, shown.get("LatestDeliveryError")

    return do


def delegated(member: str) -> Any:
    def do(aws: Aws) -> Any:
        aws.cloudtrail.register_organization_delegated_admin(MemberAccountId=member)
        found = aws.organizations.list_delegated_administrators(ServicePrincipal="cloudtrail.amazonaws.com")
        return [one["Id"] for one in found["DelegatedAdministrators"]]

    return do


def raw(call: str, key_: str, **params: Any) -> Any:
    """Whether *key_* is in the answer's body; botocore drops values that are null."""

    def do(aws: Aws) -> Any:
        make_trail(aws)
        bodies: list[Any] = []
        client = aws.cloudtrail
        client.meta.events.register(
            "before-parse.cloudtrail", lambda response_dict, **_: bodies.append(response_dict["body"])
        )
        getattr(client, call)(**params)
        return key_ in json.loads(bodies[-1])

    return do


_WRONG = trail_statements("bkt", "other")
_NEEDS_HEADER = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::bkt/*",
    "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
}
_POLICY = "InsufficientS3BucketPolicyException"
_GROUP, _ROLE = "InvalidCloudWatchLogsLogGroupArnException", "InvalidCloudWatchLogsRoleArnException"

CASES = [
    Case(
        "cloudtrail.bucket_policy",
        "none",
        lambda aws: make_bucket(aws) or aws.cloudtrail.create_trail(Name="trl", S3BucketName="bkt"),
        _POLICY,
    ),
    Case("cloudtrail.bucket_policy", "for another trail", create(*_WRONG), _POLICY),
    Case(
        "cloudtrail.bucket_policy",
        "header demanded",
        create(*trail_statements("bkt"), _NEEDS_HEADER),
        _POLICY,
    ),
    Case("cloudtrail.bucket_policy", "other prefix", create(S3KeyPrefix="logs"), _POLICY),
    Case("cloudtrail.bucket_policy", "no organization path", organization_path_missing, _POLICY),
    Case(
        "cloudtrail.bucket_exists",
        "update",
        on_trail("update_trail", Name="trl", S3BucketName="none"),
        "S3BucketDoesNotExistException",
    ),
    Case("cloudtrail.trail_exists", "same name", twice(), "TrailAlreadyExistsException"),
    Case("cloudtrail.trail_limit", "the sixth", sixth, "MaximumNumberOfTrailsExceededException"),
    Case("cloudtrail.trail_names", "two separators", create(Name="my--trail"), "InvalidTrailNameException"),
    Case("cloudtrail.trail_names", "an address", create(Name="10.0.0.1"), "InvalidTrailNameException"),
    Case(
        "cloudtrail.prefixes",
        "AWSLogs",
        create(*trail_statements("bkt", prefix="x/AWSLogs/"), S3KeyPrefix="x/AWSLogs/"),
        "InvalidS3PrefixException",
    ),
    Case(
        "cloudtrail.prefixes",
        "long",
        create(*trail_statements("bkt", prefix="x" * 300 + "/"), S3KeyPrefix="x" * 300),
        "InvalidS3PrefixException",
    ),
    Case(
        "cloudtrail.multi_region_global",
        "update",
        on_trail("update_trail", Name="trl", IncludeGlobalServiceEvents=False),
        "InvalidParameterCombinationException",
    ),
    Case(
        "cloudtrail.organization_trail",
        "trusted access off",
        create(*trail_statements("bkt", organization=True), IsOrganizationTrail=True),
        "CloudTrailAccessNotEnabledException",
    ),
    Case(
        "cloudtrail.organization_trail", "a member", member_creates, "NotOrganizationMasterAccountException"
    ),
    Case("cloudtrail.organization_role", "made on the way", linked_role, "AWSServiceRoleForCloudTrail"),
    Case(
        "cloudtrail.describe_by_name",
        "unknown",
        on_trail("describe_trails", trailNameList=["zzz"]),
        {"trailList": []},
    ),
    Case(
        "cloudtrail.get_trail",
        "home",
        lambda aws: on_trail("get_trail", Name="trl")(aws)["Trail"].get("HomeRegion"),
        "us-east-1",
    ),
    Case(
        "cloudtrail.get_trail",
        "a shadow",
        lambda aws: on_trail("get_trail", "eu-west-1", Name="ARN")(aws)["Trail"]["Name"],
        "trl",
    ),
    Case("cloudtrail.list_trails", "all Regions", listed_in_another_region, ["trl"]),
    Case(
        "cloudtrail.home_region",
        "update",
        on_trail("update_trail", "eu-west-1", Name="ARN"),
        "InvalidHomeRegionException",
    ),
    Case(
        "cloudtrail.home_region",
        "stop",
        on_trail("stop_logging", "eu-west-1", Name="trl"),
        "InvalidHomeRegionException",
    ),
    Case(
        "cloudtrail.home_region",
        "selectors by ARN",
        on_trail("get_event_selectors", "eu-west-1", TrailName="ARN"),
        "CloudTrailARNInvalidException",
    ),
    Case(
        "cloudtrail.home_region",
        "selectors by name",
        on_trail("get_event_selectors", "eu-west-1", TrailName="trl"),
        "TrailNotFoundException",
    ),
    Case(
        "cloudtrail.unknown_trail", "delete", on_trail("delete_trail", Name="nope"), "TrailNotFoundException"
    ),
    Case("cloudtrail.by_arn", "delete", deleted_by_arn, []),
    Case("cloudtrail.owner_only", "a member", member_stops, "NotOrganizationMasterAccountException"),
    Case("cloudtrail.delete_forgets_tags", "made anew", tags_of_an_old_trail, []),
    Case("cloudtrail.event_selectors", "default", selectors(), ({"EventSelectors": [_DEFAULT]}, False)),
    Case(
        "cloudtrail.put_event_selectors",
        "basic",
        selectors(EventSelectors=[{"ReadWriteType": "WriteOnly"}]),
        ({"EventSelectors": [_WRITES]}, True),
    ),
    Case(
        "cloudtrail.put_event_selectors",
        "both",
        selectors(EventSelectors=[_DEFAULT], AdvancedEventSelectors=_ADVANCED),
        "InvalidEventSelectorsException",
    ),
    Case(
        "cloudtrail.put_event_selectors",
        "six",
        selectors(EventSelectors=[_DEFAULT] * 6),
        "InvalidEventSelectorsException",
    ),
    Case(
        "cloudtrail.insights",
        "none",
        on_trail("get_insight_selectors", TrailName="trl"),
        "InsightNotEnabledException",
    ),
    Case("cloudtrail.kms_key", "unknown", create(KmsKeyId="alias/nope"), "KmsKeyNotFoundException"),
    Case("cloudtrail.kms_key", "an alias", key(*_KEY), "its ARN"),
    Case("cloudtrail.kms_key", "its policy", key(), "InsufficientEncryptionPolicyException"),
    Case("cloudtrail.kms_key", "disabled", key(*_KEY, disabled=True), "KmsKeyDisabledException"),
    Case("cloudtrail.sns_topic", "by ARN", topic(by_arn=True, allowed=True), True),
    Case(
        "cloudtrail.sns_topic",
        "its policy",
        topic(by_arn=False, allowed=False),
        "InsufficientSnsTopicPolicyException",
    ),
    Case("cloudtrail.log_group", "no suffix", log_group(suffix=""), _GROUP),
    Case(
        "cloudtrail.log_group",
        "no role",
        create(CloudWatchLogsLogGroupArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g:*"),
        _ROLE,
    ),
    Case("cloudtrail.log_group", "trust", log_group(principal="config.amazonaws.com"), _ROLE),
    Case("cloudtrail.log_group", "rights", log_group(may="logs:CreateLogStream"), _ROLE),
    Case(
        "cloudtrail.log_group_tags",
        "no log group",
        lambda aws: aws.logs.list_tags_for_resource(
            resourceArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:nope"
        )["tags"],
        "ResourceNotFoundException",
    ),
    Case("cloudtrail.answers", "null", raw("update_trail", "KmsKeyId", Name="trl"), False),
    Case("cloudtrail.status", "delivers", status(broken=False), (True, None)),
    Case("cloudtrail.status", "broken", status(broken=True), (True, "AccessDenied")),
    Case("cloudtrail.delegated_admin", "a member", delegated(MEMBER), [MEMBER]),
    Case(
        "cloudtrail.delegated_admin",
        "the management account",
        delegated(ACCOUNT),
        "CannotDelegateManagementAccountException",
    ),
    Case(
        "events.history",
        "newest first",
        lambda aws: make_trail(aws) and [e["EventName"] for e in aws.cloudtrail.lookup_events()["Events"]],
        ["CreateTrail", "PutBucketPolicy", "CreateBucket"],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_a_sufficient_bucket_policy_is_accepted(aws: Aws) -> None:
    make_trail(aws)


def test_an_organization_trail_is_listed_in_every_member_account(aws: Aws) -> None:
    arn = organization_trail(aws)
    shown = aws.of(MEMBER).at("eu-west-1").cloudtrail.describe_trails()["trailList"]
    assert [(one["TrailARN"], one["IsOrganizationTrail"]) for one in shown] == [(arn, True)]
    assert aws.of(STRANGER).cloudtrail.describe_trails()["trailList"] == []


def test_a_delegated_administrator_must_use_the_arn(aws: Aws) -> None:
    arn = organization_trail(aws)
    aws.cloudtrail.register_organization_delegated_admin(MemberAccountId=MEMBER)
    admin = aws.of(MEMBER).cloudtrail
    admin.start_logging(Name=arn)
    assert aws.cloudtrail.get_trail_status(Name="trl")["IsLogging"] is True
    with pytest.raises(ClientError, match="TrailNotFoundException"):
        admin.start_logging(Name="trl")
    with pytest.raises(ClientError, match="TrailAlreadyExistsException"):
        admin.create_trail(Name="trl", S3BucketName="bkt", IsOrganizationTrail=True)


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (MEMBER, "AccountRegisteredException"),
        (CLOSED, "AccountNotFoundException"),
        (OTHER_MEMBER, "OK"),
    ],
)
def test_which_accounts_can_be_delegated_administrators(aws: Aws, account: str, code: str) -> None:
    delegated(MEMBER)(aws)
    register = aws.cloudtrail.register_organization_delegated_admin
    assert outcome(lambda _: register(MemberAccountId=account) and "OK", aws) == code


def test_a_missing_bucket_is_a_delivery_error(aws: Aws) -> None:
    make_trail(aws)
    aws.cloudtrail.start_logging(Name="trl")
    aws.s3.delete_bucket(Bucket="bkt")
    shown = aws.cloudtrail.get_trail_status(Name="trl")
    assert shown["IsLogging"]
    assert shown["LatestDeliveryError"] == "NoSuchBucket"


def test_advanced_selectors_replace_basic_ones_and_back(aws: Aws) -> None:
    make_trail(aws)
    put, get = aws.cloudtrail.put_event_selectors, aws.cloudtrail.get_event_selectors
    put(TrailName="trl", AdvancedEventSelectors=_ADVANCED)
    assert get(TrailName="trl").get("AdvancedEventSelectors") == _ADVANCED
    assert aws.cloudtrail.get_trail(Name="trl")["Trail"]["HasCustomEventSelectors"]
    put(TrailName="trl", EventSelectors=[_DEFAULT])
    assert "AdvancedEventSelectors" not in get(TrailName="trl")
    assert not aws.cloudtrail.get_trail(Name="trl")["Trail"]["HasCustomEventSelectors"]


def test_insights_are_replaced_and_an_empty_list_disables_them(aws: Aws) -> None:
    make_trail(aws)
    for _ in range(2):
        aws.cloudtrail.put_insight_selectors(TrailName="trl", InsightSelectors=_INSIGHT)
    assert aws.cloudtrail.get_insight_selectors(TrailName="trl")["InsightSelectors"] == _INSIGHT
    aws.cloudtrail.put_insight_selectors(TrailName="trl", InsightSelectors=[])
    with pytest.raises(ClientError, match="InsightNotEnabledException"):
        aws.cloudtrail.get_insight_selectors(TrailName="trl")


def test_an_empty_key_removes_the_key(aws: Aws) -> None:
    assert key(*_KEY, clear=True)(aws) == ""


def test_the_event_history_is_regional_filtered_and_paginated(aws: Aws, world: World) -> None:
    make_trail(aws)
    aws.at("eu-west-1").logs.create_log_group(logGroupName="g")
    found = aws.at("eu-west-1").cloudtrail.lookup_events()["Events"]
    assert [one["EventName"] for one in found] == ["CreateLogGroup"]
    attribute = [{"AttributeKey": "ResourceName", "AttributeValue": "trl"}]
    (event,) = aws.cloudtrail.lookup_events(LookupAttributes=attribute)["Events"]
    assert event["EventName"] == "CreateTrail"
    assert json.loads(event["CloudTrailEvent"])["requestParameters"]["name"] == "trl"
    world.page_size = 2
    pages = aws.cloudtrail.get_paginator("lookup_events").paginate()
    assert [len(page["Events"]) for page in pages] == [2, 1]


def test_the_event_history_keeps_two_hundred_events(aws: Aws) -> None:
    for number in range(205):
        aws.logs.create_log_group(logGroupName=f"g{number}")
    pages = aws.cloudtrail.get_paginator("lookup_events").paginate()
    found = [event for page in pages for event in page["Events"]]
    assert len(found) == 200


def test_each_form_of_the_source_condition_is_accepted(aws: Aws) -> None:
    arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/trl"
    bucket, conditions = (
        "arn:aws:s3:::bkt",
        [
            {"ArnEquals": {"aws:SourceArn": arn}},
            {"ArnLike": {"AWS:SourceArn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}},
            {"StringLike": {"aws:SourceArn": [f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/t*"]}},
            {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            {"StringEquals": {"aws:SourceOrgID": ORGANIZATION}},
        ],
    )
    aws.s3.create_bucket(Bucket="bkt")
    for condition in conditions:
        put = service("cloudtrail", "s3:PutObject", f"{bucket}/AWSLogs/{ACCOUNT}/*")
        text = policy(
            {**service("cloudtrail", "s3:GetBucketAcl", bucket), "Condition": condition},
            {**put, "Condition": condition},
            tls_only("bkt"),
        )
        aws.s3.put_bucket_policy(Bucket="bkt", Policy=text)
        aws.cloudtrail.create_trail(Name="trl", S3BucketName="bkt")
        aws.cloudtrail.delete_trail(Name="trl")
