"""Ways to change Macie by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none

_MACIE = breaks_of("Macie")
_ABSENT = "AccessDeniedException"  # Macie is not enabled


@breaks("macie_administrator", regional=True)
def administrator_breaks(admin: Administrator) -> Iterator[Break]:
    """Remove the administrator of the organization."""
    client = admin.client("macie2")
    found = read_or_none(client.list_organization_admin_accounts, _ABSENT) or {"adminAccounts": []}
    for each in found["adminAccounts"]:
        account = each["accountId"]
        yield breaks_of("Macie administrator")(
            "adminAccountId",
            f"removed {account} as Macie's administrator in {admin.region}",
            client.disable_organization_admin_account,
            "organization",
            adminAccountId=account,
        )


@breaks("macie", regional=True)
def macie_breaks(admin: Administrator) -> Iterator[Break]:
    """Disable or pause Macie, and change each setting."""
    client, where = admin.client("macie2"), admin.region
    session = read_or_none(client.get_macie_session, _ABSENT)
    if session is None:
        return
    yield _MACIE("", f"disabled Macie in {where}, which deleted its settings", client.disable_macie)
    yield _MACIE("status", f"paused Macie in {where}", client.update_macie_session, status="PAUSED")
    frequency, asked = "findingPublishingFrequency", "finding_publishing_frequency"
    for value, stricter in (("SIX_HOURS", False), ("FIFTEEN_MINUTES", True)):
        if session[frequency] != value:
            text = f"let Macie in {where} publish findings {value}"
            put = client.update_macie_session
            yield _MACIE(frequency, text, put, asked, stricter=stricter, **{frequency: value})
    archive = {"name": "theirs", "action": "ARCHIVE", "findingCriteria": {}}
    text, create = f"archived what Macie finds in {where}", client.create_findings_filter
    consent = "remove-foreign-suppression"
    yield _MACIE("suppression rule theirs", text, create, consent=consent, **archive)
    yield from _publication_breaks(client, where)
    yield from _discovery_breaks(client, where)
    yield from _member_breaks(client, where)


def _publication_breaks(client: Any, where: str) -> Iterator[Break]:
    have = client.get_findings_publication_configuration()["securityHubConfiguration"]
    named = {"publishClassificationFindings": "classification", "publishPolicyFindings": "policy"}
    for field, kind in named.items():
        if have[field]:
            yield _MACIE(
                field,
                f"kept {kind} findings of {where} from Security Hub",
                client.put_findings_publication_configuration,
                f"security_hub_configuration.publish_{kind}_findings",
                securityHubConfiguration={**have, field: False},
            )


def _discovery_breaks(client: Any, where: str) -> Iterator[Break]:
    have = client.get_automated_discovery_configuration()
    if have["status"] == "ENABLED":
        yield _MACIE(
            "automatedDiscovery.status",
            f"disabled automated discovery in {where}",
            client.update_automated_discovery_configuration,
            "automated_discovery.status",
            status="DISABLED",
        )
    scope = have.get("classificationScopeId")
    names = client.get_classification_scope(id=scope)["s3"]["excludes"]["bucketNames"] if scope else []
    for name in names[:1]:
        yield _MACIE(
            "excludes.bucketNames",
            f"included the bucket {name} in automated discovery in {where}",
            client.update_classification_scope,
            "automated_discovery.exclude_log_buckets",
            id=scope,
            s3={"excludes": {"bucketNames": [name], "operation": "REMOVE"}},
        )


def _member_breaks(client: Any, where: str) -> Iterator[Break]:
    """Remove all members but the last, and pause that one, if this account administers any."""
    members = (read_or_none(client.list_members, _ABSENT) or {"members": []})["members"]
    broken = breaks_of("Macie members")
    asked, numbers = "organization.create_members", [each["accountId"] for each in members]
    for account in numbers[:-1]:
        text = f"removed account {account} from Macie in {where}"
        yield broken(f"member {account}", text, client.disassociate_member, asked, id=account)
    for account in numbers[-1:]:
        text, pause = f"paused Macie in account {account} in {where}", client.update_member_session
        yield broken(f"member {account}", text, pause, asked, id=account, status="PAUSED")


@breaks("macie_export", regional=True)
def export_breaks(admin: Administrator) -> Iterator[Break]:
    """Store results nowhere, or elsewhere."""
    client, where = admin.client("macie2"), admin.region
    answer = read_or_none(client.get_classification_export_configuration, _ABSENT) or {}
    found = answer.get("configuration", {}).get("s3Destination")
    if not found:
        return
    put, asked = client.put_classification_export_configuration, "classification_export"
    yield _MACIE("", f"let Macie in {where} store its results for 90 days only", put, asked, configuration={})
    moved = {"s3Destination": {**found, "keyPrefix": "elsewhere"}}
    text = f"let Macie in {where} store its results elsewhere"
    yield _MACIE("keyPrefix", text, put, f"{asked}.key_prefix", configuration=moved)
