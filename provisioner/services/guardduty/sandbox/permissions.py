"""IAM actions of GuardDuty requests beyond the action of the operation's name."""

from __future__ import annotations

from ....sandbox.actions import Acts, act, authorizes, default_acts, linked_role_arn, partition
from ....sandbox.model import WireCall
from ....sandbox.rules.organizations import organization_of
from ....sandbox.rules.permissions import role_arn
from .state import PRINCIPAL


@authorizes("guardduty")
def _guardduty(call: WireCall) -> Acts:
    """The first detector needs the service-linked role; an administrator is also one of Organizations.

    Source: GuardDuty User Guide, "Permissions required to designate a delegated GuardDuty administrator account" and
    "Using service-linked roles for Amazon GuardDuty".
    """
    if "DestinationId" in call.params:  # the Service Authorization Reference names it otherwise
        where = f"arn:{partition(call)}:guardduty:{call.region}:{call.account}:detector/{call.params['DetectorId']}"
        destination = f"{where}/publishingdestination/{call.params['DestinationId']}"
        yield act(call, f"guardduty:{call.operation}", destination)
        return
    yield from default_acts(call)
    if call.operation in {"CreateDetector", "EnableOrganizationAdminAccount"}:
        linked = linked_role_arn(call, PRINCIPAL)
        if role_arn(call, linked.rpartition("/")[2]) != linked:  # the role does not exist
            yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=PRINCIPAL)
    if call.operation == "EnableOrganizationAdminAccount":
        yield from _delegation(call)


def _delegation(call: WireCall) -> Acts:
    """What GuardDuty asks of Organizations for its caller."""
    management, organization = organization_of(call.account, partition(call))
    service = {"organizations__ServicePrincipal": PRINCIPAL}
    yield act(call, "organizations:EnableAWSServiceAccess", "*", **service)
    for name in (
        "ListAWSServiceAccessForOrganization",
        "ListDelegatedAdministrators",
        "DescribeOrganization",
    ):
        yield act(call, f"organizations:{name}", "*")
    if (account := call.params["AdminAccountId"]) != management:
        where = f"arn:{partition(call)}:organizations::{management}:account/{organization}/{account}"
        yield act(call, "organizations:RegisterDelegatedAdministrator", where, **service)
        yield act(call, "organizations:DescribeAccount", where)
