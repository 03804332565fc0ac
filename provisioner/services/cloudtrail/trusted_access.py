"""Organizations: CloudTrail may act in every account, which an organization trail needs."""

from __future__ import annotations

from ...aws import Aws
from ...aws.errors import DENIED, ClientError, code_of
from ...baseline import Baseline
from ...model import Changes, Difference, Refused, Scope, update
from ...steps.registry import hints, step
from .delivery import CLOUDTRAIL
from .steps import Trail
from .trails import trail_organization


def read_trusted_access(aws: Aws) -> set[str]:
    """The services that have trusted access. For the management account and delegated administrators only."""
    answer = aws.read("organizations").list_aws_service_access_for_organization()
    return {each["ServicePrincipal"] for each in answer.get("EnabledServicePrincipals")}


def _not_here(management_account: str) -> str:
    return (
        "an organization trail is made by the management account or a delegated administrator of CloudTrail,"
        f" and AWS takes this account for neither: run this in account {management_account}, register this one"
        " there (`aws cloudtrail register-organization-delegated-admin`), or set"
        " `cloudtrail.is_organization_trail: false`"
    )


hints(
    "organizations",
    {
        "AWSOrganizationsNotInUseException": "this account is in no organization: set"
        " `cloudtrail.is_organization_trail: false`"
    },
)


@step("trusted_access", Trail, Scope.ONCE, clients=("organizations",))
def ensure_trusted_access(aws: Aws, baseline: Baseline) -> Changes:
    """CloudTrail has trusted access, where the trail is the organization's. It is never taken away.

    Without it Control Tower's trail and those of other tools become trails of one account.
    """
    if not baseline[Trail].is_organization_trail:
        return
    aws.read("organizations").list_aws_service_access_for_organization()  # on its way with the other question
    organization = trail_organization(aws)
    try:
        trusted = read_trusted_access(aws)
    except ClientError as error:
        if code_of(error) in DENIED and aws.account != organization.management_account:
            raise Refused(_not_here(organization.management_account)) from error
        raise
    if CLOUDTRAIL in trusted:
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
