"""Tests of the sandbox rules of the account's settings: each has an outcome that AWS has, and moto without it has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox.world import World

from ...sandbox.cases import ACCOUNT, MEMBER, Aws, Case, check

SETTING = f"arn:aws:ssm:us-east-1:{ACCOUNT}:servicesetting/ssm/documents/console/public-sharing-permission"
LOGS = f"arn:aws:ssm:us-east-1:{ACCOUNT}:servicesetting/ssm/automation/customer-script-log-destination"
MANAGED_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/ebs"
CONTACT = {
    "AlternateContactType": "SECURITY",
    "Name": "Ada",
    "Title": "CISO",
    "EmailAddress": "ada@example.com",
    "PhoneNumber": "+1 555 0100",
}
FLAGS = {"BlockPublicAcls": True}


def ec2(*calls: str, key: str = "", **params: Any) -> Callable[[Aws], Any]:
    """Make the calls, the first one with *params*, and return the *key* of the last answer, or all of it."""

    def do(aws: Aws) -> Any:
        first, *others = calls
        answer = getattr(aws.ec2, first)(**params)
        for each in others:
            answer = getattr(aws.ec2, each)()
        return answer[key] if key else {k: v for k, v in answer.items() if k != "ResponseMetadata"}

    return do


def own_key(aws: Aws) -> bool:
    key = aws.kms.create_key()["KeyMetadata"]
    aws.ec2.modify_ebs_default_kms_key_id(KmsKeyId=key["KeyId"])
    return bool(aws.ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key["Arn"])


def metadata(*changes: dict[str, Any]) -> Callable[[Aws], Any]:
    def do(aws: Aws) -> Any:
        for each in changes:
            aws.ec2.modify_instance_metadata_defaults(**each)
        return aws.ec2.get_instance_metadata_defaults()["AccountLevel"]

    return do


def sharing(value: str, name: str = SETTING) -> Callable[[Aws], Any]:
    def do(aws: Aws) -> Any:
        aws.ssm.update_service_setting(SettingId=name, SettingValue=value)
        return aws.ssm.get_service_setting(SettingId=name)["ServiceSetting"]["SettingValue"]

    return do


def criteria(*wanted: dict[str, Any]) -> Callable[[Aws], Any]:
    def do(aws: Aws) -> Any:
        aws.ec2.enable_allowed_images_settings(AllowedImagesSettingsState="audit-mode")
        aws.ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=[*wanted])
        found = aws.ec2.get_allowed_images_settings()
        return found["State"], found["ImageCriteria"], found["ManagedBy"]

    return do


def contact(**changed: Any) -> Callable[[Aws], Any]:
    def do(aws: Aws) -> Any:
        aws.account.put_alternate_contact(**{**CONTACT, **changed})
        return "done"

    return do


def delete_twice(aws: Aws) -> None:
    contact()(aws)
    for _ in range(2):
        aws.account.delete_alternate_contact(AlternateContactType="SECURITY")


def features(*calls: str, trust: bool = True) -> Callable[[Aws], Any]:
    def do(aws: Aws) -> Any:
        if trust:
            aws.organizations.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
        for each in calls:
            getattr(aws.iam, each)()
        return aws.iam.list_organizations_features()["EnabledFeatures"]

    return do


def block_under_policy(aws: Aws) -> Any:
    aws.s3control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=FLAGS)
    return "done"


def trust_twice(aws: Aws) -> Any:
    principal = {"ServicePrincipal": "iam.amazonaws.com"}
    aws.organizations.enable_aws_service_access(**principal)
    aws.organizations.disable_aws_service_access(**principal)
    aws.organizations.disable_aws_service_access(**principal)
    return aws.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]


def primary(**changed: str | None) -> Any:
    """Change the primary contact, and read it."""

    def do(aws: Aws) -> Any:
        have = aws.account.get_contact_information()["ContactInformation"]
        want = {key: value for key, value in {**have, **changed}.items() if value is not None}
        aws.account.put_contact_information(ContactInformation=want)
        return aws.account.get_contact_information()["ContactInformation"]["FullName"]

    return do


EBS, ACCOUNT_OWNED = "ec2.ebs_encryption", {"ManagedBy": "account"}
INVALID = "InvalidParameterValue"
PRIMARY = "account.contact_information"
CASES = [
    Case(PRIMARY, "changed", primary(FullName="Acme"), "Acme"),
    Case(PRIMARY, "no state", primary(StateOrRegion=None), "ValidationException"),
    Case(PRIMARY, "no number", primary(PhoneNumber="none"), "ValidationException"),
    Case(EBS, "the managed key", ec2("get_ebs_default_kms_key_id", key="KmsKeyId"), MANAGED_KEY),
    Case(EBS, "an own key", own_key, True),
    Case(EBS, "no key", ec2("modify_ebs_default_kms_key_id", KmsKeyId="alias/x"), "InvalidKmsKey.NotFound"),
    Case(
        "ec2.snapshot_block",
        "hidden",
        ec2(
            "enable_snapshot_block_public_access",
            "get_snapshot_block_public_access_state",
            State="block-all-sharing",
        ),
        {"State": "block-all-sharing", **ACCOUNT_OWNED},
    ),
    Case(
        "ec2.snapshot_block",
        "not a state to enable",
        ec2("enable_snapshot_block_public_access", State="unblocked"),
        INVALID,
    ),
    Case(
        "ec2.image_block",
        "unblocked",
        ec2("disable_image_block_public_access", "get_image_block_public_access_state"),
        {"ImageBlockPublicAccessState": "unblocked", **ACCOUNT_OWNED},
    ),
    Case("ec2.public_images", "none of the account", ec2("describe_images", key="Images"), []),
    Case("ec2.public_images", "no snapshot", ec2("describe_snapshots", key="Snapshots"), []),
    Case(
        "ec2.serial_console",
        "opened",
        ec2("enable_serial_console_access", "get_serial_console_access_status"),
        {"SerialConsoleAccessEnabled": True, **ACCOUNT_OWNED},
    ),
    Case(
        "ec2.vpc_block",
        "closed",
        ec2(
            "modify_vpc_block_public_access_options",
            key="VpcBlockPublicAccessOptions",
            InternetGatewayBlockMode="block-ingress",
        ),
        {"State": "update-complete", "InternetGatewayBlockMode": "block-ingress", **ACCOUNT_OWNED},
    ),
    Case(
        "ec2.metadata_defaults",
        "others stay",
        metadata({"HttpTokens": "required"}, {"HttpPutResponseHopLimit": 2}),
        {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, **ACCOUNT_OWNED},
    ),
    Case(
        "ec2.metadata_defaults",
        "unset",
        metadata({"HttpTokens": "required"}, {"HttpTokens": "no-preference"}),
        ACCOUNT_OWNED,
    ),
    Case("ec2.metadata_defaults", "too far", metadata({"HttpPutResponseHopLimit": 65}), INVALID),
    Case("ssm.service_setting", "not shared", sharing("Disable"), "Disable"),
    Case("ssm.service_setting", "no such value", sharing("Never"), "ValidationException"),
    Case("ssm.service_setting", "no such setting", sharing("Disable", "/ssm/x"), "ServiceSettingNotFound"),
    Case("ssm.service_setting", "no such destination", sharing("S3", LOGS), "ValidationException"),
    Case(
        "ec2.allowed_images",
        "kept as written",
        criteria({"ImageProviders": ["amazon"]}),
        ("audit-mode", [{"ImageProviders": ["amazon"]}], "account"),
    ),
    Case("ec2.allowed_images", "none and amazon", criteria({"ImageProviders": ["none", "amazon"]}), INVALID),
    Case("ec2.allowed_images", "eleven", criteria(*[{"ImageNames": ["a"]}] * 11), INVALID),
    Case(
        "ec2.instance_images",
        "none of the account",
        ec2("describe_instance_image_metadata", key="InstanceImageMetadata"),
        [],
    ),
    Case(
        "iam.root_user",
        "with MFA",
        lambda aws: aws.iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"],
        1,
    ),
    Case("account.alternate_contacts", "no address", contact(EmailAddress="ada"), "ValidationException"),
    Case("account.alternate_contacts", "no number", contact(PhoneNumber="none"), "ValidationException"),
    Case("account.alternate_contacts", "own id", contact(AccountId=ACCOUNT), "AccessDeniedException"),
    Case("account.alternate_contacts", "deleted twice", delete_twice, "ResourceNotFoundException"),
    Case("iam.root_access", "enabled", features("enable_organizations_root_sessions"), ["RootSessions"]),
    Case("iam.root_access", "no trust", features(trust=False), "ServiceAccessNotEnabledException"),
    Case("organizations.any_service_principal", "disabled", trust_twice, []),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_the_public_access_block_of_an_s3_policy_cannot_be_written(aws: Aws, world: World) -> None:
    """The rule "s3control.policy_owned"."""
    assert block_under_policy(aws) == "done"
    world.memory["effective_policies"] = {ACCOUNT: {"S3_POLICY": "{}"}}
    with pytest.raises(ClientError, match="AccessDenied"):
        block_under_policy(aws)


def test_what_a_declarative_policy_sets_cannot_be_written(aws: Aws, world: World) -> None:
    aws.ec2.get_serial_console_access_status()
    world.memory["account_region"] = {(ACCOUNT, "us-east-1"): {"owned": ["console"]}}
    assert aws.ec2.get_serial_console_access_status()["ManagedBy"] == "declarative-policy"
    with pytest.raises(ClientError, match="Declarative Policy"):
        aws.ec2.enable_serial_console_access()


def test_only_the_management_account_enables_root_access(aws: Aws) -> None:
    principal = {"ServicePrincipal": "iam.amazonaws.com"}
    aws.organizations.enable_aws_service_access(**principal)
    member = aws.of(MEMBER)
    with pytest.raises(ClientError, match="AccountNotManagementOrDelegatedAdministratorException"):
        features(trust=False)(member)
    aws.organizations.register_delegated_administrator(AccountId=MEMBER, **principal)
    assert features(trust=False)(member) == []
    with pytest.raises(ClientError, match="CallerIsNotManagementAccountException"):
        features("enable_organizations_root_sessions", trust=False)(member)
