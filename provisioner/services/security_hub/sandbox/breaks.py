"""Ways to change by hand what Security Hub has in a Region, and who administers it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none

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
        yield broken("AutoEnableControls", text, update, "auto_enable_controls", AutoEnableControls=False)
    for key in client.list_tags_for_resource(ResourceArn=hub["HubArn"])["Tags"]:
        text, of_tag = f"removed the tag {key} of the hub in {where}", {"TagKeys": [key]}
        untag = client.untag_resource
        yield broken(f"tag {key}", text, untag, f"tags.{key}", ResourceArn=hub["HubArn"], **of_tag)
    for each in client.get_enabled_standards()["StandardsSubscriptions"]:
        yield from _standard_breaks(client, where, each)
    if admin.home:
        yield from _aggregator_breaks(client)


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


def _controls_off(client: Any, standard: str) -> Iterator[str]:
    for control in ("Config.1", "EC2.2", "IAM.1", "IAM.6", "S3.1"):
        found = client.list_standards_control_associations(SecurityControlId=control)
        for each in found["StandardsControlAssociationSummaries"]:
            if each["StandardsArn"] == standard and each["AssociationStatus"] == "DISABLED":
                yield control


def _aggregator_breaks(client: Any) -> Iterator[Break]:
    """Delete the aggregator, and take Regions from it."""
    broken = breaks_of("finding aggregator")
    for each in client.list_finding_aggregators()["FindingAggregators"]:
        text = "deleted the finding aggregator"
        yield broken("", text, client.delete_finding_aggregator, "finding_aggregator", **each)
        text, update = "let no Region send its findings to the home Region", client.update_finding_aggregator
        asked = "finding_aggregator"
        yield broken("RegionLinkingMode", text, update, asked, RegionLinkingMode="NO_REGIONS", **each)


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
