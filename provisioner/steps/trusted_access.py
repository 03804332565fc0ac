"""Organizations: CloudTrail may act in every account, which an organization trail needs."""

from __future__ import annotations

from ..aws import Aws
from ..baseline import Baseline
from ..delivery import CLOUDTRAIL
from ..model import Changes, Difference, Refused, Scope, update
from ..organization import trail_organization
from . import step
from .cloudtrail import Trail


def read_trusted_access(aws: Aws) -> set[str]:
    """The services that have trusted access. For the management account and delegated administrators only."""
    answer = aws.read("organizations").list_aws_service_access_for_organization()
    return {each["ServicePrincipal"] for each in answer.get("EnabledServicePrincipals")}


@step("trusted_access", Trail, Scope.ONCE, key="cloudtrail")
def ensure_trusted_access(aws: Aws, baseline: Baseline) -> Changes:
    """CloudTrail has trusted access, where the trail is the organization's. It is never taken away.

    Without it Control Tower's trail and those of other tools become trails of one account.
    """
    if not baseline[Trail].is_organization_trail:
        return
    aws.read("organizations").list_aws_service_access_for_organization()  # on its way with the other question
    organization = trail_organization(aws)
    if CLOUDTRAIL in read_trusted_access(aws):
        return
    if aws.account != organization.management_account:
        raise Refused(
            f"trusted access for {CLOUDTRAIL} is off, and only the management account can turn it on:"
            f" run this in account {organization.management_account}"
        )
    call = aws.write("organizations").enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    yield update(
        "organization", (Difference(f"trusted access for {CLOUDTRAIL}", have=False, want=True),), call
    )
