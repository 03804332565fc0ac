"""Ways to change the analyzers, or the trusted access that they need, by hand."""

from __future__ import annotations

from collections.abc import Iterator

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, trusted_access_break
from .analyzers import PRINCIPAL


@breaks("access_analyzer", regional=True)
def account_breaks(admin: Administrator) -> Iterator[Break]:
    """Break the analyzers of the account."""
    yield from _analyzer_breaks(admin, organization=False)


@breaks("access_analyzer_organization", regional=True)
def organization_breaks(admin: Administrator) -> Iterator[Break]:
    """Break the analyzers of the organization."""
    yield from _analyzer_breaks(admin, organization=True)


@breaks("access_analyzer_trusted_access")
def trusted_access_breaks(admin: Administrator) -> Iterator[Break]:
    """Disable trusted access for Access Analyzer."""
    yield from trusted_access_break(admin, PRINCIPAL, "Access Analyzer")


def _analyzer_breaks(admin: Administrator, *, organization: bool) -> Iterator[Break]:
    """Delete each analyzer, remove its tags and change its tracking period."""
    client = admin.client("accessanalyzer")
    for each in client.list_analyzers()["analyzers"]:
        if each["type"].startswith("ORGANIZATION") is not organization or "managedBy" in each:
            continue
        name, unused = each["name"], each["type"].endswith("_UNUSED_ACCESS")
        what = f"{'unused' if unused else 'external'} access analyzer {name}"
        where, section = f"the {what} in {admin.region}", "unused_access." if unused else ""
        broken = breaks_of(what)
        yield broken("", f"deleted {where}", client.delete_analyzer, analyzerName=name)
        for key in each.get("tags", ()):
            tag = {"resourceArn": each["arn"], "tagKeys": [key]}
            text = f"removed the tag {key} of {where}"
            yield broken(f"tag {key}", text, client.untag_resource, f"{section}tags.{key}", **tag)
        text = f"archived what the {what} in {admin.region} finds"
        archive = {"analyzerName": name, "ruleName": "theirs", "filter": {"isPublic": {"eq": ["true"]}}}
        rule, consent = client.create_archive_rule, "remove-foreign-suppression"
        yield broken("archive rule theirs", text, rule, consent=consent, **archive)
        for days, stricter in ((365, False), (7, True)) if unused else ():
            update = {"analyzerName": name, "configuration": {"unusedAccess": {"unusedAccessAge": days}}}
            text = f"let the {what} find what nobody used for {days} days"
            asked = "unused_access.unused_access_age"
            yield broken("unusedAccessAge", text, client.update_analyzer, asked, stricter=stricter, **update)
