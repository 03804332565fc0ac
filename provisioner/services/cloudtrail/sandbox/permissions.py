"""IAM actions of CloudTrail requests beyond the action of the operation's name, from AWS's pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ....compare.policy_eval import Act
from ....sandbox.actions import Acts, act, authorizes, default_acts, linked_role_arn
from ....sandbox.ask import backend
from ....sandbox.iam import linked_role_name
from ....sandbox.model import WireCall
from ....sandbox.rules.permissions import role_arn
from .trails import PRINCIPAL


@authorizes("cloudtrail")
def _cloudtrail(call: WireCall) -> Acts:
    params = call.params
    of_organization = bool(params.get("IsOrganizationTrail"))
    trail = [_of_management(call, each) if of_organization else each for each in default_acts(call)]
    yield from trail
    if params.get("TagsList") and call.operation == "CreateTrail":
        yield from (replace(each, action="cloudtrail:AddTags") for each in trail)
    if role := params.get("CloudWatchLogsRoleArn"):
        yield act(call, "iam:PassRole", role, iam__PassedToService=PRINCIPAL)
    if of_organization:
        yield from _organization_trail(call)


def _of_management(call: WireCall, asked: Act) -> Act:
    """The trail of an organization belongs to the management account, whoever the caller is."""
    held = backend("organizations", call.account, call.region)
    owner = held.org.master_account_id if held.org else call.account
    return replace(asked, resource=asked.resource.replace(f":{call.account}:trail/", f":{owner}:trail/"))


def _organization_trail(call: WireCall) -> Iterator[Act]:
    """See CloudTrail User Guide, "Prepare for creating a trail for your organization"."""
    for name in ("DescribeOrganization", "ListAccounts", "ListAWSServiceAccessForOrganization"):
        yield act(call, f"organizations:{name}", "*")
    yield act(call, "iam:GetRole", role_arn(call, linked_role_name(PRINCIPAL)))
    linked = linked_role_arn(call, PRINCIPAL)
    yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=PRINCIPAL)
