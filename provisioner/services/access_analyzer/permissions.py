"""The permissions of the steps of Access Analyzer."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...model import Target
from ...steps.organization import trusted_access_permissions
from ...steps.permission import APPLY, Permission, allow, equals, linked_role, permits, regional, within
from .section import UnusedAccess
from .steps import ORGANIZATION_ANALYZER, PRINCIPAL, want_analyzers

_SERVICE = "access-analyzer"


@permits("access_analyzer")
def access_analyzer_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and configure the analyzers of the account."""
    yield from _analyzers(target, baseline, organization=False)


@permits("access_analyzer", disabling=True)
def access_analyzer_deleting_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """List the analyzers, and delete those of the account."""
    on, region = regional(target, baseline, _SERVICE, "analyzer/*")
    if want_analyzers(baseline, organization=False, home=target.home):
        # AWS has no resource for it.
        yield from allow("AnalyzersList", _SERVICE, "ListAnalyzers", condition=within(target))
        yield from allow(
            "AnalyzersDelete", _SERVICE, "DeleteAnalyzer", on=on, condition=region, purposes=APPLY
        )


@permits("access_analyzer_trusted_access")
def access_analyzer_trusted_access_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read whether Access Analyzer has trusted access, and give it."""
    if want_analyzers(baseline, organization=True, home=True):
        yield from trusted_access_permissions(ORGANIZATION_ANALYZER)


@permits("access_analyzer_organization")
def access_analyzer_organization_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and configure the analyzers of the organization."""
    yield from _analyzers(target, baseline, organization=True)


def _analyzers(target: Target, baseline: Baseline, *, organization: bool) -> Iterator[Permission]:
    """Read, create and configure the analyzers of the Region. An adopted one may have any name."""
    analyzers = want_analyzers(baseline, organization=organization, home=target.home)
    if not analyzers:
        return
    on, region = regional(target, baseline, _SERVICE, "analyzer/*")
    # AWS has no resource for it.
    yield from allow("AnalyzersList", _SERVICE, "ListAnalyzers", condition=within(target))
    writes = ["CreateAnalyzer", *(["TagResource"] if any(each.tags for each in analyzers) else [])]
    yield from allow("AnalyzersRead", _SERVICE, "ListArchiveRules", on=on, condition=region)
    if any(isinstance(each, UnusedAccess) for each in analyzers):
        yield from allow("AnalyzersRead", _SERVICE, "GetAnalyzer", on=on, condition=region)
        writes.append("UpdateAnalyzer")
    yield from allow("AnalyzersWrite", _SERVICE, writes, on=on, condition=region, purposes=APPLY)
    yield from allow(
        "AnalyzerRoleMake",
        "iam",
        "CreateServiceLinkedRole",
        on=(linked_role(target, PRINCIPAL, "AWSServiceRoleForAccessAnalyzer"),),
        condition=equals("iam:AWSServiceName", PRINCIPAL),
        purposes=APPLY,
    )
