"""The step `cloudtrail_trusted_access`: CloudTrail may act in every account, which an organization trail needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Changes, Scope, Target
from ...steps.organization import OrganizationFeature, trusted_access, trusted_access_permissions
from ...steps.permission import Permission, permits
from ...steps.registry import step
from .delivery import CLOUDTRAIL
from .section import Trail

ORGANIZATION_TRAIL: Final = OrganizationFeature(
    CLOUDTRAIL,
    "an organization trail",
    "cloudtrail.is_organization_trail: false",
    "aws cloudtrail register-organization-delegated-admin",
)


@step(
    "cloudtrail_trusted_access", Trail, Scope.ONCE, clients=("organizations",), field="is_organization_trail"
)
def ensure_cloudtrail_trusted_access(aws: Aws, baseline: Baseline) -> Changes:
    """Give CloudTrail trusted access, where the file asks for an organization trail.

    It is never taken away: without it, organization trails of Control Tower and others become trails of one account.
    """
    if baseline[Trail].is_organization_trail:
        yield from trusted_access(aws, ORGANIZATION_TRAIL)


@permits("cloudtrail_trusted_access")
def cloudtrail_trusted_access_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read whether CloudTrail has trusted access, and give it."""
    if baseline[Trail].is_organization_trail:
        yield from trusted_access_permissions(ORGANIZATION_TRAIL)
