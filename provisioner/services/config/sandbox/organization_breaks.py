"""Ways to break the rules and packs of the organization in AWS Config by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none, trusted_access_break
from .organization import DENIED, MULTI_ACCOUNT
from .pack_breaks import OTHER_TEMPLATE

_MANAGED, _POLICY = "OrganizationManagedRuleMetadata", "OrganizationCustomPolicyRuleMetadata"
_FUNCTION = "OrganizationCustomRuleMetadata"
_KINDS = (_MANAGED, _POLICY, _FUNCTION)
_PARAMETERS = "ConformancePackInputParameters"
_ARN = "OrganizationConfigRuleArn"
_TRIGGERS = "OrganizationConfigRuleTriggerTypes"
_OVERSIZED = "OversizedConfigurationItemChangeNotification"


@breaks("config_organization", regional=True)
def organization_breaks(admin: Administrator) -> Iterator[Break]:
    """Change each setting of each rule and pack, delete it, and take trusted access away."""
    client = admin.client("config")
    if admin.home:
        yield from trusted_access_break(admin, MULTI_ACCOUNT, "the rules of the organization")
    # A member may not ask.
    found = read_or_none(client.describe_organization_config_rules, DENIED) or {}
    for rule in found.get("OrganizationConfigRules", ()):
        yield from _rule_breaks(admin, client, rule)
    found = read_or_none(client.describe_organization_conformance_packs, DENIED) or {}
    for pack in found.get("OrganizationConformancePacks", ()):
        yield from _pack_breaks(admin, client, pack)


def _rule_breaks(admin: Administrator, client: Any, rule: dict[str, Any]) -> Iterator[Break]:
    named, arn = {"OrganizationConfigRuleName": rule["OrganizationConfigRuleName"]}, rule[_ARN]
    kind = next(each for each in _KINDS if each in rule)
    have, excluded = dict(rule[kind]), rule.get("ExcludedAccounts", [])
    if kind == _POLICY:
        have["PolicyText"] = client.get_organization_custom_rule_policy(**named)["PolicyText"]
    title = f"organization rule {rule['OrganizationConfigRuleName']}"
    broken, where = breaks_of(title), f"{title} in {admin.region}"

    def put(**given: Any) -> None:
        client.put_organization_config_rule(**named, **given)
        client.describe_organization_config_rule_statuses()  # it is in progress once

    for field, sentence, asked, value in _changes(kind, have):
        given = {kind: {**have, field: value}, "ExcludedAccounts": excluded}
        path = f"organization_rules.*.{asked}" if asked else ""
        yield broken(field, f"{sentence} {where}", put, path, **given)
    frequency, asked = "MaximumExecutionFrequency", "organization_rules.*.maximum_execution_frequency"
    if have.get(frequency) not in {None, "One_Hour"}:
        often = {kind: {**have, frequency: "One_Hour"}, "ExcludedAccounts": excluded}
        text = f"raised the evaluation frequency of {where}"
        yield broken("", text, put, asked, stricter=True, **often)
    for key in (tag["Key"] for tag in client.list_tags_for_resource(ResourceArn=arn)["Tags"]):
        text, tag = f"removed the tag {key} of {where}", {"ResourceArn": arn, "TagKeys": [key]}
        yield broken(f"tag {key}", text, client.untag_resource, "organization_rules.*.tags", **tag)
    fewer = {kind: have, "ExcludedAccounts": [*excluded, admin.account]}
    asked = "organization_rules.*.excluded_accounts"
    yield broken("ExcludedAccounts", f"took {admin.account} from {where}", put, asked, **fewer)

    def delete() -> None:
        client.delete_organization_config_rule(**named)
        client.describe_organization_config_rule_statuses()  # it is listed once more

    yield broken("", f"deleted {where}", delete)


def _changes(kind: str, have: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Ways to weaken a rule: a field, what is done to it, the field of the file that asks for it, and its value."""
    if kind == _MANAGED:
        yield "RuleIdentifier", "made another rule of", "", "IAM_PASSWORD_POLICY"
    elif kind == _POLICY:
        lax = "rule nothing when resourceType == 'x' { x exists }"
        yield "PolicyText", "made the policy look at nothing in", "", lax
    else:
        theirs = f"{have['LambdaFunctionArn']}-theirs"
        yield "LambdaFunctionArn", "made another function of", "", theirs
    parameters = json.loads(have.get("InputParameters") or "{}")
    found = (
        (_TRIGGERS, "let only oversized changes be evaluated by", "trigger_types", [_OVERSIZED]),
        ("Description", "changed the description of", "description", "theirs"),
        (
            "InputParameters",
            "changed the parameters of",
            "input_parameters",
            json.dumps(dict.fromkeys(parameters, "9999")),
        ),
        ("ResourceTypesScope", "changed the scope of", "resource_types_scope", ["AWS::EC2::Volume"]),
    )
    yield from (each for each in found if have.get(each[0]))


def _pack_breaks(admin: Administrator, client: Any, pack: dict[str, Any]) -> Iterator[Break]:
    named = {"OrganizationConformancePackName": pack["OrganizationConformancePackName"]}
    title = f"organization conformance pack {pack['OrganizationConformancePackName']}"
    broken, where, arn = (
        breaks_of(title),
        f"{title} in {admin.region}",
        pack["OrganizationConformancePackArn"],
    )
    kept = ("DeliveryS3Bucket", "DeliveryS3KeyPrefix", _PARAMETERS, "ExcludedAccounts")
    full = {**named, "TemplateBody": OTHER_TEMPLATE, **{key: pack[key] for key in kept if key in pack}}

    def replace(field: str, sentence: str, asked: str, value: Any) -> Break:
        def do() -> None:
            client.put_organization_conformance_pack(**{**full, field: value})
            client.describe_organization_conformance_pack_statuses()  # it is in progress once

        return broken(field, f"{sentence} {where}", do, f"organization_conformance_packs.*.{asked}")

    fewer = [*pack.get("ExcludedAccounts", ()), admin.account]
    yield replace("ExcludedAccounts", f"took {admin.account} from", "excluded_accounts", fewer)
    if parameters := pack.get(_PARAMETERS):
        theirs = [{**each, "ParameterValue": "9999"} for each in parameters]
        yield replace(_PARAMETERS, "changed the parameters of", "input_parameters", theirs)
    for key in (tag["Key"] for tag in client.list_tags_for_resource(ResourceArn=arn)["Tags"]):
        text, tag = f"removed the tag {key} of {where}", {"ResourceArn": arn, "TagKeys": [key]}
        own = key.startswith("provision:")  # then nobody knows the template, either
        asked = "" if own else "organization_conformance_packs.*.tags"
        yield broken("" if own else f"tag {key}", text, client.untag_resource, asked, **tag)

    def delete() -> None:
        client.delete_organization_conformance_pack(**named)
        client.describe_organization_conformance_pack_statuses()  # it is listed once more

    yield broken("", f"deleted {where}", delete)
