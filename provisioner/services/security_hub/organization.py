"""The organization: its administrator in each Region, and what the administrator sets for new accounts."""

from __future__ import annotations

from typing import Any, Final

from ...aws import Aws
from ...aws.errors import ClientError, code_of
from ...baseline import Baseline
from ...model import Call, Changes, Exists, Refused, Scope, Wait, create
from ...steps.organization import OrganizationFeature, require_organization
from ...steps.registry import step
from ...steps.settings import Strictness, settings, to_api
from .central import CONFIGURATION, DESIGNATED, NOT_ADMINISTRATOR, automatic, ensure_central, ensure_local
from .section import CENTRAL, Organization, SecurityHub
from .state import HUB_KEY, THROTTLED, JsonObject

PRINCIPAL: Final = "securityhub.amazonaws.com"
ADMINISTRATOR: Final = "Security Hub administrator"
_FEATURE: Final = OrganizationFeature(PRINCIPAL, ADMINISTRATOR, "security_hub.organization")
_ORGANIZATION_SEEN = Wait("InvalidInputException", "Security Hub to see the organization", seconds=60)


@step(
    "security_hub_administrator",
    SecurityHub,
    Scope.ONCE,
    each_region=True,
    clients=("securityhub", "organizations"),
    field="organization",
)
def ensure_security_hub_administrator(aws: Aws, baseline: Baseline) -> Changes:
    """Designate the administrator of the organization, from the management account. Another one is never replaced."""
    organization = baseline[SecurityHub].organization
    if organization is None or aws.account == organization.administrator:
        return
    listed = aws.read("securityhub").list_organization_admin_accounts()
    management = require_organization(aws, _FEATURE).management_account
    if aws.account != management:
        raise Refused(
            f"only the management account designates the administrator: run this in account {management}, or leave"
            f" `{_FEATURE.instead}` out"
        )
    want = organization.administrator
    there = [each["AccountId"] for each in listed.get("AdminAccounts") if each["Status"] == "ENABLED"]
    if want in there:
        yield Exists(ADMINISTRATOR)
        return
    if there:
        raise Refused(
            f"account {there[0]} administers Security Hub in {aws.region}, and is not replaced, as that takes its"
            f" members from it: name it as `{_FEATURE.instead}.administrator`, or remove it there (`aws securityhub"
            f" disable-organization-admin-account --region {aws.region} --admin-account-id {there[0]}`)"
        )
    call = aws.write("securityhub").enable_organization_admin_account(AdminAccountId=want)
    yield create(ADMINISTRATOR, {"AdminAccountId": want}, call.waiting(_ORGANIZATION_SEEN, THROTTLED))


def ensure_organization_configuration(aws: Aws, section: Organization) -> Changes:
    """Set what new accounts get, or in the home Region central configuration, in the administrator's account."""
    have, asked = read_configuration(aws), section.configuration_type
    if asked == CENTRAL:
        if aws.target.home:
            yield from ensure_central(aws, have, require_organization(aws, _FEATURE).management_account)
        return
    kind = ((have or {}).get("OrganizationConfiguration") or {}).get("ConfigurationType")

    if asked and kind == CENTRAL and aws.target.home:
        yield from ensure_local(aws, have or {}, to_api(section))
        return

    def put(changed: dict[str, Any]) -> Call:
        params = {**automatic(have), **changed}  # AWS does not say what it does with one that is left out
        call = aws.write("securityhub").update_organization_configuration(**params)
        return call.waiting(DESIGNATED, THROTTLED).using(HUB_KEY)

    yield from settings(
        CONFIGURATION,
        have or {},
        to_api(section),
        put,
        Strictness.of(Organization, exact=section.exact),
        owner=lambda: "the central configuration of Security Hub" if kind == CENTRAL else "",
    )


def read_configuration(aws: Aws) -> JsonObject | None:
    """The configuration of the organization; None before this account is its administrator."""
    reading = aws.read("securityhub").describe_organization_configuration()
    try:
        reading.get("AutoEnable")
    except ClientError as error:
        if code_of(error) != NOT_ADMINISTRATOR:
            raise
        return None
    configuration: JsonObject = reading.all()
    return configuration
