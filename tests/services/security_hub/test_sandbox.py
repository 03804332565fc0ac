"""Tests of the sandbox rules of Security Hub: each has an outcome that AWS has, and moto without it has not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox import open_sandbox
from provisioner.sandbox.world import World

from ...sandbox.cases import ACCOUNT, MEMBER, OTHER_MEMBER, STRANGER, Aws, Case, check, make_channel, outcome

HUB = f"arn:aws:securityhub:us-east-1:{ACCOUNT}:hub/default"
BEST = "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"
CIS = "arn:aws:securityhub:us-east-1::standards/cis-aws-foundations-benchmark/v/5.0.0"
TOWER = "arn:aws:securityhub:us-east-1::standards/service-managed-aws-control-tower/v/1.0.0"
PRINCIPAL = "securityhub.amazonaws.com"


def call(operation: str, /, **params: Any) -> Any:
    return lambda aws: getattr(aws.securityhub, operation)(**params)


def then(*steps: Any) -> Any:
    """Run the steps, and return the result of the last."""
    return lambda aws: [step(aws) for step in steps][-1]


def field(do: Any, *path: Any) -> Any:
    def read(aws: Aws) -> Any:
        value = do(aws)
        for each in path:
            value = value[each]
        return value

    return read


def enabled(*standards: str) -> Any:
    asked = [{"StandardsArn": each} for each in standards]
    return call("batch_enable_standards", StandardsSubscriptionRequests=asked)


def switch(control: str, status: str, *, standard: str = BEST, **reason: str) -> Any:
    update = {"StandardsArn": standard, "SecurityControlId": control, "AssociationStatus": status, **reason}
    do = call("batch_update_standards_control_associations", StandardsControlAssociationUpdates=[update])
    return lambda aws: [each["ErrorCode"] for each in do(aws)["UnprocessedAssociationUpdates"]]


def statuses(aws: Aws) -> Any:
    found = aws.securityhub.get_enabled_standards()["StandardsSubscriptions"]
    return [(each["StandardsArn"], each["StandardsStatus"]) for each in found]


def of_control(control: str) -> Any:
    def read(aws: Aws) -> Any:
        found = aws.securityhub.list_standards_control_associations(SecurityControlId=control)
        return [
            (each["StandardsArn"], each["AssociationStatus"], each.get("UpdatedReason"))
            for each in found["StandardsControlAssociationSummaries"]
        ]

    return read


def on_aggregator(operation: str, **params: Any) -> Any:
    def do(aws: Aws) -> Any:
        arn = aws.securityhub.create_finding_aggregator(RegionLinkingMode="ALL_REGIONS")
        given = {"FindingAggregatorArn": arn["FindingAggregatorArn"], **params}
        getattr(aws.securityhub, operation)(**given)
        return len(aws.at("eu-west-1").securityhub.list_finding_aggregators()["FindingAggregators"])

    return do


def tagged(aws: Aws) -> Any:
    return aws.securityhub.list_tags_for_resource(ResourceArn=HUB)["Tags"]


def linked(mode: str, **more: Any) -> Any:
    return call("create_finding_aggregator", RegionLinkingMode=mode, **more)


def admins(aws: Aws) -> Any:
    return [each["AccountId"] for each in aws.securityhub.list_organization_admin_accounts()["AdminAccounts"]]


ON = call("enable_security_hub", EnableDefaultStandards=False)
ABROAD = lambda aws: aws.at("eu-west-1").securityhub.enable_security_hub()  # noqa: E731
SETTINGS, TAGS, STANDARDS, CONTROLS = (
    f"securityhub.{name}" for name in ("hub", "tags", "standards", "controls")
)
AGGREGATOR, ADMINISTRATOR, ORGANIZATION = (
    "securityhub.aggregator",
    "securityhub.administrator",
    "securityhub.organization",
)


def all_of(standard: str) -> Any:
    return lambda aws: [
        each["SecurityControlId"]
        for each in aws.securityhub.list_security_control_definitions(StandardsArn=standard)[
            "SecurityControlDefinitions"
        ]
    ]


def states(*controls: str) -> Any:
    asked = [{"SecurityControlId": each, "StandardsArn": BEST} for each in controls]

    def do(aws: Aws) -> Any:
        batch_get = aws.securityhub.batch_get_standards_control_associations
        answer = batch_get(StandardsControlAssociationIds=asked)
        refused = [each["StandardsControlAssociationId"] for each in answer["UnprocessedAssociations"]]
        details = answer["StandardsControlAssociationDetails"]
        return (
            {each["SecurityControlId"]: each["AssociationStatus"] for each in details},
            [each["SecurityControlId"] for each in refused],
        )

    return do


ADMIN, LIST = "enable_organization_admin_account", "list_organization_admin_accounts"
CASES = [
    Case("securityhub.hub", "twice", then(ON, ON), "ResourceConflictException"),
    Case(
        SETTINGS,
        "updated",
        then(
            ON,
            call("update_security_hub_configuration", AutoEnableControls=False),
            field(call("describe_hub"), "AutoEnableControls"),
        ),
        False,
    ),
    Case(
        SETTINGS,
        "no setting",
        call("enable_security_hub", ControlFindingGenerator="NONE"),
        "InvalidInputException",
    ),
    Case(
        "securityhub.tags",
        "others stay",
        then(
            call("enable_security_hub", Tags={"a": "1", "b": "2"}),
            call("tag_resource", ResourceArn=HUB, Tags={"c": "3"}),
            call("untag_resource", ResourceArn=HUB, TagKeys=["b"]),
            tagged,
        ),
        {"a": "1", "c": "3"},
    ),
    Case(TAGS, "no hub", tagged, "ResourceNotFoundException"),
    Case("securityhub.products", "no hub", call("list_enabled_products_for_import"), "InvalidAccessException"),
    Case(
        "securityhub.products",
        "none",
        then(ON, field(call("list_enabled_products_for_import"), "ProductSubscriptions")),
        [],
    ),
    Case("securityhub.standards", "no hub", call("describe_standards"), "InvalidAccessException"),
    Case(STANDARDS, "AWS's choice", then(call("enable_security_hub"), statuses, lambda aws: len(statuses(aws))), 2),
    Case(STANDARDS, "none", then(ON, statuses), []),
    Case(STANDARDS, "no recorder", then(ON, enabled(BEST), statuses), [(BEST, "INCOMPLETE")]),
    Case(STANDARDS, "managed by a service", then(ON, enabled(TOWER)), "InvalidInputException"),
    Case(STANDARDS, "no such standard", then(ON, enabled(f"{BEST}0")), "InvalidInputException"),
    Case(
        STANDARDS,
        "disabled",
        then(
            ON,
            enabled(BEST),
            call(
                "batch_disable_standards",
                StandardsSubscriptionArns=[BEST.replace("::standards", f":{ACCOUNT}:subscription")],
            ),
            statuses,
        ),
        [],
    ),
    Case(
        STANDARDS,
        "not there to disable",
        then(ON, call("batch_disable_standards", StandardsSubscriptionArns=[BEST])),
        "InvalidInputException",
    ),
    Case("securityhub.controls", "on", then(ON, enabled(BEST), of_control("IAM.6")), [(BEST, "ENABLED", None)]),
    Case("securityhub.all_controls", "of a standard", then(ON, all_of(TOWER)), ["EC2.2", "S3.1"]),
    Case(
        "securityhub.all_controls",
        "on and off",
        then(ON, enabled(BEST), switch("IAM.6", "DISABLED", UpdatedReason="why"), states("IAM.6", "S3.1", "X.1")),
        ({"IAM.6": "DISABLED", "S3.1": "ENABLED"}, ["X.1"]),
    ),
    Case(CONTROLS, "unknown", then(ON, of_control("IAM.66")), "InvalidInputException"),
    Case(
        CONTROLS,
        "off",
        then(
            ON,
            enabled(BEST, CIS),
            switch("IAM.6", "DISABLED", UpdatedReason="why"),
            of_control("IAM.6"),
        ),
        [(BEST, "DISABLED", "why"), (CIS, "ENABLED", None)],
    ),
    Case(
        CONTROLS,
        "on again",
        then(
            ON,
            enabled(BEST),
            switch("IAM.6", "DISABLED", UpdatedReason="why"),
            switch("IAM.6", "ENABLED"),
            of_control("IAM.6"),
        ),
        [(BEST, "ENABLED", None)],
    ),
    Case(CONTROLS, "no reason", then(ON, enabled(BEST), switch("IAM.6", "DISABLED")), ["INVALID_INPUT"]),
    Case(CONTROLS, "another standard's", then(ON, enabled(CIS), switch("IAM.1", "ENABLED", standard=CIS)), ["INVALID_INPUT"]),
    Case(CONTROLS, "no standard", then(ON, switch("IAM.6", "ENABLED")), ["RESOURCE_NOT_FOUND"]),
    Case("securityhub.aggregator", "twice", then(ON, linked("ALL_REGIONS"), linked("ALL_REGIONS")), "InvalidInputException"),
    Case(AGGREGATOR, "Regions of all", then(ON, linked("ALL_REGIONS", Regions=["eu-west-1"])), "InvalidInputException"),
    Case(AGGREGATOR, "no Regions", then(ON, linked("SPECIFIED_REGIONS")), "InvalidInputException"),
    Case(AGGREGATOR, "seen elsewhere", then(ON, ABROAD, on_aggregator("get_finding_aggregator")), 1),
    Case(AGGREGATOR, "deleted", then(ON, ABROAD, on_aggregator("delete_finding_aggregator")), 0),
    Case(AGGREGATOR, "changed", then(ON, ABROAD, on_aggregator("update_finding_aggregator", RegionLinkingMode="NO_REGIONS")), 1),
    Case(AGGREGATOR, "not there", then(ON, on_aggregator("get_finding_aggregator", FindingAggregatorArn="arn:x")), "ResourceNotFoundException"),
    Case("securityhub.administrator", "one", then(call(ADMIN, AdminAccountId=MEMBER), admins), [MEMBER]),
    Case(
        ADMINISTRATOR,
        "another",
        then(call(ADMIN, AdminAccountId=MEMBER), call(ADMIN, AdminAccountId=OTHER_MEMBER)),
        "InvalidInputException",
    ),
    Case(
        ADMINISTRATOR,
        "dismissed",
        then(
            call(ADMIN, AdminAccountId=MEMBER),
            call("disable_organization_admin_account", AdminAccountId=MEMBER),
            admins,
        ),
        [],
    ),
    Case(
        ADMINISTRATOR,
        "not there to dismiss",
        call("disable_organization_admin_account", AdminAccountId=MEMBER),
        "InvalidInputException",
    ),
    Case(ADMINISTRATOR, "a member asks", lambda aws: admins(aws.of(MEMBER)), "InvalidAccessException"),
    Case(ADMINISTRATOR, "a stranger asks", lambda aws: admins(aws.of(STRANGER)), "AccessDeniedException"),
    Case(
        "securityhub.organization",
        "not the administrator",
        call("describe_organization_configuration"),
        "InvalidAccessException",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


def test_a_standard_is_ready_where_config_records(aws: Aws) -> None:
    make_channel(aws)
    aws.config.start_configuration_recorder(ConfigurationRecorderName="default")
    assert then(ON, enabled(BEST), statuses)(aws) == [(BEST, "READY")]


def test_a_disabled_hub_takes_its_standards_and_aggregator_with_it(aws: Aws) -> None:
    then(ON, enabled(BEST), linked("ALL_REGIONS"), call("disable_security_hub"), ON)(aws)
    assert statuses(aws) == []
    assert aws.securityhub.list_finding_aggregators()["FindingAggregators"] == []


def test_the_first_hub_makes_the_service_linked_role(aws: Aws) -> None:
    ON(aws)
    [role] = aws.iam.list_roles(PathPrefix=f"/aws-service-role/{PRINCIPAL}/")["Roles"]
    assert role["RoleName"] == "AWSServiceRoleForSecurityHub"


def refused(do: Any, aws: Aws) -> str:
    with pytest.raises(ClientError) as error:
        do(aws)
    return str(error.value.response["Error"]["Code"])


def test_a_member_has_no_aggregator_and_no_generator_of_its_own(aws: Aws, world: World) -> None:
    ON(aws)
    world.memory["security_hub_members"] = {(ACCOUNT, "us-east-1"): MEMBER}
    assert refused(linked("ALL_REGIONS"), aws) == "InvalidInputException"
    other = call("update_security_hub_configuration", ControlFindingGenerator="STANDARD_CONTROL")
    assert refused(other, aws) == "AccessDeniedException"
    assert aws.securityhub.get_administrator_account()["Administrator"]["AccountId"] == MEMBER


def test_the_administrator_configures_the_organization_and_keeps_its_hub(aws: Aws) -> None:
    call(ADMIN, AdminAccountId=MEMBER)(aws)
    services = aws.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert [each["ServicePrincipal"] for each in services] == [PRINCIPAL]
    admin = aws.of(MEMBER)
    assert refused(call("describe_organization_configuration"), admin) == "InvalidAccessException"
    ON(admin)
    client = admin.securityhub
    client.update_organization_configuration(AutoEnable=True, AutoEnableStandards="NONE")
    found = client.describe_organization_configuration()
    assert (found["AutoEnable"], found["AutoEnableStandards"]) == (True, "NONE")
    central = {"OrganizationConfiguration": {"ConfigurationType": "CENTRAL"}}
    switch_over = call("update_organization_configuration", AutoEnable=False, **central)
    assert refused(switch_over, admin) == "InvalidInputException"  # there is no aggregator
    linked("ALL_REGIONS")(admin)
    configure = call("update_organization_configuration", AutoEnable=True, **central)
    assert refused(configure, admin) == "InvalidInputException"
    client.update_organization_configuration(AutoEnable=False, AutoEnableStandards="NONE", **central)
    assert refused(call("disable_security_hub"), admin) == "InvalidInputException"


BARE = {"SecurityHub": {"ServiceEnabled": False}}
STARTS, LISTS = "start_configuration_policy_association", "list_configuration_policy_associations"


def central(do: Any) -> Any:
    """Run *do* as the administrator, after the organization is configured centrally."""

    def as_administrator(aws: Aws) -> Any:
        call(ADMIN, AdminAccountId=MEMBER)(aws)
        admin, kind = aws.of(MEMBER), {"ConfigurationType": "CENTRAL"}
        then(ON, linked("ALL_REGIONS"))(admin)
        settings = {"AutoEnable": False, "AutoEnableStandards": "NONE", "OrganizationConfiguration": kind}
        admin.securityhub.update_organization_configuration(**settings)
        return do(admin)

    return as_administrator


def made(name: str = "one", **hub: Any) -> Any:
    policy = {"SecurityHub": hub} if hub else BARE
    return call("create_configuration_policy", Name=name, ConfigurationPolicy=policy)


def with_policy(operation: str, key: str, **more: Any) -> Any:
    """Call an operation about a new policy."""

    def do(aws: Aws) -> Any:
        return getattr(aws.securityhub, operation)(**{key: made()(aws)["Id"], **more})

    return do


def given(target: str) -> Any:
    """Give an account a new policy."""
    key = "ConfigurationPolicyIdentifier"
    return with_policy(STARTS, key, Target={"AccountId": target})


def not_deleted(aws: Aws) -> Any:
    number = given(OTHER_MEMBER)(aws)["ConfigurationPolicyId"]
    return aws.securityhub.delete_configuration_policy(Identifier=number)


OFF_TOO = {"EnabledStandardIdentifiers": [BEST], "SecurityControlsConfiguration": {}}
NO_STANDARD = {**OFF_TOO, "EnabledStandardIdentifiers": [f"{BEST}0"]}
NO_STANDARD["SecurityControlsConfiguration"] = {"DisabledSecurityControlIdentifiers": ["IAM.6"]}
POLICIES, HAVE, GOVERNED = "securityhub.policies", "securityhub.associations", "securityhub.governed"
CENTRAL_CASES = [
    Case("securityhub.policies", "not central", made(), "AccessDeniedException"),
    Case(POLICIES, "a linked Region", central(lambda aws: made()(aws.at("eu-west-1"))), "AccessDeniedException"),
    Case(POLICIES, "twice", central(then(made(), made())), "ResourceConflictException"),
    Case(POLICIES, "off, with standards", central(made(ServiceEnabled=False, **OFF_TOO)), "InvalidInputException"),
    Case(POLICIES, "no such standard", central(made(ServiceEnabled=True, **NO_STANDARD)), "InvalidInputException"),
    Case(POLICIES, "not there", central(call("get_configuration_policy", Identifier="x")), "ResourceNotFoundException"),
    Case(POLICIES, "in use", central(not_deleted), "ResourceConflictException"),
    Case("securityhub.associations", "pending", central(field(given(OTHER_MEMBER), "AssociationStatus")), "PENDING"),
    Case(HAVE, "no such account", central(given(STRANGER)), "ResourceNotFoundException"),
]  # fmt: skip


@pytest.mark.parametrize("case", CENTRAL_CASES, ids=str)
def test_rule_of_central_configuration(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("rule", [True, False])
def test_an_account_with_a_policy_sets_nothing_itself(rule: bool) -> None:
    with open_sandbox(None, without=[] if rule else ["securityhub.governed"]):
        aws = Aws()
        other = aws.of(OTHER_MEMBER)
        central(given(OTHER_MEMBER))(aws)
        ON(aws)  # which has no policy
        assert (outcome(ON, other) == "AccessDeniedException") is rule


@pytest.mark.parametrize("rule", [True, False])
def test_an_account_with_a_policy_has_what_it_says(rule: bool) -> None:
    with open_sandbox(None, without=[] if rule else ["securityhub.carried_out"]):
        aws = Aws()
        other = aws.of(OTHER_MEMBER)
        ON(other)
        central(given(OTHER_MEMBER))(aws)  # a policy that switches Security Hub off
        assert (outcome(call("describe_hub"), other) == "InvalidAccessException") is rule


def test_central_configuration_holds_what_it_needs(aws: Aws) -> None:
    administrator = central(lambda admin: admin)(aws)
    arn = administrator.securityhub.list_finding_aggregators()["FindingAggregators"][0]
    assert refused(call("delete_finding_aggregator", **arn), administrator) == "InvalidInputException"
    dismissed = call("disable_organization_admin_account", AdminAccountId=MEMBER)
    assert refused(dismissed, aws) == "InvalidInputException"
    call(ADMIN, AdminAccountId=MEMBER)(aws.at("eu-west-1"))
    linked_region = administrator.at("eu-west-1")
    ON(linked_region)
    shown = linked_region.securityhub.describe_organization_configuration()
    assert shown["OrganizationConfiguration"]["ConfigurationType"] == "CENTRAL"
    on = call("update_organization_configuration", AutoEnable=True)
    assert refused(on, linked_region) == "InvalidInputException"
    made()(administrator)
    local = {"OrganizationConfiguration": {"ConfigurationType": "LOCAL"}}
    back = call("update_organization_configuration", AutoEnable=False, **local)
    assert refused(back, administrator) == "InvalidInputException"


def test_standards_and_lists_come_in_pages(aws: Aws, world: World) -> None:
    world.page_size = 1
    then(ON, enabled(BEST), enabled(CIS))(aws)
    for name, key in (
        ("get_enabled_standards", "StandardsSubscriptions"),
        ("describe_standards", "Standards"),
    ):
        assert len(getattr(aws.securityhub, name)()[key]) == 1
        assert sum(len(page[key]) for page in aws.securityhub.get_paginator(name).paginate()) > 1
