"""Ways to break what GuardDuty has in a Region by hand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ....sandbox.drift import Administrator, Break, allow_paths_too, breaks, breaks_of, read_or_none
from .state import ALWAYS

_REFUSED = "BadRequestException"
_EVERYTHING = {"Criterion": {"severity": {"GreaterThanOrEqual": 0}}}


def _detectors(admin: Administrator) -> Iterator[tuple[Any, dict[str, str]]]:
    """The client, and the parameter that names the Region's detector, if there is one."""
    client = admin.client("guardduty")
    for found in client.list_detectors()["DetectorIds"]:
        yield client, {"DetectorId": found}


@breaks("guardduty", regional=True)
def detector_breaks(admin: Administrator) -> Iterator[Break]:
    """Suspend and delete the detector, publish findings at another pace, and switch each feature that the file has."""
    for client, key in _detectors(admin):
        have, update = client.get_detector(**key), client.update_detector
        broken, where = breaks_of("GuardDuty detector"), f"GuardDuty in {admin.region}"
        yield broken("", f"deleted the detector of {where}", _delete_detector, client=client, key=key)
        suspend = partial(_suspend, client, key)
        yield broken("Enable", f"suspended {where}, and keeps filters that hide nothing", suspend)
        yield from _suppressions(client, key, where)
        field, asked = "FindingPublishingFrequency", "finding_publishing_frequency"
        if have[field] != "SIX_HOURS":
            text = f"had {where} publish findings every six hours"
            yield broken(field, text, update, asked, **key, **{field: "SIX_HOURS"})
        if have[field] != "FIFTEEN_MINUTES":
            text = f"had {where} publish findings every fifteen minutes"
            yield broken("", text, update, asked, stricter=True, **key, **{field: "FIFTEEN_MINUTES"})
        for tag in have.get("Tags", {}):
            arn = f"arn:aws:guardduty:{admin.region}:{admin.account}:detector/{key['DetectorId']}"
            text, untag = f"removed the tag {tag} of {where}", client.untag_resource
            yield broken(f"tag {tag}", text, untag, f"tags.{tag}", ResourceArn=arn, TagKeys=[tag])
        for feature in have["Features"]:
            if feature["Status"] == "ENABLED" and feature["Name"] not in ALWAYS:
                yield from _feature_breaks(client, key, feature, where)


def _suspend(client: Any, key: dict[str, str]) -> None:
    """Suspend a detector, beside a filter and lists of others that hide nothing."""
    listed = {"Name": "unused", "Format": "TXT", "Location": "s3://theirs/list.txt", "Activate": False}
    client.create_filter(**key, Name="saved", FindingCriteria=_EVERYTHING)
    client.create_ip_set(**key, **listed)
    client.create_trusted_entity_set(**key, **listed)
    client.update_detector(**key, Enable=False)


def _suppressions(client: Any, key: dict[str, str], where: str) -> Iterator[Break]:
    """Archive all findings, and trust addresses and domains."""
    consent, broken = "remove-foreign-suppression", breaks_of("GuardDuty detector")
    archive = {"Name": "theirs", "Action": "ARCHIVE", "FindingCriteria": _EVERYTHING}
    text, field = f"archived what {where} finds", "suppression rule theirs"
    yield broken(field, text, client.create_filter, consent=consent, **key, **archive)
    trusted = {"Name": "theirs", "Format": "TXT", "Location": "s3://theirs/list.txt", "Activate": True}
    for what, create in (("addresses", client.create_ip_set), ("domains", client.create_trusted_entity_set)):
        text = f"had {where} trust {what}"
        yield broken("trusted list theirs", text, create, consent=consent, **key, **trusted)


def _delete_detector(client: Any, key: dict[str, str]) -> None:
    """Delete a detector, which AWS does once it has no members."""
    if members := [each["AccountId"] for each in client.list_members(**key)["Members"]]:
        client.disassociate_members(**key, AccountIds=members)
    client.delete_detector(**key)


def _feature_breaks(client: Any, key: dict[str, str], feature: dict[str, Any], where: str) -> Iterator[Break]:
    """Disable a feature, and each of its parts that is enabled."""
    name = feature["Name"]
    broken, asked = breaks_of(f"GuardDuty feature {name}"), f"features.{name}"

    def put(field: str, sentence: str, path: str, **changed: Any) -> Break:
        features = [{"Name": name, **changed}]
        return broken(field, f"{sentence} {where}", client.update_detector, path, **key, Features=features)

    yield put("Status", f"disabled {name} of", asked, Status="DISABLED")
    for part in feature.get("AdditionalConfiguration", ()):
        if part["Status"] == "ENABLED":
            off = [{"Name": part["Name"], "Status": "DISABLED"}]
            text, path = f"disabled {part['Name']} of", f"{asked}.additional_configuration.{part['Name']}"
            yield put(part["Name"], text, path, Status="ENABLED", AdditionalConfiguration=off)


@breaks("guardduty_export", regional=True)
def export_breaks(admin: Administrator) -> Iterator[Break]:
    """Delete the publishing destination, and change its prefix."""
    broken, where = breaks_of("publishing destination"), f"GuardDuty in {admin.region}"
    for client, key in _detectors(admin):
        for each in client.list_publishing_destinations(**key)["Destinations"]:
            one = {**key, "DestinationId": each["DestinationId"]}
            properties = client.describe_publishing_destination(**one)["DestinationProperties"]
            text, delete = (
                f"deleted the publishing destination of {where}",
                client.delete_publishing_destination,
            )
            yield broken("", text, delete, "publishing_destination", **one)
            moved = {**properties, "DestinationArn": f"{properties['DestinationArn']}/elsewhere"}
            text, asked = (
                f"had findings of {where} exported below another prefix",
                "publishing_destination.s3_key_prefix",
            )
            destination = {"client": client, **one, "DestinationProperties": moved}
            yield broken("DestinationArn", text, _move, asked, s3=admin.client("s3"), **destination)


def _move(s3: Any, client: Any, **destination: Any) -> None:
    """Export below another prefix, which the bucket's policy allows too."""
    arn = destination["DestinationProperties"]["DestinationArn"]
    bucket, _, prefix = arn.partition(":::")[2].partition("/")
    allow_paths_too(s3, bucket, prefix.removesuffix("/elsewhere"), prefix)
    client.update_publishing_destination(**destination)


@breaks("guardduty_organization", regional=True)
def organization_breaks(admin: Administrator) -> Iterator[Break]:
    """Enable GuardDuty and its features in fewer accounts by itself, and in more."""
    broken, where = breaks_of("GuardDuty of the organization"), f"GuardDuty in {admin.region}"
    members, section = "AutoEnableOrganizationMembers", "organization"
    for client, key in _detectors(admin):
        found = read_or_none(client.describe_organization_configuration, _REFUSED, **key)
        if found is None:
            continue
        have, put = found[members], client.update_organization_configuration
        yield from _member_breaks(client, key, where, found["Features"])
        if have != "NONE":
            text, asked = f"ended that accounts get {where}", f"{section}.auto_enable_organization_members"
            yield broken(members, text, put, asked, **key, **{members: "NONE"})
        if have != "ALL":
            text, asked = f"gave all accounts {where}", f"{section}.auto_enable_organization_members"
            yield broken("", text, put, asked, stricter=True, **key, **{members: "ALL"})
        for feature in found["Features"]:
            name, off = feature["Name"], {**feature, "AutoEnable": "NONE"}
            if feature["AutoEnable"] != "NONE":
                text, asked = f"ended that accounts get {name} of {where}", f"{section}.features.{name}"
                yield broken(name, text, put, asked, **key, **{members: have}, Features=[off])
    yield from _administrator_breaks(admin)  # last, as the others need it


def _member_breaks(
    client: Any, key: dict[str, str], where: str, configured: list[dict[str, Any]]
) -> Iterator[Break]:
    """Remove all members but the last, suspend that one, and disable in it each feature that ALL are to have."""
    broken, asked = breaks_of("GuardDuty of the organization"), "organization.create_members"
    members = [each["AccountId"] for each in client.list_members(**key)["Members"]]
    for account in members[:-1]:
        one = {**key, "AccountIds": [account]}
        text, field = f"removed account {account} from {where}", f"member {account}"
        yield broken(field, text, client.disassociate_members, asked, **one)
    for account in members[-1:]:
        one = {**key, "AccountIds": [account]}
        update, stop = client.update_member_detectors, client.stop_monitoring_members
        for name in [each["Name"] for each in configured if each["AutoEnable"] == "ALL"]:
            features = [{"Name": name, "Status": "DISABLED"}]
            text, path = f"disabled {name} in account {account} of {where}", f"organization.features.{name}"
            yield broken(f"member {account} {name}", text, update, path, **one, Features=features)
        yield broken(f"member {account}", f"suspended account {account} in {where}", stop, asked, **one)


def _administrator_breaks(admin: Administrator) -> Iterator[Break]:
    """Remove the administrator of the Region, and with it what it enables."""
    client, broken = admin.client("guardduty"), breaks_of("GuardDuty of the organization")
    found = read_or_none(client.list_organization_admin_accounts, _REFUSED) or {}
    for each in found.get("AdminAccounts", ()):
        account, remove = each["AdminAccountId"], client.disable_organization_admin_account
        text = f"removed account {account} as the administrator of GuardDuty in {admin.region}"
        yield broken("", text, remove, "organization", AdminAccountId=account)
