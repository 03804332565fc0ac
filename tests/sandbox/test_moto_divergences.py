"""Tests of plain moto where it differs from AWS; if one fails, moto has changed and a rule may be removed.

See aws.md, appendix A; each case has the rule that corrects moto.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from provisioner.sandbox import all_rules

from .cases import (
    ACCOUNT,
    MEMBER,
    STRANGER,
    Aws,
    Case,
    make_bucket,
    make_recorder,
    make_role,
    managed_rule,
    policy,
    tls_only,
    trust,
)

ROLE = f"arn:aws:iam::{ACCOUNT}:role/absent"


@pytest.fixture
def bare() -> Iterator[Aws]:
    """Moto without the sandbox."""
    with warnings.catch_warnings(), mock_aws():
        warnings.simplefilter("ignore")
        yield Aws()


def got(case: Case, aws: Aws) -> Any:
    """The outcome; an exception that moto lets escape counts by its type."""
    try:
        return case.do(aws)
    except ClientError as error:
        return error.response["Error"]["Code"]
    except Exception as error:  # noqa: BLE001 moto lets anything escape
        return type(error).__name__


def trail(aws: Aws, **fields: Any) -> str:
    if not aws.s3.list_buckets()["Buckets"]:
        make_bucket(aws)
    arn: str = aws.cloudtrail.create_trail(**{"Name": "trl", "S3BucketName": "bkt", **fields})["TrailARN"]
    return arn


def on_trail(call: str, region: str = "us-east-1", **params: Any) -> Any:
    def do(aws: Aws) -> Any:
        arn = trail(aws, IsMultiRegionTrail=True)
        filled = {k: arn if v == "ARN" else v for k, v in params.items()}
        answer = getattr(aws.at(region).cloudtrail, call)(**filled)
        return {k: v for k, v in answer.items() if k != "ResponseMetadata"}

    return do


def key_of(do: Any, *path: Any) -> Any:
    """The value at *path* in the result; None if it is absent."""

    def read(aws: Aws) -> Any:
        value = do(aws)
        for step in path:
            value = value.get(step) if isinstance(value, dict) else value[step]
        return value

    return read


def ok(do: Any) -> Any:
    """`OK` for a call that succeeds."""
    return lambda aws: (do(aws), "OK")[1]


def on_bucket(call: str, **params: Any) -> Any:
    return lambda aws: (make_bucket(aws), getattr(aws.s3, call)(Bucket="bkt", **params))[1]


def policy_back(aws: Aws) -> Any:
    text = policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": ACCOUNT},
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::bkt/*"],
        }
    )
    make_bucket(aws)
    aws.s3.put_bucket_policy(Bucket="bkt", Policy=text)
    return aws.s3.get_bucket_policy(Bucket="bkt")["Policy"] == text


def over_tls(aws: Aws) -> Any:
    make_bucket(aws, tls_only("bkt"))
    aws.s3.put_object(Bucket="bkt", Key="k", Body=b"")


def lifecycle(rule: dict[str, Any], **top: Any) -> Any:
    def do(aws: Aws) -> Any:
        made = {"Rules": [{"Status": "Enabled", "Filter": {}, **rule}]}
        on_bucket("put_bucket_lifecycle_configuration", LifecycleConfiguration=made, **top)(aws)
        return aws.s3.get_bucket_lifecycle_configuration(Bucket="bkt")

    return do


def public(aws: Aws) -> Any:
    make_bucket(aws)
    block = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    aws.s3.put_public_access_block(Bucket="bkt", PublicAccessBlockConfiguration=block)
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bkt/*"}
    aws.s3.put_bucket_policy(Bucket="bkt", Policy=policy(allow))


def recorder(aws: Aws) -> Any:
    make_recorder(aws, ROLE, recordingMode={"recordingFrequency": "DAILY"})
    return aws.config.describe_configuration_recorders()["ConfigurationRecorders"][0]


def started(aws: Aws) -> Any:
    make_recorder(aws, ROLE)
    aws.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "missing"})
    aws.config.start_configuration_recorder(ConfigurationRecorderName="default")
    return aws.config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"][0]


def rule(then: str = "", **fields: Any) -> Any:
    def do(aws: Aws) -> Any:
        aws.config.put_config_rule(ConfigRule=managed_rule(**fields))
        return aws.config.describe_config_rules()["ConfigRules"][0].get(then)

    return do


def retagged(aws: Aws) -> Any:
    for value in ("old", "new"):
        aws.config.put_config_rule(ConfigRule=managed_rule(), Tags=[{"Key": "k", "Value": value}])
    arn = aws.config.describe_config_rules()["ConfigRules"][0]["ConfigRuleArn"]
    return aws.config.list_tags_for_resource(ResourceArn=arn)["Tags"][0]["Value"]


def deleted_rule(aws: Aws) -> Any:
    rule()(aws)
    aws.config.delete_config_rule(ConfigRuleName="r")
    return aws.config.describe_config_rules()["ConfigRules"]


def linked(aws: Aws) -> Any:
    return aws.iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")["Role"]["RoleName"]


def organization(aws: Aws, members: int = 0) -> list[str]:
    aws.organizations.create_organization(FeatureSet="ALL")
    make = aws.organizations.create_account
    answers = [make(Email=f"a{number}@example.com", AccountName="n") for number in range(members)]
    return [answer["CreateAccountStatus"]["AccountId"] for answer in answers]


def delegate(aws: Aws) -> Any:
    (member,) = organization(aws, 1)
    register = aws.organizations.register_delegated_administrator
    register(AccountId=member, ServicePrincipal="securityhub.amazonaws.com")


def all_accounts(aws: Aws) -> Any:
    organization(aws, 30)
    return len(aws.organizations.list_accounts()["Accounts"])


def member_enables(aws: Aws) -> Any:
    (member,) = organization(aws, 1)
    aws.of(member).organizations.enable_aws_service_access(ServicePrincipal="config.amazonaws.com")


def assumed(role: str = f"arn:aws:iam::{MEMBER}:role/none", **params: Any) -> Any:
    """The default user assumes a role that does not exist."""
    fields = {"RoleArn": role, "RoleSessionName": "test", **params}
    return lambda aws: aws.sts.assume_role(**fields) and "OK"


def distrusted(aws: Aws) -> Any:
    arn = make_role(aws)  # trusts a service only
    return assumed(arn)(aws)


def closed_state(aws: Aws) -> Any:
    (member,) = organization(aws, 1)
    aws.organizations.close_account(AccountId=member)
    return aws.organizations.describe_account(AccountId=member)["Account"]["State"]


_BOTH = {
    "EventSelectors": [{"ReadWriteType": "All"}],
    "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}],
}
_NUMBER = {"identifier": "IAM_PASSWORD_POLICY", "InputParameters": '{"MinimumPasswordLength": 14}'}
_EARLY = {"Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}]}
_SIZED = {"Filter": {"ObjectSizeGreaterThan": 500}, "Expiration": {"Days": 9}}
_FEW = {"NoncurrentVersionExpiration": {"NoncurrentDays": 5, "NewerNoncurrentVersions": 3}}

CASES = [
    Case("cloudtrail.bucket_policy", "none", ok(trail), "OK"),
    Case("cloudtrail.trail_exists", "again", lambda aws: (trail(aws), ok(trail)(aws))[1], "OK"),
    Case("cloudtrail.organization_trail", "none", ok(lambda aws: trail(aws, IsOrganizationTrail=True)), "OK"),
    Case(
        "cloudtrail.trail_limit",
        "seven",
        ok(lambda aws: [trail(aws, Name=f"trl{n}") for n in range(7)]),
        "OK",
    ),
    Case("cloudtrail.trail_names", "two separators", ok(lambda aws: trail(aws, Name="a--b")), "OK"),
    Case("cloudtrail.prefixes", "AWSLogs", ok(lambda aws: trail(aws, S3KeyPrefix="AWSLogs/")), "OK"),
    Case("cloudtrail.kms_key", "unknown", ok(lambda aws: trail(aws, KmsKeyId="alias/no")), "OK"),
    Case("cloudtrail.log_group", "bogus", ok(lambda aws: trail(aws, CloudWatchLogsLogGroupArn="x")), "OK"),
    Case(
        "cloudtrail.describe_by_name",
        "zzz",
        key_of(on_trail("describe_trails", trailNameList=["zzz"]), "trailList", 0, "Name"),
        "trl",
    ),
    Case(
        "cloudtrail.get_trail", "home", key_of(on_trail("get_trail", Name="trl"), "Trail", "HomeRegion"), None
    ),
    Case(
        "cloudtrail.home_region",
        "update",
        on_trail("update_trail", "eu-west-1", Name="ARN"),
        "TrailNotFoundException",
    ),
    Case("cloudtrail.unknown_trail", "delete", ok(on_trail("delete_trail", Name="nope")), "OK"),
    Case(
        "cloudtrail.by_arn",
        "delete",
        lambda aws: (
            on_trail("delete_trail", Name="ARN")(aws),
            len(aws.cloudtrail.describe_trails()["trailList"]),
        )[1],
        1,
    ),
    Case(
        "cloudtrail.event_selectors",
        "default",
        key_of(on_trail("get_event_selectors", TrailName="trl"), "EventSelectors"),
        [],
    ),
    Case(
        "cloudtrail.put_event_selectors",
        "both",
        ok(on_trail("put_event_selectors", TrailName="trl", **_BOTH)),
        "OK",
    ),
    Case("cloudtrail.insights", "none", ok(on_trail("get_insight_selectors", TrailName="trl")), "OK"),
    Case(
        "cloudtrail.bucket_exists",
        "update",
        ok(on_trail("update_trail", Name="trl", S3BucketName="none")),
        "OK",
    ),
    Case(
        "cloudtrail.multi_region_global",
        "update",
        ok(on_trail("update_trail", Name="trl", IncludeGlobalServiceEvents=False)),
        "OK",
    ),
    Case(
        "cloudtrail.delegated_admin",
        "missing",
        lambda aws: aws.cloudtrail.register_organization_delegated_admin(MemberAccountId=MEMBER),
        "NotImplementedError",
    ),
    Case("events.history", "missing", lambda aws: aws.cloudtrail.lookup_events(), "NotImplementedError"),
    Case("config.recorder_fields", "ARN", key_of(recorder, "arn"), None),
    Case("config.recording_mode", "dropped", key_of(recorder, "recordingMode"), None),
    Case(
        "config.recorder_name",
        "none",
        lambda aws: aws.config.put_configuration_recorder(ConfigurationRecorder={"roleARN": ROLE}),
        "InvalidConfigurationRecorderNameException",
    ),
    Case(
        "config.recorder_role",
        "none",
        lambda aws: aws.config.put_configuration_recorder(ConfigurationRecorder={"name": "default"}),
        "KeyError",
    ),
    Case("config.channel_delivery", "anywhere", key_of(started, "recording"), True),
    Case("config.recorder_status", "capitals", key_of(started, "lastStatus"), "PENDING"),
    Case(
        "config.channel_status",
        "missing",
        lambda aws: aws.config.describe_delivery_channel_status(),
        "NotImplementedError",
    ),
    Case(
        "config.list_recorders",
        "missing",
        lambda aws: aws.config.list_configuration_recorders(),
        "NotImplementedError",
    ),
    Case(
        "config.rule_evaluation",
        "missing",
        lambda aws: aws.config.describe_config_rule_evaluation_status(),
        "NotImplementedError",
    ),
    Case(
        "config.resource_counts",
        "missing",
        lambda aws: aws.config.get_discovered_resource_counts(),
        "NotImplementedError",
    ),
    Case("config.rule_needs_recorder", "none", ok(rule()), "OK"),
    Case("config.rule_parameters", "number", ok(rule(**_NUMBER)), "OK"),
    Case("config.rule_frequency", "change", ok(rule(MaximumExecutionFrequency="One_Hour")), "OK"),
    Case(
        "config.newer_rules",
        "unknown",
        rule(identifier="A_RULE_OF_NEXT_YEAR"),
        "InvalidParameterValueException",
    ),
    Case("config.rule_fields", "modes", rule("EvaluationModes"), None),
    Case("config.rule_tags", "again", retagged, "new"),
    Case("config.rule_deletion", "at once", deleted_rule, []),
    Case(
        "s3.new_bucket_defaults",
        "encryption",
        on_bucket("get_bucket_encryption"),
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
    Case(
        "s3.new_bucket_defaults",
        "block",
        on_bucket("get_public_access_block"),
        "NoSuchPublicAccessBlockConfiguration",
    ),
    Case(
        "s3.new_bucket_defaults",
        "ownership",
        on_bucket("get_bucket_ownership_controls"),
        "OwnershipControlsNotFoundError",
    ),
    Case(
        "s3.expected_bucket_owner",
        "wrong",
        ok(on_bucket("get_bucket_versioning", ExpectedBucketOwner=STRANGER)),
        "OK",
    ),
    Case("s3.malformed_policy", "no JSON", ok(on_bucket("put_bucket_policy", Policy="not json")), "OK"),
    Case("s3.policy_normalised", "as sent", policy_back, True),
    Case("s3.policy_conditions", "over TLS", over_tls, "403"),
    Case("s3.block_public_policy", "public", ok(public), "OK"),
    Case(
        "s3.foreign_account",
        "head",
        ok(lambda aws: (make_bucket(aws), aws.of(STRANGER).s3.head_bucket(Bucket="bkt"))),
        "OK",
    ),
    Case("s3.acls_disabled", "put", ok(on_bucket("put_bucket_acl", ACL="public-read")), "OK"),
    Case("s3.bucket_names", "capitals", ok(lambda aws: aws.s3.create_bucket(Bucket="ABC")), "OK"),
    Case("s3.lifecycle_days", "too early", ok(lifecycle(_EARLY)), "OK"),
    Case(
        "s3.lifecycle_shape",
        "And of one",
        ok(lifecycle({"Filter": {"And": {"Prefix": "x"}}, "Expiration": {"Days": 9}})),
        "OK",
    ),
    Case("s3.lifecycle_kept", "ID", key_of(lifecycle(_SIZED), "Rules", 0, "ID"), None),
    Case("s3.lifecycle_kept", "filter", key_of(lifecycle(_SIZED), "Rules", 0, "Filter"), {}),
    Case(
        "s3.lifecycle_kept",
        "versions",
        key_of(lifecycle(_FEW), "Rules", 0, "NoncurrentVersionExpiration"),
        {"NoncurrentDays": 5},
    ),
    Case(
        "s3.lifecycle_kept",
        "size",
        key_of(
            lifecycle(_SIZED, TransitionDefaultMinimumObjectSize="varies_by_storage_class"),
            "TransitionDefaultMinimumObjectSize",
        ),
        "all_storage_classes_128K",
    ),
    Case("iam.linked_role_names", "spelling", linked, "AWSServiceRoleForconfig"),
    Case("iam.linked_role_exists", "again", lambda aws: (linked(aws), linked(aws)), "EntityAlreadyExists"),
    Case(
        "iam.linked_role_unmodifiable",
        "delete",
        ok(lambda aws: aws.iam.delete_role(RoleName=linked(aws))),
        "OK",
    ),
    Case(
        "iam.trust_policies",
        "empty",
        ok(lambda aws: aws.iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")),
        "OK",
    ),
    Case(
        "iam.managed_policies",
        "Config's",
        lambda aws: (
            make_role(aws),
            aws.iam.attach_role_policy(
                RoleName="r", PolicyArn="arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"
            ),
        ),
        "NoSuchEntity",
    ),
    Case(
        "iam.password_policy_unset",
        "age",
        lambda aws: (
            aws.iam.update_account_password_policy(MinimumPasswordLength=8),
            aws.iam.get_account_password_policy()["PasswordPolicy"].get("MaxPasswordAge"),
        )[1],
        0,
    ),
    Case(
        "organizations.not_in_use",
        "enable",
        ok(lambda aws: aws.organizations.enable_aws_service_access(ServicePrincipal="config.amazonaws.com")),
        "OK",
    ),
    Case("organizations.not_in_use", "list", lambda aws: aws.organizations.list_accounts()["Accounts"], []),
    Case("organizations.management_only", "enable", ok(member_enables), "OK"),
    Case("organizations.delegated_services", "Security Hub", delegate, "InvalidInputException"),
    Case(
        "organizations.any_service_principal",
        "malware",
        lambda aws: (
            organization(aws),
            aws.organizations.enable_aws_service_access(
                ServicePrincipal="malware-protection.guardduty.amazonaws.com"
            ),
        ),
        "InvalidInputException",
    ),
    Case("organizations.pages", "31 accounts", all_accounts, 31),
    Case("organizations.closed_state", "closed", closed_state, "SUSPENDED"),
    Case(
        "organizations.unknown_child",
        "an account",
        lambda aws: (organization(aws), aws.organizations.list_parents(ChildId=MEMBER)),
        "AccountNotFoundException",
    ),
    Case("sts.roles_exist", "none", assumed(), "OK"),
    Case("sts.trust_policies", "a service's", distrusted, "OK"),
    Case("sts.durations", "12 hours", assumed(DurationSeconds=43200), "OK"),
    Case("sts.requests", "a blank", assumed(RoleSessionName="a b"), "OK"),
    Case(
        "sts.caller_identity",
        "the user",
        lambda aws: aws.sts.get_caller_identity()["Arn"],
        f"arn:aws:sts::{ACCOUNT}:user/moto",
    ),
    Case(
        "sts.unknown_keys",
        "any",
        lambda aws: (
            Aws(keys={"aws_access_key_id": "ASIA" + "A" * 16, "aws_secret_access_key": "x"})
            .sts.get_caller_identity()
            .get("Account")
        ),
        ACCOUNT,
    ),
    Case("account.opt_in", "anywhere", ok(lambda aws: aws.at("me-south-1").iam.list_roles()), "OK"),
    Case("kms.key_policies", "empty", ok(lambda aws: aws.kms.create_key(Policy="{}")), "OK"),
    Case("account.list_regions", "missing", lambda aws: aws.account.list_regions(), "404"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_moto_differs(case: Case, bare: Aws) -> None:
    assert got(case, bare) == case.want


def test_moto_gives_a_gov_role_the_wrong_partition(bare: Aws) -> None:
    made = bare.at("us-gov-west-1").iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
    assert made["Role"]["Arn"].startswith("arn:aws:iam::")


def test_every_case_names_a_rule() -> None:
    assert {case.rule for case in CASES} <= {rule_.name for rule_ in all_rules()}
