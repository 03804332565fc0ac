"""IAM actions of Security Hub requests beyond the action of the operation's name, from AWS's pages."""

from __future__ import annotations

from ....sandbox.actions import Acts, act, authorizes, default_acts, linked_role_arn, partition
from ....sandbox.model import WireCall
from ....sandbox.rules.organizations import organization_of
from ....sandbox.rules.permissions import role_arn
from .hub import PRINCIPAL


@authorizes("securityhub")
def _security_hub(call: WireCall) -> Acts:
    """The first hub of an account creates the service-linked role; the administrator is registered in Organizations."""
    yield from default_acts(call)
    if call.operation == "EnableSecurityHub":
        linked = linked_role_arn(call, PRINCIPAL)
        if role_arn(call, linked.rpartition("/")[2]) != linked:  # the role does not exist
            yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=PRINCIPAL)
    elif call.operation == "EnableOrganizationAdminAccount":
        owner, org = organization_of(call.account, partition(call))
        account = (
            f"arn:{partition(call)}:organizations::{owner}:account/{org}/{call.params['AdminAccountId']}"
        )
        yield act(call, "organizations:DescribeOrganization", "*")
        to_service = {"organizations__ServicePrincipal": PRINCIPAL}
        yield act(call, "organizations:EnableAWSServiceAccess", "*", **to_service)
        yield act(call, "organizations:RegisterDelegatedAdministrator", account, **to_service)
