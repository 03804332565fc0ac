"""Ways to change by hand what Security Hub has in a Region, and who administers it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none
from .central import SELF_MANAGED

_GONE = "InvalidAccessException"


@breaks("security_hub", regional=True)
def hub_breaks(admin: Administrator) -> Iterator[Break]:
    """Disable the hub, its standards and its aggregator, and change their settings."""
    client, where = admin.client("securityhub"), admin.region
    hub = read_or_none(client.describe_hub, _GONE)
    if hub is None:
        return
    broken, update = breaks_of("Security Hub"), client.update_security_hub_configuration
    yield breaks_of("")("", f"deleted the hub in {where}", client.disable_security_hub)
    other = {"SECURITY_CONTROL": "STANDARD_CONTROL"}.get(hub["ControlFindingGenerator"], "SECURITY_CONTROL")
    text, asked = f"let Security Hub in {where} make findings by {other}", "control_finding_generator"
    yield broken("ControlFindingGenerator", text, update, asked, ControlFindingGenerator=other)
    if hub["AutoEnableControls"]:
        text = f"kept new controls of Security Hub in {where} off"
        keep_off = partial(_keep_new_controls_off, client)
        yield broken("AutoEnableControls", text, keep_off, "auto_enable_controls")
    text, make = f"suppressed what Security Hub in {where} finds", client.create_automation_rule
    hidden = _rule("theirs", {"Workflow": {"Status": "SUPPRESSED"}})
    yield broken("automation rule theirs", text, make, consent="remove-foreign-suppression", **hidden)
    for key in client.list_tags_for_resource(ResourceArn=hub["HubArn"])["Tags"]:
        text, of_tag = f"removed the tag {key} of the hub in {where}", {"TagKeys": [key]}
        untag = client.untag_resource
        yield broken(f"tag {key}", text, untag, f"tags.{key}", ResourceArn=hub["HubArn"], **of_tag)
    for each in client.get_enabled_standards()["StandardsSubscriptions"]:
        yield from _standard_breaks(client, where, each)
    yield from _v2_breaks(client, where, home=admin.home)
    if admin.home:
        yield from _aggregator_breaks(client)
        yield from _central_breaks(client)


def _keep_new_controls_off(client: Any) -> None:
    """Keep new controls off, beside a rule that hides nothing."""
    client.create_automation_rule(**_rule("raised", {"Severity": {"Label": "CRITICAL"}}))
    client.update_security_hub_configuration(AutoEnableControls=False)


def _rule(name: str, update: dict[str, Any]) -> dict[str, Any]:
    """A rule for the findings of all products, by the names of CreateAutomationRule."""
    actions = [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": update}]
    every = {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}
    return {"RuleName": name, "RuleOrder": 1, "Description": name, "Criteria": every, "Actions": actions}


def _standard_breaks(client: Any, where: str, subscription: dict[str, Any]) -> Iterator[Break]:
    """Disable a standard, switch on a control that is off in it, and change the reason for that."""
    arn, name = (
        subscription["StandardsArn"],
        subscription["StandardsArn"].rpartition(":")[2].partition("/")[2],
    )
    off = [*_controls_off(client, arn)]
    text, given = f"disabled the standard {name} in {where}", [subscription["StandardsSubscriptionArn"]]
    # What is off in the standard shows, too.
    title, field = ("", "") if off else (f"standard {name}", "StandardsArn")
    disable = client.batch_disable_standards
    yield breaks_of(title)(field, text, disable, "standards.*", StandardsSubscriptionArns=given)
    broken, update = breaks_of(f"controls of {name}"), client.batch_update_standards_control_associations
    asked = "standards.*.disabled_controls.*"
    yield from _unnamed_breaks(client, where, subscription, off)
    for control in off:
        one = {"StandardsArn": arn, "SecurityControlId": control}
        for sentence, status in (
            (f"switched on {control} of {name} in {where}", {"AssociationStatus": "ENABLED"}),
            (
                f"gave another reason why {control} of {name} is off in {where}",
                {"AssociationStatus": "DISABLED", "UpdatedReason": "Nobody knows"},
            ),
        ):
            updates = [{**one, **status}]
            yield broken(control, sentence, update, asked, StandardsControlAssociationUpdates=updates)


def _unnamed_breaks(client: Any, where: str, subscription: dict[str, Any], off: list[str]) -> Iterator[Break]:
    """Switch a control off that nobody has switched off."""
    arn = subscription["StandardsArn"]
    name = arn.rpartition(":")[2].partition("/")[2]
    listed = client.list_security_control_definitions(StandardsArn=arn)["SecurityControlDefinitions"]
    control = next(each["SecurityControlId"] for each in listed if each["SecurityControlId"] not in off)
    status = {"AssociationStatus": "DISABLED", "UpdatedReason": "Nobody knows"}
    updates = [{"StandardsArn": arn, "SecurityControlId": control, **status}]
    broken, update = breaks_of(f"controls of {name}"), client.batch_update_standards_control_associations
    text, consent = f"switched off {control} of {name} in {where}", "remove-foreign-suppression"
    yield broken(control, text, update, consent=consent, StandardsControlAssociationUpdates=updates)


def _controls_off(client: Any, standard: str) -> Iterator[str]:
    for control in ("Config.1", "EC2.2", "IAM.1", "IAM.6", "S3.1"):
        found = client.list_standards_control_associations(SecurityControlId=control)
        for each in found["StandardsControlAssociationSummaries"]:
            if each["StandardsArn"] == standard and each["AssociationStatus"] == "DISABLED":
                yield control


def _v2_breaks(client: Any, where: str, *, home: bool) -> Iterator[Break]:
    """Disable Security Hub V2, delete its aggregator, and take Regions from it."""
    if read_or_none(client.describe_security_hub_v2, "ResourceNotFoundException") is None:
        return
    found = client.list_aggregators_v2()["AggregatorsV2"] if home else ()
    text, asked = f"disabled Security Hub V2 in {where}", "security_hub_v2"
    gone = breaks_of("" if found else "Security Hub V2")  # with its aggregator
    yield gone("", text, client.disable_security_hub_v2, asked)
    broken = breaks_of("Security Hub V2 aggregator")
    for each in found:
        asked = "security_hub_v2.finding_aggregator"
        yield broken(
            "", "deleted the aggregator of Security Hub V2", client.delete_aggregator_v2, asked, **each
        )
        have, update = client.get_aggregator_v2(**each), client.update_aggregator_v2
        one = {"RegionLinkingMode": "SPECIFIED_REGIONS", "LinkedRegions": ["ap-southeast-2"]}
        text = "let one Region only send findings of Security Hub V2"
        field = "RegionLinkingMode" if have["RegionLinkingMode"] == "ALL_REGIONS" else "LinkedRegions"
        yield broken(field, text, update, asked, **one, **each)
        if field == "LinkedRegions":
            text, every = (
                "let all Regions send findings of Security Hub V2",
                {"RegionLinkingMode": "ALL_REGIONS"},
            )
            yield broken("", text, update, asked, stricter=True, **every, **each)


def _aggregator_breaks(client: Any) -> Iterator[Break]:
    """Delete the aggregator, and take Regions from it."""
    broken = breaks_of("finding aggregator")
    for each in client.list_finding_aggregators()["FindingAggregators"]:
        text = "deleted the finding aggregator"
        yield broken("", text, client.delete_finding_aggregator, "finding_aggregator", **each)
        text, update = "let no Region send its findings to the home Region", client.update_finding_aggregator
        asked = "finding_aggregator"
        yield broken("RegionLinkingMode", text, update, asked, RegionLinkingMode="NO_REGIONS", **each)


def _central_breaks(client: Any) -> Iterator[Break]:
    """Change and delete the configuration policies of an administrator, and take them from what has them."""
    listed = read_or_none(client.list_configuration_policies, "AccessDeniedException") or {}
    for summary in listed.get("ConfigurationPolicySummaries", ()):
        policy = client.get_configuration_policy(Identifier=summary["Arn"])
        yield from _policy_breaks(client, policy)
    listed = read_or_none(client.list_configuration_policy_associations, "AccessDeniedException") or {}
    for each in listed.get("ConfigurationPolicyAssociationSummaries", ()):
        target, kind = each["TargetId"], each["TargetType"]
        title = f"configuration of {'root' if kind == 'ROOT' else target}"
        key = {"ACCOUNT": "AccountId", "ROOT": "RootId"}.get(kind, "OrganizationalUnitId")
        broken, given = breaks_of(title), dict[str, Any]({"Target": {key: target}})
        text, off = f"took its configuration from {target}", client.start_configuration_policy_disassociation
        own = {"ConfigurationPolicyIdentifier": each["ConfigurationPolicyId"], **given}
        yield broken("", text, off, "organization", **own)
        if each["ConfigurationPolicyId"] != SELF_MANAGED:
            text, start = f"let {target} set itself up", client.start_configuration_policy_association
            given["ConfigurationPolicyIdentifier"] = SELF_MANAGED
            yield broken("ConfigurationPolicy", text, start, "organization", **given)


def _policy_breaks(client: Any, policy: dict[str, Any]) -> Iterator[Break]:
    """Change one policy: what it enables, what is off in it, and its parameters; on the stricter side, too."""
    name, given = policy["Name"], {"Identifier": policy["Arn"]}
    broken, update = breaks_of(f"configuration policy {name}"), client.update_configuration_policy
    hub = policy["ConfigurationPolicy"]["SecurityHub"]
    text, where = f"gave the policy {name} another description", "organization"
    if policy.get("Description"):
        yield broken("Description", text, update, where, Description="Nobody knows", **given)
    if not hub["ServiceEnabled"]:
        return

    def put(**changed: Any) -> dict[str, Any]:
        return {"ConfigurationPolicy": {"SecurityHub": {**hub, **changed}}, **given}

    off: dict[str, Any] = {"ConfigurationPolicy": {"SecurityHub": {"ServiceEnabled": False}}, **given}
    yield broken("", f"let the policy {name} switch Security Hub off", update, where, **off)
    key, standards = "EnabledStandardIdentifiers", hub["EnabledStandardIdentifiers"]
    if standards:
        text = f"took a standard from the policy {name}"
        yield broken(key, text, update, where, **put(**{key: standards[1:]}))
    more = ":".join(policy["Arn"].split(":")[:4]) + "::standards/nist-800-53/v/5.0.0"
    text = f"added a standard to the policy {name}"
    yield broken(key, text, update, where, stricter=True, **put(**{key: [*standards, more]}))
    controls: dict[str, Any] = hub["SecurityControlsConfiguration"]
    key = "DisabledSecurityControlIdentifiers"
    if controls.get(key):
        text = f"switched controls on in the policy {name}"
        full = put(SecurityControlsConfiguration={**controls, key: controls[key][1:]})
        yield broken(key, text, update, where, stricter=True, **full)
        text = f"switched another control off in the policy {name}"
        fewer = put(SecurityControlsConfiguration={**controls, key: [*controls[key], "S3.1"]})
        yield broken(key, text, update, where, **fewer)
    if controls.get("SecurityControlCustomParameters"):
        text = f"took the parameters from the policy {name}"
        kept = {each: value for each, value in controls.items() if each != "SecurityControlCustomParameters"}
        yield broken("parameter", text, update, where, **put(SecurityControlsConfiguration=kept))


@breaks("security_hub_administrator", regional=True)
def administrator_breaks(admin: Administrator) -> Iterator[Break]:
    """Dismiss the administrator of the organization."""
    client = admin.client("securityhub")
    found = read_or_none(client.list_organization_admin_accounts, _GONE, "AccessDeniedException") or {}
    for each in found.get("AdminAccounts", ()):
        text = f"dismissed the administrator of Security Hub in {admin.region}"
        dismiss = client.disable_organization_admin_account
        broken = breaks_of("Security Hub administrator")
        yield broken("AdminAccountId", text, dismiss, "organization", AdminAccountId=each["AccountId"])
