"""IAM actions of Macie requests beyond the action of the operation's name, from AWS's pages."""

from __future__ import annotations

from ....sandbox.actions import Acts, act, authorizes, default_acts, linked_role_arn, partition
from ....sandbox.model import WireCall
from ....sandbox.rules.organizations import organization_of
from ....sandbox.rules.permissions import role_arn
from .session import PRINCIPAL


@authorizes("macie2")
def _macie(call: WireCall) -> Acts:
    """Enabling Macie creates its service-linked role; an administrator is registered in Organizations."""
    yield from default_acts(call)
    if call.operation == "EnableMacie":
        linked = linked_role_arn(call, PRINCIPAL)
        if role_arn(call, linked.rpartition("/")[2]) != linked:  # the role does not exist
            yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=PRINCIPAL)
    if call.operation == "EnableOrganizationAdminAccount":
        only = {"organizations__ServicePrincipal": PRINCIPAL}
        yield act(call, "organizations:EnableAWSServiceAccess", "*", **only)
        owner, organization = organization_of(call.account, partition(call))
        member = f"account/{organization}/{call.params['adminAccountId']}"
        resource = f"arn:{partition(call)}:organizations::{owner}:{member}"
        yield act(call, "organizations:RegisterDelegatedAdministrator", resource, **only)
