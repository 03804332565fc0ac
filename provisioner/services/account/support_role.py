"""The step `account_support_role`: a role that may open cases with AWS Support."""

from __future__ import annotations

from typing import Final

from ...aws import Aws
from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Changes, Finding, Findings, Scope
from ...steps.registry import step, verify
from ...steps.roles import Role, ask_role, role
from .section import Account, SupportRole

_SID: Final = "SupportProvision"
DESCRIPTION: Final = "Opens cases with AWS Support"


def support_policy(partition: str) -> str:
    """The ARN of AWS's policy for that."""
    return arn(partition, "iam", "", "aws", "policy/AWSSupportAccess")


def want_role(want: SupportRole, account: str, partition: str) -> Role:
    """The role. Without principals in the file, the account's own policies say who may assume it."""
    who = sorted(want.principals or [arn(partition, "iam", "", account, "root")])
    trust = {
        "Sid": _SID,
        "Effect": "Allow",
        "Principal": {"AWS": who[0] if len(who) == 1 else who},
        "Action": "sts:AssumeRole",
    }
    return Role(want.role_name, DESCRIPTION, [trust], (support_policy(partition),))


@step("account_support_role", Account, Scope.ACCOUNT, clients=("iam",), field="support_role")
def ensure_account_support_role(aws: Aws, baseline: Baseline) -> Changes:
    """Create the role, or repair its trust and its policy. Policies of others are kept, with a note."""
    want = baseline[Account].support_role
    if want is not None:
        yield from role(aws, baseline.general.home_region, want_role(want, aws.account, aws.partition))


@verify("account_support_role")
def verify_account_support_role(aws: Aws, baseline: Baseline) -> Findings:
    """The role exists."""
    want = baseline[Account].support_role
    if want is not None:
        have = ask_role(aws, baseline.general.home_region, want.role_name).value("Role", "NoSuchEntity")
        yield Finding(f"role {want.role_name}", "there", have is not None, have["Arn"] if have else "none")
