"""What requests to CloudTrail ask to be allowed beside the action of their name, from AWS's pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ....sandbox import iam
from ....sandbox.actions import Acts, act, authorizes, named, partition
from ....sandbox.ask import backend
from ....sandbox.policy_eval import Act
from ....sandbox.rules.permissions import role_arn
from ....sandbox.words import WireCall

_PRINCIPAL = "cloudtrail.amazonaws.com"


@authorizes("cloudtrail")
def _cloudtrail(call: WireCall) -> Acts:
    params = call.params
    of_organization = bool(params.get("IsOrganizationTrail"))
    trail = [_of_management(call, each) if of_organization else each for each in named(call)]
    yield from trail
    if params.get("TagsList") and call.operation == "CreateTrail":
        yield from (replace(each, action="cloudtrail:AddTags") for each in trail)
    if role := params.get("CloudWatchLogsRoleArn"):
        yield act(call, "iam:PassRole", role, iam__PassedToService=_PRINCIPAL)
    if of_organization:
        yield from _organization_trail(call)


def _of_management(call: WireCall, asked: Act) -> Act:
    """An organization's trail belongs to the management account, whoever asks."""
    held = backend("organizations", call.account, call.region)
    owner = held.org.master_account_id if held.org else call.account
    return replace(asked, resource=asked.resource.replace(f":{call.account}:trail/", f":{owner}:trail/"))


def _organization_trail(call: WireCall) -> Iterator[Act]:
    """CloudTrail User Guide, "Prepare for creating a trail for your organization"."""
    for name in ("DescribeOrganization", "ListAccounts", "ListAWSServiceAccessForOrganization"):
        yield act(call, f"organizations:{name}", "*")
    name = iam.linked_name(_PRINCIPAL)
    yield act(call, "iam:GetRole", role_arn(call, name))
    linked = f"arn:{partition(call)}:iam::{call.account}:role/aws-service-role/{_PRINCIPAL}/{name}"
    yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=_PRINCIPAL)
