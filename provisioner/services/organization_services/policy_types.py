"""The types of policies of the organization. Its policies themselves are not made here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws, Reading
from ...model import Changes, Difference, Exists, Finding, Findings, Wait, update
from .section import AUTHORIZATION, OrganizationServices

TITLE: Final = "policy types"
# AWS changes one type at a time, and goes on in the background.
_OTHER: Final = Wait("PolicyChangesInProgressException", "another change of policies to end", seconds=300)


def ensure_policy_types(aws: Aws, section: OrganizationServices, roots: Reading) -> Changes:
    """Enable each type of the file for the organization's root; none is ever disabled, which would detach its policies."""
    root = roots.get("Roots")[0]
    status = _statuses(root)
    yield Exists(TITLE)
    for name in section.policy_types:
        if status.get(name) in {"ENABLED", "PENDING_ENABLE"}:
            continue
        call = aws.write("organizations").enable_policy_type(RootId=root["Id"], PolicyType=name)
        call = call.waiting(_OTHER).or_done("PolicyTypeAlreadyEnabledException")
        yield update(TITLE, (Difference(name, have=False, want=True),), call)


def policy_type_findings(aws: Aws, section: OrganizationServices) -> Findings:
    """Find whether each type is enabled, and whether its policies are valid in every account.

    AWS does not apply what is invalid, such as policies that contradict each other.
    """
    read = aws.read("organizations")
    roots = read.list_roots()
    checked = [each for each in section.policy_types if each not in AUTHORIZATION]
    readings = {each: read.list_accounts_with_invalid_effective_policy(PolicyType=each) for each in checked}
    status = _statuses(roots.get("Roots")[0])
    for name in section.policy_types:
        found = status.get(name, "not enabled")
        ok = {"ENABLED": True, "PENDING_ENABLE": None}.get(found, False)
        yield Finding(f"policy type {name}", "enabled", ok, found)
        if name in readings and ok:
            # Without a policy of the type, no account has an effective one.
            answer = readings[name].found("EffectivePolicyNotFoundException") or {}
            accounts = [each["Id"] for each in answer.get("Accounts") or ()]
            detail = f"not in {', '.join(accounts)}" if accounts else "in each account"
            yield Finding(f"policy type {name}", "its policies are valid", not accounts, detail)


def _statuses(root: Mapping[str, Any]) -> Mapping[str, str]:
    """The status of each policy type of the root."""
    return {each["Type"]: each["Status"] for each in root.get("PolicyTypes") or ()}
