"""What the steps of Access Analyzer ask to be allowed."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...model import Target
from ...steps.organization import trusted_access_permissions
from ...steps.permission import APPLY, Permission, allow, equals, linked_role, permits, regional, within
from .section import UnusedAccess
from .steps import ORGANIZATION_ANALYZER, PRINCIPAL, wanted

_SERVICE = "access-analyzer"


@permits("access_analyzer")
def access_analyzer_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Those of the account."""
    yield from _analyzers(target, baseline, organization=False)


@permits("access_analyzer_trusted_access")
def access_analyzer_trusted_access_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """See whether Access Analyzer has trusted access, and give it."""
    if wanted(baseline, organization=True, home=True):
        yield from trusted_access_permissions(ORGANIZATION_ANALYZER)


@permits("access_analyzer_organization")
def access_analyzer_organization_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Those of the organization."""
    yield from _analyzers(target, baseline, organization=True)


def _analyzers(target: Target, baseline: Baseline, *, organization: bool) -> Iterator[Permission]:
    """Find, make and set right the analyzers of the Region; one that is adopted may have any name."""
    several = wanted(baseline, organization=organization, home=target.home)
    if not several:
        return
    every, pinned = regional(target, baseline, _SERVICE, "analyzer/*")
    # AWS knows no resource for it.
    yield from allow("AnalyzersList", _SERVICE, "ListAnalyzers", condition=within(target))
    writes = ["CreateAnalyzer", *(["TagResource"] if any(each.tags for each in several) else [])]
    if any(isinstance(each, UnusedAccess) for each in several):
        yield from allow("AnalyzersRead", _SERVICE, "GetAnalyzer", on=every, condition=pinned)
        writes.append("UpdateAnalyzer")
    yield from allow("AnalyzersWrite", _SERVICE, writes, on=every, condition=pinned, purposes=APPLY)
    yield from allow(
        "AnalyzerRoleMake",
        "iam",
        "CreateServiceLinkedRole",
        on=(linked_role(target, PRINCIPAL, "AWSServiceRoleForAccessAnalyzer"),),
        condition=equals("iam:AWSServiceName", PRINCIPAL),
        purposes=APPLY,
    )
