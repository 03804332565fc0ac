"""The sandbox's rules of the organization's rules and packs: each makes its outcome, and only it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ...sandbox.cases import ACCOUNT, MEMBER, OTHER_MEMBER, Aws, Case, check, make_recorder

INVALID = "InvalidParameterValueException"
NAMED, PACK = {"OrganizationConfigRuleName": "r"}, {"OrganizationConformancePackName": "p"}
MANAGED = {"OrganizationManagedRuleMetadata": {"RuleIdentifier": "ENCRYPTED_VOLUMES"}}
TEXT = {"PolicyRuntime": "guard-2.x.x", "PolicyText": "rule a { b exists }"}
POLICY = {"OrganizationCustomPolicyRuleMetadata": TEXT}
TEMPLATE = "Resources: {A: {Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: a}}}"
HERE = {"ExcludedAccounts": [MEMBER, OTHER_MEMBER]}


def then(*steps: Any) -> Any:
    """Run the steps, and return the result of the last."""
    return lambda aws: [step(aws) for step in steps][-1]


def put(**given: Any) -> Any:
    return lambda aws: aws.config.put_organization_config_rule(**NAMED, **given)


def pack(**given: Any) -> Any:
    return lambda aws: aws.config.put_organization_conformance_pack(**PACK, **given)


def shown(aws: Aws) -> Any:
    [found] = aws.config.describe_organization_config_rules()["OrganizationConfigRules"]
    return sorted(found["OrganizationCustomPolicyRuleMetadata"])


def text(aws: Aws) -> Any:
    return aws.config.get_organization_custom_rule_policy(**NAMED)["PolicyText"]


def states(aws: Aws) -> Any:
    found = aws.config.describe_organization_config_rule_statuses()["OrganizationConfigRuleStatuses"]
    return [each["OrganizationRuleStatus"] for each in found]


def pack_states(aws: Aws) -> Any:
    found = aws.config.describe_organization_conformance_pack_statuses()
    return [each["Status"] for each in found["OrganizationConformancePackStatuses"]]


def accounts(aws: Aws) -> Any:
    found = aws.config.get_organization_config_rule_detailed_status(**NAMED)
    return [
        (each["AccountId"], each["MemberAccountRuleStatus"], each.get("ErrorCode"))
        for each in found["OrganizationConfigRuleDetailedStatus"]
    ]


def delete(aws: Aws) -> Any:
    aws.config.delete_organization_config_rule(**NAMED)


def rule_tags(aws: Aws) -> Any:
    [found] = aws.config.describe_organization_config_rules()["OrganizationConfigRules"]
    return aws.config.list_tags_for_resource(ResourceArn=found["OrganizationConfigRuleArn"])["Tags"]


def function(region: str) -> Any:
    arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:decides"
    triggers = ["ConfigurationItemChangeNotification"]
    given = {"LambdaFunctionArn": arn, "OrganizationConfigRuleTriggerTypes": triggers}
    return put(OrganizationCustomRuleMetadata=given)


SCHEDULED = {**TEXT, "OrganizationConfigRuleTriggerTypes": ["ScheduledNotification"]}


def tags(aws: Aws) -> Any:
    [found] = aws.config.describe_organization_conformance_packs()["OrganizationConformancePacks"]
    arn = found["OrganizationConformancePackArn"]
    return aws.config.list_tags_for_resource(ResourceArn=arn)["Tags"]


PUT, STATE, TAG = "config.organization_put", "config.organization_state", [{"Key": "k", "Value": "v"}]
MISSING = "NoSuchOrganizationConfigRuleException"
NO_RECORDER = "NoAvailableConfigurationRecorder"
CASES = [
    Case(PUT, "no source", put(), INVALID),
    Case(PUT, "two sources", put(**MANAGED, **POLICY), INVALID),
    Case(PUT, "in progress", then(put(**MANAGED), put(**MANAGED)), "ResourceInUseException"),
    Case(
        PUT,
        "misspelt",
        put(OrganizationManagedRuleMetadata={"RuleIdentifier": "ENCRYPTED_VOLUME"}),
        INVALID,
    ),
    Case(
        PUT, "the bucket's name", pack(TemplateBody=TEMPLATE, DeliveryS3Bucket="mine"), "ValidationException"
    ),
    Case(
        PUT,
        "no template",
        pack(TemplateBody="a: b"),
        "OrganizationConformancePackTemplateValidationException",
    ),
    Case(PUT, "a rule's tags", then(put(**MANAGED, Tags=TAG), rule_tags), TAG),
    Case(PUT, "a function elsewhere", function("eu-west-1"), "InsufficientPermissionsException"),
    Case(PUT, "a scheduled policy", put(OrganizationCustomPolicyRuleMetadata=SCHEDULED), INVALID),
    Case(PUT, "its tags", then(pack(TemplateBody=TEMPLATE, Tags=TAG), tags), TAG),
    Case("config.organization_read", "no text", then(put(**POLICY), shown), ["PolicyRuntime"]),
    Case("config.organization_read", "the text", then(put(**POLICY), text), TEXT["PolicyText"]),
    Case("config.organization_read", "no rule", text, MISSING),
    Case(STATE, "at first", then(put(**MANAGED), states), ["CREATE_IN_PROGRESS"]),
    Case(STATE, "no recorder", then(put(**MANAGED), states, states), ["CREATE_FAILED"]),
    Case(STATE, "made", then(make_recorder, put(**MANAGED, **HERE), states, states), ["CREATE_SUCCESSFUL"]),
    Case(
        STATE,
        "a pack",
        then(make_recorder, pack(TemplateBody=TEMPLATE, **HERE), pack_states, pack_states),
        ["CREATE_SUCCESSFUL"],
    ),
    Case(
        STATE,
        "by account",
        then(make_recorder, put(**MANAGED, ExcludedAccounts=[MEMBER]), states, accounts),
        [(OTHER_MEMBER, "CREATE_FAILED", NO_RECORDER), (ACCOUNT, "CREATE_SUCCESSFUL", None)],
    ),
    Case(STATE, "no rule", accounts, MISSING),
    Case("config.organization_delete", "seen once", then(put(**MANAGED), states, delete, states, states), []),
    Case("config.organization_delete", "no rule", delete, MISSING),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_a_member_must_be_a_delegated_administrator(aws: Aws) -> None:
    member = aws.of(MEMBER)
    with pytest.raises(ClientError, match="OrganizationAccessDeniedException"):
        states(member)
    put(**MANAGED)(aws)
    principal = "config-multiaccountsetup.amazonaws.com"
    enabled = aws.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert principal in {each["ServicePrincipal"] for each in enabled}
    aws.organizations.register_delegated_administrator(AccountId=MEMBER, ServicePrincipal=principal)
    assert put(**MANAGED)(member)
