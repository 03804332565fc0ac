"""The step `guardduty_organization`: the delegated administrator, and what it enables in the accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...model import (
    PENDING,
    Call,
    Changes,
    Difference,
    Exists,
    Finding,
    Findings,
    Kind,
    Note,
    Part,
    Refused,
    Scope,
    create,
)
from ...steps.organization import OrganizationFeature, require_organization
from ...steps.registry import step, verify
from ...steps.settings import Strictness, settings
from .delivery import PRINCIPAL
from .members import concerns_members, ensure_members
from .section import AUTO_ENABLE, GuardDuty, Organization
from .state import SERVICE, detector_id, named, parts_of

FEATURE: Final = OrganizationFeature(
    PRINCIPAL,
    "GuardDuty of the organization",
    "guardduty.organization: null",
)
TITLE: Final = "GuardDuty of the organization"
_MEMBERS: Final = "AutoEnableOrganizationMembers"


@step(
    "guardduty_organization",
    GuardDuty,
    Scope.ONCE,
    needs=("guardduty",),  # AWS makes the administrator's detector, if there is none, with all features on
    each_region=True,
    clients=(SERVICE, "organizations"),
    field="organization",
)
def ensure_guardduty_organization(aws: Aws, baseline: Baseline) -> Changes:
    """Have an administrator of GuardDuty, and if it is this account, what GuardDuty enables in the accounts by itself."""
    section = baseline[GuardDuty].organization
    if section is None:
        return
    administrator, designated = _administrator(aws, section, baseline.general.home_region)
    if not designated:
        call = aws.write(SERVICE).enable_organization_admin_account(AdminAccountId=administrator)
        yield replace(create(TITLE, {"AdminAccountId": administrator}, call), enables=True)
    if not want_settings(section) and not concerns_members(section):
        return
    if administrator != aws.account:
        text = f"is set by its administrator: run this in account {administrator} too, to set it"
        yield Note(Kind.WARNING, TITLE, text)
        return
    if want_settings(section):
        yield from _configuration(aws, section, designated=designated, exact=baseline[GuardDuty].exact)
    if concerns_members(section):
        yield Part(TITLE, ensure_members(aws, section, TITLE, designated=designated))


def _administrator(aws: Aws, section: Organization, home: str) -> tuple[str, bool]:
    """The account that is to be the Region's administrator, and whether it is. Another one is never replaced."""
    reading = aws.read(SERVICE).list_organization_admin_accounts()
    organization = require_organization(aws, FEATURE)
    management, asked = organization.management_account, section.admin_account_id
    if aws.account != management:  # which alone may ask
        if asked not in {None, aws.account}:
            raise Refused(
                f"only the management account makes {asked} the administrator of GuardDuty: run this in account"
                f" {management}, or for its settings in account {asked}"
            )
        return aws.account, True
    found = reading.get("AdminAccounts")
    if not found:
        return asked or aws.account, False
    have = str(found[0]["AdminAccountId"])
    if found[0]["AdminStatus"] != "ENABLED":
        raise Refused(f"account {have} is being removed as the administrator of GuardDuty: run again later")
    if asked not in {None, have}:
        raise Refused(
            f"account {have} is the administrator of GuardDuty in {aws.region}, and the file asks for {asked}: set"
            f" `guardduty.organization.admin_account_id: '{have}'`, or remove that one first (`aws guardduty"
            f" disable-organization-admin-account --admin-account-id {have}`), which leaves its members on their own"
        )
    return have, True


def _configuration(aws: Aws, section: Organization, *, designated: bool, exact: bool) -> Changes:
    """Bring to the baseline what the administrator enables in the accounts. All settings go into one request."""
    detector, asked = detector_id(aws), want_settings(section)
    reading = _ask(aws, detector) if detector and designated else None
    have = _settings_of(reading.all()) if reading else {}
    if reading:
        yield Exists(TITLE)
        yield from _without_what_is_not_offered(aws, asked, reading.all())

    def put(changed: dict[str, Any]) -> Call:
        members = changed.get(_MEMBERS) or have.get(_MEMBERS) or "NONE"  # AWS asks for it each time
        features = [_feature(name, have, changed) for name in section.features if _touches(name, changed)]
        more = {"Features": features} if features else {}
        call = aws.write(SERVICE).update_organization_configuration(
            DetectorId=detector or PENDING, **{_MEMBERS: members}, **more
        )
        return call.based_on(reading)

    strictness = Strictness(dict.fromkeys(asked, AUTO_ENABLE), exact)
    yield from settings(TITLE, have, asked, put, strictness, warn=_warn_of_all)


def _ask(aws: Aws, detector: str) -> Reading:
    return aws.read(SERVICE).describe_organization_configuration(DetectorId=detector)


def want_settings(section: Organization) -> dict[str, str]:
    """What the file asks for, by field: `AutoEnableOrganizationMembers`, `FEATURE` and `FEATURE PART`."""
    members = section.auto_enable_organization_members
    found: dict[str, str] = {_MEMBERS: members} if members else {}
    for name, feature in section.features.items():
        found |= {name: feature.auto_enable}
        found |= {f"{name} {part}": value for part, value in feature.additional_configuration.items()}
    return found


def _settings_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of DescribeOrganizationConfiguration, by field as in `want_settings`."""
    old = "NEW" if answer.get("AutoEnable") else "NONE"  # the older field
    found = {_MEMBERS: answer.get(_MEMBERS) or old}
    for each in answer.get("Features") or ():
        found[each["Name"]] = each.get("AutoEnable")
        found |= {f"{each['Name']} {part}": value for part, value in parts_of(each, "AutoEnable").items()}
    return found


def _without_what_is_not_offered(
    aws: Aws, asked: dict[str, str], answer: Mapping[str, Any]
) -> Iterator[Note]:
    """Take features from *asked* that AWS does not list in the Region, with a note on each."""
    for name in {key.partition(" ")[0] for key in asked} - {_MEMBERS}:
        if named(answer.get("Features"), name) is None:
            for key in [each for each in asked if _touches(name, [each])]:
                del asked[key]
            yield Note(Kind.WARNING, TITLE, f"GuardDuty does not offer {name} in {aws.region}: left out")


def _touches(name: str, fields: Any) -> bool:
    """Whether one of the fields is of the feature."""
    return any(each.partition(" ")[0] == name for each in fields)


def _feature(name: str, have: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """A feature as UpdateOrganizationConfiguration takes it, with the parts that it has."""
    full = {**have, **changed}
    parts = [
        {"Name": key.removeprefix(f"{name} "), "AutoEnable": value}
        for key, value in full.items()
        if key.startswith(f"{name} ")
    ]
    more = {"AdditionalConfiguration": parts} if parts else {}
    return {"Name": name, "AutoEnable": full[name], **more}


def _warn_of_all(repairs: Mapping[str, Difference]) -> Iterator[Note]:
    """Say whom ALL reaches, as each of them is billed."""
    if found := [name for name, each in repairs.items() if each.want == "ALL"]:
        text = (
            f"ALL ({', '.join(found)}) also reaches, within a day, every account that is in the organization already,"
            " and those that were suspended or removed in GuardDuty; each is billed"
        )
        yield Note(Kind.WARNING, TITLE, text)


@verify("guardduty_organization")
def verify_guardduty_organization(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the administrator can take more accounts."""
    section = baseline[GuardDuty].organization
    if section is None:
        return
    administrator, designated = _administrator(aws, section, baseline.general.home_region)
    if not designated:
        yield Finding(TITLE, "administrator", False, "not there")
        return
    detector = detector_id(aws)
    if administrator != aws.account or detector is None or not want_settings(section):
        yield Finding(TITLE, "administrator", True, f"account {administrator}")
        return
    full = _ask(aws, detector).get("MemberAccountLimitReached")
    detail = "has as many members as AWS allows: others are not enabled" if full else f"account {aws.account}"
    yield Finding(TITLE, "administrator", not full, detail)
