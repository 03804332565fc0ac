"""Tests of the sandbox rules of Macie: each has an outcome that AWS has, and moto without it has not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ...sandbox.cases import ACCOUNT, MEMBER, OTHER_MEMBER, STRANGER, Aws, Case, check

DENIED, CONFLICT, INVALID = "AccessDeniedException", "ConflictException", "ValidationException"


def enable(aws: Aws) -> Any:
    return aws.macie2.enable_macie()


def then(*steps: Any) -> Any:
    """Run the steps, and return the result of the last."""
    return lambda aws: [step(aws) for step in steps][-1]


def status(aws: Aws) -> Any:
    found = aws.macie2.get_macie_session()
    return found["status"], found["findingPublishingFrequency"]


def publication(aws: Aws) -> Any:
    found = aws.macie2.get_findings_publication_configuration()["securityHubConfiguration"]
    return found["publishClassificationFindings"], found["publishPolicyFindings"]


def discover(state: str = "ENABLED", **more: Any) -> Any:
    return lambda aws: aws.macie2.update_automated_discovery_configuration(status=state, **more)


def discovery(aws: Aws) -> Any:
    found = aws.macie2.get_automated_discovery_configuration()
    return found["status"], "classificationScopeId" in found


def exclude(operation: str, *names: str) -> Any:
    def update(aws: Aws) -> Any:
        scope = aws.macie2.get_automated_discovery_configuration()["classificationScopeId"]
        excludes = {"bucketNames": list(names), "operation": operation}
        aws.macie2.update_classification_scope(id=scope, s3={"excludes": excludes})
        return aws.macie2.get_classification_scope(id=scope)["s3"]["excludes"]["bucketNames"]

    return update


def admin(account: str = MEMBER) -> Any:
    return lambda aws: aws.macie2.enable_organization_admin_account(adminAccountId=account)


def admins(aws: Aws) -> Any:
    return [each["accountId"] for each in aws.macie2.list_organization_admin_accounts()["adminAccounts"]]


def joins(aws: Aws) -> Any:
    aws.macie2.update_organization_configuration(autoEnable=True)
    return aws.macie2.describe_organization_configuration()["autoEnable"]


def store(aws: Aws) -> Any:
    where = {"bucketName": "none", "kmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/none"}
    return aws.macie2.put_classification_export_configuration(configuration={"s3Destination": where})


def stored(aws: Aws) -> Any:
    return aws.macie2.get_classification_export_configuration()["configuration"]


def pause(aws: Aws) -> Any:
    return aws.macie2.update_macie_session(status="PAUSED")


def relationships(*operations: Any, **given: Any) -> Any:
    """Call operations on one of two members, and return the relationship of each that ListMembers then shows."""

    def do(aws: Aws) -> Any:
        admin(ACCOUNT)(aws)
        for each in (MEMBER, OTHER_MEMBER):
            aws.macie2.create_member(account={"accountId": each, "email": "a@example.com"})
        for operation in operations:
            operation(aws)
        found = aws.macie2.list_members(**given)["members"]
        return {each["accountId"]: each["relationshipStatus"] for each in found}

    return do


def pause_member(aws: Aws) -> Any:
    return aws.macie2.update_member_session(id=MEMBER, status="PAUSED")


def remove_member(aws: Aws) -> Any:
    return aws.macie2.disassociate_member(id=MEMBER)


CASES = [
    Case("macie2.enable", "twice", then(enable, enable), CONFLICT),
    Case("macie2.session", "not enabled", status, DENIED),
    Case(
        "macie2.update", "what is left out stays", then(enable, pause, status), ("PAUSED", "FIFTEEN_MINUTES")
    ),
    Case("macie2.disable", "not enabled", lambda aws: aws.macie2.disable_macie(), DENIED),
    Case(
        "macie2.disable",
        "the administrator",
        then(admin(ACCOUNT), lambda a: a.macie2.disable_macie()),
        CONFLICT,
    ),
    Case("macie2.publication", "policy findings only", then(enable, publication), (False, True)),
    Case("macie2.administrator", "not enabled", lambda aws: aws.macie2.get_administrator_account(), DENIED),
    Case("macie2.discovery", "off, and without a scope", then(enable, discovery), ("DISABLED", False)),
    Case(
        "macie2.discovery",
        "a scope that stays",
        then(enable, discover(), discover("DISABLED"), discovery),
        ("DISABLED", True),
    ),
    Case(
        "macie2.discovery_update",
        "for members",
        then(enable, discover(autoEnableOrganizationMembers="ALL")),
        INVALID,
    ),
    Case(
        "macie2.scope",
        "added",
        then(enable, discover(), exclude("ADD", "a"), exclude("ADD", "b")),
        ["a", "b"],
    ),
    Case(
        "macie2.scope",
        "removed",
        then(enable, discover(), exclude("ADD", "a", "b"), exclude("REMOVE", "a")),
        ["b"],
    ),
    Case(
        "macie2.scope",
        "replaced",
        then(enable, discover(), exclude("ADD", "a"), exclude("REPLACE", "b")),
        ["b"],
    ),
    Case("macie2.admins", "a member", lambda aws: admins(aws.of(MEMBER)), DENIED),
    Case("macie2.enable_admin", "a second one", then(admin(), admin(OTHER_MEMBER)), CONFLICT),
    Case("macie2.enable_admin", "a stranger", admin(STRANGER), INVALID),
    Case(
        "macie2.disable_admin",
        "gone",
        then(admin(), lambda a: a.macie2.disable_organization_admin_account(adminAccountId=MEMBER), admins),
        [],
    ),
    Case("macie2.organization", "no administrator", then(enable, joins), DENIED),
    Case("macie2.organization", "the administrator", then(admin(ACCOUNT), joins), True),
    Case(
        "macie2.members",
        "a paused one stays",
        relationships(pause_member),
        {MEMBER: "Paused", OTHER_MEMBER: "Enabled"},
    ),
    Case("macie2.members", "a removed one", relationships(remove_member), {OTHER_MEMBER: "Enabled"}),
    Case(
        "macie2.members",
        "all that ever were",
        relationships(remove_member, onlyAssociated="false"),
        {MEMBER: "Removed", OTHER_MEMBER: "Enabled"},
    ),
    Case(
        "macie2.members",
        "a stranger",
        then(
            admin(ACCOUNT),
            lambda a: a.macie2.create_member(account={"accountId": STRANGER, "email": "a@example.com"}),
        ),
        INVALID,
    ),
    Case("macie2.members", "no administrator", then(enable, lambda a: a.macie2.list_members()), DENIED),
    Case("macie2.export", "none", then(enable, stored), {}),
    Case("macie2.export_put", "no bucket", then(enable, store), INVALID),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_macie_makes_its_service_linked_role(aws: Aws) -> None:
    enable(aws)
    path = "/aws-service-role/macie.amazonaws.com/"
    names = [role["RoleName"] for role in aws.iam.list_roles(PathPrefix=path)["Roles"]]
    assert names == ["AWSServiceRoleForAmazonMacie"]


def test_an_administrator_gets_macie_trusted_access_and_a_registration(aws: Aws) -> None:
    admin()(aws)
    assert status(aws.of(MEMBER))[0] == "ENABLED"
    trusted = aws.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert [each["ServicePrincipal"] for each in trusted] == ["macie.amazonaws.com"]
    found = aws.organizations.list_delegated_administrators()["DelegatedAdministrators"]
    assert [each["Id"] for each in found] == [MEMBER]


def test_members_name_no_administrator(aws: Aws) -> None:
    with pytest.raises(ClientError, match=DENIED):
        admin()(aws.of(MEMBER))
