"""What a new sandbox holds: an organization with all features, and its accounts."""

from __future__ import annotations

import json
from typing import Any, Final

MANAGEMENT: Final = "123456789012"
MEMBERS: Final = {"111122223333": "log-archive", "444455556666": "workload"}
CLOSED: Final = ("777788889999", "closed")
ORGANIZATION: Final = "o-sandbox12345"
ALIAS: Final = "sandbox"
_ROLE = "OrganizationAccountAccessRole"


def plant(memory: dict[str, Any]) -> None:
    """Moto holds the organization; nothing that a baseline asks for is there."""
    from moto.iam.models import iam_backends
    from moto.organizations.models import FakeOrganizationalUnit, organizations_backends

    held = organizations_backends[MANAGEMENT]["aws"]
    held.create_organization("us-east-1", FeatureSet="ALL")
    organization: Any = held.org
    organization.id = ORGANIZATION
    for account in held.accounts:
        account.organization_id = ORGANIZATION
        account.name = "management"
    workloads = FakeOrganizationalUnit(organization, Name="Workloads", ParentId=organization.root_id)
    held.ou.append(workloads)
    for number, name in (*MEMBERS.items(), CLOSED):
        _add_account(held, number, name)
    moved = held.get_account_by_id("444455556666")
    moved.parent_id = workloads.id
    held.get_account_by_id(CLOSED[0]).close()
    # FakeAccount makes its role in an account of a random number, ours have fixed ones.
    for account_id in set(iam_backends) - {MANAGEMENT, *MEMBERS, CLOSED[0]}:
        del iam_backends[account_id]
    iam_backends[MANAGEMENT]["aws"].account_aliases = [ALIAS]
    memory["seed"] = 1


def _add_account(held: Any, number: str, name: str) -> None:
    from moto.iam.models import iam_backends
    from moto.organizations.models import FakeAccount, organizations_backends

    account = FakeAccount(held.org, AccountName=name, Email=f"{name}@example.com")
    account.id = number
    held.accounts.append(account)
    for policy in ("p-FullAWSAccess", "p-RCPFullAWSAccess"):
        held.attach_policy(PolicyId=policy, TargetId=number)
    organizations_backends.master_accounts[number] = (MANAGEMENT, "aws")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam_backends[number]["aws"].create_role(
        role_name=_ROLE,
        assume_role_policy_document=json.dumps(trust),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
