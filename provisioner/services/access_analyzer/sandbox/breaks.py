"""Each way in which somebody may change the analyzers by hand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ....sandbox.drift import Break, Hands, answer, breaks
from .analyzers import PRINCIPAL


@breaks("access_analyzer", regional=True)
def account_breaks(hands: Hands) -> Iterator[Break]:
    """Those of the account."""
    yield from _analyzer_breaks(hands, organization=False)


@breaks("access_analyzer_organization", regional=True)
def organization_breaks(hands: Hands) -> Iterator[Break]:
    """Those of the organization."""
    yield from _analyzer_breaks(hands, organization=True)


@breaks("access_analyzer_trusted_access")
def trusted_access_breaks(hands: Hands) -> Iterator[Break]:
    """Access Analyzer may no longer act in the organization's accounts."""
    client = hands.client("organizations")
    read = client.list_aws_service_access_for_organization
    found = answer(read, "AWSOrganizationsNotInUseException", "AccessDeniedException") or {}
    if any(each["ServicePrincipal"] == PRINCIPAL for each in found.get("EnabledServicePrincipals", ())):
        text = "took the organization's trusted access from Access Analyzer"
        off = partial(client.disable_aws_service_access, ServicePrincipal=PRINCIPAL)
        yield Break("organization", f"trusted access for {PRINCIPAL}", text, off)


def _analyzer_breaks(hands: Hands, *, organization: bool) -> Iterator[Break]:
    """An analyzer gone, its tags removed, and another age."""
    client = hands.client("accessanalyzer")
    for each in client.list_analyzers()["analyzers"]:
        if each["type"].startswith("ORGANIZATION") is not organization or "managedBy" in each:
            continue
        unused = each["type"].endswith("_UNUSED_ACCESS")
        what = f"{'unused' if unused else 'external'} access analyzer {each['name']}"
        below = "unused_access." if unused else ""
        yield Break(
            what,
            "",
            f"deleted the {what} in {hands.region}",
            partial(client.delete_analyzer, analyzerName=each["name"]),
        )
        for key in each.get("tags", ()):
            untag = partial(client.untag_resource, resourceArn=each["arn"], tagKeys=[key])
            text = f"removed the tag {key} of the {what} in {hands.region}"
            yield Break(what, f"tag {key}", text, untag, f"{below}tags.{key}")
        if unused:
            yield from _age_breaks(client, what, each["name"])


def _age_breaks(client: Any, what: str, name: str) -> Iterator[Break]:
    for days, stricter in ((365, False), (7, True)):
        update = partial(
            client.update_analyzer,
            analyzerName=name,
            configuration={"unusedAccess": {"unusedAccessAge": days}},
        )
        text = f"let the {what} find what nobody used for {days} days"
        yield Break(what, "unusedAccessAge", text, update, "unused_access.unused_access_age", stricter)
