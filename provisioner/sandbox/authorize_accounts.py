"""What AWS asks to be allowed of who goes through the accounts of an organization: Organizations, Account Management, STS."""

from __future__ import annotations

from typing import Final

from .act import Acts, act, partition
from .rules.organizations import held_organization
from .words import WireCall

# Operation → the parameter with the id of an account, an OU or the root.
_ABOUT: Final = {
    "DescribeAccount": "AccountId",
    "ListAccountsForParent": "ParentId",
    "ListOrganizationalUnitsForParent": "ParentId",
    "ListParents": "ChildId",
    "ListTagsForResource": "ResourceId",
}


def organizations(call: WireCall) -> Acts:
    """Resources: the accounts, OUs and roots that are asked about."""
    if call.operation == "EnableAWSServiceAccess":
        service = call.params["ServicePrincipal"]
        yield act(call, f"organizations:{call.operation}", "*", organizations__ServicePrincipal=service)
    elif call.operation in _ABOUT:
        owner, org = organization(call.account, partition(call))
        target = str(call.params[_ABOUT[call.operation]])
        kind = "root" if target.startswith("r-") else "ou" if target.startswith("ou-") else "account"
        resource = f"arn:{partition(call)}:organizations::{owner}:{kind}/{org}/{target}"
        yield act(call, f"organizations:{call.operation}", resource)


def account(call: WireCall) -> Acts:
    """Resource: the caller's own account, or a member of its organization."""
    if call.operation not in {"ListRegions", "GetRegionOptStatus", "EnableRegion", "DisableRegion"}:
        return
    resource = f"arn:{partition(call)}:account::{call.account}:account"
    if member := call.params.get("AccountId"):
        owner, org = organization(call.account, partition(call))
        resource = f"arn:{partition(call)}:account::{owner}:account/{org}/{member}"
    context = {"account__TargetRegion": name} if (name := call.params.get("RegionName")) else {}
    yield act(call, f"account:{call.operation}", resource, **context)


def sts(call: WireCall) -> Acts:
    """Resource: the role. Tags and a source identity are asked for apart."""
    if call.operation != "AssumeRole":
        return
    role = str(call.params["RoleArn"])
    _, org = organization(role.split(":")[4] if role.count(":") >= 5 else "", partition(call))
    context = {"aws__ResourceOrgID": org} if org else {}
    names = ["AssumeRole"]
    names += ["TagSession"] if call.params.get("Tags") else []
    names += ["SetSourceIdentity"] if call.params.get("SourceIdentity") else []
    for name in names:
        yield act(call, f"sts:{name}", role, **context)


def organization(account: str, where: str) -> tuple[str, str]:
    """The management account and the id of the account's organization in the partition; empty where it has none."""
    held = held_organization(account, where)
    return (held.org.master_account_id, held.org.id) if held is not None else ("", "")
