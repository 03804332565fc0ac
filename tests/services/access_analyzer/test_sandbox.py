"""Tests of the sandbox rules of Access Analyzer: each has an outcome that AWS has, and moto without it has not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox.world import World

from ...sandbox.cases import ACCOUNT, MEMBER, Aws, Case, check

PRINCIPAL = "access-analyzer.amazonaws.com"
UNUSED = "ACCOUNT_UNUSED_ACCESS"
GONE = "ResourceNotFoundException"


def made(name: str = "a", kind: str = "ACCOUNT", **more: Any) -> Any:
    """Make an analyzer, and return its ARN."""
    return lambda aws: aws.accessanalyzer.create_analyzer(analyzerName=name, type=kind, **more)["arn"]


def then(*steps: Any) -> Any:
    """Run the steps, and return the result of the last."""
    return lambda aws: [step(aws) for step in steps][-1]


def age(aws: Aws) -> Any:
    found = aws.accessanalyzer.get_analyzer(analyzerName="a")["analyzer"]
    return found.get("configuration", {}).get("unusedAccess", {}).get("unusedAccessAge")


def aged(days: int) -> dict[str, Any]:
    return {"configuration": {"unusedAccess": {"unusedAccessAge": days}}}


def tags(aws: Aws) -> Any:
    return aws.accessanalyzer.get_analyzer(analyzerName="a")["analyzer"]["tags"]


def listed(aws: Aws) -> Any:
    return [
        (each["name"], "configuration" in each) for each in aws.accessanalyzer.list_analyzers()["analyzers"]
    ]


ARN = f"arn:aws:access-analyzer:us-east-1:{ACCOUNT}:analyzer/a"
CREATE, UPDATE = "accessanalyzer.create", "accessanalyzer.update"
CASES = [
    Case(CREATE, "an ARN", made(), ARN),
    Case(CREATE, "a name twice", then(made(), made(kind=UNUSED)), "ConflictException"),
    Case(CREATE, "a second of a type", then(made(), made("b")), "ServiceQuotaExceededException"),
    Case(CREATE, "no name", made("1"), "ValidationException"),
    Case(CREATE, "no trusted access", made(kind="ORGANIZATION"), "ValidationException"),
    Case(CREATE, "an age that is too high", made(kind=UNUSED, **aged(366)), "ValidationException"),
    Case(CREATE, "an age of external access", made(**aged(90)), "ValidationException"),
    Case("accessanalyzer.get", "AWS's age", then(made(kind=UNUSED), age), 90),
    Case("accessanalyzer.get", "not there", age, GONE),
    Case("accessanalyzer.list", "without configuration", then(made(kind=UNUSED), listed), [("a", False)]),
    Case(
        UPDATE,
        "another age",
        then(
            made(kind=UNUSED),
            lambda aws: aws.accessanalyzer.update_analyzer(analyzerName="a", **aged(7)),
            age,
        ),
        7,
    ),
    Case(
        UPDATE,
        "external access",
        then(made(), lambda aws: aws.accessanalyzer.update_analyzer(analyzerName="a", **aged(7))),
        "ValidationException",
    ),
    Case(
        "accessanalyzer.delete",
        "gone",
        then(made(), lambda aws: aws.accessanalyzer.delete_analyzer(analyzerName="a"), listed),
        [],
    ),
    Case(
        "accessanalyzer.tag",
        "others stay",
        then(
            made(tags={"a": "1"}),
            lambda aws: aws.accessanalyzer.tag_resource(resourceArn=ARN, tags={"b": "2"}),
            tags,
        ),
        {"a": "1", "b": "2"},
    ),
    Case(
        "accessanalyzer.untag",
        "only these",
        then(
            made(tags={"a": "1", "b": "2"}),
            lambda aws: aws.accessanalyzer.untag_resource(resourceArn=ARN, tagKeys=["a"]),
            tags,
        ),
        {"b": "2"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_the_first_analyzer_makes_the_service_linked_role(aws: Aws) -> None:
    made()(aws)
    path = f"/aws-service-role/{PRINCIPAL}/"
    assert [role["RoleName"] for role in aws.iam.list_roles(PathPrefix=path)["Roles"]] == [
        "AWSServiceRoleForAccessAnalyzer"
    ]


def test_an_analyzer_of_the_organization_is_disabled_without_trusted_access(aws: Aws) -> None:
    aws.organizations.enable_aws_service_access(ServicePrincipal=PRINCIPAL)
    made(kind="ORGANIZATION")(aws)

    def state() -> Any:
        found = aws.accessanalyzer.get_analyzer(analyzerName="a")["analyzer"]
        return found["status"], found.get("statusReason")

    assert state() == ("ACTIVE", None)
    aws.organizations.disable_aws_service_access(ServicePrincipal=PRINCIPAL)
    assert state() == ("DISABLED", {"code": "AWS_SERVICE_ACCESS_DISABLED"})


def test_only_administrators_make_an_analyzer_of_the_organization(aws: Aws, world: World) -> None:
    aws.organizations.enable_aws_service_access(ServicePrincipal=PRINCIPAL)
    member = aws.of(MEMBER)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        made(kind="ORGANIZATION")(member)
    aws.organizations.register_delegated_administrator(AccountId=MEMBER, ServicePrincipal=PRINCIPAL)
    assert made(kind="ORGANIZATION")(member).split(":")[4] == MEMBER
