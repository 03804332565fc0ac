"""Ways to break the rules of the organization in AWS Config by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none, trusted_access_break
from .organization import DENIED, MULTI_ACCOUNT

_MANAGED = "OrganizationManagedRuleMetadata"


@breaks("config_organization", regional=True)
def organization_breaks(admin: Administrator) -> Iterator[Break]:
    """Change each setting of each rule, delete it, and take trusted access away."""
    client = admin.client("config")
    if admin.home:
        yield from trusted_access_break(admin, MULTI_ACCOUNT, "the rules of the organization")
    # A member may not ask.
    found = read_or_none(client.describe_organization_config_rules, DENIED) or {}
    for rule in found.get("OrganizationConfigRules", ()):
        if _MANAGED in rule:
            yield from _breaks(admin, client, rule)


def _breaks(admin: Administrator, client: Any, rule: dict[str, Any]) -> Iterator[Break]:
    name, managed = {"OrganizationConfigRuleName": rule["OrganizationConfigRuleName"]}, rule[_MANAGED]
    title = f"organization rule {rule['OrganizationConfigRuleName']}"
    broken, where = breaks_of(title), f"{title} in {admin.region}"
    excluded = rule.get("ExcludedAccounts", [])

    def put(**given: Any) -> None:
        client.put_organization_config_rule(**name, **given)
        client.describe_organization_config_rule_statuses()  # it is in progress once

    def changed(field: str, sentence: str, asked: str = "", *, stricter: bool = False, **other: Any) -> Break:
        given = {_MANAGED: {**managed, **other}, "ExcludedAccounts": excluded}
        path = f"organization_rules.*.{asked}" if asked else ""
        return broken("" if stricter else field, f"{sentence} {where}", put, path, stricter=stricter, **given)

    yield changed("RuleIdentifier", "made another rule of", RuleIdentifier="IAM_PASSWORD_POLICY")
    if managed.get("Description"):
        yield changed("Description", "changed the description of", "description", Description="theirs")
    frequency, asked = "MaximumExecutionFrequency", "maximum_execution_frequency"
    if managed.get(frequency) not in {None, "One_Hour"}:
        text, often = "raised the evaluation frequency of", {frequency: "One_Hour"}
        yield changed(frequency, text, asked, stricter=True, **often)
    fewer = {_MANAGED: managed, "ExcludedAccounts": [*excluded, admin.account]}
    asked = "organization_rules.*.excluded_accounts"
    yield broken("ExcludedAccounts", f"took {admin.account} from {where}", put, asked, **fewer)

    def delete() -> None:
        client.delete_organization_config_rule(**name)
        client.describe_organization_config_rule_statuses()  # it is listed once more

    yield broken("", f"deleted {where}", delete)
