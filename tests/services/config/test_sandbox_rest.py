"""The sandbox's rules of AWS Config's own rules, conformance packs and aggregators: each makes its outcome, and only it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ...sandbox.cases import (
    ACCOUNT,
    LINKED_ROLE,
    MEMBER,
    Aws,
    Case,
    check,
    make_recorder,
    make_role,
    managed_rule,
)

INVALID = "InvalidParameterValueException"
CHANGE, SCHEDULE = "ConfigurationItemChangeNotification", "ScheduledNotification"
TEMPLATE = "Resources: {A: {Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: a}}}"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:check"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
ORGANIZATION = {"OrganizationAggregationSource": {"RoleArn": ROLE, "AllAwsRegions": True}}
ACCOUNTS = {"AccountAggregationSources": [{"AccountIds": [ACCOUNT, MEMBER], "AwsRegions": ["us-east-1"]}]}
NAMED = {"ConfigurationAggregatorName": "a"}


def then(*steps: Any) -> Any:
    """Run the steps, and return the result of the last."""
    return lambda aws: [step(aws) for step in steps][-1]


def rule(owner: str = "CUSTOM_POLICY", message: str = CHANGE, **source: Any) -> dict[str, Any]:
    details = [{"EventSource": "aws.config", "MessageType": message}]
    return {"ConfigRuleName": "r", "Source": {"Owner": owner, "SourceDetails": details, **source}}


def guard(text: str = "rule a { b exists }", **more: Any) -> dict[str, Any]:
    return rule(CustomPolicyDetails={"PolicyRuntime": "guard-2.x.x", "PolicyText": text}, **more)


def put(rule: dict[str, Any]) -> Any:
    def do(aws: Aws) -> Any:
        make_recorder(aws, LINKED_ROLE)
        aws.config.put_config_rule(ConfigRule=rule)
        [shown] = aws.config.describe_config_rules()["ConfigRules"]
        return shown["Source"]

    return do


def text(aws: Aws) -> Any:
    return aws.config.get_custom_rule_policy(ConfigRuleName="r")["PolicyText"]


def pack(**given: Any) -> Any:
    params = {"ConformancePackName": "p", "TemplateBody": TEMPLATE, **given}
    full = {key: value for key, value in params.items() if value is not None}
    return lambda aws: aws.config.put_conformance_pack(**full)


def state(aws: Aws) -> Any:
    shown = aws.config.describe_conformance_pack_status()["ConformancePackStatusDetails"]
    return [each["ConformancePackState"] for each in shown]


def compliance(aws: Aws) -> Any:
    found = aws.config.describe_conformance_pack_compliance(ConformancePackName="p")
    return [each["ConfigRuleName"].partition("-")[0] for each in found["ConformancePackRuleComplianceList"]]


def packs(aws: Aws) -> Any:
    shown = aws.config.describe_conformance_packs(ConformancePackNames=["p"])["ConformancePackDetails"]
    return [(each["Type"], "TemplateBody" in each) for each in shown]


def delete(aws: Aws) -> Any:
    return aws.config.delete_conformance_pack(ConformancePackName="p")


def aggregator(source: dict[str, Any], **more: Any) -> Any:
    return lambda aws: aws.config.put_configuration_aggregator(**NAMED, **source, **more)


def of_organization(aws: Aws) -> Any:
    make_role(aws)
    return aggregator(ORGANIZATION)(aws)


def shown(aws: Aws) -> Any:
    [found] = aws.config.describe_configuration_aggregators()["ConfigurationAggregators"]
    return found.get("AggregatorFilters")


def tags(aws: Aws) -> Any:
    [found] = aws.config.describe_configuration_aggregators()["ConfigurationAggregators"]
    return aws.config.list_tags_for_resource(ResourceArn=found["ConfigurationAggregatorArn"])["Tags"]


def collected(aws: Aws) -> Any:
    found = aws.config.describe_configuration_aggregator_sources_status(**NAMED)["AggregatedSourceStatusList"]
    return [(each["SourceId"], each["LastUpdateStatus"]) for each in found]


OLD, NEW = ([{"Key": "k", "Value": value}] for value in ("old", "new"))
FILTERS = {"ResourceType": {"Type": "INCLUDE", "Value": ["AWS::S3::Bucket"]}}
CUSTOM, SOURCE = "config.custom_rules", "config.aggregator_source"
CASES = [
    Case(CUSTOM, "the text is not described", then(put(guard()), text), "rule a { b exists }"),
    Case(CUSTOM, "no text", put(guard(" ")), INVALID),
    Case(CUSTOM, "a schedule", put(guard(message=SCHEDULE)), INVALID),
    Case(CUSTOM, "no policy", then(put(managed_rule()), text), "NoSuchConfigRuleException"),
    Case(
        CUSTOM,
        "a function",
        lambda aws: put(rule("CUSTOM_LAMBDA", SourceIdentifier=FUNCTION))(aws)["SourceIdentifier"],
        FUNCTION,
    ),
    Case("config.pack_put", "two sources", pack(Source={"SourceIdentifier": "x"}), INVALID),
    Case(
        "config.pack_put",
        "no template",
        pack(TemplateBody="a: b"),
        "ConformancePackTemplateValidationException",
    ),
    Case("config.pack_put", "in progress", then(pack(), pack()), "ResourceInUseException"),
    Case("config.pack_read", "no template", then(pack(), packs), [("CUSTOM", False)]),
    Case("config.pack_read", "no pack", packs, "NoSuchConformancePackException"),
    Case("config.pack_read", "its rules", then(pack(), compliance), ["a"]),
    Case("config.pack_state", "at first", then(pack(), state), ["CREATE_IN_PROGRESS"]),
    Case("config.pack_state", "no recorder", then(pack(), state, state), ["CREATE_FAILED"]),
    Case("config.pack_state", "made", then(make_recorder, pack(), state, state), ["CREATE_COMPLETE"]),
    Case("config.pack_delete", "seen once", then(pack(), state, delete, state, state), []),
    Case("config.pack_delete", "in use", then(pack(), delete), "ResourceInUseException"),
    Case(SOURCE, "no role", aggregator(ORGANIZATION), "InvalidRoleException"),
    Case(SOURCE, "another kind", then(of_organization, aggregator(ACCOUNTS)), INVALID),
    Case(
        "config.aggregator_tags",
        "put again",
        then(aggregator(ACCOUNTS, Tags=OLD), aggregator(ACCOUNTS, Tags=NEW), tags),
        OLD,
    ),
    Case(
        "config.aggregator_fields",
        "filters",
        then(aggregator(ACCOUNTS, AggregatorFilters=FILTERS), shown),
        FILTERS,
    ),
    Case(
        "config.aggregator_status",
        "not authorized",
        then(aggregator(ACCOUNTS), collected),
        [(ACCOUNT, "SUCCEEDED"), (MEMBER, "FAILED")],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_the_management_account_needs_no_trusted_access_and_a_delegated_administrator_does(aws: Aws) -> None:
    principal = "config.amazonaws.com"
    member = aws.of(MEMBER)
    source = {"RoleArn": make_role(member), "AllAwsRegions": True}
    with pytest.raises(ClientError, match="OrganizationAccessDeniedException"):
        aggregator({"OrganizationAggregationSource": source})(member)
    of_organization(aws)
    enabled = aws.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert principal in {each["ServicePrincipal"] for each in enabled}
    aws.organizations.register_delegated_administrator(AccountId=MEMBER, ServicePrincipal=principal)
    assert aggregator({"OrganizationAggregationSource": source})(member)


def test_an_authorization_lets_the_aggregator_collect(aws: Aws) -> None:
    aggregator(ACCOUNTS)(aws)
    whom = {"AuthorizedAccountId": ACCOUNT, "AuthorizedAwsRegion": "us-east-1"}
    aws.of(MEMBER).config.put_aggregation_authorization(**whom)
    assert collected(aws) == [(ACCOUNT, "SUCCEEDED"), (MEMBER, "SUCCEEDED")]


def test_a_function_of_another_region_cannot_be_invoked(aws: Aws) -> None:
    with pytest.raises(ClientError, match="InsufficientPermissionsException"):
        put(rule("CUSTOM_LAMBDA", SourceIdentifier=FUNCTION.replace("us-east-1", "eu-west-1")))(aws)
