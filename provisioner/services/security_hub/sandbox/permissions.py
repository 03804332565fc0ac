"""IAM actions of Security Hub requests beyond the action of the operation's name, from AWS's pages."""

from __future__ import annotations

from ....sandbox.actions import Acts, act, authorizes, default_acts, linked_role_arn, partition
from ....sandbox.model import WireCall
from ....sandbox.rules.organizations import organization_of
from ....sandbox.rules.permissions import role_arn
from ..v2 import PRINCIPAL as PRINCIPAL_V2
from .hub import PRINCIPAL

_LINKED = {"EnableSecurityHub": PRINCIPAL, "EnableSecurityHubV2": PRINCIPAL_V2}


@authorizes("securityhub")
def _security_hub(call: WireCall) -> Acts:
    """The first hub of an account creates the service-linked role; the administrator is registered in Organizations."""
    yield from default_acts(call)
    if principal := _LINKED.get(call.operation):
        linked = linked_role_arn(call, principal)
        if role_arn(call, linked.rpartition("/")[2]) != linked:  # the role does not exist
            yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=principal)
    elif call.operation == "EnableOrganizationAdminAccount":
        owner, org = organization_of(call.account, partition(call))
        account = (
            f"arn:{partition(call)}:organizations::{owner}:account/{org}/{call.params['AdminAccountId']}"
        )
        yield act(call, "organizations:DescribeOrganization", "*")
        to_service = {"organizations__ServicePrincipal": PRINCIPAL}
        yield act(call, "organizations:EnableAWSServiceAccess", "*", **to_service)
        yield act(call, "organizations:RegisterDelegatedAdministrator", account, **to_service)
