"""Ways to break the rules and packs of the organization in AWS Config by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none, trusted_access_break
from .organization import DENIED, MULTI_ACCOUNT
from .pack_breaks import OTHER_TEMPLATE

_MANAGED, _POLICY = "OrganizationManagedRuleMetadata", "OrganizationCustomPolicyRuleMetadata"
_KINDS = (_MANAGED, _POLICY)
_PARAMETERS = "ConformancePackInputParameters"
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
    named = {"OrganizationConfigRuleName": rule["OrganizationConfigRuleName"]}
    kind = next(each for each in _KINDS if each in rule)
    have, excluded = dict(rule[kind]), rule.get("ExcludedAccounts", [])
    if kind == _POLICY:
        have["PolicyText"] = client.get_organization_custom_rule_policy(**named)["PolicyText"]
    title = f"organization rule {rule['OrganizationConfigRuleName']}"
    broken, where = breaks_of(title), f"{title} in {admin.region}"

    def put(**given: Any) -> None:
        client.put_organization_config_rule(**named, **given)
        client.describe_organization_config_rule_statuses()  # it is in progress once

    def changed(field: str, sentence: str, asked: str = "", *, stricter: bool = False, **other: Any) -> Break:
        given = {kind: {**have, **other}, "ExcludedAccounts": excluded}
        path = f"organization_rules.*.{asked}" if asked else ""
        return broken("" if stricter else field, f"{sentence} {where}", put, path, stricter=stricter, **given)

    if kind == _MANAGED:
        yield changed("RuleIdentifier", "made another rule of", RuleIdentifier="IAM_PASSWORD_POLICY")
    else:
        lax = "rule nothing when resourceType == 'x' { x exists }"
        yield changed("PolicyText", "made the policy look at nothing in", PolicyText=lax)
        text, only = "let only oversized changes be evaluated by", dict[str, Any]({_TRIGGERS: [_OVERSIZED]})
        yield changed(_TRIGGERS, text, "trigger_types", **only)
    if have.get("Description"):
        yield changed("Description", "changed the description of", "description", Description="theirs")
    if have.get("InputParameters"):
        lax = json.dumps(dict.fromkeys(json.loads(have["InputParameters"]), "9999"))
        text, asked = "changed the parameters of", "input_parameters"
        yield changed("InputParameters", text, asked, InputParameters=lax)
    if have.get("ResourceTypesScope"):
        text, asked = "changed the scope of", "resource_types_scope"
        yield changed("ResourceTypesScope", text, asked, ResourceTypesScope=["AWS::EC2::Volume"])
    frequency, asked = "MaximumExecutionFrequency", "maximum_execution_frequency"
    if have.get(frequency) not in {None, "One_Hour"}:
        text, often = "raised the evaluation frequency of", {frequency: "One_Hour"}
        yield changed(frequency, text, asked, stricter=True, **often)
    fewer = {kind: have, "ExcludedAccounts": [*excluded, admin.account]}
    asked = "organization_rules.*.excluded_accounts"
    yield broken("ExcludedAccounts", f"took {admin.account} from {where}", put, asked, **fewer)

    def delete() -> None:
        client.delete_organization_config_rule(**named)
        client.describe_organization_config_rule_statuses()  # it is listed once more

    yield broken("", f"deleted {where}", delete)


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
