"""Tests of the sandbox rules of GuardDuty: each has an outcome that AWS has, and moto without it has not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox.world import World

from ...sandbox.cases import (
    ACCOUNT,
    MEMBER,
    OTHER_MEMBER,
    STRANGER,
    Aws,
    Case,
    check,
    make_bucket,
    outcome,
    service,
)
from .conftest import KEY_ID, add_key

REFUSED = "BadRequestException"
RUNTIMES = ("EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING")
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_ID}"


def made(aws: Aws, *names: str, **given: Any) -> str:
    """Make a detector with these features on, and return its id."""
    features = [{"Name": name, "Status": "ENABLED"} for name in names]
    more = {"Features": features} if features else {}
    found: str = aws.guardduty.create_detector(Enable=True, **more, **given)["DetectorId"]
    return found


def statuses(aws: Aws) -> dict[str, str]:
    [found] = aws.guardduty.list_detectors()["DetectorIds"]
    return {each["Name"]: each["Status"] for each in aws.guardduty.get_detector(DetectorId=found)["Features"]}


def switched(aws: Aws, **features: str) -> dict[str, str]:
    """Make a detector, switch these features, and return the status of all."""
    asked = [{"Name": name, "Status": status} for name, status in features.items()]
    aws.guardduty.update_detector(DetectorId=made(aws), Features=asked)
    return statuses(aws)


def both_disabled(aws: Aws) -> Any:
    """Name both kinds of Runtime Monitoring in a request, neither of them to be enabled."""
    features = [{"Name": each, "Status": "DISABLED"} for each in RUNTIMES]
    return aws.guardduty.create_detector(Enable=True, Features=features)


def one_by_one(aws: Aws) -> list[str]:
    """Enable both kinds of Runtime Monitoring, each in a request of its own."""
    detector = made(aws, RUNTIMES[0])
    asked = [{"Name": RUNTIMES[1], "Status": "ENABLED"}]
    aws.guardduty.update_detector(DetectorId=detector, Features=asked)
    return [statuses(aws).get(each, "") for each in RUNTIMES]


def in_step(aws: Aws) -> Any:
    found = aws.guardduty.get_detector(DetectorId=made(aws))["DataSources"]
    return found["S3Logs"]["Status"], found["Kubernetes"]["AuditLogs"]["Status"]


def tags(aws: Aws) -> Any:
    detector = made(aws, Tags={"a": "1", "b": "2"})
    arn = f"arn:aws:guardduty:us-east-1:{ACCOUNT}:detector/{detector}"
    aws.guardduty.tag_resource(ResourceArn=arn, Tags={"c": "3"})
    aws.guardduty.untag_resource(ResourceArn=arn, TagKeys=["a"])
    return aws.guardduty.get_detector(DetectorId=detector)["Tags"]


def exported(aws: Aws, *, allowed: bool = True, prefix: str = "p", **given: Any) -> str:
    """Make a destination, and return its status."""
    objects = "arn:aws:s3:::bkt/p/*"
    own = {"aws__SourceAccount": ACCOUNT}
    statements = [
        service("guardduty", "s3:GetBucketLocation", "arn:aws:s3:::bkt", "Find", **own),
        service("guardduty", "s3:PutObject", objects, "Write", **own),
    ]
    make_bucket(aws, *(statements if allowed else ()))
    add_key()
    properties = {"DestinationArn": f"arn:aws:s3:::bkt/{prefix}", "KmsKeyArn": KEY, **given}
    one = {"DetectorId": made(aws)}
    aws.guardduty.create_publishing_destination(**one, DestinationType="S3", DestinationProperties=properties)
    [found] = aws.guardduty.list_publishing_destinations(**one)["Destinations"]
    return str(found["Status"])


def administrator(aws: Aws, *accounts: str) -> Any:
    for account in accounts:
        aws.guardduty.enable_organization_admin_account(AdminAccountId=account)
    return [
        each["AdminAccountId"] for each in aws.guardduty.list_organization_admin_accounts()["AdminAccounts"]
    ]


def configured(aws: Aws, **given: Any) -> Any:
    """Set the organization's configuration, and return what is shown of it."""
    administrator(aws, ACCOUNT)
    key = {"DetectorId": aws.guardduty.list_detectors()["DetectorIds"][0]}
    aws.guardduty.update_organization_configuration(**key, **given)
    found = aws.guardduty.describe_organization_configuration(**key)
    return found["AutoEnable"], found["AutoEnableOrganizationMembers"]


def members(aws: Aws) -> Any:
    """Add a member and a stranger, and return the members and who was not added."""
    administrator(aws, ACCOUNT)
    key = {"DetectorId": aws.guardduty.list_detectors()["DetectorIds"][0]}
    details = [{"AccountId": each, "Email": "a@example.com"} for each in (MEMBER, STRANGER)]
    left = aws.guardduty.create_members(**key, AccountDetails=details)["UnprocessedAccounts"]
    found = aws.guardduty.list_members(**key)["Members"]
    return [each["AccountId"] for each in found], [each["AccountId"] for each in left]


def with_members(aws: Aws, *accounts: str) -> dict[str, str]:
    """Make accounts members, and return the parameter that names the administrator's detector."""
    administrator(aws, ACCOUNT)
    key = {"DetectorId": aws.guardduty.list_detectors()["DetectorIds"][0]}
    details = [{"AccountId": each, "Email": "a@example.com"} for each in accounts]
    aws.guardduty.create_members(**key, AccountDetails=details)
    return key


def relationships(aws: Aws, *operations: str, **given: Any) -> Any:
    """Call operations on one of two members, and return the relationship of each that ListMembers then shows."""
    key = with_members(aws, MEMBER, OTHER_MEMBER)
    for each in operations:
        getattr(aws.guardduty, each)(**key, AccountIds=[MEMBER])
    found = aws.guardduty.list_members(**key, **given)["Members"]
    return {each["AccountId"]: each["RelationshipStatus"] for each in found}


def kept_in(aws: Aws) -> Any:
    """Try to suspend a member while ALL accounts have GuardDuty."""
    key = with_members(aws, MEMBER)
    aws.guardduty.update_organization_configuration(**key, AutoEnableOrganizationMembers="ALL")
    return aws.guardduty.stop_monitoring_members(**key, AccountIds=[MEMBER])


def feature_of_member(aws: Aws, *features: dict[str, Any]) -> Any:
    """Set features of a member and of a stranger; return a feature of the member, and who was left out."""
    key = with_members(aws, MEMBER)
    given = {"AccountIds": [MEMBER, STRANGER], "Features": list(features)}
    left = aws.guardduty.update_member_detectors(**key, **given)["UnprocessedAccounts"]
    found = aws.guardduty.get_member_detectors(**key, AccountIds=[MEMBER])
    [configuration] = found["MemberDataSourceConfigurations"]
    features_of = {each["Name"]: each["Status"] for each in configuration["Features"]}
    return features_of["S3_DATA_EVENTS"], features_of["EKS_AUDIT_LOGS"], [each["AccountId"] for each in left]


def deleted(aws: Aws) -> Any:
    detector = made(aws)
    aws.guardduty.delete_detector(DetectorId=detector)
    return aws.guardduty.delete_detector(DetectorId=detector)


def of_member(aws: Aws) -> Any:
    return aws.guardduty.get_administrator_account(DetectorId=made(aws)).get("Administrator")


CASES = [
    Case("guardduty.one_detector", "a second", lambda aws: (made(aws), made(aws)), REFUSED),
    Case(
        "guardduty.one_detector",
        "what is not named is on",
        lambda aws: (made(aws, "S3_DATA_EVENTS"), statuses(aws).get("LAMBDA_NETWORK_LOGS"))[1],
        "ENABLED",
    ),
    Case(
        "guardduty.detector_features",
        "others stay",
        lambda aws: switched(aws, S3_DATA_EVENTS="DISABLED").get("EKS_AUDIT_LOGS"),
        "ENABLED",
    ),
    Case("guardduty.one_detector", "both of Runtime Monitoring", both_disabled, REFUSED),
    Case(
        "guardduty.detector_features",
        "both of Runtime Monitoring, one after the other",
        one_by_one,
        ["ENABLED"] * 2,
    ),
    Case("guardduty.detector_features", "data sources in step", in_step, ("ENABLED", "ENABLED")),
    Case("guardduty.delete_detector", "twice", deleted, REFUSED),
    Case("guardduty.tags", "of others stay", tags, {"b": "2", "c": "3"}),
    Case("guardduty.destination", "to a bucket that lets it in", exported, "PUBLISHING"),
    Case("guardduty.destination", "not let in", lambda aws: exported(aws, allowed=False), REFUSED),
    Case("guardduty.destination", "another prefix", lambda aws: exported(aws, prefix="q"), REFUSED),
    Case(
        "guardduty.destination",
        "of another owner",
        lambda aws: exported(aws, ExpectedBucketOwner=MEMBER),
        REFUSED,
    ),
    Case("guardduty.administrator", "a stranger", lambda aws: administrator(aws, STRANGER), REFUSED),
    Case(
        "guardduty.administrator", "a second", lambda aws: administrator(aws, MEMBER, OTHER_MEMBER), REFUSED
    ),
    Case(
        "guardduty.organization",
        "ALL is AutoEnable too",
        lambda aws: configured(aws, AutoEnableOrganizationMembers="ALL"),
        (True, "ALL"),
    ),
    Case(
        "guardduty.organization",
        "neither of the two",
        lambda aws: configured(aws, Features=[{"Name": "S3_DATA_EVENTS", "AutoEnable": "ALL"}]),
        REFUSED,
    ),
    Case(
        "guardduty.organization",
        "both of Runtime Monitoring",
        lambda aws: configured(
            aws,
            AutoEnableOrganizationMembers="ALL",
            Features=[{"Name": each, "AutoEnable": "NONE"} for each in RUNTIMES],
        ),
        REFUSED,
    ),
    Case("guardduty.members", "one, and a stranger", members, ([MEMBER], [STRANGER])),
    Case(
        "guardduty.members",
        "a suspended one stays",
        lambda aws: relationships(aws, "stop_monitoring_members"),
        {MEMBER: "Paused", OTHER_MEMBER: "Enabled"},
    ),
    Case(
        "guardduty.members",
        "and is started",
        lambda aws: relationships(aws, "stop_monitoring_members", "start_monitoring_members"),
        {MEMBER: "Enabled", OTHER_MEMBER: "Enabled"},
    ),
    Case(
        "guardduty.members",
        "a former one is not listed",
        lambda aws: relationships(aws, "disassociate_members"),
        {OTHER_MEMBER: "Enabled"},
    ),
    Case(
        "guardduty.members",
        "unless it is asked for",
        lambda aws: relationships(aws, "disassociate_members", OnlyAssociated="false"),
        {MEMBER: "Removed", OTHER_MEMBER: "Enabled"},
    ),
    Case("guardduty.members", "of ALL are not suspended", kept_in, REFUSED),
    Case(
        "guardduty.member_detectors",
        "one feature, and a stranger",
        lambda aws: feature_of_member(aws, {"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}),
        ("DISABLED", "ENABLED", [STRANGER]),
    ),
    Case(
        "guardduty.member_detectors",
        "both of Runtime Monitoring",
        lambda aws: feature_of_member(aws, *({"Name": each, "Status": "ENABLED"} for each in RUNTIMES)),
        REFUSED,
    ),
    Case("guardduty.member", "of nobody", of_member, None),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_a_feature_that_the_region_lacks_is_refused(aws: Aws, world: World) -> None:
    world.memory["guardduty"] = {"lacking": {"us-east-1": ["AI_ANALYST"]}}
    assert outcome(lambda a: made(a, "AI_ANALYST"), aws) == REFUSED
    made(aws)
    assert "AI_ANALYST" not in statuses(aws)


def test_a_member_cannot_change_its_detector(aws: Aws, world: World) -> None:
    detector = made(aws)
    world.memory["guardduty"]["members"] = {(ACCOUNT, "us-east-1"): MEMBER}
    with pytest.raises(ClientError, match="what its administrator manages"):
        aws.guardduty.update_detector(DetectorId=detector, Enable=False)


def test_the_administrator_gets_a_detector_and_trusted_access(aws: Aws) -> None:
    administrator(aws, MEMBER)
    assert aws.of(MEMBER).guardduty.list_detectors()["DetectorIds"]
    trusted = aws.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert "guardduty.amazonaws.com" in {each["ServicePrincipal"] for each in trusted}
    with pytest.raises(ClientError, match="not the management account"):
        aws.of(OTHER_MEMBER).guardduty.list_organization_admin_accounts()


def test_a_destination_goes_with_its_detector_and_fails_with_its_bucket(aws: Aws) -> None:
    assert exported(aws) == "PUBLISHING"
    key = {"DetectorId": aws.guardduty.list_detectors()["DetectorIds"][0]}
    aws.s3.delete_bucket_policy(Bucket="bkt")
    [found] = aws.guardduty.list_publishing_destinations(**key)["Destinations"]
    assert found["Status"] == "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY"
    aws.guardduty.delete_publishing_destination(**key, DestinationId=found["DestinationId"])
    assert aws.guardduty.list_publishing_destinations(**key)["Destinations"] == []


def test_who_becomes_a_member_gets_what_new_accounts_get_and_is_started(aws: Aws) -> None:
    member = aws.of(MEMBER)
    member.guardduty.update_detector(DetectorId=made(member), Enable=False)
    key = with_members(aws, OTHER_MEMBER)
    parts = [{"Name": "EC2_AGENT_MANAGEMENT", "AutoEnable": "ALL"}]
    runtime = {"Name": "RUNTIME_MONITORING", "AutoEnable": "NEW", "AdditionalConfiguration": parts}
    aws.guardduty.update_organization_configuration(
        **key, AutoEnableOrganizationMembers="NONE", Features=[runtime]
    )
    details = [{"AccountId": MEMBER, "Email": "a@example.com"}]
    aws.guardduty.create_members(**key, AccountDetails=details)
    [found] = aws.guardduty.get_member_detectors(**key, AccountIds=[MEMBER])["MemberDataSourceConfigurations"]
    [feature] = [each for each in found["Features"] if each["Name"] == "RUNTIME_MONITORING"]
    on = {each["Name"] for each in feature["AdditionalConfiguration"] if each["Status"] == "ENABLED"}
    assert (feature["Status"], on) == ("ENABLED", {"EC2_AGENT_MANAGEMENT"})
    [detector] = member.guardduty.list_detectors()["DetectorIds"]
    assert member.guardduty.get_detector(DetectorId=detector)["Status"] == "ENABLED"
